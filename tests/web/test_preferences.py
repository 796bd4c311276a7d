"""What a player wants to hear: a field that was not sent stays, off is always possible, mistakes lose nothing."""

from typing import Any

import pytest

from slomix.accounts import service as accounts
from slomix.accounts.models import User
from slomix.contacts import service as contacts
from slomix.contacts.rules import ChannelName
from tests.web.conftest import Browser, is_fragment, is_page, is_problem, lands, nothing_stored
from tests.web.reading import Element, read
from tests.world import World

API = "/api/availability/promotion-preferences"
SETTINGS = "/api/availability/settings"
TICKS = ("allow_promotions", "session_ready", "daily_reminder", "more_needed")
# Everything, each different from what a new player has.
FORM = {
    "allow_promotions": "on",
    "session_ready": "on",
    "daily_reminder": "on",
    "more_needed": "on",
    "looking_threshold": "4",
    "preferred_channel": "signal",
    "quiet_start": "22:30",
    "quiet_end": "07:00",
    "zone": "Asia/Tokyo",
    "sound": "on",
    "sound_cooldown": "60",
}
STORED = {
    "allow_promotions": True,
    "session_ready": True,
    "daily_reminder": True,
    "more_needed": True,
    "looking_threshold": 4,
    "preferred_channel": "signal",
    "quiet_hours": {"start": "22:30", "end": "07:00"},
    "timezone": "Asia/Tokyo",
}
SOUND = {"sound_enabled": True, "sound_cooldown_seconds": 60}


def stored(browser: Browser) -> dict[str, Any]:
    return browser.get(API).get_json() | browser.get(SETTINGS).get_json()


@pytest.fixture
def decided(alice: Browser) -> Browser:
    """Alice has decided everything."""
    assert lands(alice.post("/preferences", FORM)) == "/preferences"
    assert stored(alice) == STORED | SOUND
    return alice


# What is not sent stays (W31)


@pytest.mark.parametrize(
    ("form", "changed"),
    [
        ({}, {}),
        ({"allow_promotions": "off"}, {"allow_promotions": False}),
        ({"session_ready": "off"}, {"session_ready": False}),
        ({"daily_reminder": "off"}, {"daily_reminder": False}),
        ({"more_needed": "off"}, {"more_needed": False}),
        ({"looking_threshold": "0"}, {"looking_threshold": 0}),
        ({"looking_threshold": ""}, {"looking_threshold": 0}),
        ({"preferred_channel": "any"}, {"preferred_channel": "any"}),
        ({"quiet_end": "08:00"}, {"quiet_hours": {"start": "22:30", "end": "08:00"}}),
        ({"quiet_start": "23:00"}, {"quiet_hours": {"start": "23:00", "end": "07:00"}}),
        ({"quiet_start": "", "quiet_end": ""}, {"quiet_hours": None}),
        ({"zone": "Europe/Berlin"}, {"timezone": "Europe/Berlin"}),
        ({"sound": "off"}, {"sound_enabled": False}),
        ({"sound_cooldown": "3600"}, {"sound_cooldown_seconds": 3600}),
    ],
    ids=str,
)
def test_a_field_that_the_form_did_not_send_stays(
    decided: Browser, form: dict[str, str], changed: dict[str, Any]
) -> None:
    assert lands(decided.post("/preferences", form)) == "/preferences"
    assert stored(decided) == STORED | SOUND | changed


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        ({}, {}),
        *[({name: False}, {name: False}) for name in TICKS],
        ({"looking_threshold": 0}, {"looking_threshold": 0}),
        ({"preferred_channel": "discord"}, {"preferred_channel": "discord"}),
        ({"quiet_hours": None}, {"quiet_hours": None}),
        ({"quiet_hours": {"start": "01:00", "end": "02:00"}}, {"quiet_hours": {"start": "01:00", "end": "02:00"}}),
        ({"timezone": "UTC"}, {"timezone": "UTC"}),
    ],
    ids=str,
)
def test_a_field_that_the_call_did_not_send_stays(
    decided: Browser, body: dict[str, Any], changed: dict[str, Any]
) -> None:
    assert decided.call("POST", API, body).get_json() == STORED | changed
    assert stored(decided) == STORED | SOUND | changed


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        ({}, {}),
        ({"sound_enabled": False}, {"sound_enabled": False}),
        ({"sound_cooldown_seconds": 30}, {"sound_cooldown_seconds": 30}),
        ({"timezone": "Europe/Paris"}, {"timezone": "Europe/Paris"}),
    ],
    ids=str,
)
def test_the_sound_changes_nothing_but_itself(decided: Browser, body: dict[str, Any], changed: dict[str, Any]) -> None:
    assert decided.call("POST", SETTINGS, body).status_code == 200
    assert stored(decided) == STORED | SOUND | changed


