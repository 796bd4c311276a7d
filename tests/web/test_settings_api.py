"""A player's own settings as JSON: what is sent is changed, what is left out stays, and nonsense changes nothing."""

from datetime import time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from slomix.contacts import preferences
from slomix.contacts import service as contacts
from slomix.contacts.preferences import Preferences
from slomix.contacts.rules import TICKS, MessageKind, PreferredChannel, QuietHours, ReadySound
from tests.moments import LJUBLJANA
from tests.web.conftest import OURS, Browse, Browser, is_problem, nothing_stored
from tests.world import World

SETTINGS = "/api/availability/settings"
DEFAULTS = {"sound_enabled": False, "sound_cooldown_seconds": 480, "timezone": "Europe/Ljubljana"}
CHOSEN = {"sound_enabled": True, "sound_cooldown_seconds": 90}
NIGHT = QuietHours(time(22), time(6))
TOKYO = ZoneInfo("Asia/Tokyo")
OTHERS: dict[str, Any] = {
    "session_ready": True,
    "daily_reminder": True,
    "more_needed": True,
    "looking_threshold": 4,
    "preferred_channel": PreferredChannel.SIGNAL,
}


def settings(browser: Browser) -> Any:
    answer = browser.get(SETTINGS)
    assert answer.status_code == 200
    return answer.get_json()


def test_who_chose_nothing_reads_what_holds_then(world: World, alice: Browser) -> None:
    assert settings(alice) == DEFAULTS
    with world.session() as session:
        contacts.delete_contacts_and_preferences(session, world.players["alice"])
    with nothing_stored(world):
        assert settings(alice) == DEFAULTS, "also before the first choice of all"


def test_a_change_is_answered_with_all_there_is_and_is_idempotent(browse: Browse) -> None:
    alice = browse("alice")
    for _ in range(2):
        answer = alice.call("POST", SETTINGS, CHOSEN)
        assert answer.status_code == 200
        assert answer.get_json() == settings(alice) == DEFAULTS | CHOSEN
    assert settings(browse("bob")) == DEFAULTS, "and it is nobody else's"


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"sound_enabled": False},
        {"sound_enabled": True},
        {"sound_cooldown_seconds": 30},
        {"sound_cooldown_seconds": 3600},
        {"sound_enabled": False, "sound_cooldown_seconds": 31},
        {"something": "else"},
    ],
    ids=str,
)
def test_a_field_that_is_left_out_stays_as_it_was(alice: Browser, sent: dict[str, object]) -> None:
    alice.call("POST", SETTINGS, CHOSEN)
    assert alice.call("POST", SETTINGS, sent).status_code == 200
    assert settings(alice) == DEFAULTS | CHOSEN | {name: value for name, value in sent.items() if name in DEFAULTS}


def test_what_these_settings_do_not_speak_of_stays_as_it_was(world: World, alice: Browser) -> None:
    world.prefers("alice", quiet=NIGHT, **OTHERS)
    alice.call("POST", SETTINGS, CHOSEN)
    with world.session() as session:
        wishes = preferences.preferences_of(session, world.players["alice"], zone=LJUBLJANA)
    loud = ReadySound(is_on=True, cooldown=timedelta(seconds=90))
    assert wishes == Preferences(LJUBLJANA, frozenset(TICKS), 4, PreferredChannel.SIGNAL, NIGHT, loud)


def test_switching_the_sound_on_first_of_all_is_no_consent_to_be_called(world: World, alice: Browser) -> None:
    with world.session() as session:
        contacts.delete_contacts_and_preferences(session, world.players["alice"])
    assert alice.call("POST", SETTINGS, {"sound_enabled": True}).get_json() == DEFAULTS | {"sound_enabled": True}
    with world.session() as session:
        stored = preferences.preferences_of(session, world.players["alice"], zone=TOKYO)
    assert stored == Preferences(LJUBLJANA, sound=ReadySound(is_on=True))


@pytest.mark.parametrize("value", ["true", "false", "", 1, 0, None, [], {}])
def test_a_flag_is_true_or_false_and_nothing_that_looks_like_it(world: World, alice: Browser, value: object) -> None:
    alice.call("POST", SETTINGS, CHOSEN)
    with nothing_stored(world):
        answer = alice.call("POST", SETTINGS, {"sound_enabled": value, "sound_cooldown_seconds": 30})
    assert "sound_enabled must be true or false" in is_problem(answer, 422)


