"""The link in every message: why it came, and no more of that kind; for its reader, without a login."""

import re
from typing import Any

import pytest
from pydantic import SecretStr
from werkzeug.test import TestResponse

from slomix.accounts import service as accounts
from slomix.accounts.models import User
from slomix.availability.rules import Status
from slomix.contacts import preferences
from slomix.contacts.preferences import Preferences
from slomix.contacts.rules import ChannelName, MessageKind
from tests.moments import LJUBLJANA
from tests.steps import call
from tests.web.conftest import Browse, Browser, browser_of, is_page, make_app, nothing_stored, with_settings
from tests.web.reading import read
from tests.web.steps import stop_link
from tests.workers.stage import go
from tests.world import World

ALL: dict[str, Any] = {
    "called": True,
    "session_ready": True,
    "daily_reminder": True,
    "looking_threshold": 3,
    "more_needed": True,
}


def wants(world: World, name: str) -> set[MessageKind]:
    with world.session() as session:
        wishes: Preferences = preferences.preferences_of(session, world.players[name], zone=LJUBLJANA)
        return set(wishes.allows)


def press(browser: Browser, path: str, **form: str) -> TestResponse:
    """Press a button on the page, which has no token of a session."""
    return browser.client.post(path, data=form)


@pytest.fixture
def eager(world: World) -> World:
    """Alice and Bob want to hear everything."""
    for name in ("alice", "bob"):
        world.prefers(name, **ALL)
    return world


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("kind", list(MessageKind))
def test_opening_the_link_changes_nothing(eager: World, anonymous: Browser, kind: MessageKind, method: str) -> None:
    """Mail scanners, previews and crawlers open every link."""
    path = stop_link(eager, "alice", kind)
    with nothing_stored(eager):
        assert anonymous.client.open(path, method=method).status_code == 200


def test_the_page_says_why_the_message_came_and_offers_two_ways_out(eager: World, anonymous: Browser) -> None:
    page = anonymous.page(stop_link(eager, "alice"))
    assert "Switched on for Alice , under Preferences here: calls to game nights." in page.words
    assert {"Stop these messages", "Stop all messages"} <= set(page.by_id("main").buttons)
    for one in page.by_id("main").all("form"):
        assert not [field for field in one.all("input") if field.attributes.get("name") == "csrf_token"]


@pytest.mark.parametrize("kind", list(MessageKind))
def test_one_click_switches_off_just_that_kind_for_just_that_player(
    eager: World, anonymous: Browser, kind: MessageKind
) -> None:
    assert wants(eager, "alice") == set(MessageKind)
    answer = press(anonymous, stop_link(eager, "alice", kind))
    assert answer.status_code == 200
    assert "Stopped" in read(answer.text).headings
    assert wants(eager, "alice") == set(MessageKind) - {kind}
    assert wants(eager, "bob") == set(MessageKind)


def test_one_click_switches_off_everything(eager: World, anonymous: Browser) -> None:
    answer = press(anonymous, stop_link(eager, "alice"), what="all")
    assert "No more messages" in read(answer.text).headings
    assert (wants(eager, "alice"), wants(eager, "bob")) == (set(), set(MessageKind))


def test_the_rest_of_the_preferences_stays(eager: World, alice: Browser, anonymous: Browser) -> None:
    alice.post("/preferences", {"quiet_start": "23:00", "quiet_end": "07:00", "zone": "Asia/Tokyo", "sound": "on"})
    before = alice.get("/api/availability/promotion-preferences").get_json()
    press(anonymous, stop_link(eager, "alice"))
    after = alice.get("/api/availability/promotion-preferences").get_json()
    assert after == before | {"allow_promotions": False}


def test_clicking_twice_is_the_same_and_the_page_says_that_it_is_off(eager: World, anonymous: Browser) -> None:
    path = stop_link(eager, "alice")
    assert [press(anonymous, path).status_code for _ in range(2)] == [200, 200]
    page = anonymous.page(path)
    assert "They are off by now." in page.words
    assert "Stop these messages" not in page.buttons


def test_nothing_can_be_switched_on(eager: World, anonymous: Browser) -> None:
    path = stop_link(eager, "alice")
    press(anonymous, path, what="all")
    for form in ({"what": "on"}, {"allow_promotions": "on"}, {"what": "campaigns", "session_ready": "on"}):
        press(anonymous, path, **form)
    assert wants(eager, "alice") == set()


