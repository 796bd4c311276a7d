"""Discord's own description of its API, and what it says of exchanges that the simulator has recorded.

Everything is strict: a field that the description does not know is a deviation, in what we send and in what we are
told. The few places where Discord's documentation contradicts its description are named, with the reason.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

# Reading the grammar of addresses, which jsonschema does when it is imported, takes seconds; few have a description.
if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

VARIABLE = "DISCORD_OPENAPI"
NOT_HERE = f"{VARIABLE} does not name specs/openapi.json of https://github.com/discord/discord-api-spec"
# RFC 6749 describes the token endpoint; Discord's description does not have it.
UNDESCRIBED = re.compile(r"/oauth2/token(/revoke)?")
_PREFIX = re.compile(r"/api(/v10)?")
_ROOT = "urn:discord"
# Shared by error bodies, which add to it.
_OPEN = {"Error"}

Json = dict[str, Any]


def path_of_description() -> Path | None:
    named = os.environ.get(VARIABLE, "")
    return Path(named) if named and Path(named).is_file() else None


class Description:
    """The description, with all objects closed: no field is allowed that it does not name."""

    def __init__(self, path: Path) -> None:
        from referencing import Registry
        from referencing.jsonschema import DRAFT202012

        self._document = json.loads(path.read_text())
        schemas = self._document["components"]["schemas"]
        # Only some of these have a code: https://docs.discord.com/developers/topics/rate-limits
        schemas["RatelimitedResponse"]["allOf"][0] = schemas["Error"] | {"required": ["message"]}
        # The codes of single fields are words: https://docs.discord.com/developers/reference#error-messages
        of_field = schemas["InnerErrors"]["properties"]["_errors"]
        of_field["items"] = schemas["Error"] | {
            "properties": {"code": {"type": "string"}, "message": {"type": "string"}}
        }
        for name, schema in schemas.items():
            if name not in _OPEN:
                _close(schema)
        for part in self._document["paths"].values():
            _close(part)
        resource = DRAFT202012.create_resource(self._document)
        self._registry: Registry[Any] = Registry().with_resource(_ROOT, resource)

    def deviations(self, exchange: Mapping[str, Any]) -> tuple[list[str], list[str]]:
        """Say what is wrong with a request, and with its answer."""
        path = _PREFIX.sub("", exchange["path"], count=1)
        if UNDESCRIBED.fullmatch(path):
            return [], []
        found = self._operation(exchange["method"].lower(), path)
        if found is None:
            return [f"{exchange['method']} {path}: there is no such operation"], []
        template, pointer, operation, shared = found
        about = f"{exchange['method']} {template}"
        asked = [*self._parameters(exchange, operation, shared), *self._body(exchange, pointer, operation)]
        answered = self._answer(exchange, pointer, operation)
        return (
            [f"{about}: {deviation}" for deviation in asked],
            [f"{about} {exchange['status']}: {deviation}" for deviation in answered],
        )

    def _operation(self, method: str, path: str) -> tuple[str, str, Json, list[Json]] | None:
        """Return the operation at this address; a fixed part of an address goes before a variable one."""
        fitting = [
            template
            for template, operations in self._document["paths"].items()
            if method in operations and re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path)
        ]
        if not fitting:
            return None
        template = min(fitting, key=lambda one: one.count("{"))
        operations = self._document["paths"][template]
        pointer = f"/paths/{_escaped(template)}/{method}"
        return template, pointer, operations[method], operations.get("parameters", [])

    def _parameters(self, exchange: Mapping[str, Any], operation: Json, shared: list[Json]) -> Iterator[str]:
        known = {one["name"]: one for one in (*shared, *operation.get("parameters", [])) if one["in"] == "query"}
        for name, value in exchange["query"].items():
            if name not in known:
                yield f"no parameter {name}"
                continue
            # An address has only texts; a number or a switch is written like JSON.
            schema = json.loads(json.dumps(known[name]["schema"]).replace('"#/', f'"{_ROOT}#/'))
            if all(list(self._errors(schema, read, name)) for read in (value, *_read(value))):
                yield f"{name}={value}"
        for name, parameter in known.items():
            if parameter.get("required") and name not in exchange["query"]:
                yield f"the parameter {name} is missing"

    def _body(self, exchange: Mapping[str, Any], pointer: str, operation: Json) -> Iterator[str]:
        described = operation.get("requestBody")
        if not exchange["sent"]:
            if described and described.get("required"):
                yield "there is no body"
            return
        kind = exchange["sent_type"].split(";")[0]
        if not described or kind not in described["content"]:
            yield f"a body of {kind!r}"
            return
        at = f"{pointer}/requestBody/content/{_escaped(kind)}/schema"
        yield from self._errors({"$ref": f"{_ROOT}#{at}"}, json.loads(exchange["sent"]), "body")

    def _answer(self, exchange: Mapping[str, Any], pointer: str, operation: Json) -> Iterator[str]:
        status = str(exchange["status"])
        responses = operation["responses"]
        name = status if status in responses else f"{status[0]}XX"
        if name not in responses:
            if not status.startswith("5"):
                yield "no such status"
            return
        response = responses[name]
        at = f"{pointer}/responses/{name}"
        if "$ref" in response:
            at = response["$ref"].removeprefix("#")
            response = self._document["components"]["responses"][at.rsplit("/", 1)[1]]
        content = response.get("content", {})
        if not content:
            if exchange["answer"]:
                yield "there is a body"
            return
        if exchange["content_type"] != "application/json":
            yield f"the body is {exchange['content_type']!r}"
            return
        body = json.loads(exchange["answer"])
        schema = {"$ref": f"{_ROOT}#{at}/content/application~1json/schema"}
        yield from self._errors(schema, body, "body")

    def _errors(self, schema: Json, value: Any, where: str) -> Iterator[str]:
        from jsonschema import Draft202012Validator

        validator = Draft202012Validator(schema, registry=self._registry)
        for error in validator.iter_errors(value):
            deepest = _closest(error)
            place = "".join(f".{part}" for part in deepest.absolute_path)
            yield f"{where}{place}: {deepest.message[:300]}"


def _read(text: str) -> Iterator[Any]:
    if text in {"0", "1"}:  # discord.py writes switches so
        yield text == "1"
    with suppress(ValueError):
        yield json.loads(text)


def _closest(error: "ValidationError") -> "ValidationError":
    """Of the alternatives that an object may be, return what keeps it from being the likeliest."""
    while error.context:
        branches: dict[Any, list[ValidationError]] = {}
        for one in error.context:
            branches.setdefault(one.schema_path[0], []).append(one)
        error = min(branches.values(), key=lambda errors: (_is_another_type(errors), len(errors)))[0]
    return error


def _is_another_type(errors: "list[ValidationError]") -> bool:
    return any(one.validator in {"type", "enum", "const"} and len(one.relative_path) <= 1 for one in errors)


def _close(schema: Any) -> None:
    """Allow an object no field that it does not name."""
    if isinstance(schema, list):
        for one in schema:
            _close(one)
    if not isinstance(schema, dict):
        return
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        schema.setdefault("additionalProperties", False)
    if isinstance(schema.get("allOf"), list) and schema.get("type") == "object":
        schema["unevaluatedProperties"] = False
        return
    for value in schema.values():
        _close(value)


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D")


@pytest.fixture(scope="session")
def description() -> Description:
    path = path_of_description()
    if path is None:
        pytest.skip(NOT_HERE)
    return Description(path)
