"""Base classes of domain errors; capabilities subclass them with a sentence that a player can read."""

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar

from slomix.i18n import gettext


class DomainError(Exception):
    """A request that cannot be fulfilled; `str(error)` is the sentence to show, by default that of the class."""

    # Of all errors of a class, unless one is raised with its own; marked by `N_`, and looked up when it is raised.
    sentence: ClassVar[str] = ""
    # What its blanks are filled in with.
    values: ClassVar[Mapping[str, object]] = {}
    # When to try again, if that is known.
    retry_after: timedelta | None = None

    def __init__(self, sentence: str = "") -> None:
        super().__init__(sentence or gettext(self.sentence).format_map(self.values))


class NotFound(DomainError):
    """The thing does not exist, or not for this person."""


class NotAllowed(DomainError):
    """The person may not do it."""


class Conflict(DomainError):
    """The request contradicts the current state."""


class Invalid(DomainError):
    """The input makes no sense."""


class TooSoon(DomainError):
    """The same request came a moment ago; `retry_after` says when to try again."""

    retry_after: timedelta

    def __init__(self, sentence: str, retry_after: timedelta) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class Unavailable(DomainError):
    """A service that we depend on does not answer, or not for this installation."""

    def __init__(self, sentence: str = "", retry_after: timedelta | None = None) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after