@pytest.mark.parametrize(
    "value",
    [
        29,
        3601,
        0,
        -480,
        86_401,
        10**30,
        True,
        False,
        "480",
        "",
        480.0,
        480.5,
        None,
        [480],
        {},
        float("inf"),
        float("nan"),
    ],
    ids=repr,
)
def test_a_cooldown_is_a_whole_number_within_its_limits(world: World, alice: Browser, value: object) -> None:
    alice.call("POST", SETTINGS, CHOSEN)
    with nothing_stored(world):
        answer = alice.call("POST", SETTINGS, {"sound_cooldown_seconds": value, "sound_enabled": False})
    assert "30 to 3600 seconds" in is_problem(answer, 422)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(("who", "status", "words"), [(None, 401, "log in"), ("charlie", 403, "link")])
def test_only_who_is_linked_has_settings(
    world: World, browse: Browse, method: str, who: str | None, status: int, words: str
) -> None:
    browser = browse(who)
    with nothing_stored(world):
        answer = browser.call(method, SETTINGS, CHOSEN if method == "POST" else None)
    assert words in is_problem(answer, status)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Requested-With": "XMLHttpRequest"},
        {"Origin": "http://localhost"},
        OURS | {"Origin": "http://evil.example"},
        OURS | {"Origin": "https://localhost"},
        OURS | {"Origin": "http://localhost:8080"},
        OURS | {"Origin": "null"},
        OURS | {"Origin": "http://evil.example", "Referer": "http://localhost/preferences"},
        OURS | {"X-Requested-With": "fetch"},
    ],
    ids=str,
)
def test_a_change_from_elsewhere_is_refused(world: World, browse: Browse, headers: dict[str, str]) -> None:
    alice, anonymous = browse("alice"), browse(None)
    with nothing_stored(world):
        answer = alice.client.post(SETTINGS, json=CHOSEN, headers=headers)
        assert "did not come from a Slomix page" in is_problem(answer, 403)
        is_problem(anonymous.client.post(SETTINGS, json=CHOSEN, headers=headers), 401)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"null", 400),
        (b"[]", 400),
        (b'"on"', 400),
        (b"sound_enabled=true", 400),
        (b"[" * 9000, 400),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(world: World, alice: Browser, body: bytes, status: int) -> None:
    with nothing_stored(world):
        answer = alice.client.post(SETTINGS, data=body, headers=OURS | {"Content-Type": "application/json"})
    is_problem(answer, status)


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_another_method_is_405(alice: Browser, method: str) -> None:
    is_problem(alice.call(method, SETTINGS, CHOSEN), 405)


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "UTC", "America/Argentina/Buenos_Aires", "Europe/Ljubljana"])
def test_the_zone_can_be_chosen_and_changes_nothing_else(world: World, alice: Browser, zone: str) -> None:
    world.prefers("alice", called=True, quiet=NIGHT)
    alice.call("POST", SETTINGS, CHOSEN)
    assert alice.call("POST", SETTINGS, {"timezone": zone}).get_json() == CHOSEN | {"timezone": zone}
    assert settings(alice) == CHOSEN | {"timezone": zone}
    assert alice.post("/preferences", {"allow_promotions": "on", "quiet_start": "22:00", "quiet_end": "06:00"})
    assert settings(alice)["timezone"] == zone, "the form of the preferences does not speak of it"
    assert alice.call("POST", SETTINGS, {"sound_enabled": False}).get_json()["timezone"] == zone
    with world.session() as session:
        wishes = preferences.preferences_of(session, world.players["alice"], zone=LJUBLJANA)
    assert (wishes.zone.key, wishes.quiet_hours, wishes.ticked) == (zone, NIGHT, frozenset({MessageKind.CAMPAIGNS}))


@pytest.mark.parametrize(
    "zone",
    [
        "",
        "Nowhere/Land",
        "Europe",
        "europe/ljubljana",
        "Europe/Ljubljana ",
        "+01:00",
        "CEST",
        "../etc/passwd",
        "/etc/localtime",
        "posix/UTC",
        "UTC\x00",
        "x" * 5000,
        1,
        None,
        ["UTC"],
        "localtime",
        "Factory",
    ],
    ids=lambda zone: repr(zone)[:20],
)
def test_a_zone_that_nobody_knows_is_refused_and_nothing_changes(world: World, alice: Browser, zone: object) -> None:
    alice.call("POST", SETTINGS, CHOSEN)
    with nothing_stored(world):
        answer = alice.call("POST", SETTINGS, {"timezone": zone, "sound_enabled": False})
    is_problem(answer, 422)
