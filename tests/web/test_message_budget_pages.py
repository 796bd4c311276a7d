"""Who had enough messages for a day: the own page, the preferences, the ledger and the download say it."""

import json

import pytest

from tests.web.conftest import Browse, Browser
from tests.web.reading import read
from tests.workers.pump import pump
from tests.workers.stage import got, ready
from tests.world import World


@pytest.fixture
def full(world: World) -> World:
    """Alice had enough when a session was ready."""
    world.prefers("alice", session_ready=True)
    got(world, "alice", 5)
    ready(world)
    pump(world)
    return world


def said(browser: Browser, path: str) -> str:
    return read(browser.get(path).text).words


def test_the_own_page_says_how_many_came_and_what_was_held_back(full: World, alice: Browser, bob: Browser) -> None:
    page = said(alice, "/profile")
    assert "You got 5 messages you hadn’t asked for at that moment. After 5, only those" in page
    assert "Enough for today, so not sent: Session ready." in page
    assert "You got none that you hadn’t asked for" in said(bob, "/profile")
    assert "Enough for today" not in said(bob, "/profile")


def test_the_preferences_say_how_many_a_day_there_are(alice: Browser) -> None:
    assert "At most 5 messages a day that you didn’t ask for at that moment" in said(alice, "/preferences")


def test_the_ledger_and_the_download_say_why(full: World, alice: Browser, browse: Browse) -> None:
    assert "enough for today" in said(browse("dora"), "/admin/ledger")
    messages = json.loads(alice.get("/profile/data.json").data)["messages"]
    assert [row["reason"] for row in messages if row["status"] == "skipped"] == ["enough for today"]


def test_who_has_no_profile_reads_nothing_of_it(browse: Browse) -> None:
    assert "Messages today" not in said(browse("charlie"), "/profile")
