"""One "today" in the whole system (W49): whatever zone the database, the machine or the browser has."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as hour
from pathlib import Path

import pytest
from sqlalchemy import select, text

from slomix.availability.rules import Status
from slomix.database import session as db
from slomix.deliveries.models import Delivery
from tests.databases import RolledBack
from tests.moments import TODAY, at
from tests.web.conftest import Browser, browser_of, is_page, is_problem, lands, make_app
from tests.web.reading import Element
from tests.world import LINKED, World, build_world

API = "/api/availability"
FIVE = hour(5)
YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
AFTER_MIDNIGHT = at(0, 30, day=TOMORROW)


@pytest.fixture
def auckland(owner: db.Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Database and machine are half a day ahead."""
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    with owner.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as admin:
        admin.execute(text("ALTER DATABASE slomix SET timezone = 'Pacific/Auckland'"))
        yield
        admin.execute(text("ALTER DATABASE slomix RESET timezone"))
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def far_from_here(auckland: None, database_url: str) -> Iterator[World]:
    """The cast there; the community's day begins at five in Ljubljana."""
    database = RolledBack(database_url)
    with database.for_a_test():
        yield build_world(database, day_starts_at=FIVE)
    database.close()


def hero(page: Element) -> list[tuple[str, str]]:
    """The two days at the top of the board, and what they are called."""
    cards = [one for one in page.walk() if "day-card" in one.attributes.get("class", "").split()]
    return [(one.attributes["data-day"], one.all("h2")[0].words) for one in cards]


def todays(browser: Browser) -> dict[str, str]:
    """What each part of the system takes for today."""
    board, api = browser.page("/"), browser.get(API).get_json()
    opened = browser.page("/calendar").by_id("calendar")
    marked = [one.attributes["data-day"] for one in opened.all("a") if one.attributes.get("aria-current") == "date"]
    return {
        "board": hero(board)[0][0],
        "fragment": hero(browser.page("/board"))[0][0],
        "calendar": marked[0],
        "api": api["days"][0]["date"],
        "session ready": api["session_ready"]["date"],
        "its event": api["session_ready"]["event_key"].split(":")[1],
        "promotions": browser.get(f"{API}/promotions/preview?start=04:59").get_json()["campaign_date"],
    }


@pytest.mark.parametrize(
    ("now", "today"),
    [
        (at(23, 59, 59), TODAY),
        (at(0, day=TOMORROW), TODAY),
        (AFTER_MIDNIGHT, TODAY),
        (at(4, 59, 59, day=TOMORROW), TODAY),
        (at(5, day=TOMORROW), TOMORROW),
        (at(4, 59, 59), YESTERDAY),
        # The nights of the changes.
        (datetime(2026, 3, 29, 2, 59, 59, tzinfo=UTC), date(2026, 3, 28)),
        (datetime(2026, 3, 29, 3, 0, tzinfo=UTC), date(2026, 3, 29)),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), date(2026, 10, 24)),
        (datetime(2026, 10, 25, 4, 0, tzinfo=UTC), date(2026, 10, 25)),
    ],
    ids=str,
)
def test_page_fragment_calendar_api_event_and_campaign_agree_on_today(
    far_from_here: World, now: datetime, today: date
) -> None:
    far_from_here.clock.move_to(now)
    bob = browser_of(make_app(far_from_here.runtime), far_from_here, "bob")
    found = todays(bob)
    assert set(found.values()) == {str(today)}, found
    board = bob.page("/")
    assert hero(board) == [(str(today), "Today"), (str(today + timedelta(days=1)), "Tomorrow")]


def test_after_midnight_it_is_still_the_evening_before_that_is_answered_for(far_from_here: World) -> None:
    far_from_here.clock.move_to(AFTER_MIDNIGHT)
    alice = browser_of(make_app(far_from_here.runtime), far_from_here, "alice")
    assert lands(alice.post(f"/day/{TODAY}/status", {"status": "LOOKING"})) == f"/#day-{TODAY}"
    assert "since 00:30" in alice.page("/").by_id("queue").words
    assert "is over" in is_page(alice.post(f"/day/{YESTERDAY}/status", {"status": "LOOKING"}), 422)
    last = TODAY + timedelta(days=90)
    for day, status in ((last, 200), (last + timedelta(days=1), 422)):
        answer = alice.call("POST", API, {"date": str(day), "status": "MAYBE"})
        assert answer.status_code == status
        assert status == 200 or "90 days" in is_problem(answer, 422)
    far_from_here.clock.move_to(at(5, day=TOMORROW))
    assert "Queue is empty" in alice.page("/").by_id("queue").words
    assert alice.post(f"/day/{TODAY}/status", {"status": "LOOKING"}).status_code == 422


