"""The last heartbeat of each process, which providers are out, and the last backup."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Mapped, mapped_column

from slomix.database.session import Base
from slomix.reasons.column import Explained, known


class Heartbeat(Base):
    """The last heartbeat of one copy of a process, in wall time."""

    __tablename__ = "heartbeats"

    part: Mapped[str] = mapped_column(primary_key=True)
    copy: Mapped[str] = mapped_column(primary_key=True)
    seen_at: Mapped[datetime]
    # None from versions before this column.
    first_seen_at: Mapped[datetime | None]
    # When it was asked to end; None while it runs, or died unasked.
    left_at: Mapped[datetime | None]
    # What keeps it from its work although it lives, for /health to say.
    trouble: Mapped[str | None]
    # What is added to its machine's clock, in seconds; None from versions before this column.
    clock_offset: Mapped[float | None]


class Outage(Base):
    """A provider that took no message lately; there is no row while it is well."""

    __tablename__ = "outages"
    __table_args__ = (known("reason"),)

    channel: Mapped[str] = mapped_column(primary_key=True)
    # System time, as recipients are moved to another channel by it; the rest is wall time.
    since: Mapped[datetime]
    # The provider's last words.
    reason: Mapped[Explained]
    # While it is only suspected, messages go on leaving.
    is_confirmed: Mapped[bool]
    failed_at: Mapped[datetime]
    # Whose message failed last: one recipient alone proves nothing.
    delivery_id: Mapped[int]
    probe_at: Mapped[datetime]
    probe_every: Mapped[timedelta]
    # The job that may send although the provider is out, as it has answered a probe.
    trial_job_id: Mapped[int | None]


# Only the last one counts.
BACKUP_ID = 1


class Backup(Base):
    """The last backup that was written whole, in wall time."""

    __tablename__ = "backups"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    finished_at: Mapped[datetime]
