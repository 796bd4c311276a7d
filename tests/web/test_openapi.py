"""The JSON API and its description: complete, true, and what scripts get wrong is answered as it says."""

import json
import re
from collections.abc import Callable

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from slomix.availability.rules import Status
from slomix.contacts.rules import ChannelName
from slomix.web.refusals import TITLES
from tests.moments import TODAY
from tests.web.conftest import OURS, Browse, Browser, is_problem, nothing_stored
from tests.web.described import (
    API,
    BEARER,
    BODIES,
    DOCUMENT,
    OPERATIONS,
    app,
    bridged,
    check,
    described,
    is_write,
    resolved,
    sound,
)
from tests.world import World

__all__ = ["app", "bridged"]


def test_it_is_public_complete_and_names_the_cookie_of_this_installation(anonymous: Browser, app: Flask) -> None:
    """A call that declares nothing of itself would be no part of it, and leave it unwritten."""
    answer = anonymous.get("/api/openapi.json")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert answer.get_json() == DOCUMENT
    assert answer.get_json()["components"]["securitySchemes"]["session"]["name"] == app.config["SESSION_COOKIE_NAME"]
    rules = {re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule) for rule in app.url_map.iter_rules()}
    assert set(DOCUMENT["paths"]) == {rule for rule in rules if rule.startswith("/api/")}


def test_whatever_it_refers_to_is_there_and_whatever_is_there_is_referred_to() -> None:
    text = json.dumps(DOCUMENT)
    for kind in ("schemas", "parameters", "responses"):
        for name in DOCUMENT["components"][kind]:
            assert f'"#/components/{kind}/{name}"' in text or name == "WrongMethod", f"nobody needs {name}"
    for reference in text.split('"$ref": "#/components/')[1:]:
        kind, name = reference.partition('"')[0].split("/")
        assert name in DOCUMENT["components"][kind]
    assert set(DOCUMENT["components"]["securitySchemes"]) == {
        name for _, _, operation in OPERATIONS.values() for way in operation["security"] for name in way
    }


def test_every_call_says_what_it_is_for_and_what_it_takes() -> None:
    assert len(OPERATIONS) == sum(map(len, DOCUMENT["paths"].values())), "each has a name of its own"
    for operation_id, (_, path, operation) in OPERATIONS.items():
        assert operation["summary"]
        assert {int(status) for status in operation["responses"] if status >= "400"} <= set(TITLES) - {405, 500}
        named = [resolved(parameter) for parameter in operation.get("parameters", [])]
        assert {parameter["name"] for parameter in named if parameter["in"] == "path"} == set(
            re.findall(r"{(\w+)}", path)
        )
        if operation_id in BODIES:
            check(BODIES[operation_id], BODIES[operation_id]["examples"][0])


def test_an_answer_has_no_field_that_is_not_described() -> None:
    """Its model refuses to be built with another one."""
    given = {json.dumps(body) for body in BODIES.values()}
    for name, schema in DOCUMENT["components"]["schemas"].items():
        if schema["type"] == "object" and json.dumps(schema) not in given:
            assert schema.get("additionalProperties") is False or name in {"Description", "QuietHoursInput"}, name


def test_every_other_method_is_405_and_says_which_are_not(
    app: Flask, bob: Browser, uncounted: Callable[[], None]
) -> None:
    [content] = DOCUMENT["components"]["responses"]["WrongMethod"]["content"].values()
    for path, methods in DOCUMENT["paths"].items():
        known = {method.upper() for method in methods}
        address = path.format(day=TODAY, channel="signal", campaign_id=1, name_id=1)
        if re.fullmatch(rf"{API}/\w[\w-]+", path):
            known.add("DELETE")  # as if it were a day
        uncounted()
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"} - known:
            answer = bob.call(method, address, {})
            is_problem(answer, 405)
            check(content["schema"], answer.get_json(force=True))
            assert known <= set(answer.allow) <= known | {"HEAD", "OPTIONS"}


def send(browser: Browser, operation_id: str, body: bytes | str, kind: str = "application/json") -> TestResponse:
    """Send these bytes as somebody who may."""
    method, path, _ = OPERATIONS[operation_id]
    headers = (OURS if is_write(operation_id) else BEARER) | {"Content-Type": kind}
    answer = browser.client.open(path.format(campaign_id=1), method=method, data=body, headers=headers)
    described(operation_id, answer)
    return answer


NO_OBJECTS: list[tuple[bytes | str, int]] = [
    ("", 400),
    ("{", 400),
    ("null", 400),
    ("[]", 400),
    ('[{"status": "LOOKING"}]', 400),
    ('"LOOKING"', 400),
    ("0", 400),
    ("true", 400),
    ("NaN", 400),
    (b"\x00", 400),
    (b"\xff\xfe{}", 400),
    ("[" * 60_000, 400),
    ("[" * 30_000 + "]" * 30_000, 400),
    ('{"date":' * 8_000, 400),
    ('{"date":' * 6_000 + "1" + "}" * 6_000, 400),
    ("9" * 60_000, 400),
    ('{"date": ' + "9" * 60_000 + "}", 400),
    ('{"date": "' + "x" * 65_536 + '"}', 413),
    ("[" * 200_000, 413),
]


