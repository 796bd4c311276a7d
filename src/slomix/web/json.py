"""The bodies and the errors of JSON calls."""

from collections.abc import Mapping
from typing import Any

from flask import Response, jsonify, request
from pydantic import BaseModel, ConfigDict, Field

from slomix.errors import DomainError
from slomix.i18n import N_

PROBLEM = "application/problem+json"


class NotAnObject(DomainError):
    """The body is no JSON object; the only error of form alone, hence a 400."""

    sentence = N_("Send a JSON object.")


def json_object() -> Mapping[str, Any]:
    """Read the body of a call. Raise NotAnObject for anything but a JSON object."""
    try:
        body = request.get_json(force=True, silent=True)
    except RecursionError:  # deeply nested brackets
        raise NotAnObject from None
    if not isinstance(body, dict):
        raise NotAnObject
    return body


class Problem(BaseModel):
    """An error (RFC 9457): title and status by its kind, and a sentence to show to people."""

    model_config = ConfigDict(extra="forbid")
    title: str = Field(min_length=1)
    status: int = Field(ge=400, le=599)
    detail: str = Field(min_length=1)


def json_problem(title: str, status: int, detail: str) -> Response:
    """Make the answer of a call that failed."""
    answer = jsonify(Problem(title=title, status=status, detail=detail).model_dump())
    answer.status_code = status
    answer.mimetype = PROBLEM
    return answer
