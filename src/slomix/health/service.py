"""Writes and reads the heartbeats."""

from datetime import datetime

from sqlalchemy import select
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


def parts(session: Session, expected: list[str], *, wall: datetime) -> list[PartHealth]:
    """How these parts are."""
    seen = {row.part: row.seen_at for row in session.execute(select(Heartbeat.part, Heartbeat.seen_at))}
    return [judge_beat(part, seen.get(part), wall) for part in expected]