def fields(page: Element) -> list[tuple[str, str]]:
    """What a browser sends of the preferences form as it stands there."""
    [form] = [one for one in page.all("form") if one.attributes.get("action") == "/preferences"]
    sent = []
    for one in form.walk():
        name = one.attributes.get("name", "")
        if one.tag == "input" and name and (one.attributes.get("type") != "checkbox" or "checked" in one.attributes):
            sent.append((name, one.attributes.get("value", "")))
        if one.tag == "select":
            chosen = [option.attributes["value"] for option in one.all("option") if "selected" in option.attributes]
            sent += [(name, value) for value in chosen]
    return sent


def test_the_form_sent_back_untouched_changes_nothing(decided: Browser) -> None:
    """Whatever is shown is what is stored, and all of it fits through the form (W6)."""
    sent = fields(decided.page("/preferences"))
    assert set(FORM) <= {name for name, _ in sent}
    assert decided.client.post("/preferences", data=_multi(sent)).status_code == 303
    assert stored(decided) == STORED | SOUND


def _multi(sent: list[tuple[str, str]]) -> dict[str, list[str]]:
    form: dict[str, list[str]] = {}
    for name, value in sent:
        form.setdefault(name, []).append(value)
    return form


@pytest.mark.parametrize("name", [*TICKS, "sound"])
def test_a_tick_that_is_taken_away_is_sent_as_off(decided: Browser, name: str) -> None:
    sent = fields(decided.page("/preferences"))
    assert [value for field, value in sent if field == name] == ["off", "on"]
    sent.remove((name, "on"))
    assert decided.client.post("/preferences", data=_multi(sent)).status_code == 303
    field = "sound_enabled" if name == "sound" else name
    assert stored(decided) == STORED | SOUND | {field: False}


# Mistakes

MISTAKES = [
    ("looking_threshold", "100", "0 (off) to 99"),
    ("looking_threshold", "-1", "0 (off) to 99"),
    ("looking_threshold", "three", "0 (off) to 99"),
    ("looking_threshold", "٣", "0 (off) to 99"),
    ("preferred_channel", "pigeon", "no such channel"),
    ("quiet_start", "25:00", "not a time of day"),
    ("quiet_start", "", "both a beginning and an end"),
    ("quiet_end", "", "both a beginning and an end"),
    ("quiet_end", "22:30", "never or always"),
    ("zone", "Atlantis/Center", "not a time zone"),
    ("zone", "localtime", "not a time zone"),
    ("zone", "", "not a time zone"),
    ("zone", "../../etc/passwd", "not a time zone"),
    ("sound_cooldown", "29", "30 to 3600"),
    ("sound_cooldown", "3601", "30 to 3600"),
    ("sound_cooldown", "", "30 to 3600"),
]


