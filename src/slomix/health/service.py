"""Writes and reads the heartbeats."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from slomix.health import rules
from slomix.health.models import Heartbeat
from slomix.health.rules import PartHealth, judge_beat
from slomix.settings import Settings


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


def expected(settings: Settings) -> list[str]:
    """The parts that have to live under these settings."""
    parts = [rules.SCHEDULER, rules.WORKER]
    if settings.discord_bot_token.get_secret_value():
        parts.append(rules.DISCORD)
    if settings.channels_on - {"discord"}:
        parts.append(rules.INBOX)
    return parts


def needed_tonight(parts: Sequence[PartHealth]) -> list[PartHealth]:
    """Those without which nobody is told, or nobody knows who came; what people write to the inbox can wait."""
    return [one for one in parts if one.part != rules.INBOX]


def parts(session: Session, expected: Sequence[str], *, wall: datetime) -> list[PartHealth]:
    """How these parts are. Of several copies of one the last beat counts: it is dead when all of them are."""
    seen = {row.part: row.seen_at for row in session.execute(select(Heartbeat.part, Heartbeat.seen_at))}
    return [judge_beat(part, seen.get(part), wall) for part in expected]


def revision(session: Session) -> str | None:
    """The migration that the database is at; None where there was none yet."""
    if session.scalar(text("SELECT to_regclass('alembic_version')")) is None:
        return None
    found: str | None = session.scalar(text("SELECT version_num FROM alembic_version"))
    return found
