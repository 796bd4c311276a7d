"""Late on the pages and in JSON: said by one press, seen by the others, undone, and offered while it makes sense."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from slomix.availability.models import Entry
from slomix.availability.rules import Status
from tests.moments import TODAY, at
from tests.steps import call, comes, is_late
from tests.web.conftest import Browse, Browser, is_page, nothing_stored
from tests.web.reading import Element, read
from tests.world import World

PATH = f"/day/{TODAY}/late"
DAY, BOARD = f"/day/{TODAY}", "/"
API = "/api/availability"


def press(browser: Browser, page: str) -> Element:
    """Press the button that stands on this page, as its form would, with scripts."""
    [form] = [one for one in browser.page(page).all("form") if one.attributes["action"] == PATH]
    fields = {one.attributes["name"]: one.attributes["value"] for one in form.all("input")}
    answer = browser.post(PATH, fields, htmx=True)
    assert answer.status_code == 200
    return read(answer.text)


@pytest.mark.parametrize("page", [BOARD, DAY])
def test_one_press_and_the_others_see_it(world: World, browse: Browse, page: str) -> None:
    alice, erik = browse("alice"), browse("erik")
    world.says("alice", Status.MAYBE)
    answer = press(alice, page)
    assert "You come about 21:15." in answer.by_id(f"day-{TODAY}").words
    assert "comes about 21:15" in erik.page(BOARD).by_id("queue").words
    assert "Alice 15 min late" in erik.page(BOARD).by_id(f"day-{TODAY}").words
    assert "Alice 15 min late" in erik.page(DAY).by_id(f"day-{TODAY}").words
    assert alice.page(page).by_id("late").attributes["aria-pressed"] == "true"
    world.clock.move_to(at(21, 15))
    for path in (BOARD, DAY):
        assert "21:15" not in erik.page(path).words, "it is over by itself"
        assert "late" not in erik.page(path).by_id(f"day-{TODAY}").words


def test_in_the_planning_room_it_stands_beside_the_name(world: World, alice: Browser) -> None:
    for name in ("alice", "bob", "erik", "franka", "goran", "dora"):
        world.says(name, Status.LOOKING)
    assert alice.post(f"/planning/{TODAY}/create").status_code == 303
    is_late(world, "erik")
    room = alice.page("/planning")
    assert room.by_id(f"pool-{world.players['erik']}").words.startswith("Erik comes about 21:15")
    assert "comes about" not in room.by_id(f"pool-{world.players['bob']}").words
    people = alice.call("GET", "/api/planning/today").get_json()["participants"]
    assert {one["name"]: one.get("late_until") for one in people if "late_until" in one} == {
        "Erik": "2026-11-20T20:15:00+00:00"
    }


def test_in_json_it_stands_beside_a_status_while_it_is_true(world: World, browse: Browse) -> None:
    is_late(world, "alice")
    world.says("erik", Status.LOOKING)
    alice, until = browse("alice"), "2026-11-20T20:15:00+00:00"
    for include in ("", "&include_users=1"):
        [day] = alice.get(f"{API}?from={TODAY}&to={TODAY}{include}").get_json()["days"]
        assert (day["my_status"], day["late_until"]) == ("LOOKING", until)
    named = day["users_by_status"]["LOOKING"]
    assert [(one["name"], one.get("late_until")) for one in named] == [("Alice", until), ("Erik", None)]
    assert alice.get(f"{API}/me").get_json()["entries"] == [
        {"date": str(TODAY), "status": "LOOKING", "late_until": until}
    ]
    assert "late_until" not in browse("charlie").get(f"{API}?include_users=1").text
    world.clock.move_to(at(21, 15))
    assert "late_until" not in alice.get(f"{API}?include_users=1").text
    assert "late_until" not in alice.get(f"{API}/me").text


@pytest.mark.parametrize("said", [None, *Status])
@pytest.mark.parametrize(("hour", "minute"), [(17, 59), (18, 0), (21, 20), (21, 21)])
def test_it_is_offered_to_who_may_come_while_it_makes_sense(
    world: World, alice: Browser, said: Status | None, hour: int, minute: int
) -> None:
    if said is not None:
        world.says("alice", said)
    world.clock.move_to(at(hour, minute))
    is_offered = said not in {None, Status.NOT_PLAYING} and (hour, minute) in {(18, 0), (21, 20)}
    for page in (BOARD, DAY):
        assert alice.page(page).has_id("late") is is_offered
    assert not alice.page(f"/day/{TODAY + timedelta(days=1)}").has_id("late")


def test_its_hours_are_the_campaigns(world: World, alice: Browser) -> None:
    world.clock.move_to(at(18))
    world.says("alice", Status.LOOKING)
    call(world, start_at=at(23))
    assert not alice.page(BOARD).has_id("late")
    world.clock.move_to(at(23, 10))
    assert alice.page(BOARD).has_id("late")


@pytest.mark.parametrize("who", [None, "charlie"])
def test_who_is_not_linked_sees_nothing_of_it(world: World, browse: Browse, who: str | None) -> None:
    is_late(world, "alice")
    for page in (BOARD, DAY):
        shown = browse(who).page(page)
        assert not shown.has_id("late")
        assert "21:15" not in shown.words
    answer = browse(who).post(PATH)
    assert answer.status_code in {303, 401, 403}
    assert comes(world, "alice") == at(21, 15)


@pytest.mark.parametrize("before", [None, *Status])
def test_it_is_undone_like_any_other_status(world: World, browse: Browse, before: Status | None) -> None:
    alice, was = browse("alice"), alice_row(world)
    if before is not None:
        world.says("alice", before)
        was = alice_row(world)
    world.clock.forward(timedelta(minutes=1))
    answer = read(alice.post(PATH, htmx=True).text)
    [token] = [one.attributes["value"] for one in answer.all("input") if one.attributes.get("name") == "change"]
    assert comes(world, "alice") == at(21, 15)
    assert alice.post(f"{DAY}/undo", {"change": token}).status_code == 303
    assert alice_row(world) == was


def test_undoing_what_ended_it_makes_it_true_again(world: World, alice: Browser) -> None:
    is_late(world, "alice")
    was = alice_row(world)
    answer = read(alice.post(f"{DAY}/status", {"status": "LOOKING"}, htmx=True).text)
    assert comes(world, "alice") is None
    [token] = [one.attributes["value"] for one in answer.all("input") if one.attributes.get("name") == "change"]
    alice.post(f"{DAY}/undo", {"change": token})
    assert alice_row(world) == was


def alice_row(world: World) -> object:
    with world.session() as session:
        columns = [column for column in Entry.__table__.columns if column.name != "id"]
        return session.execute(select(*columns).where(Entry.player_id == world.players["alice"])).one_or_none()


@pytest.mark.parametrize(
    ("day", "hour", "sentence"),
    [
        (TODAY, 22, "It’s too late for that: nobody is waiting any more tonight."),
        (TODAY + timedelta(days=1), 20, "You can be late for tonight only."),
        (TODAY - timedelta(days=1), 20, "That day is over, so it can be read but no longer changed."),
    ],
)
def test_what_cannot_be_is_a_sentence_and_nothing_half_done(
    world: World, alice: Browser, day: object, hour: int, sentence: str
) -> None:
    world.says("alice", Status.MAYBE)
    world.clock.move_to(at(hour))
    with nothing_stored(world):
        assert is_page(alice.post(f"/day/{day}/late"), 422) == sentence


def test_without_scripts_it_leads_back(world: World, alice: Browser) -> None:
    assert alice.post(PATH).headers["Location"] == f"/#day-{TODAY}"
    assert alice.post(PATH, {"from": "day"}).headers["Location"] == DAY
    assert comes(world, "alice") == at(21, 15)