def test_a_campaign_after_midnight_is_the_evening_befores_in_the_ledger_too(far_from_here: World) -> None:
    world = far_from_here
    world.clock.move_to(AFTER_MIDNIGHT)
    app = make_app(world.runtime)
    bob, alice = browser_of(app, world, "bob"), browser_of(app, world, "alice")
    for name in LINKED:
        world.says(name, Status.LOOKING)
    assert alice.page("/").by_id("board").attributes["data-ready"] == f"SESSION_READY:{TODAY}:threshold=6"
    made = bob.call("POST", f"{API}/promotions/campaigns", {"start": "01:00"})
    assert made.status_code == 201
    times = made.get_json()["scheduled_times"]
    assert times == {
        "send_reminder_2045": "2026-11-20T23:45:00+00:00",
        "send_start_2100": "2026-11-21T00:00:00+00:00",
        "voice_check_2100": "2026-11-21T00:00:30+00:00",
    }
    with world.session() as session:
        keys = set(session.scalars(select(Delivery.event_key)))
    assert keys == {f"PROMOTE:T-15:{TODAY}", f"PROMOTE:T0:{TODAY}"}
    assert "Game night at 01:00" in alice.page("/").by_id("campaign").words
    for day, is_there in ((YESTERDAY, False), (TODAY, True), (TOMORROW, False)):
        found = alice.get(f"{API}/promotions/campaign?date={day}").get_json()["campaign"]
        assert (found is not None) is is_there
    assert alice.get(f"{API}/promotions/campaign").get_json()["campaign"]["id"] == made.get_json()["campaign_id"]


@dataclass
class StrikingClock:
    """Midnight strikes after it was looked at so many times."""

    looks: int
    can_jump: bool = True

    def now(self) -> datetime:
        self.looks -= 1
        return at(23, 59, 59) if self.looks >= 0 else at(0, day=TOMORROW)

    def wall_seconds_until(self, moment: datetime) -> float | None:
        return None


ASKED: dict[str, Callable[[Browser], list[tuple[str, str]]]] = {
    path: lambda browser, path=path: hero(browser.page(path))  # type: ignore[misc]
    for path in ("/", "/board", "/calendar")
}


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_a_page_that_is_made_while_midnight_strikes_is_of_one_day(
    world: World, ask: Callable[[Browser], list[tuple[str, str]]]
) -> None:
    """Else yesterday has buttons that are refused, and yesterday's queue rings in the new day."""
    for looks in range(6):
        here = replace(world, runtime=replace(world.runtime, clock=StrikingClock(looks)))
        alice = browser_of(make_app(here.runtime), here, "alice")
        assert [name for _, name in ask(alice)] == ["Today", "Tomorrow"], f"midnight after look {looks}"


@pytest.mark.parametrize("looks", range(4))
def test_an_answer_of_the_api_while_midnight_strikes_is_of_one_day(world: World, looks: int) -> None:
    here = replace(world, runtime=replace(world.runtime, clock=StrikingClock(looks)))
    found = browser_of(make_app(here.runtime), here, "alice").get(API).get_json()
    assert (
        found["days"][0]["date"] == found["session_ready"]["date"] == found["session_ready"]["event_key"].split(":")[1]
    )


def test_no_script_of_ours_asks_the_browser_what_day_it_is(root: Path) -> None:
    """Scripts may count on from a day that the server named, in UTC; the browser's own day and zone are no concern."""
    asking = re.compile(
        r"new Date\(\)|\bDate\(\)|toLocale\w*|getTimezoneOffset|\.get(?:Date|Day|Month|FullYear)\(|Intl\."
    )
    scripts = sorted((root / "static/js").glob("*.js"))
    assert scripts
    assert [(path.name, asking.findall(path.read_text())) for path in scripts] == [(path.name, []) for path in scripts]
