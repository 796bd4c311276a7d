"""Says whether tonight will work: one sentence, and its reasons."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import structlog
from flask import Blueprint, flash, redirect, render_template, request, url_for
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from slomix.accounts import service as accounts
from slomix.accounts.models import User
from slomix.accounts.rules import LinkAction
from slomix.admin import queries, search
from slomix.admin.names import JOB_NAMES, PART_NAMES
from slomix.admin.search import DeliveryFilter
from slomix.campaigns import queries as campaigns
from slomix.campaigns import risk, risk_facts
from slomix.campaigns.models import Campaign
from slomix.campaigns.risk import Risk
from slomix.campaigns.rules import CampaignState
from slomix.campaigns.states import PHASE_NAMES, STATE_NAMES
from slomix.campaigns.view_models import CampaignCard, PhaseCard, card_of_campaign
from slomix.clock import wall_now
from slomix.config.settings import Settings
from slomix.deliveries import pausing
from slomix.deliveries.models import Pause
from slomix.deliveries.rules import DeliveryStatus
from slomix.evening import service as evening
from slomix.evening.models import EveningEvent, EveningMessage
from slomix.evening.rules import POSTED_AT
from slomix.health import service as health
from slomix.health.rules import PartHealth
from slomix.health.service import parts_needed_tonight
from slomix.health.views import check_health, probes
from slomix.i18n import _, ngettext, spoken
from slomix.jobs.late import LateJobs, late_jobs, next_due_job
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus
from slomix.planning import queries as planning
from slomix.presence.game_names import plain_name
from slomix.web import current, gates, live, responses, times
from slomix.web.reading import end, reading

log = structlog.get_logger()
blueprint = Blueprint("tonight", __name__, url_prefix="/tonight")

MINUTE = timedelta(minutes=1)
UNDELIVERED = (DeliveryStatus.FAILED, DeliveryStatus.UNKNOWN)


@dataclass(frozen=True)
class Fact:
    """One line about the system: how it is, what is wrong with it, and where to see to that."""

    name: str
    says: str = ""
    is_well: bool = True
    trouble: str = ""
    icon: str = "problem"
    href: str = ""
    link: str = ""
    # The processes that are silent, which an admin may dismiss, by part and name.
    silent: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class PhaseLine:
    """One phase of a campaign: what became of its messages, and what went wrong."""

    name: str
    at: datetime
    state: str
    text: str
    trouble: str


@blueprint.get("")
def show() -> str:
    mark = live.hub().mark()
    return render_template("admin/tonight.html", mark=mark, **_tonight())


@blueprint.get("/live")
def show_live() -> Response:
    """Show the part of the page that changes, which is all of it."""
    return responses.live_part(render_template("admin/_tonight.html", **_tonight()))


@dataclass(frozen=True)
class Verdict:
    """Whether tonight works: in one sentence, and `ill`, `partly` or `well`."""

    tone: str
    text: str


def judge_tonight(
    risks: Sequence[Risk],
    counts: Mapping[DeliveryStatus, int],
    called: CampaignCard | None,
    *,
    now: datetime,
    start: str = "",
) -> Verdict:
    """Say whether tonight works: what has come of its campaign, then what may; with several problems, the worst."""
    missed = sum(counts.get(status, 0) for status in UNDELIVERED)
    state = called.state(called.campaign.day) if called is not None else None
    if called is not None and state is CampaignState.NONE_REACHED:
        return Verdict(
            "ill",
            ngettext(
                "Nobody was notified: {number} message failed ({reason}).",
                "Nobody was notified: {number} messages failed ({reason}).",
                missed,
            ).format(reason=_commonest_reason(called)),
        )
    if risks:
        return Verdict("ill", _("Tonight is at risk: {reason}.").format(reason=risks[0].reason))
    if state is CampaignState.CHECK_FAILED:
        return Verdict("partly", _("The voice check failed, so nobody was nudged."))
    if missed:
        return Verdict(
            "partly",
            ngettext(
                "Everything runs, but {number} of today’s messages may not have arrived.",
                "Everything runs, but {number} of today’s messages may not have arrived.",
                missed,
            ),
        )
    if called is None:
        return Verdict("well", _("All is well. No game night called yet."))
    if called.has_begun:
        return Verdict("well", _("All is well: tonight began at {time}.").format(time=start))
    if called.start_is_over:
        return Verdict("partly", _("Nobody is left to notify tonight."))
    if now >= called.campaign.start_at:
        return Verdict("well", _("All is well: the start of {time} is on its way.").format(time=start))
    text = ngettext(
        "All is well: {number} player will be notified at {time}.",
        "All is well: {number} players will be notified at {time}.",
        called.asked.recipients,
    )
    return Verdict("well", text.format(time=start))


def _commonest_reason(called: CampaignCard) -> str:
    outcomes = [outcome for phase in called.phases for outcome in phase.outcomes if outcome.status in UNDELIVERED]
    numbers = Counter({why.reason: 0 for outcome in outcomes for why in outcome.reasons})
    for outcome in outcomes:
        numbers.update({why.reason: why.number for why in outcome.reasons})
    reason = numbers.most_common(1)[0][0] if numbers else None
    return str(reason or _("no reason given"))


@blueprint.post("/dismiss")
def dismiss() -> Response:
    """Forget a silent process that was taken away for good, so that it is no longer missed."""
    who = gates.require_admin()
    part, copy = request.form.get("part", ""), request.form.get("copy", "")
    with current.runtime().transaction() as session:
        is_gone = health.dismiss(session, part, copy, wall=wall_now())
        if is_gone:
            accounts.record_action(
                session,
                LinkAction.PROCESS_DISMISSED,
                actor=gates.actor(),
                now=current.now(),
                old=f"{part} {copy}",
                new=None,
            )
    if is_gone:
        log.warning("process.dismissed", user=who.user_id, process=copy, of=part)
    flash(
        (
            _("{process} isn’t missed any more.") if is_gone else _("{process} isn’t silent, or was dismissed already.")
        ).format(process=copy),
        "done" if is_gone else "note",
    )
    return redirect(url_for("admin.tonight.show"), code=303)


def _tonight() -> dict[str, Any]:
    end()  # how all parts do may take two seconds to be known, and nothing is held meanwhile
    runtime, now, wall = current.runtime(), current.now(), wall_now()
    settings, today = runtime.settings, current.today(current.now())
    parts = check_health(runtime, probes())
    with reading() as session:
        cards = _cards(session, today, now)
        called = next((card for card in reversed(cards) if card.is_called), None)
        risks = risk_facts.assess_risks(
            session,
            called.campaign if called is not None and _is_near(called, now) else None,
            parts=parts_needed_tonight(parts),
            settings=settings,
            now=now,
            wall=wall,
        )
        counts = search.count_by_status(session, DeliveryFilter(day=today), settings=settings)
        pause, seen_at = pausing.current_pause(session), risk_facts.presence_seen_at(session)
        people = queries.accounts_by_id(session, [pause.by]) if pause else {}
        return {
            "verdict": judge_tonight(
                risks, counts, called, now=now, start=times.hour(called.campaign.start_at) if called else ""
            ),
            "risks": risks,
            "facts": [
                *(part_fact(part) for part in parts),
                voice_fact(now - seen_at if seen_at is not None else None, settings.presence_max_age),
                pause_fact(pause, people, today),
                *evening_facts(session, settings, wall, today),
                late_fact(late_jobs(session, now=now, wall=wall, after=risk.LATE_AFTER), today),
                next_fact(next_due_job(session, now=now), today),
            ],
            "campaigns": [(card, [phase_line(phase) for phase in card.phases]) for card in cards],
            "counts": counts,
            "channels": [
                channel
                for channel in queries.channel_states(session, settings)
                if channel.contacts or not channel.problem
            ],
            "room": planning.room_of(session, today),
            "today": today,
        }


def part_fact(part: PartHealth) -> Fact:
    """Say whether a part of the system is there, and how long ago it said so, where it says anything."""
    name, trouble = PART_NAMES.get(part.part, part.part), spoken(part.problem or "")
    if not part.ok:
        return Fact(name, trouble=trouble[:1].upper() + trouble[1:])
    text = _("Running")
    if part.age_seconds is not None:
        text = _("Running, seen {ago}").format(ago=times.ago(timedelta(seconds=part.age_seconds)))
    return Fact(
        name, f"{text}." if trouble else text, trouble=trouble, silent=[(part.part, copy) for copy in part.missing]
    )


def voice_fact(age: timedelta | None, longest: timedelta) -> Fact:
    """Say whether what is known of the voice rooms can be used."""
    if age is None:
        return Fact(_("Voice rooms"), _("Never seen."), is_well=False)
    if age > longest:
        return Fact(_("Voice rooms"), trouble=_("Last seen {ago}: too old to use").format(ago=times.ago(age)))
    return Fact(_("Voice rooms"), _("Seen {ago}").format(ago=times.ago(age)))


def pause_fact(pause: Pause | None, people: Mapping[str, User], today: date) -> Fact:
    """Say whether messages go out and, if not, who stopped them."""
    if pause is None:
        return Fact(_("Sending"), _("Messages go out"))
    user = people.get(pause.by)
    by = Markup("<bdi>{}</bdi>").format(plain_name(user.display_name)) if user is not None else pause.by
    text = Markup.escape(_("Paused since {since}, by {by}.")).format(since=times.since(pause.since, today), by=by)
    return Fact(_("Sending"), trouble=text, icon="off", href="/admin/sending/resume", link=_("Resume sending"))


def evening_facts(session: Session, settings: Settings, wall: datetime, today: date) -> Iterator[Fact]:
    """Say whether the evening's message and event are as they should be, as far as they are switched on."""
    message, event = evening.message_of(session, today), evening.event_of(session, today)
    if settings.evening_message_enabled:
        says = ngettext(
            "Comes with {number} player looking, or a campaign",
            "Comes with {number} players looking, or a campaign",
            POSTED_AT,
        )
        is_there = message is not None and message.posted_at is not None
        if message is not None and message.posted_at is not None:
            says = _("Posted {time}").format(time=times.since(message.posted_at, today))
        yield _kept_fact(_("Evening’s message"), says, message, wall, is_there=is_there)
    if settings.scheduled_event_enabled:
        is_there = event is not None and event.event_id is not None and not event.is_over
        says = _("On the server") if is_there else _("Comes with a campaign") if event is None else _("No longer there")
        yield _kept_fact(_("Event on Discord"), says, event, wall, is_there=is_there)


