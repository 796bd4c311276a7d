"""The last heartbeat of each process, and which providers are out."""

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
