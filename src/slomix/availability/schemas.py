"""What the calls of `/api/availability` take and answer."""

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from slomix.availability import rules
from slomix.availability.rules import Status
from slomix.web.openapi.shapes import LEFT_OUT, Answer, Id, Input, Moment, Number, Switch, parse_with

_EXAMPLE = Field(examples=["2026-11-20"])
Date = Annotated[date, _EXAMPLE]
DateInput = Annotated[date, parse_with(rules.parse_day), _EXAMPLE]
StatusInput = Annotated[Status, parse_with(rules.parse_status)]


LATE = Field(LEFT_OUT, description="When they come who have said to be late; only until then.")


def late_field(late_until: datetime | None, now: datetime) -> dict[str, datetime]:
    """Return the field beside the status of who is late, and nothing beside all others."""
    until = rules.still_late(late_until, now)
    return {} if until is None else {"late_until": until}


class Access(Answer):
    """What the viewer may do."""

    authenticated: bool
    linked_discord: bool = Field(description="Linked to a player, and still a member of our server.")
    can_submit: bool
    is_admin: bool
    can_promote: bool


class DaysQuery(Input):
    first: DateInput = Field(LEFT_OUT, alias="from", description="The first day; without it, today.")
    last: DateInput = Field(
        LEFT_OUT, alias="to", description="The last day, at most 179 days after the first; without it, 60 days after."
    )
    include_users: Switch = Field(
        False, description="Names too: `1`, `true`, `yes` or `on`. Only heeded for who is linked."
    )


class CountsAnswer(Answer):
    """How many said what."""

    LOOKING: Number
    AVAILABLE: Number
    MAYBE: Number
    NOT_PLAYING: Number


class NamedPlayer(Answer):
    user_id: Id
    name: str
    late_until: Moment = LATE


_People = Annotated[list[NamedPlayer], Field(description="In the order of the queue.")]


class PeopleByStatus(Answer):
    """Who said what."""

    LOOKING: _People
    AVAILABLE: _People
    MAYBE: _People
    NOT_PLAYING: _People


class Day(Answer):
    """What is said about a day."""

    date: Date
    counts: CountsAnswer
    total: Number
    my_status: Status | None = Field(LEFT_OUT, description="What the viewer said; only for who is linked.")
    late_until: Moment = Field(LEFT_OUT, description="Only while the viewer has said to be late.")
    users_by_status: PeopleByStatus = Field(LEFT_OUT, description="Only for who is linked and asked for it.")


class SessionReady(Answer):
    """Whether enough people are looking today, whatever days were asked for."""

    date: Date
    ready: bool
    looking_count: Number
    threshold: int = Field(ge=1)
    event_key: str = Field(
        description="The same for as long as it is the same event.",
        pattern="^SESSION_READY:[0-9]{4}-[0-9]{2}-[0-9]{2}:threshold=[0-9]+$",
    )


class Days(Answer):
    days: list[Day]
    session_ready: SessionReady


class DayStatus(Answer):
    date: Date
    status: Status
    late_until: Moment = LATE


class DayStatuses(Answer):
    entries: list[DayStatus]


class NewStatus(Input, json_schema_extra={"examples": [{"date": "2026-11-20", "status": "LOOKING"}]}):
    date: DateInput
    status: StatusInput


class StatusSet(Answer):
    date: Date
    status: Status
    counts: CountsAnswer


class StatusCleared(Answer):
    date: Date
    cleared: bool = Field(description="Whether there was one before.")
