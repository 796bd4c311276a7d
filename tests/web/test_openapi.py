"""The description of the JSON API: it is complete, it is true, and what scripts get wrong is answered as it says."""

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from flask import Flask
from pydantic import SecretStr
from werkzeug.test import TestResponse

from slomix import words
from slomix.availability.rules import Status
from slomix.campaigns import rules as campaign_rules
from slomix.campaigns.rules import CampaignStatus
from slomix.campaigns.views import MAX_KEY
from slomix.contacts import rules as contact_rules
from slomix.contacts.rules import LINKED_BY_CODE, ChannelName, Preferred
from slomix.jobs.rules import JobStatus
from slomix.limits import limiter
from slomix.openapi import campaigns, parts
from slomix.openapi.views import description
from tests.moments import TODAY
from tests.web.conftest import OURS, Browse, Browser, is_problem, make_app, nothing_stored, with_settings
from tests.world import World

API = "/api/availability"
SECRET = "of-the-bridge-and-of-nobody-else"
BEARER = {"Authorization": f"Bearer {SECRET}"}
DOCUMENT = description("slomix_7000")
# operation id -> (method, path, operation)
OPERATIONS: dict[str, tuple[str, str, dict[str, Any]]] = {
    operation["operationId"]: (method.upper(), path, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
# Every call that reads a body: what that may be.
BODIES: dict[str, dict[str, Any]] = {
    name: operation["requestBody"]["content"]["application/json"]
    for name, (_, _, operation) in OPERATIONS.items()
    if "requestBody" in operation
}


@pytest.fixture(scope="module")
def bridged(one_world: World) -> Flask:
    return make_app(
        with_settings(one_world, internal_api_secret=SecretStr(SECRET), link_code_interval_seconds=0).runtime
    )


@pytest.fixture
def app(bridged: Flask) -> Iterator[Flask]:
    """With a bridge, and nothing counted yet."""
    limiter.reset()
    yield bridged
    limiter.reset()


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in part:
        return part
    _, _, kind, name = part["$ref"].split("/")
    return dict(DOCUMENT["components"][kind][name])


def is_write(operation_id: str) -> bool:
    """Whether only a page of ours may send it."""
    return any(one == parts.FROM_OUR_PAGE[0] for one in OPERATIONS[operation_id][2].get("parameters", []))


def check(schema: dict[str, Any], value: object) -> None:
    jsonschema_rs.validate(schema | {"components": DOCUMENT["components"]}, value)


def described(operation_id: str, answer: TestResponse) -> None:
    """This answer is one that the description has."""
    responses = OPERATIONS[operation_id][2]["responses"]
    assert str(answer.status_code) in responses, answer.text
    response = resolved(responses[str(answer.status_code)])
    [(mimetype, content)] = response["content"].items()
    assert answer.mimetype == mimetype
    check(content["schema"], answer.get_json(force=True))
    for name, header in response.get("headers", {}).items():
        assert not header.get("required") or name in answer.headers


def test_it_is_public_and_names_the_cookie_of_this_installation(anonymous: Browser, app: Flask) -> None:
    answer = anonymous.get("/api/openapi.json")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert answer.get_json() == DOCUMENT
    assert answer.get_json()["components"]["securitySchemes"]["session"]["name"] == app.config["SESSION_COOKIE_NAME"]


def test_every_call_is_described_and_nothing_else(app: Flask) -> None:
    there_are = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {(method, path) for method, path, _ in OPERATIONS.values()} == there_are


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


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_each_call_says_who_may_and_how(operation_id: str) -> None:
    method, path, operation = OPERATIONS[operation_id]
    assert operation["summary"]
    statuses = {int(status) for status in operation["responses"]}
    assert {status for status in statuses if status >= 400} <= set(words.TITLES) - {405, 500}
    assert (401 in statuses) == ({} not in operation["security"])
    assert is_write(operation_id) == (method != "GET" and operation["security"] == parts.LOGGED_IN)
    assert ({400, 413} <= statuses) == (operation_id in BODIES)
    named = [resolved(one) for one in operation.get("parameters", [])]
    assert {one["name"] for one in named if one["in"] == "path"} == {
        part[1:-1] for part in path.split("/") if part.startswith("{")
    }
    if operation_id in BODIES:
        check(BODIES[operation_id]["schema"], BODIES[operation_id]["example"])


def test_the_words_are_those_of_the_code() -> None:
    assert parts.STATUS["enum"] == list(Status)
    assert parts.CHANNEL["enum"] == list(ChannelName)
    assert parts.LINKED_CHANNEL["enum"] == list(LINKED_BY_CODE)
    assert campaigns.CAMPAIGN_STATUS["enum"] == list(CampaignStatus)
    assert campaigns.JOB_STATUS["enum"] == list(JobStatus)
    assert campaigns.JOB_TYPES == campaign_rules.JOB_KINDS
    preferences = DOCUMENT["components"]["schemas"]["Preferences"]["properties"]
    assert preferences["preferred_channel"]["enum"] == list(Preferred)
    assert preferences["looking_threshold"]["maximum"] == contact_rules.MOST_LOOKING
    lives = BODIES["makeLinkToken"]["schema"]["properties"]["ttl_minutes"]["anyOf"][0]
    minutes = contact_rules.CODE_MINUTES
    assert [lives["minimum"], lives["maximum"]] == [minutes[0], minutes[-1]]
    assert parts.PARAMETERS["IdempotencyKey"]["schema"]["maxLength"] == MAX_KEY


@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_every_other_method_is_405_and_says_which_are_not(app: Flask, bob: Browser, path: str) -> None:
    known = {method.upper() for method in DOCUMENT["paths"][path]}
    address = path.format(day=TODAY, channel="signal", campaign_id=1, name_id=1)
    if re.fullmatch(rf"{API}/\w[\w-]+", path):
        known.add("DELETE")  # as if it were a day
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"} - known:
        answer = bob.call(method, address, {})
        is_problem(answer, 405)
        [content] = resolved(parts.ref("responses", "WrongMethod"))["content"].values()
        check(content["schema"], answer.get_json(force=True))
        assert known <= set(answer.allow) <= known | {"HEAD", "OPTIONS"}


def sound(operation_id: str) -> dict[str, Any]:
    example = BODIES.get(operation_id, {}).get("example", {})
    return example | ({"date": str(TODAY)} if "date" in example else {})


def send(browser: Browser, operation_id: str, body: bytes | str, kind: str = "application/json") -> TestResponse:
    """Send these bytes as somebody who may."""
    method, path, _ = OPERATIONS[operation_id]
    path = path.format(campaign_id=1)
    headers = (OURS if is_write(operation_id) else BEARER) | {"Content-Type": kind}
    answer = browser.client.open(path, method=method, data=body, headers=headers)
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


@pytest.mark.parametrize("operation_id", BODIES)
def test_no_call_takes_a_body_that_is_no_object(world: World, bob: Browser, operation_id: str) -> None:
    """W63: each call that reads a body, and not only those somebody thought of."""
    with nothing_stored(world):
        for body, status in NO_OBJECTS:
            may_be_left_out = body == "" and not OPERATIONS[operation_id][2]["requestBody"]["required"]
            is_problem(send(bob, operation_id, body), 404 if may_be_left_out else status)


@pytest.mark.parametrize("operation_id", BODIES)
def test_a_form_is_no_object_and_an_object_is_one_by_any_name(bob: Browser, operation_id: str) -> None:
    form = "&".join(f"{name}={value}" for name, value in sound(operation_id).items())
    is_problem(send(bob, operation_id, form, "application/x-www-form-urlencoded"), 400)
    is_problem(send(bob, operation_id, "--x\r\n\r\n\r\n--x--", "multipart/form-data; boundary=x"), 400)
    for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded", ""):
        assert send(bob, operation_id, json.dumps(sound(operation_id)), kind).status_code not in {400, 415}


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


@pytest.mark.parametrize(
    ("operation_id", "field"), [(name, field) for name in BODIES for field in BODIES[name]["schema"]["properties"]]
)
def test_no_field_takes_nonsense(world: World, bob: Browser, operation_id: str, field: str) -> None:
    world.says("erik", Status.LOOKING)
    others = "".join(f'"{name}": {json.dumps(value)}, ' for name, value in sound(operation_id).items() if name != field)
    with nothing_stored(world):
        for nonsense in NONSENSE:
            answer = send(bob, operation_id, f'{{{others}"{field}": {nonsense}}}')
            # A code and a name may look like anything, and teams be empty: then there is no such code, or no room.
            allowed = {404, 422} if field in {"token", "name", "side_a", "side_b"} else {422}
            assert answer.status_code in allowed, (nonsense, answer.text)


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
