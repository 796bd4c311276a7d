"""Opens Discord's DM channels before they are needed: with an introduction, or half an hour before a message."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Select, Text, cast, func, select
from sqlalchemy.orm import Session

from slomix.channels.base import Message, RateLimited, SendError
from slomix.channels.discord_answers import SENDING_DISABLED
from slomix.contacts import service as contacts
from slomix.contacts.models import Contact
from slomix.contacts.preferences import ALL_KINDS
from slomix.contacts.rules import ChannelName, ContactRoute, refusal_reason
from slomix.deliveries import service
from slomix.deliveries.models import Delivery
from slomix.deliveries.notices import Notice, Occasion
from slomix.deliveries.rules import Budget, DeliveryStatus, Skip
from slomix.deliveries.service import NoticePlan
from slomix.i18n import _
from slomix.jobs import service as jobs
from slomix.jobs.models import Job
from slomix.jobs.rules import UNLIMITED, Done, JobStatus, Outcome, Retry, Snooze, Wait
from slomix.jobs.runner import Handler, JobContext, TransactionHandler
from slomix.jobs.service import NewJob
from slomix.reasons.codes import Explanation, Reason
from slomix.runtime.context import Runtime

OPEN_DMS = "open_dms"
# How long before a message its channel is opened.
LEAD = timedelta(minutes=30)
PAUSE_BETWEEN = timedelta(seconds=1)

NOTICE = "introduction"
# An introduction that arrives later would no longer look like the answer to a press of Save.
LIFETIME = timedelta(hours=1)


class IntroductionNotice(Notice):
    """The first message on Discord after a player has switched messages on."""

    name = NOTICE
    budget = Budget.FREE
    # They have just asked for messages.
    heeds_quiet_hours = False
    keeps_channel = True
    # It comes because some kind was switched on, whichever.
    mutes = ALL_KINDS

    def compose(self, occasion: Occasion) -> Message | Skip:
        if occasion.reach is None or not occasion.reach.allows:
            return Skip(Reason.NOT_OPTED_IN)
        return Message(
            _(
                "This is how I will call you: it works! You get it because you switched messages on. "
                "Which ones, and how to stop them: {link}"
            ).format(link=occasion.runtime.settings.base_url + "/preferences")
        )


class Introduce(TransactionHandler):
    """Carry out `introduce` jobs: plan the introduction of a player who wants messages and is reached on Discord first.

    It opens the DM channel, and shows whether it can be opened while the player is still there.
    """

    def work(self, context: JobContext) -> Outcome:
        session, settings, now = context.session, context.runtime.settings, context.now
        player_id = int(context.job.subject)
        reach = contacts.reachability_of(session, [player_id], settings=settings).get(player_id)
        if reach is None or not reach.allows:
            return Done(JobStatus.SKIPPED, Explanation(Reason.NOT_OPTED_IN))
        if not reach.routes or reach.routes[0].channel is not ChannelName.DISCORD or reach.routes[0].learned:
            return Done(JobStatus.SKIPPED)
        subject = f"test:{player_id}"
        if service.is_open(session, subject, NOTICE):
            return Done(JobStatus.SKIPPED)
        plan = NoticePlan(
            NOTICE,
            subject,
            f"TEST:{uuid.uuid4()}",
            run_at=now,
            deadline_at=now + LIFETIME,
            channel=ChannelName.DISCORD,
        )
        service.plan_for_players(session, plan, [player_id], settings=settings, now=now)
        return Done()


@dataclass(frozen=True)
class Opening:
    """A DM channel to open."""

    discord_id: str
    route: ContactRoute


@dataclass(frozen=True)
class OpeningAnswer:
    """What Discord answered: the channel's id, or why it was not opened."""

    route: ContactRoute
    said: str | SendError


class OpenDms(Handler[Opening, OpeningAnswer]):
    """Carry out the day's `open_dms` job: open the channels of coming messages one by one, until the day is over."""

    def __init__(self, notices: Mapping[str, Notice]) -> None:
        self._notices = notices

    def begin(self, context: JobContext) -> Opening | Outcome:
        return Done() if context.is_past_deadline else self._next(context) or Wait()

    def act(self, runtime: Runtime, prepared: Opening) -> OpeningAnswer:
        assert runtime.dm_opener is not None
        try:
            return OpeningAnswer(prepared.route, runtime.dm_opener.open_dm(prepared.discord_id))
        except SendError as error:
            return OpeningAnswer(prepared.route, error)

    def finish(self, context: JobContext, answer: OpeningAnswer) -> Outcome:
        """Keep the channel's id, or what the refusal says about the contact.

        When Discord has stopped the bot's messages the job fails: an operator retries it, or the next day does.
        """
        match answer.said:
            case str(learned):
                contacts.apply_update(context.session, contacts.after_opening(answer.route, learned))
            case SendError(code=code, reason=reason) if code == SENDING_DISABLED:
                return Done(JobStatus.FAILED, reason)
            case SendError(permanent=True, reason=reason):
                update = contacts.after_failure(answer.route, reason, is_permanent=True, now=context.now)
                contacts.apply_update(context.session, update)
            case RateLimited(retry_after=retry_after):
                return Snooze(retry_after or PAUSE_BETWEEN)
            case SendError(reason=reason, retry_after=retry_after):
                return Retry(reason, retry_after)
        return Snooze(PAUSE_BETWEEN, failures=0)

    def is_ready(self, context: JobContext) -> bool:
        return context.is_past_deadline or self._next(context) is not None

    def _next(self, context: JobContext) -> Opening | None:
        """Return the channel to open next: of a player to whom a message will soon leave, and who still wants it."""
        if context.runtime.dm_opener is None:
            return None
        session, now = context.session, context.now
        rows = session.execute(_coming(now)).all()
        reaches = contacts.reachability_of(session, {row.player_id for row in rows}, settings=context.runtime.settings)
        for row in rows:
            reach, notice = reaches.get(row.player_id), self._notices[row.notice]
            if reach is None or reach.discord_id is None or reach.first_channel is not ChannelName.DISCORD:
                continue
            if refusal_reason(reach, now, kind=notice.kind, heeds_quiet_hours=False) is None:
                return Opening(reach.discord_id, reach.routes[0])
        return None


def _coming(now: datetime) -> Select[int | None, str]:
    """Select the messages of the next half hour to players whose DM channel is not known."""
    return (
        select(Delivery.player_id, Delivery.notice)
        .join(Contact, Contact.player_id == Delivery.player_id)
        .join(Job, (Job.kind == service.JOB_KIND) & (Job.subject == cast(Delivery.id, Text)))
        .where(contacts.UNOPENED_DM, Delivery.status == DeliveryStatus.PENDING, Delivery.channel == ChannelName.DISCORD)
        .where(Job.run_at > now, Job.run_at <= now + LEAD)
        # At random among equals, so that one that cannot be opened holds up no other.
        .order_by(Job.run_at, func.random())
    )


def plan_openings(session: Session, day: date, *, now: datetime) -> None:
    """Schedule the job of this day, once."""
    until = now + timedelta(days=1)
    job = NewJob(OPEN_DMS, day.isoformat(), now, until, UNLIMITED, lane=ChannelName.DISCORD)
    jobs.schedule(session, [job], now=now)