@pytest.mark.parametrize(("name", "value", "sentence"), MISTAKES, ids=str)
def test_a_mistake_stores_nothing_and_keeps_all_that_was_typed(
    world: World, decided: Browser, name: str, value: str, sentence: str
) -> None:
    typed = FORM | {"allow_promotions": "off", "quiet_end": "06:15", "zone": "Europe/Rome"} | {name: value}
    with nothing_stored(world):
        answer = decided.post("/preferences", typed)
        said = is_fragment(decided.post("/preferences", typed, htmx=True), 422)
    assert sentence in is_page(answer, 422)
    assert sentence in said
    shown = {field: sent for field, sent in fields(read(answer.text)) if field not in {"csrf_token", "viewer"}}
    if name == "preferred_channel":  # which no list of channels can show
        del typed["preferred_channel"]
    assert shown == typed


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"allow_promotions": "false"}, "true or false"),
        ({"session_ready": 1}, "true or false"),
        ({"daily_reminder": None}, "true or false"),
        ({"more_needed": "yes"}, "true or false"),
        ({"looking_threshold": 100}, "0 (off) to 99"),
        ({"looking_threshold": True}, "0 (off) to 99"),
        ({"looking_threshold": "4"}, "0 (off) to 99"),
        ({"looking_threshold": 1.5}, "0 (off) to 99"),
        ({"preferred_channel": "pigeon"}, "no such channel"),
        ({"preferred_channel": ["any"]}, "must be a text"),
        ({"timezone": "Mars/Base"}, "not a time zone"),
        ({"quiet_hours": {"start": "22:00"}}, "both a beginning and an end"),
        ({"quiet_hours": {"start": "22:00", "end": "22:00"}}, "never or always"),
        ({"quiet_hours": {"start": 22, "end": "23:00"}}, "not a time of day"),
        ({"quiet_hours": "22:00-23:00"}, "both a beginning and an end"),
    ],
    ids=str,
)
def test_a_call_that_makes_no_sense_stores_nothing(
    world: World, decided: Browser, body: dict[str, Any], sentence: str
) -> None:
    with nothing_stored(world):
        assert sentence in is_problem(decided.call("POST", API, {"daily_reminder": False} | body), 422)


# Off is for everybody, on for linked players (W9)


def test_whoever_has_addresses_can_switch_off_without_giving_them_up(world: World, decided: Browser) -> None:
    """W6: a stored address stood against switching off."""
    world.has("alice", ChannelName.TELEGRAM, "4242")
    decided.post("/preferences", {"allow_promotions": "off"})
    assert stored(decided)["allow_promotions"] is False
    with world.session() as session:
        assert ChannelName.TELEGRAM in contacts.contacts_of(session, world.players["alice"])


def test_who_is_not_linked_may_switch_off_and_not_on(world: World, charlie: Browser) -> None:
    with nothing_stored(world):
        assert lands(charlie.post("/preferences", {"allow_promotions": "off"})) == "/preferences"
        assert charlie.call("POST", API, {"allow_promotions": False}).status_code == 200
        forms = [{name: "on"} for name in (*TICKS, "sound")]
        for form in (*forms, {"looking_threshold": "3"}):
            is_page(charlie.post("/preferences", form), 403)
        for body in ({"session_ready": True}, {"more_needed": True}, {"looking_threshold": 3}):
            is_problem(charlie.call("POST", API, body), 403)


def test_a_stranger_decides_nothing(world: World, anonymous: Browser) -> None:
    with nothing_stored(world):
        is_page(anonymous.get("/preferences"), 401)
        assert anonymous.post("/preferences", {"allow_promotions": "off"}).status_code == 401
        is_problem(anonymous.call("POST", API, {"allow_promotions": False}), 401)


def test_who_left_may_lower_but_not_raise(world: World, decided: Browser) -> None:
    with world.session() as session:
        user = session.get_one(User, world.users["alice"])
        accounts.record_membership(session, user, False, now=world.clock.now())
    for raised in ({"looking_threshold": 3}, {"looking_threshold": 5}):
        is_problem(decided.call("POST", API, raised), 403)
    assert decided.call("POST", API, {"looking_threshold": 0}).get_json()["looking_threshold"] == 0
    is_problem(decided.call("POST", API, {"looking_threshold": 4}), 403)
    assert decided.call("POST", API, {"session_ready": True}).status_code == 200, "it is on already"
