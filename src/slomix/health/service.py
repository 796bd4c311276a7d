"""Stores and reads the heartbeats."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from slomix import clock
from slomix.config.settings import Settings
from slomix.health import outages, rules
from slomix.health.models import Heartbeat
from slomix.health.rules import Beat, PartHealth, add_clock, add_troubles, judge_part
from slomix.i18n import later


def record_heartbeat(session: Session, part: str, copy: str, *, wall: datetime, trouble: str | None = None) -> None:
    """Record that a copy of a process is alive, how far its machine's clock is off, and what keeps it from its work."""
    signs = {"seen_at": wall, "trouble": trouble, "clock_offset": clock.offset().total_seconds()}
    session.execute(
        insert(Heartbeat)
        .values(part=part, copy=copy, first_seen_at=wall, **signs)
        .on_conflict_do_update(index_elements=[Heartbeat.part, Heartbeat.copy], set_={**signs, "left_at": None})
    )


def record_departure(session: Session, part: str, copy: str, *, wall: datetime) -> None:
    """Record that a copy was asked to end, so that it is not missed."""
    session.execute(update(Heartbeat).where(*_is(part, copy)).values(left_at=wall))


def dismiss(session: Session, part: str, copy: str, *, wall: datetime) -> bool:
    """Delete a silent copy that will not come back; return False if it is alive or unknown."""
    is_silent = Heartbeat.seen_at < wall - rules.DEAD_AFTER
    return session.scalar(delete(Heartbeat).where(*_is(part, copy), is_silent).returning(Heartbeat.copy)) is not None


def _is(part: str, copy: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return Heartbeat.part == part, Heartbeat.copy == copy


def clear_heartbeats(session: Session) -> None:
    """Delete all heartbeats, for a start of all processes at once."""
    session.execute(delete(Heartbeat))


def has_started(session: Session) -> bool:
    """Return whether any process ever ran on this database."""
    return session.scalar(select(select(Heartbeat.copy).exists())) is True


def expected_parts(settings: Settings) -> list[str]:
    """Return the parts that have to be alive under these settings."""
    parts = [rules.SCHEDULER, rules.WORKER]
    if settings.discord_bot_token.get_secret_value():
        parts.append(rules.DISCORD)
    if settings.channels_on - {"discord"}:
        parts.append(rules.INBOX)
    return parts


def parts_needed_tonight(parts: Sequence[PartHealth]) -> list[PartHealth]:
    """Return the parts that sending and the voice check need; messages to the inbox and an operator's work can wait."""
    return [part for part in parts if part.part != rules.INBOX and part.is_vital]


def part_healths(session: Session, expected: Sequence[str], *, wall: datetime) -> list[PartHealth]:
    """Judge these parts by their heartbeats."""
    seen: dict[str, list[Beat]] = {part: [] for part in expected}
    troubles: dict[str, list[str]] = {part: [] for part in expected}
    offsets: dict[str, list[float]] = {part: [] for part in expected}
    for row in session.scalars(select(Heartbeat).where(Heartbeat.part.in_(expected))):
        seen[row.part].append(Beat(row.copy, row.seen_at, row.first_seen_at, has_left=row.left_at is not None))
        if wall - row.seen_at <= rules.DEAD_AFTER:
            troubles[row.part] += [row.trouble] if row.trouble is not None else []
            offsets[row.part].append(row.clock_offset or 0.0)
    return [
        add_clock(add_troubles(judge_part(part, beats, wall), troubles[part]), offsets[part])
        for part, beats in seen.items()
    ]


def outage_healths(session: Session, settings: Settings) -> list[PartHealth]:
    """Return each provider that is out as a part that is not ok, with since when and its own words."""
    return [
        PartHealth(
            rules.PROVIDER.format(channel=outage.channel),
            ok=False,
            reason=later(
                "takes no messages since {since}: {reason}",
                since=outage.since.astimezone(settings.zone).strftime("%Y-%m-%d %H:%M:%S %Z"),
                reason=outage.reason,
            ),
        )
        for outage in outages.confirmed(session)
    ]


def schema_revision(session: Session) -> str | None:
    """Return the migration that the database is at; None before the first."""
    if session.scalar(text("SELECT to_regclass('alembic_version')")) is None:
        return None
    found: str | None = session.scalar(text("SELECT version_num FROM alembic_version"))
    return found