@pytest.mark.parametrize("who", [None, "bob", "charlie"], ids=["a stranger", "bob", "charlie"])
def test_it_works_whoever_is_logged_in_and_for_the_reader_alone(eager: World, browse: Browse, who: str | None) -> None:
    assert press(browse(who), stop_link(eager, "alice")).status_code == 200
    assert MessageKind.CAMPAIGNS not in wants(eager, "alice")
    assert wants(eager, "bob") == set(MessageKind)


# Links that were not ours


def refused(world: World, browser: Browser, path: str) -> None:
    with nothing_stored(world):
        assert "not valid any more" in is_page(browser.get(path), 404)
        is_page(press(browser, path), 404)
        is_page(press(browser, path, what="all"), 404)


def test_a_link_that_was_changed_is_worth_nothing(eager: World, anonymous: Browser) -> None:
    token = stop_link(eager, "alice").removeprefix("/stop/")
    player, kind, signature = token.split(".")
    bob = str(eager.players["bob"])
    for changed in (
        f"{bob}.{kind}.{signature}",
        f"{player}.looking.{signature}",
        f"{player}.all.{signature}",
        f"{player}.{kind}.{signature[:-1]}",
        f"{player}.{kind}.{signature.swapcase()}",
        f"0{player}.{kind}.{signature}",
        f"{player}.{kind}.",
        f"{player}.{kind}",
        f"{'9' * 30}.{kind}.{signature}",
        f"-1.{kind}.{signature}",
        f"٣.{kind}.{signature}",
        f"%00.{kind}.{signature}",
        "....",
        "x",
    ):
        refused(eager, anonymous, f"/stop/{changed}")


def test_a_link_of_one_player_is_no_link_of_another(eager: World, anonymous: Browser) -> None:
    alices, bobs = (stop_link(eager, name).removeprefix("/stop/").split(".") for name in ("alice", "bob"))
    assert alices[2] != bobs[2]
    refused(eager, anonymous, f"/stop/{bobs[0]}.{bobs[1]}.{alices[2]}")


def test_a_link_of_another_installation_is_worth_nothing(eager: World, anonymous: Browser) -> None:
    other = with_settings(eager, session_secret=SecretStr("another-installation-with-the-same-players"))
    refused(eager, anonymous, stop_link(other, "alice"))
    there = browser_of(make_app(other.runtime), other, None)
    assert there.get(stop_link(other, "alice")).status_code == 200, "where it is from it works"


def test_a_link_ends_with_the_link_to_the_player(eager: World, alice: Browser, charlie: Browser) -> None:
    path, stranger = stop_link(eager, "alice"), Browser(alice.client.application.test_client())
    alice.post("/profile/unlink")
    refused(eager, stranger, path)
    charlie.post("/profile/link", {"guid": "guid-alice"})
    charlie.post("/welcome", {"allow_promotions": "on"})
    refused(eager, stranger, path)
    assert wants(eager, "alice") == {MessageKind.CAMPAIGNS}, "whose profile it is now decides"


def test_who_left_our_server_can_still_switch_off(eager: World, anonymous: Browser) -> None:
    path = stop_link(eager, "alice")
    with eager.session() as session:
        user = session.get_one(User, eager.users["alice"])
        accounts.record_membership(session, user, False, now=eager.clock.now())
    assert press(anonymous, path, what="all").status_code == 200
    assert wants(eager, "alice") == set()


@pytest.mark.parametrize("is_valid", [True, False], ids=["valid", "not valid"])
def test_the_address_is_learned_by_nobody_else(eager: World, anonymous: Browser, is_valid: bool) -> None:
    path = stop_link(eager, "alice") if is_valid else "/stop/x"
    for answer in (anonymous.get(path), press(anonymous, path)):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Robots-Tag"] == "noindex"
        assert answer.headers["Referrer-Policy"] == "no-referrer"


# The link as it stands in a message


@pytest.mark.parametrize("channel", ["discord", "telegram", "signal"])
def test_the_link_in_a_reminder_leads_there(world: World, anonymous: Browser, channel: str) -> None:
    if channel != "discord":
        world.has("alice", ChannelName(channel), "4242" if channel == "telegram" else "+38640123456")
    world.says("alice", Status.LOOKING)
    call(world)
    go(world, 20, 45)
    [text] = {"discord": world.discord, "telegram": world.telegram, "signal": world.signal}[channel].texts
    [found] = re.findall(r"https?://[^\s<>]+/stop/[^\s<>]+", text)
    path = found.removeprefix(world.runtime.settings.base_url)
    assert "Switched on for Alice , under Preferences here: calls to game nights." in anonymous.page(path).words
    assert press(anonymous, path).status_code == 200
    assert MessageKind.CAMPAIGNS not in wants(world, "alice")
    go(world, 21)
    assert len(getattr(world, channel).texts) == 1, "no start after that"
