"""The ways in which a request can go wrong; capabilities subclass them with a sentence that a player can read."""

from datetime import timedelta


class DomainError(Exception):
    """Something the person asked for cannot be done; `str(error)` is the sentence to show."""


class NotFound(DomainError):
    """There is no such thing, or not for this person."""


class NotAllowed(DomainError):
    """The person may not do this."""


class Conflict(DomainError):
    """What is already there stands against it."""


class Invalid(DomainError):
    """The input makes no sense."""


class TooSoon(DomainError):
    """The same was asked for a moment ago; `retry_after` says when to ask again."""

    def __init__(self, sentence: str, retry_after: timedelta) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class Unavailable(DomainError):
    """Somebody we depend on does not answer."""
