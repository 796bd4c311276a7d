"""Decides what a voice check found: who is missing, and who of them is called once more."""

import enum
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from slomix.presence.rules import VoiceRooms, VoiceSnapshot, VoiceStatus, recognised_players

# The picture is renewed every ten seconds. One that has missed two renewals may be from before a player joined.
PROVES_ABSENCE_FOR = timedelta(seconds=20)


class VoiceOutcome(enum.StrEnum):
    """What a voice check came to."""

    JUDGED = "judged"
    VOICE_UNKNOWN = "voice is unknown"
    TOO_LATE = "too late"


@dataclass(frozen=True)
class VoiceRecipient:
    """A recipient as the voice check sees them."""

    player_id: int
    discord_id: str | None
    # All their names in the game.
    names: tuple[str, ...]
    # Whether the start reached them, or may have, and when.
    was_told: bool
    told_at: datetime | None = None


@dataclass(frozen=True)
class VoiceVerdict:
    """What a voice check found."""

    outcome: VoiceOutcome
    # Empty if the check came too late and the start had reached no player.
    whereabouts: Mapping[int, VoiceStatus]
    # Of the missing; empty without telemetry.
    on_server: Mapping[int, bool]
    # The players who are called once more.
    follow_up: Sequence[int]


def due_at(recipients: Sequence[VoiceRecipient], delay: timedelta) -> datetime | None:
    """Return when all players who were told have had `delay` to come; None if none is known to have been."""
    last_told = _last_told(recipients)
    return None if last_told is None else last_told + delay


def is_evidence(snapshot: VoiceSnapshot, recipients: Sequence[VoiceRecipient], *, now: datetime) -> bool:
    """Return whether a stored picture proves absence: it is new, and shows what came of every notice."""
    last_told = _last_told(recipients)
    is_after_all = last_told is None or (snapshot.observed_at is not None and snapshot.observed_at > last_told)
    return is_after_all and snapshot.is_fresh(now, PROVES_ABSENCE_FOR)


def _last_told(recipients: Sequence[VoiceRecipient]) -> datetime | None:
    return max((recipient.told_at for recipient in recipients if recipient.told_at is not None), default=None)


def judge_voice_check(
    recipients: Sequence[VoiceRecipient],
    voice: Mapping[str, str] | None,
    server: Collection[str] | None,
    *,
    rooms: VoiceRooms,
    now: datetime,
    deadline_at: datetime | None,
) -> VoiceVerdict:
    """Decide who is missing and who of them is called once more.

    `voice` has the room of each account that is in a room, or is None if that is not known; `server` has the names on
    the game server, or is None without telemetry. After the deadline it is too late for follow-ups.
    """
    is_too_late = deadline_at is not None and now >= deadline_at
    if is_too_late or voice is None:
        is_untold = is_too_late and not any(recipient.was_told for recipient in recipients)
        unknown = {} if is_untold else {recipient.player_id: VoiceStatus.UNKNOWN for recipient in recipients}
        outcome = VoiceOutcome.TOO_LATE if is_too_late else VoiceOutcome.VOICE_UNKNOWN
        return VoiceVerdict(outcome, unknown, {}, [])
    found = whereabouts(recipients, voice, rooms)
    absent = missing(found)
    there = recognised_players({recipient.player_id: recipient.names for recipient in recipients}, server or ())
    told = {recipient.player_id for recipient in recipients if recipient.was_told}
    return VoiceVerdict(
        VoiceOutcome.JUDGED,
        found,
        on_server={player_id: player_id in there for player_id in absent} if server is not None else {},
        follow_up=[player_id for player_id in absent if player_id in told],
    )


def attended(is_seen: bool, *, was_told: bool, was_invited: bool) -> bool | None:
    """Return whether a recipient counts as present; None if in no count, as they were never told.

    `was_told`: the start reached them. `was_invited`: the reminder did, or the start found them in voice already; then
    they count if they came, and are not missed if they did not.
    """
    if was_told:
        return is_seen
    return True if is_seen and was_invited else None


def whereabouts(
    recipients: Sequence[VoiceRecipient], voice: Mapping[str, str], rooms: VoiceRooms
) -> dict[int, VoiceStatus]:
    """Return where the recipients with a Discord account are."""
    return {
        recipient.player_id: rooms.voice_status(voice.get(recipient.discord_id))
        for recipient in recipients
        if recipient.discord_id is not None
    }


def missing(whereabouts: Mapping[int, VoiceStatus]) -> list[int]:
    """Return the players who are known not to be in voice; unknown is not missing."""
    return [player_id for player_id, where in whereabouts.items() if where is VoiceStatus.MISSING]
