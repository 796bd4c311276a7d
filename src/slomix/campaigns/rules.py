"""Decides when the notices of an evening go out, who is asked, and what the campaign came to."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from slomix.availability.rules import Status
from slomix.contacts.rules import Reachability, refusal_reason
from slomix.errors import Invalid
from slomix.i18n import N_, ngettext
from slomix.jobs.rules import JobStatus
from slomix.reasons.codes import Reason

REMINDER = "send_reminder_2045"
START = "send_start_2100"
VOICE_CHECK = "voice_check_2100"
JOB_KINDS = (REMINDER, START, VOICE_CHECK)
# Watches the three above; it is not one of `JOB_KINDS`.
RISK_MONITOR = "campaign_watch"
# Plans the summary when the follow-ups are settled; the voice check is over when it is.
VOICE_SUMMARY = "voice_summary"
# Counts who came, for good, at the voice check's deadline.
ATTENDANCE = "attendance"
# A dry run's only job.
DRY_RUN = "dry_run"

# Notices are named by the job that plans them; these have none of their own.
SUMMARY = "summary"
PRESENCE_UNKNOWN = "presence_unknown"
AT_RISK = "at_risk"
DRY_RUN_NOTICES = tuple(f"{DRY_RUN}.{notice}" for notice in (*JOB_KINDS, SUMMARY))
ALL_NOTICES = (*JOB_KINDS, SUMMARY, PRESENCE_UNKNOWN, AT_RISK, *DRY_RUN_NOTICES)

# Jobs and the ledger name a campaign by this prefix and its id.
SUBJECT = "campaign:"

# A promoter has one dry run at a time and so many in this window: their messages use what the evening's use.
MOST_DRY_RUNS, DRY_RUN_WINDOW, DRY_RUN_RETRY = 5, timedelta(minutes=10), timedelta(seconds=10)

START_CUTOFF = timedelta(minutes=60)
START_GRACE = timedelta(minutes=15)
FOLLOWUP_GRACE = timedelta(minutes=20)
# Who says to be late comes so long after the start, or after saying it; offered from some hours before the start.
LATE_BY, LATE_LEAD = timedelta(minutes=15), timedelta(hours=3)
# How long before its reminder a campaign is watched.
RISK_MONITOR_LEAD = timedelta(minutes=10)


def subject_of(campaign_id: int) -> str:
    """Return how jobs and the ledger name this campaign."""
    return f"{SUBJECT}{campaign_id}"


def campaign_of(subject: str) -> int | None:
    """Return the id of the campaign with this name, or None if it is not a campaign's."""
    return int(subject.removeprefix(SUBJECT)) if subject.startswith(SUBJECT) else None


class CampaignStatus(enum.StrEnum):
    """scheduled → running → sent | partial | failed; sent → followup_sent; what is open → cancelled."""

    SCHEDULED = "scheduled"
    RUNNING = "running"
    SENT = "sent"
    PARTIAL = "partial"
    FAILED = "failed"
    FOLLOWUP_SENT = "followup_sent"
    CANCELLED = "cancelled"


class CampaignState(enum.StrEnum):
    """A campaign's status as pages name it: by what went wrong, if anything did."""

    SCHEDULED = "scheduled"
    RUNNING = "running"
    CALLED = "called"
    OVER = "over"
    NOT_ALL_REACHED = "partial"
    NONE_REACHED = "unreached"
    CHECK_FAILED = "check_failed"
    SUMMARY_FAILED = "summary_failed"
    TRIED_OUT = "sent"
    CANCELLED = "cancelled"


class Promise(enum.StrEnum):
    """What must be true of every campaign, whatever went wrong that evening."""

    ONE_JOB_EACH = "one_job_each"
    ONE_LIVE_ROW = "one_live_row"
    NOT_AFTER_SENT = "not_after_sent"
    NOT_AFTER_DEADLINE = "not_after_deadline"
    REASON_GIVEN = "reason_given"
    ONE_SUMMARY = "one_summary"
    UNKNOWN_UNANSWERED = "unknown_unanswered"
    TRIES_END = "tries_end"


