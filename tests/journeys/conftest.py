"""A whole Slomix with real processes and a real Chromium; the clock stands still unless a journey moves it.

SLOMIX_VISIBLE=1 opens the browser's windows, where a Chromium or Chrome is installed; with `-n 0`, so that it is one.
SLOMIX_PICTURES names a folder for screenshots.
"""

import os
from collections.abc import Callable, Iterator
from datetime import date, datetime
from functools import cache
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from slomix.availability import service as availability
from slomix.availability.rules import Status
from slomix.database.session import Database
from slomix.dev.embedded import node
from slomix.dev.embedded.browser import Browser as Installed
from slomix.dev.embedded.browser import find_browser
from slomix.dev.rehearsal.people import BrowserUser
from slomix.dev.rehearsal.system import RunningSystem, running
from slomix.web import assets
from tests.journeys.axe import Inspector
from tests.waiting import until

OPENING = datetime.fromisoformat("2026-03-27T20:40:00+01:00")
DAY = "2026-03-27"
STATIC = Path(__file__).parents[2] / "static"
IS_VISIBLE = os.environ.get("SLOMIX_VISIBLE") == "1"
QUIET = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# In milliseconds; it only ends a journey that hangs.
PATIENCE = 30_000
expect.set_options(timeout=PATIENCE)

Visit = Callable[..., Page]
OpenPage = Callable[..., Page]
T = TypeVar("T")
Cast = Callable[[str], BrowserUser]

# Lets a page hear of changes by its stream alone: without one it would ask every fifteen seconds.
NEVER_POLL = "const every = setInterval; window.setInterval = (what, time) => (time === 15000 ? 0 : every(what, time));"


@pytest.fixture(scope="session")
def installed() -> Installed:
    """The browser of this machine; without one no system has to be started."""
    if os.environ.get("SLOMIX_NO_BROWSER") == "1":
        pytest.skip("left out, as SLOMIX_NO_BROWSER=1 asks")
    found = find_browser(Path(__file__).parents[2])
    if found is None:
        pytest.fail("the journeys need a browser: .venv/bin/python -m slomix.dev.embedded.browser fetches one")
    if IS_VISIBLE and not found.has_windows:
        pytest.fail(f"{found.program} cannot open a window: SLOMIX_VISIBLE=1 needs an installed Chromium or Chrome")
    return found


@pytest.fixture(scope="package")
def system(installed: Installed) -> Iterator[RunningSystem]:
    if assets.is_stale(STATIC):  # pytest alone does not join them, as make does
        assets.join(STATIC)
    with running(OPENING.isoformat()) as copy:
        yield copy


@pytest.fixture(scope="package")
def cast(system: RunningSystem) -> Cast:
    """The people of the demo by name, away from the browser: `cast("Erik").say(DAY, "LOOKING")`."""
    entries = {entry["name"]: entry for entry in system.control.people()}

    @cache
    def somebody(name: str) -> BrowserUser:
        return system.person(entries[name])

    return somebody


@pytest.fixture(scope="package")
def chromium(installed: Installed, system: RunningSystem) -> Iterator[Browser]:
    """One browser for all journeys, which ends before others need this thread: Playwright runs an event loop on it."""
    # Playwright's own Node.js needs a library that not every system has.
    if running_here := node.installed():
        os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", str(running_here))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=installed.program,
            args=[*QUIET, *installed.arguments],
            env={**os.environ, **installed.variables},
            headless=not IS_VISIBLE,
        )
        yield browser
        browser.close()


@pytest.fixture
def evening(system: RunningSystem) -> Iterator[RunningSystem]:
    """20:40 on an evening that nobody has touched."""
    control = system.control
    control.reset()
    control.set_clock(OPENING, speed=1)
    database = system.database_as_owner()
    until(lambda: _forget(database), "the processes to let go of their tables")
    database.close()
    yield system


def _forget(database: Database) -> bool:
    """Empty what an evening fills; False when a process was at work there and PostgreSQL ended the deadlock."""
    try:
        with database.transaction() as session:
            session.execute(
                text("TRUNCATE availability_promotion_campaigns, planning_sessions, notifications_ledger, jobs CASCADE")
            )
            session.execute(text("TRUNCATE contact_link_codes, player_claims"))
            session.execute(text("DELETE FROM contacts WHERE channel <> 'discord'"))
            session.execute(text("DELETE FROM availability_entries WHERE day <= :day"), {"day": DAY})
    except OperationalError:
        return False
    return True


