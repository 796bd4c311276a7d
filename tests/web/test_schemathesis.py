"""Made-up calls of everybody, in the right form and in wrong ones: only what is described is answered, as described."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy.exc import OperationalError

from slomix.availability.rules import Status
from slomix.planning.models import Room
from tests.moments import TODAY
from tests.web.conftest import OURS, Browse, Browser, browser_of, is_problem, make_app, with_settings
from tests.web.described import API, BEARER, BODIES, DOCUMENT, OPERATIONS, app, bridged, described, is_write, sound
from tests.web.steps import settle
from tests.world import World

__all__ = ["app", "bridged"]

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

PUBLIC = {"readDescription", "readAccess", "readDays", "readRoom"}
LOGGED_IN = PUBLIC | {"readMine", "readPreferences", "changePreferences", "removeAddress"}
IN_THE_ROOM = {"openRoom", "joinRoom", "suggestName", "deleteSuggestion", "voteForName"}
LINKED = LOGGED_IN | IN_THE_ROOM
LINKED |= {"setStatus", "clearStatus", "readSettings", "changeSettings", "makeLinkToken", "readCampaign"}
PROMOTER = LINKED | {"previewCampaign", "createCampaign", "cancelCampaign", "retryCampaign", "saveTeams"}
# What each of them is ever answered with success.
ROLES = {"stranger": PUBLIC, "charlie": LOGGED_IN, "alice": LINKED, "bob": PROMOTER, "bridge": {"confirmLink"}}

# Texts that could be right: among all there are, hardly one would be.
near = st.integers(-1, 91).map(lambda days: str(TODAY + timedelta(days=days)))
schemathesis.openapi.format("date", st.one_of(near, near, near, st.dates().map(str)))
schemathesis.openapi.format("time-zone", st.sampled_from(["Europe/Ljubljana", "UTC", "Asia/Tokyo", "localtime", "X/Y"]))
schemathesis.openapi.format("origin", st.sampled_from([OURS["Origin"], "null", "http://evil.example"]))

ROOM = "/api/planning/today"
# The session cookie is that of the browser.
CONFIG = schemathesis.Config.from_dict({"generation": {"with-security-parameters": False}})
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT, config=CONFIG)


def test_it_is_openapi() -> None:
    SCHEMA.validate()


def prepared(operation_id: str, browse: Browse, world: World, role: str) -> tuple[dict[str, str], dict[str, Any]]:
    """Make what this call is about, and return the parameters of its path and a body with which it succeeds."""
    _, path, _ = OPERATIONS[operation_id]
    parameters, body = {"day": str(TODAY), "channel": "signal", "campaign_id": "1", "name_id": "1"}, sound(operation_id)
    if operation_id in {"cancelCampaign", "retryCampaign"}:
        parameters |= browse("bob").call("POST", f"{API}/promotions/campaigns", {}).get_json()
        settle(world, "failed")
    if operation_id == "deleteSuggestion" and role in world.players:
        name = browse(role).call("POST", f"{ROOM}/suggestions", {"name": "Red Devils"}).get_json()
        parameters["name_id"] = name["suggestion_id"]
    if operation_id == "voteForName":
        body = {"suggestion_id": None}
    if operation_id == "changePreferences":
        body = {"allow_promotions": False}  # which also those may who are not linked
    if operation_id == "saveTeams":
        body = {"side_a": [], "side_b": []}
    if operation_id == "confirmLink":
        body = link_of(browse("alice"))
    return {name: value for name, value in parameters.items() if f"{{{name}}}" in path}, body


def calls(operation_id: str, parameters: dict[str, str], body: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Calls in the right form and in wrong ones, and some that speak of what there is."""
    method, path, _ = OPERATIONS[operation_id]
    operation = SCHEMA[path][method]
    ours: dict[str, Any] = {"headers": OURS} if is_write(operation_id) else {}
    made_up = [operation.as_strategy(**ours)] * 2
    if operation.path_parameters or operation.query or operation.body:
        made_up.append(operation.as_strategy(generation_mode=GenerationMode.NEGATIVE, **ours))
    if ours:
        made_up.append(operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    if parameters:
        made_up.append(operation.as_strategy(**ours, path_parameters=parameters))
    if operation_id in BODIES:
        made_up.append(operation.as_strategy(**ours, body=body))
    return st.one_of(made_up)


def link_of(browser: Browser) -> dict[str, str]:
    """A link that can be confirmed once."""
    made = browser.call("POST", f"{API}/link-token", {"channel_type": "signal"}).get_json()
    return {"channel_type": "signal", "channel_address": "+38640123456", "token": made["token"]}


@pytest.mark.parametrize(
    ("role", "operation_id"),
    [(role, one) for role in ROLES for one in OPERATIONS if role != "bridge" or one == "confirmLink"],
)
def test_whatever_is_called_the_answer_is_described(
    world: World, app: Flask, browse: Browse, role: str, operation_id: str
) -> None:
    said = {"erik": Status.LOOKING, "franka": Status.MAYBE, "alice": Status.AVAILABLE, "bob": Status.LOOKING}
    for name, status in said.items():
        world.says(name, status)
    with world.session() as session:
        now, franka = world.clock.now(), world.players["franka"]
        session.add(Room(day=TODAY, created_by=franka, owner_id=franka, created_at=now, version=0))
    client = browse(role if role in world.users else None).client
    headers = {"Accept-Encoding": "identity"} | (BEARER if role == "bridge" else {})
    checks = CHECKS + ([negative_data_rejection] if operation_id in BODIES else [])
    may = operation_id in ROLES[role]
    seen: Counter[int] = Counter()
    parameters, body = prepared(operation_id, browse, world, role)
    most = settings().max_examples

    @settings(max_examples=most // 3 if may else most // 8)  # a gate that is shut looks at nothing else
    @given(case=calls(operation_id, parameters, body))
    def try_out(case: Any) -> None:
        answer = case.call(app=app, session=client, headers=headers)
        case.validate_response(answer, checks=checks)
        seen[answer.status_code] += 1

    method, path, _ = OPERATIONS[operation_id]
    ours = headers | (OURS if is_write(operation_id) else {})
    answer = client.open(path.format(**parameters), method=method, json=body, headers=ours)
    described(operation_id, answer)
    assert (answer.status_code < 400) == may, "first what surely succeeds, if it may"
    try_out()
    assert may or all(status >= 400 for status in seen), seen


def test_a_code_a_moment_after_the_last_is_described(world: World) -> None:
    patient = make_app(with_settings(world, link_code_interval_seconds=60).runtime)
    alice = browser_of(patient, world, "alice")
    for status in (201, 429):
        answer = alice.call("POST", f"{API}/link-token", {"channel_type": "signal"})
        assert answer.status_code == status
        described("makeLinkToken", answer)
    assert 0 < int(answer.headers["Retry-After"]) <= 60


def test_too_many_confirmations_are_described(anonymous: Browser) -> None:
    for _ in range(60):
        assert anonymous.client.post(f"{API}/link-confirm", json={}, headers=BEARER).status_code == 422
    answer = anonymous.client.post(f"{API}/link-confirm", json={}, headers=BEARER)
    is_problem(answer, 429)
    described("confirmLink", answer)
    assert 0 < int(answer.headers["Retry-After"]) <= 60


def test_a_link_is_confirmed_once_and_an_address_is_one_persons(browse: Browse, anonymous: Browser) -> None:
    link, other = link_of(browse("alice")), link_of(browse("bob"))
    for body, status in ((link, 200), (link, 404), (other, 409)):
        answer = anonymous.client.post(f"{API}/link-confirm", json=body, headers=BEARER)
        assert answer.status_code == status
        described("confirmLink", answer)


def test_an_installation_without_a_bridge_is_described(world: World) -> None:
    answer = browser_of(make_app(world.runtime), world, None).client.post(f"{API}/link-confirm", json={})
    is_problem(answer, 503)
    described("confirmLink", answer)


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_a_database_that_is_away_is_described(
    monkeypatch: pytest.MonkeyPatch, world: World, bob: Browser, operation_id: str
) -> None:
    def away() -> None:
        raise OperationalError("SELECT", {}, Exception("gone"))

    monkeypatch.setattr(world.runtime.database, "transaction", away)
    method, path, _ = OPERATIONS[operation_id]
    body = (
        sound(operation_id) | {"channel_type": "signal", "channel_address": "+38640123456"} if "{" not in path else {}
    )
    headers = OURS if is_write(operation_id) else BEARER
    address = path.format(day=TODAY, channel="signal", campaign_id=1, name_id=1)
    answer = bob.client.open(address, method=method, json=body, headers=headers)
    described(operation_id, answer)
    assert answer.status_code == (200 if operation_id == "readDescription" else 503)
