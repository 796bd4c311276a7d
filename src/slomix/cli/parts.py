"""Checks parts one by one: an unexpected error is the reason of that part, and the others are checked all the same."""

from collections.abc import Callable
from typing import TypeVar

from pydantic import SecretStr

from slomix.cli.connect import first_line
from slomix.config.settings import Settings

T = TypeVar("T")


def ask(part: str, question: Callable[[Settings], str | dict[str, str]], settings: Settings) -> dict[str, str]:
    """Return the problem that `question` finds for each part, by its name; empty if it is well."""
    found, surprise = attempt(question, settings)
    if found is None:
        return {part: surprise}
    return {part: found} if isinstance(found, str) else found


def attempt(question: Callable[[Settings], T], settings: Settings) -> tuple[T | None, str]:
    """Return what `question` finds, or None and the unexpected error."""
    try:
        return question(settings), ""
    except Exception as error:  # noqa: BLE001 - whatever it is, it is said, and the next part is asked
        return None, _without_secrets(f"{type(error).__name__}: {first_line(error)}", settings)


def _without_secrets(reason: str, settings: Settings) -> str:
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr) and value.get_secret_value():
            reason = reason.replace(value.get_secret_value(), "…")
    return reason