def are_looking(evening: RunningSystem, *names: str) -> None:
    """All of them for tonight, at once and without the pages in between."""
    database = evening.database()
    with database.transaction() as session:
        players = text("SELECT player_id FROM website_users WHERE display_name = ANY(:names)")
        for player_id in session.scalars(players, {"names": list(names)}).all():
            today = date.fromisoformat(DAY)
            availability.record_status(session, player_id, today, Status.LOOKING, today=today, now=OPENING)
    database.close()


@pytest.fixture
def tidy(evening: RunningSystem) -> Iterator[None]:
    """What was said about later days, and everybody's preferences, are afterwards what they were before."""
    kept = {"availability_entries": f"day > '{DAY}'", "subscription_preferences": "true"}
    database = evening.database_as_owner()
    with database.transaction() as session:
        for table, rows in kept.items():
            session.execute(text(f"CREATE TABLE kept_{table} AS SELECT * FROM {table} WHERE {rows}"))
    yield
    with database.transaction() as session:
        for table, rows in kept.items():
            session.execute(text(f"DELETE FROM {table} WHERE {rows}"))
            session.execute(text(f"INSERT INTO {table} SELECT * FROM kept_{table}"))
            session.execute(text(f"DROP TABLE kept_{table}"))
    database.close()


@pytest.fixture
def new_browser(chromium: Browser, evening: RunningSystem) -> Iterator[Callable[..., BrowserContext]]:
    """New browsers, all closed when the journey ends."""
    contexts: list[BrowserContext] = []

    def start(*, scripts: bool = True, width: int = 1280, **options: Any) -> BrowserContext:
        size: ViewportSize = {"width": width, "height": 800}
        context = chromium.new_context(base_url=evening.web_url, java_script_enabled=scripts, viewport=size, **options)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        return context

    yield start
    for context in contexts:
        context.close()


@pytest.fixture
def visit(new_browser: Callable[..., BrowserContext]) -> Visit:
    """Open a browser of one's own, logged in as somebody or as nobody, on a phone or at a desk."""

    def open_as(name: str | None = None, **how: Any) -> Page:
        page = new_browser(**how).new_page()
        page.goto("/")
        if name is not None:
            page.goto("/auth/login")
            page.get_by_role("button", name=f"Continue as {name}", exact=True).click()
        return page

    return open_as


@pytest.fixture
def open_page(new_browser: Callable[..., BrowserContext], evening: RunningSystem, cast: Cast) -> OpenPage:
    """Open an address in a browser of one's own, where somebody is logged in already; `before` runs before the page."""

    def open_at(path: str = "/", *, name: str | None = None, before: str = "", **how: Any) -> Page:
        context = new_browser(**how)
        if name is not None:
            theirs = SimpleCookie(cast(name).get("/preferences").request.headers["cookie"])
            context.add_cookies(
                [{"name": key, "value": one.value, "url": evening.web_url} for key, one in theirs.items()]
            )
        if before:
            context.add_init_script(before)
        page = context.new_page()
        page.goto(path)
        return page

    return open_at


@pytest.fixture
def inspector() -> Iterator[Inspector]:
    """Looks at states of pages, and fails at the end with all that axe found."""
    inspector = Inspector()
    yield inspector
    assert not inspector.found, "\n".join(["axe found:", *inspector.found])


def set_offline(page: Page, offline: bool) -> None:
    """Cut a page's connection, or mend it; on a machine that has no network Chromium tells the page of neither."""
    before = page.evaluate("navigator.onLine")
    page.context.set_offline(offline)
    if page.evaluate("navigator.onLine") == before:
        page.evaluate("(name) => { dispatchEvent(new Event(name)) }", "offline" if offline else "online")


def sees(page: Page, condition: Callable[[], T], what: str) -> T:
    """Return the first true answer of `condition`, while the page goes on."""
    return until(condition, what, pause=lambda seconds: page.wait_for_timeout(1000 * seconds))


def keep_picture(page: Page, name: str) -> None:
    """A screenshot for who wants to look: set SLOMIX_PICTURES to a folder."""
    folder = os.environ.get("SLOMIX_PICTURES")
    if folder:
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)
