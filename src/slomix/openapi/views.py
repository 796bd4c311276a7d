"""`/api/openapi.json`: the description itself."""

import functools
import json

from flask import Blueprint, current_app
from werkzeug.wrappers import Response

from slomix.openapi import availability, campaigns, contacts, planning
from slomix.openapi.parts import (
    ANYBODY,
    PARAMETERS,
    PROBLEM_SCHEMA,
    RESPONSES,
    Part,
    an_answer,
    security_schemes,
)

blueprint = Blueprint("openapi", __name__)

TOPICS = (availability, contacts, campaigns, planning)

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

ITSELF: Part = {
    "/api/openapi.json": {
        "get": {
            "operationId": "readDescription",
            "tags": ["This description"],
            "summary": "What you are reading",
            "security": ANYBODY,
            "responses": {"200": an_answer("OpenAPI 3.1.", {"type": "object", "required": ["openapi", "paths"]})},
        }
    }
}


def description(cookie: str) -> Part:
    """The whole description, for an installation whose session cookie has this name."""
    document: Part = {
        "openapi": "3.1.0",
        "info": {"title": "Slomix", "version": "1", "description": ABOUT},
        "servers": [{"url": "/"}],
        "paths": dict(ITSELF),
        "components": {
            "schemas": {"Problem": PROBLEM_SCHEMA},
            "parameters": PARAMETERS,
            "responses": RESPONSES,
            "securitySchemes": security_schemes(cookie),
        },
    }
    for topic in TOPICS:
        document["paths"] |= topic.PATHS
        document["components"]["schemas"] |= topic.SCHEMAS
    return document


@functools.cache
def _written(cookie: str) -> str:
    return json.dumps(description(cookie), ensure_ascii=False)


@blueprint.get("/api/openapi.json")
def read() -> Response:
    """Public: it says how to ask, and nothing of what is answered to whom."""
    return Response(_written(current_app.config["SESSION_COOKIE_NAME"]), mimetype="application/json")
