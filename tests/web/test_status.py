"""Setting, changing and clearing a status: by htmx, without any script, and heard by every open page."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import select

from slomix.availability.models import Entry
from slomix.availability.rules import Status
from slomix.database import session as db
from tests.moments import TODAY
from tests.waiting import PATIENCE
from tests.web.conftest import Browser, browser_of, make_app
from tests.web.reading import read, roots
from tests.world import World, build_world

TOMORROW = TODAY + timedelta(days=1)
PATH = f"/day/{TODAY}/status"


def said(world: World, name: str = "alice", day: object = TODAY) -> Status | None:
    with world.session() as session:
        query = select(Entry.status).where(Entry.player_id == world.players[name], Entry.day == day)
        return session.scalars(query).one_or_none()


@pytest.mark.parametrize("status", list(Status))
def test_each_of_the_four_buttons_sets_its_status(world: World, alice: Browser, status: Status) -> None:
    answer = alice.post(PATH, {"status": status.value})
    assert answer.status_code == 303
    assert said(world) is status


def test_without_a_script_the_browser_is_sent_back_to_the_board_and_told(world: World, alice: Browser) -> None:
    answer = alice.post(PATH, {"status": "LOOKING"})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/#day-{TODAY}")
    assert "Saved." in alice.page("/").by_id("flash").words
    assert "Saved." not in alice.page("/").by_id("flash").words


def test_from_a_days_own_page_the_browser_is_sent_back_there(alice: Browser) -> None:
    answer = alice.post(f"/day/{TOMORROW}/status", {"status": "MAYBE", "from": "day"})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/day/{TOMORROW}")


def test_by_htmx_the_answer_is_the_day_and_out_of_band_the_queue(world: World, alice: Browser) -> None:
    answer = alice.post(PATH, {"status": "LOOKING"}, htmx=True)
    assert answer.status_code == 200
    parts = roots(read(answer.text))
    assert [one.attributes["id"] for one in parts] == [f"day-{TODAY}", "queue", "undo-status"]
    day, queue, _ = parts
    assert "hx-swap-oob" not in day.attributes
    assert queue.attributes["hx-swap-oob"]
    assert [one.words for one in day.all("button") if one.attributes.get("aria-pressed") == "true"] == ["Looking"]
    assert "Alice" in queue.words
    assert "since 20:30" in queue.words


def test_from_a_days_own_page_the_fragment_has_the_same_root_as_the_page(alice: Browser) -> None:
    answer = alice.post(PATH, {"status": "LOOKING", "from": "day"}, htmx=True)
    on_the_page = alice.page(f"/day/{TODAY}").by_id("day")
    fragment = roots(read(answer.text))[0]
    assert fragment.attributes == on_the_page.attributes
    assert fragment.words == on_the_page.words


def test_a_status_of_another_day_shows_that_day_and_leaves_the_queue_tonights(world: World, alice: Browser) -> None:
    world.says("erik", Status.LOOKING)
    answer = alice.post(f"/day/{TOMORROW}/status", {"status": "LOOKING"}, htmx=True)
    day, queue, _ = roots(read(answer.text))
    assert day.attributes["id"] == f"day-{TOMORROW}"
    assert "Erik" in queue.words
    assert "Alice" not in queue.words


def test_changing_replaces_and_clearing_takes_back(world: World, alice: Browser) -> None:
    alice.post(PATH, {"status": "LOOKING"})
    alice.post(PATH, {"status": "NOT_PLAYING"})
    assert said(world) is Status.NOT_PLAYING
    assert alice.post(PATH, {"status": ""}).status_code == 303
    assert said(world) is None
    assert alice.post(PATH, {"status": ""}).status_code == 303


def test_two_tabs_do_not_conflict(world: World, alice: Browser) -> None:
    token = alice.csrf()
    for status in ("LOOKING", "MAYBE"):
        form = {"csrf_token": token, "status": status}
        assert alice.client.post(PATH, data=form).status_code == 303
    assert said(world) is Status.MAYBE


@pytest.mark.parametrize("days", [0, 1, 90])
def test_today_up_to_ninety_days_ahead_can_be_set(world: World, alice: Browser, days: int) -> None:
    day = TODAY + timedelta(days=days)
    assert alice.post(f"/day/{day}/status", {"status": "AVAILABLE"}).status_code == 303
    assert said(world, day=day) is Status.AVAILABLE


def test_today_is_the_communitys_and_not_the_worlds(world: World, alice: Browser) -> None:
    # 23:30 UTC: in Ljubljana it is half past midnight, and yesterday is over.
    world.clock.move_to(world.clock.now().replace(hour=23, minute=30))
    assert alice.post(PATH, {"status": "LOOKING"}).status_code == 422
    assert alice.page("/").has_id(f"day-{TOMORROW + timedelta(days=1)}")


@contextmanager
def listening(url: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(db.libpq_url(url), autocommit=True) as connection:
        connection.execute(f"LISTEN {db.LIVE_CHANNEL}")
        yield connection


def heard(connection: psycopg.Connection[tuple[object, ...]]) -> list[str]:
    return [note.payload for note in connection.notifies(timeout=PATIENCE, stop_after=1)]


def heard_after(world: World, connection: psycopg.Connection[tuple[object, ...]]) -> list[str]:
    """What comes first when there is something new now: news are told in their order."""
    with world.session() as session:
        db.notify(session, db.LIVE_CHANNEL, "after")
    return heard(connection)


def test_a_change_and_its_news_are_one_transaction(committed: db.Database) -> None:
    world = build_world(committed)
    alice = browser_of(make_app(world.runtime), world, "alice")
    token = alice.csrf()
    with listening(committed.url) as connection:
        alice.client.post(PATH, data={"csrf_token": token, "status": "LOOKING"})
        assert heard(connection) == ["board"]
        # Whoever hears of it can read it, over any connection.
        found = connection.execute("SELECT status FROM availability_entries").fetchall()
        assert found == [("LOOKING",)]
        # What is refused is not news; nor is what is undone.
        refused = alice.client.post(PATH, data={"csrf_token": token, "status": "SOON"})
        assert refused.status_code == 422
        with pytest.raises(ZeroDivisionError), world.session() as session:
            db.notify(session, db.LIVE_CHANNEL, "board")
            raise ZeroDivisionError
        assert heard_after(world, connection) == ["after"]
        # Clearing what is not there changes nothing, so nobody looks again.
        alice.client.post(PATH, data={"csrf_token": token, "status": ""})
        assert heard(connection) == ["board"]
        alice.client.post(PATH, data={"csrf_token": token, "status": ""})
        assert heard_after(world, connection) == ["after"]


def test_the_page_names_the_one_fragment_that_keeps_it_true(anonymous: Browser) -> None:
    for path in ("/", "/calendar?month=2026-12", f"/day/{TODAY}"):
        page = anonymous.page(path)
        [live] = [one for one in page.walk() if "data-live" in one.attributes]
        answer = anonymous.get(live.attributes["data-live"], htmx=True)
        assert answer.status_code == 200
        target = live.attributes.get("data-target", f"#{live.attributes.get('id')}")
        [root] = roots(read(answer.text))
        assert f"#{root.attributes['id']}" == target
        assert re.sub(r"\s+", " ", page.by_id(target[1:]).words) == root.words
