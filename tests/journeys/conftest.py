"""A whole Slomix with real processes and a real Chromium; the clock stands still unless a journey moves it."""

import os
from collections.abc import Callable, Iterator
from datetime import datetime

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from sqlalchemy import text

from slomix.embedded.browser import find
from slomix.rehearsal.system import System, running

OPENING = datetime.fromisoformat("2026-03-27T20:40:00+01:00")
DAY = "2026-03-27"
QUIET = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

Visit = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Journeys share one running system, so they run one after the other."""
    for item in items:
        if "journeys" in item.path.parts:
            item.add_marker(pytest.mark.xdist_group("journeys"))


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    with running(OPENING.isoformat()) as copy:
        yield copy


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for one file: Playwright runs an event loop on this thread while it is open, which others need too."""
    executable = find()
    if executable is None:
        if os.environ.get("SLOMIX_NO_BROWSER") != "1":
            pytest.fail("the journeys need a Chromium, or SLOMIX_NO_BROWSER=1 to leave them out")
        pytest.skip("left out, as SLOMIX_NO_BROWSER=1 asks")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def evening(system: System) -> Iterator[System]:
    """20:40 on an evening that nobody has touched."""
    control = system.control
    control.reset()
    control.set_clock(OPENING, speed=1)
    database = system.database()
    with database.transaction() as session:
        session.execute(text("TRUNCATE availability_promotion_campaigns, notifications_ledger, jobs CASCADE"))
        session.execute(text("DELETE FROM availability_entries WHERE day <= :day"), {"day": DAY})
    database.close()
    yield system


@pytest.fixture
def visit(chromium: Browser, evening: System) -> Iterator[Visit]:
    """Open a browser of one's own, logged in as somebody or as nobody, on a phone or at a desk."""
    contexts: list[BrowserContext] = []

    def open_as(name: str | None = None, *, scripts: bool = True, width: int = 1280) -> Page:
        context = chromium.new_context(
            base_url=evening.web_url, java_script_enabled=scripts, viewport={"width": width, "height": 800}
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.goto("/")
        if name is not None:
            page.goto("/auth/login")
            page.get_by_role("button", name=f"Continue as {name}", exact=True).click()
        return page

    yield open_as
    for context in contexts:
        context.close()


def keep_picture(page: Page, name: str) -> None:
    """A screenshot for who wants to look: set SLOMIX_PICTURES to a folder."""
    folder = os.environ.get("SLOMIX_PICTURES")
    if folder:
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)
