"""A change of a status can be undone for ten seconds, and then nothing has happened, neither here nor to others."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from slomix.availability import triggers
from slomix.availability.models import Entry
from slomix.availability.rules import Status
from slomix.deliveries.models import Delivery
from tests.moments import TODAY, at
from tests.services.days import SIX, says
from tests.web.conftest import Browse, Browser, is_fragment, is_page, nothing_stored
from tests.web.reading import read
from tests.workers.pump import pump
from tests.world import World

PATH = f"/day/{TODAY}"


def press(browser: Browser, status: str) -> str:
    """Press a status; return the token of the form that undoes it, empty if there is none."""
    answer = read(browser.post(f"{PATH}/status", {"status": status}, htmx=True).text)
    return next((one.attributes["value"] for one in answer.all("input") if one.attributes.get("name") == "change"), "")


def entries(world: World) -> list[tuple[object, ...]]:
    with world.session() as session:
        columns = [column for column in Entry.__table__.columns if column.name != "id"]
        return [tuple(row) for row in session.execute(select(*columns).order_by(Entry.player_id))]


@pytest.mark.parametrize("before", [None, *Status])
@pytest.mark.parametrize("pressed", ["", *Status])
def test_whatever_was_pressed_everything_is_as_it_was(
    world: World, alice: Browser, before: Status | None, pressed: str
) -> None:
    world.says("bob", Status.LOOKING)
    if before is not None:
        world.clock.move_to(at(20, 10))
        world.says("alice", before)
    was = entries(world)
    world.clock.move_to(at(20, 30))
    token = press(alice, pressed)
    assert bool(token) == (pressed != (before or "")), "the same once more is no change"
    if token:
        assert entries(world) != was
        world.clock.forward(timedelta(seconds=10))
        answer = alice.post(f"{PATH}/undo", {"change": token}, htmx=True)
        assert answer.status_code == 200
        assert "Undo" not in read(answer.text).by_id("undo-status").words
    assert entries(world) == was


def test_the_place_in_the_queue_is_the_old_one(world: World, alice: Browser) -> None:
    for name, minute in (("alice", 10), ("erik", 20)):
        world.clock.move_to(at(20, minute))
        world.says(name, Status.LOOKING)
    world.clock.move_to(at(20, 30))
    alice.post(f"{PATH}/undo", {"change": press(alice, "MAYBE")})
    assert [one.words.split()[0] for one in alice.page("/").by_id("queue").all("li")] == ["Alice", "Erik"]


def test_after_ten_seconds_it_is_refused(world: World, alice: Browser) -> None:
    token = press(alice, "MAYBE")
    world.clock.forward(timedelta(seconds=10, milliseconds=1))
    with nothing_stored(world):
        answer = alice.post(f"{PATH}/undo", {"change": token}, htmx=True)
    assert is_fragment(answer, 409) == "That can’t be undone any more: ten seconds are over, or it was changed again."


def test_pressed_twice_it_is_undone_once(world: World, alice: Browser) -> None:
    token = press(alice, "MAYBE")
    assert alice.post(f"{PATH}/undo", {"change": token}).status_code == 303
    with nothing_stored(world):
        assert alice.post(f"{PATH}/undo", {"change": token}).status_code == 303


@pytest.mark.parametrize("what", ["changed since", "another day", "another player", "made up", "missing"])
def test_only_ones_own_last_change_is_undone(world: World, browse: Browse, what: str) -> None:
    alice, path = browse("alice"), PATH
    token = press(alice, "MAYBE")
    who = browse("bob") if what == "another player" else alice
    if what == "changed since":
        world.clock.forward(timedelta(seconds=1))
        press(alice, "LOOKING")
    if what == "another day":
        path = f"/day/{TODAY + timedelta(days=1)}"
    form = {"change": "made.up" if what == "made up" else token} if what != "missing" else {}
    with nothing_stored(world):
        assert (
            is_page(who.post(f"{path}/undo", form), 409)
            == "That can’t be undone any more: ten seconds are over, or it was changed again."
        )


def test_without_scripts_the_next_page_offers_it(world: World, alice: Browser) -> None:
    day = TODAY + timedelta(days=1)
    alice.post(f"/day/{day}/status", {"status": "MAYBE"})
    page = alice.page("/")
    assert "Saved." in page.by_id("flash").words
    [form] = page.by_id("undo-status").all("form")
    assert form.attributes["action"] == f"/day/{day}/undo"
    fields = {one.attributes["name"]: one.attributes.get("value", "") for one in form.all("input")}
    assert alice.client.post(form.attributes["action"], data=fields).status_code == 303
    assert entries(world) == []
    assert alice.page("/").by_id("undo-status").all("form") == []


def test_from_a_days_own_page_too(world: World, alice: Browser) -> None:
    answer = read(alice.post(f"{PATH}/status", {"status": "MAYBE", "from": "day"}, htmx=True).text)
    fields = {one.attributes["name"]: one.attributes["value"] for one in answer.by_id("undo-status").all("input")}
    again = alice.post(f"{PATH}/undo", fields, htmx=True)
    assert read(again.text).has_id("day")
    assert entries(world) == []


def test_what_was_undone_tells_nobody_and_uses_nothing_up(world: World, browse: Browse) -> None:
    world.prefers("bob", session_ready=True, looking_threshold=6)
    for name in SIX[1:]:
        says(world, name, Status.LOOKING)
    assert SIX[0] == "alice"
    alice = browse("alice")
    world.clock.forward(triggers.UNDO_FOR)
    token = press(alice, "LOOKING")
    assert "[6/6]" in alice.get("/").text, "the board shows it at once"
    world.clock.forward(timedelta(seconds=9))
    alice.post(f"{PATH}/undo", {"change": token})
    world.clock.forward(timedelta(seconds=20))
    pump(world)
    with world.session() as session:
        assert session.scalars(select(Delivery)).all() == []
    press(alice, "LOOKING")
    world.clock.forward(timedelta(seconds=9))
    pump(world)
    assert world.discord.sent == []
    world.clock.forward(timedelta(seconds=1))
    pump(world)
    assert len(world.discord.sent) == 1, "the second time is the first"