@pytest.mark.parametrize("operation_id", ["setStatus", "confirmLink", "joinRoom"])
def test_a_body_that_is_no_object_is_not_taken(world: World, bob: Browser, operation_id: str) -> None:
    """W63. One function reads all bodies: a page's, that of the bridge, and one that may be left out."""
    with nothing_stored(world):
        for body, status in NO_OBJECTS:
            may_be_left_out = body == "" and not OPERATIONS[operation_id][2]["requestBody"]["required"]
            is_problem(send(bob, operation_id, body), 404 if may_be_left_out else status)


def test_a_form_is_no_object_and_an_object_is_one_by_any_name(bob: Browser) -> None:
    form = "&".join(f"{name}={value}" for name, value in sound("setStatus").items())
    is_problem(send(bob, "setStatus", form, "application/x-www-form-urlencoded"), 400)
    is_problem(send(bob, "setStatus", "--x\r\n\r\n\r\n--x--", "multipart/form-data; boundary=x"), 400)
    for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded", ""):
        assert send(bob, "setStatus", json.dumps(sound("setStatus")), kind).status_code == 200


# What no field takes, whatever its kind, as JSON has it.
NONSENSE = [
    r'"\u0000"',
    r'"2026-11-20\u0000"',
    r'"LOOKING\u0000"',
    r'"telegram\u0000"',
    r'"Europe/Ljubljana\u0000"',
    r'"21:00\u0000"',
    r'"\ud800"',
    '"٢٠٢٦-١١-٢٠"',
    "9" * 30,
    "-" + "9" * 4_000,
    "1e400",
    "-1e400",
    "NaN",
    "0.5",
    "[]",
    "[[]]",
    "{}",
    '{"start": [], "end": {}}',
    r'{"start": "\u0000", "end": "07:00"}',
    "[" * 300 + "]" * 300,
]


def kinds() -> dict[str, tuple[str, str]]:
    """The kinds of fields there are, each by the first call and field that has it."""
    found: dict[str, tuple[str, str]] = {}
    for operation_id, body in BODIES.items():
        for field, schema in body["properties"].items():
            is_free = schema == {"type": "string"} | {"description": schema.get("description")}
            kind = {name: value for name, value in schema.items() if name not in {"description", "default"}}
            # What a text of any form may be is for the rules of each to say.
            found.setdefault(field if is_free else json.dumps(kind, sort_keys=True), (operation_id, field))
    return found


@pytest.mark.parametrize(("operation_id", "field"), kinds().values(), ids=str)
def test_no_kind_of_field_takes_nonsense(world: World, bob: Browser, operation_id: str, field: str) -> None:
    world.says("erik", Status.LOOKING)
    others = "".join(f'"{name}": {json.dumps(value)}, ' for name, value in sound(operation_id).items() if name != field)
    with nothing_stored(world):
        for nonsense in NONSENSE:
            answer = send(bob, operation_id, f'{{{others}"{field}": {nonsense}}}')
            # A code and a name may look like anything, and teams be empty: then there is no such code, or no room.
            allowed = {404, 422} if field in {"token", "name", "side_a"} else {422}
            sentence = is_problem(answer, answer.status_code)
            assert answer.status_code in allowed, (nonsense, sentence)
            is_text_of_any_form = field in {"channel_address", "name"} and nonsense.startswith('"')
            is_named = f"field {field}" in sentence.lower()
            assert is_named or answer.status_code == 404 or is_text_of_any_form, (nonsense, sentence)


def test_of_a_field_that_is_sent_twice_the_last_one_counts(bob: Browser) -> None:
    twice = f'{{"date": "{TODAY}", "status": 1, "status": "MAYBE", "status": "LOOKING"}}'
    assert send(bob, "setStatus", twice).get_json()["status"] == "LOOKING"
    is_problem(send(bob, "setStatus", twice[:-1] + ', "status": 1}'), 422)


def test_the_channel_of_who_is_asked_is_theirs(world: World, browse: Browse) -> None:
    """It was Discord for all once."""
    world.has("erik", ChannelName.TELEGRAM, "123456789")
    for name in ("erik", "franka"):
        world.says(name, Status.LOOKING)
    summary = {"telegram": 1, "discord": 1}
    bob = browse("bob")
    ahead = bob.get(f"{API}/promotions/preview").get_json()
    assert ahead["channels_summary"] == summary
    assert {one["user_id"]: one["selected_channel"] for one in ahead["recipients_preview"]} == {
        str(world.players["erik"]): "telegram",
        str(world.players["franka"]): "discord",
    }
    bob.call("POST", f"{API}/promotions/campaigns", {})
    answer = browse("alice").get(f"{API}/promotions/campaign")
    described("readCampaign", answer)
    assert answer.get_json()["campaign"]["channels_summary"] == summary