def _kept_fact(
    name: str, says: str, row: EveningMessage | EveningEvent | None, wall: datetime, *, is_there: bool
) -> Fact:
    """Say how something on Discord stands and, if it is not up to date, why and when that is tried again."""
    trouble = ""
    if row is not None and row.problem is not None:
        trouble = _("Not up to date: {reason}.").format(reason=row.problem)
        if row.held_until is not None and row.held_until > wall:
            trouble += " " + _("Next attempt in {minutes} min.").format(
                minutes=max(1, round((row.held_until - wall) / MINUTE))
            )
    return Fact(name, says, is_well=is_there and not trouble, trouble=trouble)


def late_fact(found: LateJobs, today: date) -> Fact:
    """Say how many jobs should have been done by now."""
    if found.since is None:
        return Fact(_("Late"), _("Nothing overdue"))
    text = ngettext("{number} job, the oldest due {since}.", "{number} jobs, the oldest due {since}.", found.number)
    text = text.format(since=times.since(found.since, today))
    return Fact(_("Late"), trouble=text, href="/admin/jobs?late=on", link=_("Look at them"))


def next_fact(job: Job | None, today: date) -> Fact:
    """Say what is done next."""
    if job is None:
        return Fact(_("Next"), _("Nothing is planned."), is_well=False)
    at = Markup('<time datetime="{}">{}</time>').format(job.run_at.isoformat(), times.since(job.run_at, today))
    kind = JOB_NAMES.get(job.kind, job.kind)
    return Fact(_("Next"), Markup("{}: {}").format(at, kind), is_well=False)


def phase_line(phase: PhaseCard) -> PhaseLine:
    """Count a phase's messages by what became of them."""
    job, tally = phase.job, phase.tally
    text = str(job.reason or "")
    if tally is not None:
        text = ", ".join(f"{STATE_NAMES[status]} {number}" for status, number in tally.by_status.items())
    trouble = str(job.last_error) if job.last_error and job.status is not JobStatus.SENT else ""
    return PhaseLine(PHASE_NAMES[job.kind], phase.at, phase.state, text, trouble)


def _cards(session: Session, today: date, now: datetime) -> list[CampaignCard]:
    """Return today's campaigns, cancelled ones too; dry runs belong to their promoters alone."""
    theirs = select(Campaign).where(Campaign.day == today, ~Campaign.dry_run).order_by(Campaign.id)
    return [
        card_of_campaign(session, campaign, settings=current.runtime().settings, now=now)
        for campaign in session.scalars(theirs)
    ]


def _is_near(card: CampaignCard, now: datetime) -> bool:
    """Check whether the campaign is being watched now."""
    return card.is_open and campaigns.is_monitored(card.campaign, [phase.job for phase in card.phases], now)
