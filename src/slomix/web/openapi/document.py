"""The description of the JSON API as OpenAPI 3.1, made from the calls of an application."""

import re
from collections.abc import Iterator
from typing import Any, cast

from flask import Flask
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from slomix.web.json import PROBLEM, Problem
from slomix.web.openapi.calls import BRIDGE, SESSION, Operation, Part
from slomix.web.refusals import TITLES

ABOUT = """\
Who plays when, what a player wants to hear, and calling an evening together, and making two teams.

A script of a page calls with the session cookie. Every write is sent with `X-Requested-With: XMLHttpRequest` from the
origin of Slomix itself; `link-confirm` alone, which a bridge calls, shows a secret instead.

A body is a JSON object, whatever content type it is sent with. Fields that are not described are not looked at; of a
field that is sent twice the last one counts. Ids are texts. Days are those of the community, which begin in the
morning.

Every error is `application/problem+json` with a sentence to show. An address answers other methods than those
described with 405 and `Allow` (`components/responses/WrongMethod`); what is not described here is 404, and a call under
a host name that is not ours is 400.
"""

SCHEMAS, JSON = "#/components/schemas/{model}", "application/json"

# Status, and what it means in any call; the names are those in `components/responses`.
PROBLEMS: dict[int, tuple[str, str]] = {
    400: ("NoObject", "The body is no JSON object."),
    401: ("NotLoggedIn", "The caller is not logged in, or the bridge does not know the secret."),
    403: ("NotAllowed", "Not linked to a player, no promoter, or a write that did not come from a page of Slomix."),
    404: ("NotFound", "There is no such thing, or not for this person."),
    405: ("WrongMethod", "This address does not work that way."),
    409: ("Conflict", "What is already there stands against it."),
    413: ("TooLarge", "A body of more than 64 KiB."),
    422: ("Invalid", "The input makes no sense; the sentence says what is wrong with which field."),
    429: ("TooOften", "The same was asked for a moment ago."),
    503: ("Unavailable", "A service that Slomix depends on does not answer, or this installation does not have it."),
}
HEADERS: dict[int, Part] = {
    405: {"Allow": {"description": "The methods that do.", "required": True, "schema": {"type": "string"}}},
    429: {
        "Retry-After": {
            "description": "Seconds to wait.",
            "required": True,
            "schema": {"type": "integer", "minimum": 0},
        }
    },
}

# Shows where a write comes from. Browsers send the origin by themselves; a Referer of ours stands in for it.
FROM_OUR_PAGE: Part = {
    "RequestedWith": {
        "name": "X-Requested-With",
        "in": "header",
        "required": True,
        "description": "Shows that a script of ours sent this, not a form of another site.",
        "schema": {"type": "string", "const": "XMLHttpRequest"},
    },
    "Origin": {
        "name": "Origin",
        "in": "header",
        "required": True,
        "description": "The origin under which Slomix itself is reached.",
        "schema": {"type": "string", "format": "origin", "examples": ["http://127.0.0.1:7000"]},
    },
}


class Schemas(GenerateJsonSchema):
    """JSON schemas that say nothing twice: no title made from a field's name, no default that cannot be sent."""

    def field_title_should_be_set(self, _schema: object) -> bool:
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        if schema.get("default") is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)


def operations(app: Flask) -> Iterator[tuple[str, str, Operation]]:
    """Find every call of the JSON API: its method, its path and what is known of it."""
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/"):
            operation: Operation = cast(Any, app.view_functions[rule.endpoint]).operation
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), operation


def describe_api(app: Flask) -> Part:
    """Describe all calls of an application, with the name of its session cookie."""
    calls = list(operations(app))
    models: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {(Problem, "serialization"): None}
    for _, _, operation in calls:
        models[operation.answer, "serialization"] = None
        if operation.body is not None:
            models[operation.body, "validation"] = None
    refs, schemas = models_json_schema(list(models), ref_template=SCHEMAS, schema_generator=Schemas)
    paths: Part = {}
    for method, path, operation in calls:
        paths.setdefault(path, {})[method.lower()] = _call(operation, method, refs)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Slomix", "version": "1", "description": ABOUT},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "parameters": FROM_OUR_PAGE,
            "responses": {name: _problem(status, refs) for status, (name, _) in PROBLEMS.items()},
            "securitySchemes": _security_schemes(app.config["SESSION_COOKIE_NAME"]),
        },
    }


_Refs = dict[tuple[Any, JsonSchemaMode], JsonSchemaValue]


def _call(operation: Operation, method: str, refs: _Refs) -> Part:
    needs_our_page = operation.needs_our_page(method)
    public: list[Part] = [{}] if operation.audience.is_public else []
    parameters = [
        *_parameters("path", operation.path),
        *(_parameters("query", operation.query) if operation.query is not None else []),
        *([{"$ref": f"#/components/parameters/{name}"} for name in FROM_OUR_PAGE] if needs_our_page else []),
        *operation.parameters,
    ]
    responses = {
        str(status): {"description": meaning, "content": {JSON: {"schema": refs[operation.answer, "serialization"]}}}
        | ({"headers": operation.headers} if operation.headers else {})
        for status, meaning in operation.answers.items()
    }
    for status in operation.refusals(method):
        responses[str(status)] = {"$ref": f"#/components/responses/{PROBLEMS[status][0]}"}
    call: Part = {
        "operationId": operation.operation_id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "security": [*public, {operation.audience.by: []}],
        "responses": responses,
    }
    if operation.description:
        call["description"] = operation.description
    if parameters:
        call["parameters"] = parameters
    if operation.body is not None:
        schema = refs[operation.body, "validation"]
        call["requestBody"] = {"required": not operation.body.is_optional, "content": {JSON: {"schema": schema}}}
    return call


def _parameters(where: str, model: type[BaseModel]) -> list[Part]:
    schemas = model.model_json_schema(schema_generator=Schemas).get("properties", {})
    return [
        {
            "name": name,
            "in": where,
            "required": where == "path",
            "description": schema.pop("description"),
            "schema": schema,
        }
        for name, schema in schemas.items()
    ]


def _problem(status: int, refs: _Refs) -> Part:
    told = {"status": {"const": status}, "title": {"const": TITLES[status]}}
    schema = {"allOf": [refs[Problem, "serialization"], {"properties": told}]}
    answer: Part = {"description": PROBLEMS[status][1], "content": {PROBLEM: {"schema": schema}}}
    return answer | ({"headers": HEADERS[status]} if status in HEADERS else {})


def _security_schemes(cookie: str) -> Part:
    return {
        SESSION: {
            "type": "apiKey",
            "in": "cookie",
            "name": cookie,
            "description": "The session that a login with Discord begins. What it may do is looked up at every call.",
        },
        BRIDGE: {
            "type": "http",
            "scheme": "bearer",
            "description": "`INTERNAL_API_SECRET`, for the operator's bridge.",
        },
    }
