"""Reads the query arguments and form fields of admins' pages."""

import enum
from typing import TypeVar

from flask import request

from slomix.errors import Conflict
from slomix.i18n import N_
from slomix.parsing import parse_int
from slomix.web import responses

MAX_PAGE = 100_000

_E = TypeVar("_E", bound=enum.StrEnum)


class ChangedSince(Conflict):
    """Raised when the state has changed since the admin saw it."""

    sentence = N_("This has changed since you looked. Check it again, then decide.")


def search_text() -> str:
    """Read the search text."""
    return request.args.get("q", "").strip()


def parse_choice(choices: type[_E], name: str) -> _E | None:
    """Read one of these choices; None for an unknown one."""
    text = request.args.get(name, "")
    return next((choice for choice in choices if choice.value == text), None)


def page_number() -> int:
    return min(max(_number("page") or 1, 1), MAX_PAGE)


def before_id() -> int | None:
    """Read the id before which a page begins."""
    number = _number("before")
    return None if number is None else min(number, responses.LARGEST_ID)


def check_unchanged(name: str, now: object) -> None:
    """Compare the state that the confirming page showed with the state now. Raise ChangedSince."""
    if request.form.get(name, "") != ("" if now is None else str(now)):
        raise ChangedSince


def _number(name: str) -> int | None:
    """Read a number that may be further away than anything there is."""
    return parse_int(request.args.get(name, ""), 0, 10**28)
