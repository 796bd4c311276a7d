"""One circuit a provider, shared by all workers: it opens when no message is taken, and closes for all at once.

A first failure makes a suspicion. It is confirmed by the next recipient's failure, or by a probe that fails. While it
is confirmed, messages on that channel are held, and workers take turns at probing. A provider that answers a probe gets
one message on trial; as soon as any message gets an answer, the row is deleted and the scheduler releases the others.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import case, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from slomix.channels.base import SendError, TokenRefused
from slomix.database import session as db
from slomix.health.models import Outage
from slomix.jobs import holding

PROBE_EVERY, PROBE_REFUSED_EVERY = timedelta(seconds=2), timedelta(minutes=1)
# A worker that has not written a probe's result by then has died: the next one probes.
PROBE_LEASE = timedelta(seconds=6)
# An older failure and a new one are no evidence together.
SUSPICION_LASTS = timedelta(seconds=30)
# For so long people wait for their own channel; then who has another one is moved there.
MOVE_AFTER = timedelta(minutes=3)


def current(session: Session) -> dict[str, Outage]:
    """Return the outages, also those only suspected, by channel."""
    return {outage.channel: outage for outage in session.scalars(select(Outage).order_by(Outage.channel))}


def confirmed(session: Session) -> list[Outage]:
    """Return the confirmed outages."""
    return [outage for outage in current(session).values() if outage.is_confirmed]


def is_overdue(outage: Outage, now: datetime) -> bool:
    """Return whether it has lasted so long that people are moved to another channel."""
    return now - outage.since >= MOVE_AFTER


def record_failure(
    session: Session, channel: str, error: SendError, delivery_id: int, *, now: datetime, wall: datetime
) -> bool:
    """Record that a provider took nothing from a recipient; return whether it counts as out by now."""
    is_refused = isinstance(error, TokenRefused)
    values = {
        "channel": channel,
        "since": now,
        "reason": error.reason.shortened(),
        "is_confirmed": is_refused,
        "failed_at": wall,
        "delivery_id": delivery_id,
        "probe_at": wall,
        "probe_every": PROBE_REFUSED_EVERY if is_refused else PROBE_EVERY,
        "trial_job_id": None,
    }
    new = insert(Outage).values(values)
    goes_on = or_(Outage.is_confirmed, Outage.failed_at > wall - SUSPICION_LASTS)
    is_another = goes_on & (Outage.delivery_id != new.excluded.delivery_id)
    write = new.on_conflict_do_update(
        index_elements=[Outage.channel],
        set_={
            "since": case((goes_on, Outage.since), else_=new.excluded.since),
            "reason": new.excluded.reason,
            "is_confirmed": or_(Outage.is_confirmed, is_another, new.excluded.is_confirmed),
            "failed_at": new.excluded.failed_at,
            "delivery_id": new.excluded.delivery_id,
            "probe_every": new.excluded.probe_every,
            "trial_job_id": None,
        },
    ).returning(Outage.is_confirmed)
    return bool(session.scalar(write))


def record_answer(session: Session, channel: str) -> bool:
    """Record that the provider answered a message: what was held is released. Return whether it had been out."""
    was_out = session.scalar(delete(Outage).where(Outage.channel == channel).returning(Outage.is_confirmed))
    if was_out:
        _notify(session)
    return bool(was_out)


def claim_probes(session: Session, channels: Collection[str], *, wall: datetime) -> list[str]:
    """Return the channels that this worker has to probe now; no other worker gets them meanwhile."""
    due = (Outage.probe_at <= wall) & Outage.channel.in_(channels)
    claimed = update(Outage).where(due).values(probe_at=wall + PROBE_LEASE).returning(Outage.channel)
    return list(session.scalars(claimed))


def record_probe_failure(session: Session, channel: str, error: SendError, *, wall: datetime) -> None:
    """Record that a probe got no answer either, which confirms a suspicion."""
    session.execute(
        update(Outage)
        .where(Outage.channel == channel)
        .values(
            reason=error.reason.shortened(), is_confirmed=True, probe_at=wall + Outage.probe_every, trial_job_id=None
        )
    )


def record_probe_answer(session: Session, channel: str, *, wall: datetime) -> None:
    """Record that the provider answers again: let one held message go, whose answer decides; with none held it is over.

    A mere suspicion stays one: a provider may answer probes and take no messages.
    """
    trial = holding.release_one(session, channel)
    if trial is None:
        is_over = Outage.is_confirmed | (Outage.failed_at <= wall - SUSPICION_LASTS)
        if session.scalar(delete(Outage).where(Outage.channel == channel, is_over).returning(Outage.channel)):
            _notify(session)
            return
    else:
        db.notify(session, db.JOBS_CHANNEL)
    later = wall + Outage.probe_every
    session.execute(update(Outage).where(Outage.channel == channel).values(trial_job_id=trial, probe_at=later))


def probe_soon(session: Session, *, wall: datetime) -> None:
    """Make all probes due: a worker starts, perhaps with a new token."""
    session.execute(update(Outage).values(probe_at=wall))


def release_held(session: Session, *, now: datetime) -> None:
    """Release the messages whose provider is back, who may be moved to another channel, or whose deadline is here.

    This depends only on committed rows, so a worker that dies loses no release.
    """
    outages = confirmed(session)
    holding.release(
        session,
        out=[outage.channel for outage in outages],
        overdue=[outage.channel for outage in outages if is_overdue(outage, now)],
        now=now,
    )


def _notify(session: Session) -> None:
    """Tell the scheduler and the open pages that a provider is back."""
    db.notify(session, db.JOBS_CHANNEL)
    db.notify(session, db.LIVE_CHANNEL, "campaign")
