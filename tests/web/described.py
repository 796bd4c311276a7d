"""The description of the JSON API for tests: which calls there are, what they take, and whether an answer fits."""

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from flask import Flask
from pydantic import SecretStr
from werkzeug.test import TestResponse

from slomix.app.factory import APIS, RowId
from slomix.web.openapi import views as openapi_views
from slomix.web.openapi.document import FROM_OUR_PAGE, describe_api
from slomix.web.rate_limits import limiter
from tests.moments import TODAY
from tests.web.conftest import make_app, with_settings
from tests.world import World

API = "/api/availability"
SECRET = "of-the-bridge-and-of-nobody-else"
BEARER = {"Authorization": f"Bearer {SECRET}"}


def document() -> dict[str, Any]:
    """That of an application with nothing but the JSON API: tests are named by it before there is a database."""
    app = Flask("slomix")
    app.url_map.converters["id"] = RowId
    app.config["SESSION_COOKIE_NAME"] = "slomix_7000"
    for module in (*APIS, openapi_views):
        app.register_blueprint(module.blueprint)
    return describe_api(app)


DOCUMENT = document()
# operation id -> (method, path, operation)
OPERATIONS: dict[str, tuple[str, str, dict[str, Any]]] = {
    operation["operationId"]: (method.upper(), path, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    """What a reference leads to; anything else is itself."""
    if "$ref" not in part:
        return part
    _, _, kind, name = part["$ref"].split("/")
    return dict(DOCUMENT["components"][kind][name])


# Every call that reads a body: what that may be.
BODIES: dict[str, dict[str, Any]] = {
    name: resolved(operation["requestBody"]["content"]["application/json"]["schema"])
    for name, (_, _, operation) in OPERATIONS.items()
    if "requestBody" in operation
}


def is_write(operation_id: str) -> bool:
    """Whether only a page of ours may send it."""
    named = [resolved(parameter) for parameter in OPERATIONS[operation_id][2].get("parameters", [])]
    return FROM_OUR_PAGE["RequestedWith"] in named


def sound(operation_id: str) -> dict[str, Any]:
    """A body that makes sense today."""
    [example] = BODIES[operation_id]["examples"] if operation_id in BODIES else [{}]
    return example | ({"date": str(TODAY)} if "date" in example else {})


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
