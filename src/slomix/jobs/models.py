"""The jobs table: PostgreSQL remembers, everything else only nudges."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from slomix.database.session import Base
from slomix.jobs.rules import GENERAL, UNLIMITED, JobStatus
from slomix.reasons.column import Explained, known


class Job(Base):
    """One thing to do. There is one job of a kind for a subject, ever."""

    __tablename__ = "jobs"
    __table_args__ = (
        UniqueConstraint("kind", "subject", name="uq_jobs_kind_subject"),
        CheckConstraint("(status = 'running') = (lease_until IS NOT NULL)", name="lease_while_running"),
        known("reason"),
        known("last_error"),
        Index("ix_jobs_due", "run_at", postgresql_where="status = 'pending'"),
        Index("ix_jobs_leases", "lease_until", postgresql_where="status = 'running'"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    subject: Mapped[str]
    # Which workers' threads run it: each provider has its own, so that a slow one doesn't block the others.
    lane: Mapped[str] = mapped_column(default=GENERAL)
    # Whether it goes before all others: what belongs to an evening that was called together.
    is_urgent: Mapped[bool] = mapped_column(default=False, server_default=false())
    status: Mapped[JobStatus] = mapped_column(default=JobStatus.PENDING)
    run_at: Mapped[datetime]
    # The moment that was promised: `run_at` moves with every retry. NULL on rows older than this column.
    due_at: Mapped[datetime | None]
    deadline_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    max_attempts: Mapped[int] = mapped_column(default=5)
    # Counts every claim, even those that are no attempt: it fences what a worker writes.
    claims: Mapped[int] = mapped_column(default=0)
    # Wall time, unlike the rest: these are about processes, not about promises to people.
    lease_until: Mapped[datetime | None]
    wait_until: Mapped[datetime | None]
    nudge_again_at: Mapped[datetime | None]
    nudges: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[Explained | None]
    reason: Mapped[Explained | None]
    # The trace in the logs of the request or job that scheduled it.
    trace: Mapped[str | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

    @property
    def limit(self) -> int | None:
        """After how many tries it fails; None if it is tried until its deadline."""
        return None if self.max_attempts == UNLIMITED else self.max_attempts
