"""Deletes old rows once a day. Attendance, teams and statuses stay; the audit log is the owner's role's to shorten.

A few rows at a time, each batch in a transaction of its own, so that locks are short and vacuum keeps up.
"""

from datetime import date, datetime, time, timedelta

from sqlalchemy import Text, cast, delete, inspect, select, tuple_
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from slomix.accounts.models import LinkEvent, LoginAttempt, LoginSession
from slomix.campaigns import queries, rules
from slomix.campaigns.models import Campaign, subject_column
from slomix.campaigns.rules import CampaignStatus
from slomix.chat.models import ClaimedMessage, WaitingStatus
from slomix.chat.rules import STATUS_WAITS
from slomix.clock import moment_of, wall_now
from slomix.contacts.models import LinkCode
from slomix.database.session import Base
from slomix.deliveries import offers
from slomix.deliveries.models import Delivery, OfferedChoices
from slomix.deliveries.rules import DeliveryStatus
from slomix.deliveries.service import JOB_KIND
from slomix.evening.models import EveningEvent, EveningMessage
from slomix.health import rules as health_rules
from slomix.health.models import Heartbeat
from slomix.jobs import service as jobs
from slomix.jobs.models import Job
from slomix.jobs.rules import Done, JobStatus, Outcome, Snooze
from slomix.jobs.runner import AnyHandler, JobContext, TransactionHandler
from slomix.jobs.service import NewJob

KIND = "retention"
BATCH_SIZE = 1000
PAUSE_BETWEEN_BATCHES = timedelta(milliseconds=200)

_OVER = [status for status in JobStatus if status.is_over]
_SETTLED = [status for status in DeliveryStatus if status.is_settled]
# A campaign's own jobs stay with it: its page shows when each ran.
_KEPT = (*rules.JOB_KINDS, rules.DRY_RUN)
# The job that carried a message goes with the message.
_LEFT = (Job.kind != JOB_KIND) | Job.subject.not_in(select(cast(Delivery.id, Text)))

# Any two processes receive a message within much less.
CLAIMS_KEPT_FOR = timedelta(days=1)
AUDIT_KEPT_FOR = timedelta(days=730)


def plan_retention(session: Session, day: date, *, now: datetime) -> None:
    """Schedule the clean-up of this day, once."""
    jobs.schedule(session, [NewJob(KIND, day.isoformat(), run_at=now)], now=now)


class DeleteOldRows(TransactionHandler):
    """`retention`: deletes a batch, and runs again until nothing old is left."""

    def work(self, context: JobContext) -> Outcome:
        session, now, settings = context.session, context.now, context.runtime.settings
        first_kept = date.fromisoformat(context.job.subject) - timedelta(days=settings.retention_days)
        before = moment_of(first_kept, time(0), settings.zone)
        close_campaigns(session, before, now=now)
        number = _delete_deliveries(session, before)
        number += _delete_rows(
            session, Job, Job.finished_at < before, Job.status.in_(_OVER), Job.kind.not_in(_KEPT), _LEFT
        )
        for model in (LoginAttempt, LoginSession, LinkCode):
            number += _delete_rows(session, model, model.expires_at <= now)
        for kept in (EveningMessage, EveningEvent):
            number += _delete_rows(session, kept, kept.day < first_kept)
        number += _delete_rows(session, ClaimedMessage, ClaimedMessage.claimed_at < now - CLAIMS_KEPT_FOR)
        number += _delete_rows(session, WaitingStatus, WaitingStatus.said_at < now - STATUS_WAITS)
        number += _delete_rows(session, OfferedChoices, OfferedChoices.offered_at < now - offers.KEPT_FOR)
        number += _delete_rows(session, Heartbeat, Heartbeat.seen_at < wall_now() - health_rules.FORGOTTEN_AFTER)
        return Snooze(PAUSE_BETWEEN_BATCHES) if number else Done()


def shorten_audit_log(session: Session, *, now: datetime) -> int:
    """Delete what the audit log says of long ago, and return how much; only the role that owns the tables may."""
    old = delete(LinkEvent).where(LinkEvent.at < now - AUDIT_KEPT_FOR)
    return len(session.scalars(old.returning(LinkEvent.id)).all())


def close_campaigns(session: Session, cutoff: datetime, *, now: datetime) -> None:
    """Store how old campaigns ended, why, and how many they told, before the ledger that tells it is deleted."""
    old = (Campaign.created_at < cutoff) & Campaign.ledger_pruned_at.is_(None)
    for campaign in session.scalars(
        select(Campaign).where(old).order_by(Campaign.id).limit(BATCH_SIZE).with_for_update()
    ):
        progress = queries.read_progress(session, campaign)
        if not progress.is_open:
            queries.refresh_status(session, campaign)
            if progress.status is CampaignStatus.PARTIAL:
                campaign.cause = progress.state(campaign, campaign.day)
            campaign.told = queries.asked_counts(session, campaign).told
            campaign.ledger_pruned_at = now
    session.flush()


def _delete_deliveries(session: Session, cutoff: datetime) -> int:
    """Delete a batch of settled deliveries, with their attempts and jobs, and return its size.

    Those from which a campaign's status is still computed stay.
    """
    still_read = select(subject_column(Campaign.id)).where(Campaign.ledger_pruned_at.is_(None))
    old = select(Delivery.id).where(
        Delivery.created_at < cutoff, Delivery.status.in_(_SETTLED), Delivery.subject.not_in(still_read)
    )
    ids = session.scalars(old.order_by(Delivery.id).limit(BATCH_SIZE)).all()
    if ids:
        # Jobs before deliveries, as everywhere.
        session.execute(delete(Job).where(Job.kind == JOB_KIND, Job.subject.in_(list(map(str, ids)))))
        session.execute(delete(Delivery).where(Delivery.id.in_(ids)))
    return len(ids)


def _delete_rows(session: Session, model: type[Base], *which: ColumnElement[bool]) -> int:
    """Delete a batch of rows and return its size."""
    key = inspect(model).primary_key
    found = session.execute(select(*key).where(*which).limit(BATCH_SIZE)).all()
    if found:
        session.execute(delete(model).where(tuple_(*key).in_([tuple(row) for row in found])))
    return len(found)


HANDLERS: dict[str, AnyHandler] = {KIND: DeleteOldRows()}
