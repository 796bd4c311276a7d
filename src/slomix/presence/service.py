"""Stores and reads who is in voice."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from slomix.database import session as db
from slomix.presence.models import Observation, VoiceState
from slomix.presence.rules import VoiceSnapshot

VOICE = "voice"


def forget_user(session: Session, discord_id: str) -> None:
    """Delete an account's voice state."""
    session.execute(delete(VoiceState).where(VoiceState.discord_id == discord_id))


def record_voice(session: Session, rooms: Mapping[str, str], *, now: datetime) -> None:
    """Replace all voice states by `rooms`, the voice room of every account that is in one."""
    gone = delete(VoiceState)
    if rooms:
        gone = gone.where(VoiceState.discord_id.not_in(list(rooms)))
    changed = bool(session.execute(gone.returning(literal(1)).execution_options(synchronize_session=False)).all())
    if rooms:
        state = insert(VoiceState)
        moved = session.execute(
            state.values([{"discord_id": who, "voice_channel_id": room, "since": now} for who, room in rooms.items()])
            .on_conflict_do_update(
                index_elements=[VoiceState.discord_id],
                set_={"voice_channel_id": state.excluded.voice_channel_id, "since": now},
                where=VoiceState.voice_channel_id != state.excluded.voice_channel_id,
            )
            .returning(literal(1))
            .execution_options(synchronize_session=False)
        ).all()
        changed = changed or bool(moved)
    session.execute(
        insert(Observation)
        .values(source=VOICE, observed_at=now)
        .on_conflict_do_update(index_elements=[Observation.source], set_={"observed_at": now})
    )
    if changed:
        db.notify(session, db.LIVE_CHANNEL, "presence")


def latest_snapshot(session: Session) -> VoiceSnapshot:
    """Read the latest snapshot, whatever its age."""
    observed_at = session.scalar(select(Observation.observed_at).where(Observation.source == VOICE))
    rows = session.execute(select(VoiceState.discord_id, VoiceState.voice_channel_id))
    return VoiceSnapshot(observed_at, {row.discord_id: row.voice_channel_id for row in rows})
