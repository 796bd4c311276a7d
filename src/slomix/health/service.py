"""Writes and reads the heartbeats."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from slomix.health.models import Heartbeat
from slomix.health.rules import PartHealth, judge_beat


def beat(session: Session, part: str, *, wall: datetime) -> None:
    """This process lives."""
    session.execute(
        insert(Heartbeat)
        .values(part=part, seen_at=wall)
        .on_conflict_do_update(index_elements=[Heartbeat.part], set_={"seen_at": wall})
    )


def forget(session: Session) -> None:
    """Believe nobody to live who has not said so since: for a start of all processes at once."""
    session.execute(delete(Heartbeat))


def parts(session: Session, expected: list[str], *, wall: datetime) -> list[PartHealth]:
    """How these parts are."""
    seen = {row.part: row.seen_at for row in session.execute(select(Heartbeat.part, Heartbeat.seen_at))}
    return [judge_beat(part, seen.get(part), wall) for part in expected]
