"""What the calls about a player's own settings, preferences and addresses take and answer."""

from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, StrictInt, create_model

from slomix.clock import parse_time
from slomix.contacts import rules
from slomix.contacts.kinds import KIND_TEXTS
from slomix.contacts.preferences import NoSuchTime
from slomix.contacts.rules import (
    CODE_MINUTES,
    COOLDOWN_SECONDS,
    LINKED_BY_CODE,
    MAX_THRESHOLD,
    TICKS,
    ChannelName,
    MessageKind,
    PreferredChannel,
)
from slomix.web.openapi.shapes import (
    LEFT_OUT,
    Answer,
    Flag,
    Input,
    Moment,
    Text,
    TimeOfDay,
    parse_with,
    refused_with,
    text_schema,
)

_ZONE = text_schema(
    format="time-zone", description="A name of the IANA time zone database.", examples=["Europe/Ljubljana"]
)
Zone = Annotated[ZoneInfo, _ZONE]
ZoneInput = Annotated[ZoneInfo, parse_with(rules.parse_zone), _ZONE]
TimeInput = Annotated[TimeOfDay, parse_with(parse_time), refused_with(NoSuchTime)]
PreferredInput = Annotated[PreferredChannel, parse_with(rules.parse_preferred)]

_LINKED_CHANNEL = text_schema(
    enum=[channel.value for channel in LINKED_BY_CODE], description="A channel whose address is proved by a code."
)
LinkedChannel = Annotated[ChannelName, _LINKED_CHANNEL]
ChannelInput = Annotated[ChannelName, parse_with(rules.parse_linked_channel), _LINKED_CHANNEL]

_SOUND = Field(description="Whether an open page plays a sound when enough people are looking.")
_COOLDOWN = Field(ge=COOLDOWN_SECONDS[0], le=COOLDOWN_SECONDS[-1], description="How long it is silent after it did.")


class PlayerSettings(Answer):
    """The ready sound, and the zone that times are meant in."""

    sound_enabled: Annotated[bool, _SOUND]
    sound_cooldown_seconds: Annotated[int, _COOLDOWN]
    timezone: Zone


class SettingsChange(Input, json_schema_extra={"examples": [{"sound_enabled": True}]}):
    """A field left out stays as it was."""

    sound_enabled: Annotated[Flag, _SOUND] = LEFT_OUT
    sound_cooldown_seconds: Annotated[StrictInt, _COOLDOWN, refused_with(rules.InvalidCooldown)] = LEFT_OUT
    timezone: ZoneInput = LEFT_OUT


_MEANINGS = {column: Field(description=KIND_TEXTS[kind].meaning) for kind, column in TICKS.items()}
_THRESHOLD = Field(ge=0, le=MAX_THRESHOLD, description=KIND_TEXTS[MessageKind.LOOKING].meaning)
if TYPE_CHECKING:
    _Ticks = Answer
    _TicksInput = Input
else:
    _Ticks = create_model(
        "_Ticks", __base__=Answer, **{name: Annotated[bool, meaning] for name, meaning in _MEANINGS.items()}
    )
    _TicksInput = create_model(
        "_TicksInput",
        __base__=Input,
        **{name: (Annotated[Flag, meaning], LEFT_OUT) for name, meaning in _MEANINGS.items()},
    )


class QuietHoursAnswer(Answer):
    """From start until before end, over midnight if the start is later."""

    start: TimeOfDay
    end: TimeOfDay


class QuietHoursInput(Input):
    """From start until before end, over midnight if the start is later."""

    start: TimeInput
    end: TimeInput


class PreferencesAnswer(_Ticks):
    """What the viewer wants to hear."""

    looking_threshold: Annotated[int, _THRESHOLD]
    preferred_channel: PreferredChannel
    quiet_hours: QuietHoursAnswer | None
    timezone: Zone


_PREFERENCES = {"allow_promotions": True, "quiet_hours": {"start": "23:00", "end": "07:00"}}


class PreferencesChange(_TicksInput, json_schema_extra={"examples": [_PREFERENCES]}):
    """A field left out stays as it was."""

    looking_threshold: Annotated[StrictInt, _THRESHOLD, refused_with(rules.NoSuchThreshold)] = LEFT_OUT
    preferred_channel: PreferredInput = LEFT_OUT
    quiet_hours: Annotated[QuietHoursInput, refused_with(rules.HalfQuietHours)] | None = LEFT_OUT
    timezone: ZoneInput = LEFT_OUT


_LIFETIME = Field(ge=CODE_MINUTES[0], le=CODE_MINUTES[-1], description="How long it lives; without it, 30 minutes.")


class NewCode(Input, json_schema_extra={"examples": [{"channel_type": "telegram"}]}):
    channel_type: ChannelInput
    ttl_minutes: Annotated[StrictInt, _LIFETIME, refused_with(rules.NoSuchLifetime)] | None = None


class NewCodeAnswer(Answer):
    token: str = Field(min_length=16)
    channel_type: LinkedChannel
    expires_at: Moment


_CONFIRMATION = {
    "channel_type": "telegram",
    "token": "the-code-that-was-shown",
    "channel_address": "123456789",
}


class Confirmation(Input, json_schema_extra={"examples": [_CONFIRMATION]}):
    channel_type: ChannelInput
    token: Text = Field(description="The code, as it came.")
    channel_address: Text = Field(
        description="On Signal the account's id or a number such as +38640123456, on Telegram the private chat's id."
    )


class Confirmed(Answer):
    channel_type: LinkedChannel
    verified: Literal[True]


class Removed(Answer):
    channel_type: LinkedChannel
    removed: bool = Field(description="Whether there was one before.")
