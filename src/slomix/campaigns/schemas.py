"""The requests and answers of `/api/availability/promotions`."""

import enum
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from slomix.availability.rules import Status
from slomix.availability.schemas import Date, DateInput
from slomix.campaigns import rules
from slomix.campaigns.rules import CampaignStatus
from slomix.campaigns.views import MAX_KEY, parse_start
from slomix.contacts.rules import ChannelName
from slomix.jobs.rules import JobStatus
from slomix.web.openapi.shapes import LEFT_OUT, Answer, Flag, Id, Input, Moment, Number, Switch, TimeOfDay, parse_with

_START = Field(description="When to start tonight; without it, the usual time.")
StartInput = Annotated[TimeOfDay, parse_with(parse_start)]

IDEMPOTENCY_KEY: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": (
        "The same key from the same promoter is the same submit: it is answered with the first campaign. Once that is "
        "cancelled, for another day or for other choices, the key is spent, and the answer is 422."
    ),
    "schema": {"type": "string", "maxLength": MAX_KEY},
}


class JobType(enum.StrEnum):
    """The jobs of an evening."""

    REMINDER = rules.REMINDER
    START = rules.START
    VOICE_CHECK = rules.VOICE_CHECK


ChannelsSummary = Annotated[
    dict[ChannelName, Number],
    Field(description="How many recipients are reached first on which channel; a channel without any may be left out."),
]


class PreviewQuery(Input):
    include_available: Switch = Field(
        False, description="Ask those who said AVAILABLE too: `1`, `true`, `yes` or `on`."
    )
    include_maybe: Switch = Field(False, description="Ask those who said MAYBE too.")
    start: Annotated[StartInput, _START] = LEFT_OUT

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, query: Mapping[str, str]) -> dict[str, str]:
        """Drop empty fields: in a form they were not filled in."""
        return {name: text for name, text in query.items() if text}


class PreviewRecipient(Answer):
    user_id: Id
    display_name: str
    status: Status
    selected_channel: ChannelName


class PreviewLeftOut(Answer):
    user_id: Id
    display_name: str
    status: Status
    reason: str = Field(min_length=1, description="A few words.")


class CampaignPreview(Answer):
    """Who would be asked now, and who of the audience not."""

    campaign_date: Date
    recipient_count: Number
    channels_summary: ChannelsSummary
    recipients_preview: list[PreviewRecipient]
    left_out: list[PreviewLeftOut]


class CampaignOptions(Input, json_schema_extra={"examples": [{"include_available": True, "dry_run": False}]}):
    include_available: Flag = Field(False, description="Ask those who said AVAILABLE too.")
    include_maybe: Flag = Field(False, description="Ask those who said MAYBE too.")
    include_late_joiners: Flag = Field(False, description="Ask those too who say before the start that they play.")
    dry_run: Flag = Field(LEFT_OUT, description="Send the words to the promoter alone, and now.")
    start: Annotated[StartInput, _START] = LEFT_OUT


class NewCampaign(Answer):
    campaign_id: Id
    status: CampaignStatus
    recipient_count: Number
    dry_run: bool
    scheduled_times: dict[JobType, Moment] = Field(
        description="When its jobs run. A dry run has none of them: it sends its promoter the words at once."
    )


class CampaignJob(Answer):
    job_type: JobType
    run_at: Moment
    status: JobStatus
    attempts: Number
    max_attempts: int = Field(ge=1)


class CampaignAnswer(Answer):
    """A campaign as aggregate, without who was asked."""

    id: Id
    status: CampaignStatus
    recipient_count: Number
    channels_summary: ChannelsSummary
    jobs: list[CampaignJob]


class CampaignQuery(Input):
    date: DateInput = Field(LEFT_OUT, description="Without it, today.")


class CampaignOfDay(Answer):
    campaign: CampaignAnswer | None


class Cancelled(Answer):
    id: Id
    status: Literal[CampaignStatus.CANCELLED]


class RetryRequest(Input, json_schema_extra={"examples": [{"unknown": False}]}):
    unknown: Flag = Field(
        False, description="Instead of what failed, send what may have arrived already. It may arrive twice."
    )


class Retried(Answer):
    id: Id
    retried: int = Field(ge=1)
