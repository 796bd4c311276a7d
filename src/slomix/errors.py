"""The ways in which a request can go wrong; capabilities subclass them with a sentence that a player can read."""


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


class Unavailable(DomainError):
    """Somebody we depend on does not answer."""
