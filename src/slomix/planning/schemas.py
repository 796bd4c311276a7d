"""Requests and answers of the planning room's API."""

from typing import Annotated, ClassVar

from pydantic import Field

from slomix.availability.rules import Status
from slomix.availability.schemas import LATE, Date
from slomix.i18n import N_
from slomix.planning.rules import LONGEST_NAME, SHORTEST_NAME, Side
from slomix.web.openapi.shapes import (
    Answer,
    AnyId,
    Flag,
    Id,
    IdInput,
    Input,
    Moment,
    Number,
    Text,
    refused_with,
    text_schema,
)

MAX_PLAYERS = 200

IdsInput = Annotated[
    list[AnyId],
    Field(max_length=MAX_PLAYERS),
    refused_with(N_("The field {field} must be a list of ids, each a text.")),
]
_VERSION = text_schema(pattern="^[0-9]+$", description="Another one after every change of the teams.")


class JoinRequest(Input, json_schema_extra={"examples": [{"sure": True}]}):
    is_optional: ClassVar[bool] = True

    sure: Flag = Field(False, description="Change MAYBE or NOT_PLAYING to LOOKING.")


class NewName(Input, json_schema_extra={"examples": [{"name": "Red Devils"}]}):
    name: Text = Field(description=f"{SHORTEST_NAME} to {LONGEST_NAME} characters.")


class VoteChoice(Input, json_schema_extra={"examples": [{"suggestion_id": "7"}]}):
    suggestion_id: IdInput | None


class TeamsToSave(Input, json_schema_extra={"examples": [{"side_a": ["3", "12"], "side_b": ["5", "4"]}]}):
    side_a: IdsInput
    side_b: IdsInput
    captain_a: IdInput | None = None
    captain_b: IdInput | None = None
    version: Annotated[IdInput, _VERSION] | None = Field(
        None, description="Save only if the teams are still of this version."
    )


class ParticipantAnswer(Answer):
    user_id: Id
    name: str
    status: Status
    late_until: Moment = LATE


class SuggestionAnswer(Answer):
    id: Id
    name: str = Field(min_length=SHORTEST_NAME, max_length=LONGEST_NAME)
    suggested_by_user_id: Id | None
    votes: Number
    voted_by_me: bool


class TeamAnswer(Answer):
    name: str = Field(min_length=1, description="What most voted for, or Team A and Team B.")
    captain_id: Id | None
    member_ids: list[Id] = Field(description="In the order of the picks.")


class TeamsAnswer(Answer):
    A: TeamAnswer
    B: TeamAnswer


class DraftAnswer(Answer):
    """A draft is under way: whose pick it is, and until when."""

    side: Side
    captain_id: Id | None
    until: Moment | None


class PlanningSession(Answer):
    """The open room."""

    id: Id
    session_date: Date
    owner_id: Id | None
    created_by_user_id: Id | None
    discord_thread_id: str | None = Field(description="The private thread of tonight's players, once it exists.")
    version: Annotated[Id, _VERSION]
    suggestions: list[SuggestionAnswer] = Field(description="Those with most votes first.")
    my_vote_suggestion_id: Id | None
    teams: TeamsAnswer
    draft: DraftAnswer | None


class PlanningRoom(Answer):
    """Tonight, as the viewer may see it."""

    date: Date
    session_ready: bool = Field(description="As many as it takes are LOOKING.")
    unlocked: bool = Field(description="The room can be opened, or is open.")
    looking_count: Number
    committed_count: Number = Field(description="LOOKING or AVAILABLE.")
    standby_count: Number = Field(description="MAYBE.")
    threshold: int = Field(ge=1)
    need_count: Number = Field(description="How many more have to commit until there are enough.")
    participants: list[ParticipantAnswer] = Field(
        description="Empty for viewers who may not see names. First come first."
    )
    session: PlanningSession | None


class OpenedRoom(PlanningRoom):
    """The room, and whether it was opened just now."""

    created: bool = Field(description="False where it was open already.")


class NewSuggestion(PlanningRoom):
    """The room, and the id of the name that was suggested."""

    suggestion_id: Id
