"""Reads what a campaign's card shows: its phases and their messages, the turnout, the risks, what may be retried."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from slomix.accounts import service as accounts
from slomix.campaigns import queries, retrying, risk_facts, rules
from slomix.campaigns.models import Campaign, Recipient
from slomix.campaigns.notices.calls import CALLS
from slomix.campaigns.queries import AskedCounts, Attendance, CampaignProgress
from slomix.campaigns.risk import Risk
from slomix.campaigns.rules import CampaignState, CampaignStatus
from slomix.clock import wall_now
from slomix.config.settings import Settings
from slomix.deliveries.models import Delivery
from slomix.deliveries.retrying import RetryChoices
from slomix.deliveries.rules import LIVE_STATUSES, DeliveryStatus
from slomix.deliveries.service import Tally
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus
from slomix.reasons.codes import Explanation, Reason

# What did not arrive, in the order in which it is shown.
NOT_SENT = (DeliveryStatus.SKIPPED, DeliveryStatus.FAILED, DeliveryStatus.UNKNOWN)
# What went wrong, or may have.
NOT_FOR_SURE = (DeliveryStatus.FAILED, DeliveryStatus.UNKNOWN)


@dataclass(frozen=True)
class ReasonCount:
    """How many did not get a notice for one reason."""

    reason: Explanation | None
    number: int


@dataclass(frozen=True)
class OutcomeCount:
    """How many messages of a notice ended in one status, and why, the most frequent reason first."""

    status: DeliveryStatus
    number: int
    reasons: Sequence[ReasonCount]


@dataclass(frozen=True)
class OtherCampaignRecipient:
    """A recipient whom another campaign of the day (None: the earlier site's) told, or is about to tell."""

    notice: str
    player_id: int
    campaign_id: int | None
    is_told: bool


@dataclass(frozen=True)
class OtherCampaignCount:
    """How many recipients another campaign of the day (None: the earlier site's) told, or is about to tell."""

    campaign_id: int | None
    number: int
    is_told: bool


@dataclass(frozen=True)
class PhaseCard:
    """A phase of the card: a job, and what became of its messages."""

    job: Job
    tally: Tally | None
    outcomes: Sequence[OutcomeCount] = ()
    others: Sequence[OtherCampaignCount] = ()

    @property
    def at(self) -> datetime:
        """Return the moment that was promised, which stays when a try is repeated."""
        return self.job.due_at or self.job.run_at

    @property
    def retrying(self) -> int:
        """Count the messages that were refused and are tried again."""
        counts = self.tally.counts.items() if self.tally is not None else ()
        return sum(number for (status, reason), number in counts if not status.is_settled and reason is not None)

    @property
    def state(self) -> str:
        """Return its job's status: `running` while it is tried again, `partial` if it is `sent` and not all arrived."""
        if self.job.status is JobStatus.PENDING and (self.retrying or self.job.last_error):
            return JobStatus.RUNNING.value
        is_partial = self.tally is not None and any(self.tally[status] for status in NOT_FOR_SURE)
        return "partial" if self.job.status is JobStatus.SENT and is_partial else self.job.status.value


@dataclass(frozen=True)
class SummaryCard:
    """What became of the post to the room."""

    status: DeliveryStatus
    reason: Explanation | None
    at: datetime | None


@dataclass(frozen=True)
class CampaignCard:
    """A campaign as aggregate; the promoter's name is for those who may see names."""

    campaign: Campaign
    status: CampaignStatus
    progress: CampaignProgress
    promoter: str
    asked: AskedCounts
    # What the voice check found; None before it, or if presence stayed unknown.
    turnout: Attendance | None
    phases: list[PhaseCard]
    summary: SummaryCard | None
    warning: Tally | None
    # Empty when the evening is not near, or over.
    risks: Sequence[Risk]
    is_open: bool
    chances: RetryChoices
    elsewhere: Sequence[OtherCampaignRecipient]

    @property
    def is_called(self) -> bool:
        return self.status is not CampaignStatus.CANCELLED

    def state(self, today: date) -> CampaignState:
        """Return how pages name its status."""
        return self.progress.state(self.campaign, today)

    @property
    def failed(self) -> int:
        """Count the messages that failed."""
        return sum(tally[DeliveryStatus.FAILED] for tally in self.progress.tallies.values())

    @property
    def start_is_over(self) -> bool:
        """Return whether all start messages are settled, whatever came of them."""
        return self._start is not None and self._start.job.status.is_over

    @property
    def _start(self) -> PhaseCard | None:
        return next((phase for phase in self.phases if phase.job.kind == rules.START), None)

    @property
    def has_begun(self) -> bool:
        """Return whether the start has reached a player, or found one in voice already."""
        start = self._start
        if start is None:
            return False
        tally = start.tally
        in_voice = Explanation(Reason.ALREADY_IN_VOICE)
        reached = {DeliveryStatus.SENT, DeliveryStatus.UNKNOWN}
        is_told = tally is not None and any(status in reached or reason == in_voice for status, reason in tally.counts)
        return is_told or any(others.is_told for others in start.others)


def card_of_day(session: Session, day: date, *, settings: Settings, now: datetime) -> CampaignCard | None:
    """Read the card of `day`, or None when it was not called together."""
    campaign = queries.campaign_of_day(session, day)
    return None if campaign is None else card_of_campaign(session, campaign, settings=settings, now=now)


def card_of_campaign(session: Session, campaign: Campaign, *, settings: Settings, now: datetime) -> CampaignCard:
    """Read the card of one campaign."""
    so_far = queries.read_progress(session, campaign)
    elsewhere = _elsewhere(session, campaign)
    return CampaignCard(
        campaign=campaign,
        status=so_far.status,
        progress=so_far,
        promoter=accounts.player_names(session, [campaign.promoter_id])[campaign.promoter_id],
        asked=queries.asked_counts(session, campaign),
        turnout=queries.attendance_of(campaign, settings.zone),
        phases=[
            PhaseCard(
                job,
                so_far.tallies.get(job.kind),
                _outcomes(so_far.tallies.get(job.kind)),
                _counted(elsewhere, of_notice=job.kind),
            )
            for job in so_far.jobs
            if job.kind in rules.JOB_KINDS
        ],
        summary=_summary(session, campaign) if rules.SUMMARY in so_far.tallies else None,
        warning=so_far.tallies.get(rules.PRESENCE_UNKNOWN),
        risks=_risks(session, campaign, so_far, settings=settings, now=now),
        is_open=so_far.is_open,
        chances=retrying.retry_choices(session, campaign, settings=settings, now=now),
        elsewhere=elsewhere,
    )


def _risks(
    session: Session, campaign: Campaign, so_far: queries.CampaignProgress, *, settings: Settings, now: datetime
) -> list[Risk]:
    """Return the risks now: the card shows them even if no warning can go out."""
    is_near = queries.is_monitored(campaign, so_far.jobs, now)
    if campaign.status is CampaignStatus.CANCELLED or not so_far.is_open or not is_near:
        return []
    return risk_facts.assess_risks(session, campaign, settings=settings, now=now, wall=wall_now())


def _outcomes(tally: Tally | None) -> list[OutcomeCount]:
    """Count the messages of a notice that did not arrive, by status and reason, the most frequent first."""
    found: dict[DeliveryStatus, list[ReasonCount]] = {}
    for (status, reason), number in tally.counts.items() if tally is not None else ():
        found.setdefault(status, []).append(ReasonCount(reason, number))
    return [
        OutcomeCount(
            status,
            sum(why.number for why in found[status]),
            sorted(found[status], key=lambda why: (-why.number, repr(why.reason))),
        )
        for status in NOT_SENT
        if status in found
    ]


def _elsewhere(session: Session, campaign: Campaign) -> list[OtherCampaignRecipient]:
    """Read the recipients whose message of the day is another campaign's: no player gets the same notice twice."""
    if campaign.dry_run:
        return []
    notices = {call.event_key(campaign.day): call.name for call in CALLS}
    theirs = (Recipient.campaign_id == campaign.id) & (Recipient.player_id == Delivery.player_id)
    rows = session.execute(
        select(Delivery.event_key, Delivery.player_id, Delivery.subject, Delivery.status)
        .join(Recipient, theirs)
        .where(
            Delivery.event_key.in_(notices),
            Delivery.subject != campaign.subject,
            Delivery.fell_back_to.is_(None),
            Delivery.status.in_(LIVE_STATUSES),
        )
        .order_by(Delivery.id)
    )
    return [
        OtherCampaignRecipient(
            notice=notices[row.event_key],
            player_id=row.player_id,
            campaign_id=rules.campaign_of(row.subject),
            is_told=row.status.is_settled,
        )
        for row in rows
    ]


def _counted(elsewhere: Sequence[OtherCampaignRecipient], *, of_notice: str) -> list[OtherCampaignCount]:
    numbers = Counter((told.campaign_id, told.is_told) for told in elsewhere if told.notice == of_notice)
    in_order = sorted(numbers.items(), key=lambda item: (item[0][0] or 0, item[0][1]))
    return [OtherCampaignCount(campaign_id, number, is_told) for (campaign_id, is_told), number in in_order]


def _summary(session: Session, campaign: Campaign) -> SummaryCard:
    row = session.execute(
        select(Delivery.status, Delivery.reason, Delivery.settled_at)
        .where(Delivery.subject == campaign.subject, Delivery.notice == rules.SUMMARY, Delivery.fell_back_to.is_(None))
        .order_by(Delivery.id)
    ).first()
    assert row is not None  # the tally has just counted it
    return SummaryCard(row.status, row.reason, row.settled_at)