# What has to be true of every campaign, by its code.
PROMISES = {
    "one_job_each": "exactly one job of each type",
    "one_live_row": "at most one live row for each player and event",
    "not_after_sent": "nothing was tried again after it was sent",
    "not_after_deadline": "nothing left after its deadline",
    "reason_given": "what was not sent has its reason",
    "one_summary": "at most one summary",
    "unknown_unanswered": "unknown is only what got no answer",
    "tries_end": "every try has its end, but where a worker was lost",
}


class TooLate(Invalid):
    def __init__(self) -> None:
        minutes = int(START_CUTOFF.total_seconds() // 60)
        super().__init__(
            ngettext(
                "That start was more than {number} minute ago. Pick a later one.",
                "That start was more than {number} minutes ago. Pick a later one.",
                minutes,
            )
        )


class NoRecipients(Invalid):
    sentence = N_("Nobody to notify yet: none of these players would get a reminder.")


class CampaignsDisabled(Invalid):
    sentence = N_("Game nights can’t be scheduled here: it’s switched off.")


@dataclass(frozen=True)
class NoticeTimes:
    """The distances between the moments of an evening."""

    reminder_lead: timedelta
    voice_check_delay: timedelta


@dataclass(frozen=True)
class Planned:
    """A moment at which a job runs, and its deadline."""

    at: datetime
    deadline_at: datetime

    @property
    def skipped(self) -> Reason | None:
        return None


@dataclass(frozen=True)
class Skipped:
    """A moment that is already over."""

    at: datetime
    skipped: Reason

    @property
    def deadline_at(self) -> datetime:
        return self.at


@dataclass(frozen=True)
class Timeline:
    """When tonight's jobs run. `began_at` is the start that people are told, also when the notice is late."""

    began_at: datetime
    reminder: Planned | Skipped
    start: Planned
    voice_check: Planned

    @property
    def first_at(self) -> datetime:
        """Return when the first notices go out."""
        return (self.start if self.reminder.skipped else self.reminder).at


def plan_timeline(start_at: datetime, now: datetime, times: NoticeTimes) -> Timeline:
    """Decide when the notices go out.

    A reminder whose moment has passed is skipped with its reason; a start that has passed goes out now; more than an
    hour after the start there is nothing to call together. Raise TooLate.
    """
    if now > start_at + START_CUTOFF:
        raise TooLate
    reminder_at = start_at - times.reminder_lead
    start_moment = max(start_at, now)
    check_at = start_moment + times.voice_check_delay
    return Timeline(
        began_at=start_at,
        reminder=Planned(reminder_at, start_at) if now < reminder_at else Skipped(reminder_at, Reason.TOO_LATE),
        start=Planned(start_moment, start_moment + START_GRACE),
        voice_check=Planned(check_at, check_at + FOLLOWUP_GRACE),
    )


class TooLateToBeLate(Invalid):
    sentence = N_("It’s too late for that: nobody is waiting any more tonight.")


class LateIsForTonight(Invalid):
    sentence = N_("You can be late for tonight only.")


@dataclass(frozen=True)
class EveningHours:
    """When an evening starts, and the deadline of its follow-ups: until then players are waited for."""

    start_at: datetime
    until: datetime

    def offers_late(self, now: datetime) -> bool:
        """Return whether it is near enough to say that one comes late."""
        return self.start_at - LATE_LEAD <= now < self.until


def late_until(hours: EveningHours, now: datetime) -> datetime:
    """Return when a player comes who says now to be late. Raise TooLateToBeLate."""
    if now >= hours.until:
        raise TooLateToBeLate
    return min(max(hours.start_at, now) + LATE_BY, hours.until)


@dataclass(frozen=True)
class Audience:
    """Which statuses are asked: LOOKING always, the others when ticked."""

    include_available: bool = False
    include_maybe: bool = False

    def has(self, status: Status) -> bool:
        return (
            status is Status.LOOKING
            or (status is Status.AVAILABLE and self.include_available)
            or (status is Status.MAYBE and self.include_maybe)
        )


@dataclass(frozen=True)
class Candidate:
    """A player whom a campaign would ask."""

    player_id: int
    status: Status


@dataclass(frozen=True)
class LeftOut:
    """A player of the audience who is not asked, and why."""

    player_id: int
    status: Status
    reason: Reason


def choose_recipients(
    statuses: Mapping[int, Status], reaches: Mapping[int, Reachability], audience: Audience, moments: list[datetime]
) -> tuple[list[Candidate], list[LeftOut]]:
    """Divide today's players into those who would get at least one notice at `moments`, and the rest.

    Players outside the audience are in neither.
    """
    asked: list[Candidate] = []
    left_out: list[LeftOut] = []
    for player_id, status in statuses.items():
        if not audience.has(status):
            continue
        reasons = [refusal_reason(reaches.get(player_id), moment) for moment in moments]
        if None in reasons:
            asked.append(Candidate(player_id, status))
        else:
            left_out.append(LeftOut(player_id, status, next(reason for reason in reasons if reason)))
    return asked, left_out


def withdrawal_reason(status: Status | None) -> Reason | None:
    """Return why a recipient no longer wants to be asked; None with any status but NOT_PLAYING."""
    if status is None:
        return Reason.STATUS_CLEARED
    return Reason.NOT_PLAYING if status is Status.NOT_PLAYING else None


@dataclass(frozen=True)
class NoticeOutcome:
    """How many messages of a notice were sent, failed, or are unknown."""

    sent: int = 0
    failed: int = 0
    unknown: int = 0

    @property
    def is_flawed(self) -> bool:
        return self.failed > 0 or self.unknown > 0


def overall_status(phases: Mapping[str, NoticeOutcome], jobs: Mapping[str, JobStatus]) -> CampaignStatus:
    """Return a campaign's status from its ledger and its jobs; the caller handles cancelled ones.

    `failed`: the start reached none of those it should have. `partial`: a message of any phase failed or is unknown, so
    that a later phase never hides an earlier failure. A skipped message is no failure.
    """
    start_job = jobs.get(START, JobStatus.PENDING)
    if not start_job.is_over:
        begun = any(status is not JobStatus.PENDING and status is not JobStatus.SKIPPED for status in jobs.values())
        return CampaignStatus.RUNNING if begun else CampaignStatus.SCHEDULED
    start = phases.get(START, NoticeOutcome())
    if start_job is JobStatus.FAILED or (start.sent == 0 and start.is_flawed):
        return CampaignStatus.FAILED
    if any(phase.is_flawed for phase in phases.values()) or JobStatus.FAILED in jobs.values():
        return CampaignStatus.PARTIAL
    is_followed_up = jobs.get(VOICE_CHECK) is JobStatus.SENT and phases.get(VOICE_CHECK, NoticeOutcome()).sent > 0
    return CampaignStatus.FOLLOWUP_SENT if is_followed_up else CampaignStatus.SENT


def state_of(
    status: CampaignStatus,
    phases: Mapping[str, NoticeOutcome],
    jobs: Mapping[str, JobStatus],
    *,
    is_dry_run: bool,
    is_past: bool,
    stored_cause: CampaignState | None = None,
) -> CampaignState:
    """Return how pages name a campaign's status; what is partial is named after its cause."""
    match status:
        case CampaignStatus.SENT | CampaignStatus.FOLLOWUP_SENT if is_dry_run:
            return CampaignState.TRIED_OUT
        case CampaignStatus.SENT | CampaignStatus.FOLLOWUP_SENT:
            return CampaignState.OVER if is_past else CampaignState.CALLED
        case CampaignStatus.FAILED:
            return CampaignState.NONE_REACHED
        case CampaignStatus.PARTIAL:
            return stored_cause or _cause(phases, jobs)
        case _:
            return CampaignState(status.value)


def _cause(phases: Mapping[str, NoticeOutcome], jobs: Mapping[str, JobStatus]) -> CampaignState:
    to_players = {notice: outcome for notice, outcome in phases.items() if notice not in {SUMMARY, PRESENCE_UNKNOWN}}
    if any(outcome.is_flawed for outcome in to_players.values()):
        return CampaignState.NOT_ALL_REACHED
    if jobs.get(VOICE_CHECK) is JobStatus.FAILED:
        return CampaignState.CHECK_FAILED
    is_unposted = phases.get(SUMMARY, NoticeOutcome()).is_flawed
    return CampaignState.SUMMARY_FAILED if is_unposted else CampaignState.NOT_ALL_REACHED
