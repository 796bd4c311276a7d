"""The jobs table: PostgreSQL remembers, everything else only nudges."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from slomix.database.session import Base
from slomix.jobs.rules import GENERAL, JobStatus
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
    # Which workers' threads do it: those who wait for one provider are not those who wait for another.
    lane: Mapped[str] = mapped_column(default=GENERAL)
    status: Mapped[JobStatus] = mapped_column(default=JobStatus.PENDING)
    run_at: Mapped[datetime]
    # The moment that was promised: `run_at` moves with every retry. NULL on rows of before it was kept.
    due_at: Mapped[datetime | None]
    deadline_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    max_attempts: Mapped[int] = mapped_column(default=5)
    # Counts every claim, also those that are no attempt: what a worker writes is fenced by it.
    claims: Mapped[int] = mapped_column(default=0)
    # Wall time, unlike the rest: these are about processes, not about promises to people.
    lease_until: Mapped[datetime | None]
    wait_until: Mapped[datetime | None]
    nudge_again_at: Mapped[datetime | None]
    nudges: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[Explained | None]
    reason: Mapped[Explained | None]
    # What the logs call the request, or the job, that set it off.
    trace: Mapped[str | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
