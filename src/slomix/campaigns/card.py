"""Builds a campaign's card for one viewer: the text of each phase, the warnings and the buttons."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from slomix.campaigns import queries, rules
from slomix.campaigns.queries import Attendance
from slomix.campaigns.rules import CampaignState
from slomix.campaigns.states import PHASE_NAMES, PHASE_STATES, STATE_NAMES
from slomix.campaigns.view_models import CampaignCard, OtherCampaignCount, OutcomeCount, PhaseCard, SummaryCard
from slomix.deliveries.retrying import RetryChoices
from slomix.deliveries.rules import DeliveryStatus
from slomix.i18n import N_, Texts, _, ngettext
from slomix.jobs.rules import JobStatus
from slomix.presence.game_names import plain_name


class Reader(Protocol):
    """The viewer of the card."""

    @property
    def player_id(self) -> int | None: ...
    @property
    def is_linked(self) -> bool: ...
    @property
    def is_admin(self) -> bool: ...
    @property
    def can_promote(self) -> bool: ...


@dataclass(frozen=True)
class Line:
    """A line about a phase; it may lead to the campaign that it is about."""

    text: str
    css: str | None = None
    href: str = ""


@dataclass(frozen=True)
class Phase:
    """A phase: its name, state and moment, and lines about its messages."""

    name: str
    state: str
    at: datetime | None
    lines: Sequence[Line]


@dataclass(frozen=True)
class RetryButton:
    """A button that sends again what did not arrive."""

    label: str
    unknown: bool = False
    warning: str = ""


@dataclass(frozen=True)
class Card:
    """What the card shows beside the campaign itself."""

    is_today: bool
    is_empty: bool = False
    state: str = ""
    # The promoter's name, for those who may see names.
    promoter: str = ""
    # How many were asked, or will be.
    asked: str = ""
    risks: str = ""
    turnout: str = ""
    phases: Sequence[Phase] = ()
    retries: Sequence[RetryButton] = ()
    may_cancel: bool = False
    # Why the viewer may call tonight together now; empty when they may not.
    invitation: str = ""


def seen_by(viewer: Reader, card: CampaignCard | None, today: date) -> Card:
    """Show the card of a campaign, or of an evening without one, to this viewer."""
    if card is None:
        invitation = _("No game night called yet.") if viewer.can_promote else ""
        return Card(is_today=True, is_empty=not invitation, invitation=invitation)
    is_today, state = card.campaign.day == today, card.state(today)
    is_theirs = viewer.can_promote and (viewer.is_admin or viewer.player_id == card.campaign.promoter_id)
    may_call_again = viewer.can_promote and is_today and not card.is_called
    return Card(
        is_today=is_today,
        # To a player it would read as if the night had failed.
        state="" if state is CampaignState.NONE_REACHED and not viewer.can_promote else state.value,
        promoter=plain_name(card.promoter) if viewer.is_linked else "",
        asked=card.asked.text(is_open=card.is_open and card.is_called),
        risks="; ".join(risk.reason for risk in card.risks if risk.kind != "paused") if viewer.can_promote else "",
        turnout=turnout(card.turnout, is_over=not is_today, is_called=card.is_called),
        phases=list(_phases(card, viewer)),
        retries=list(retries(card.chances, card.failed)) if is_theirs else (),
        may_cancel=is_theirs and card.is_open,
        invitation=_("Cancelled. You can call a new one.") if may_call_again else "",
    )


def created_text(card: CampaignCard, *, is_new: bool, zone: ZoneInfo) -> str:
    """Say what a submit made or, if it is a repeat, how that campaign stands now."""
    is_dry_run = card.campaign.dry_run
    if is_new and is_dry_run:
        return _("Dry run: four messages are on their way, to you only.")
    if is_new:
        text = ngettext(
            "Scheduled. {number} player will be notified at {time}.",
            "Scheduled. {number} players will be notified at {time}.",
            card.asked.recipients,
        )
        first_at = min(phase.at for phase in card.phases if phase.job.status is not JobStatus.SKIPPED)
        return text.format(time=queries.hour(first_at, zone))
    state = STATE_NAMES[card.state(card.campaign.day).value]
    if is_dry_run:
        return _("Already tried: {state}.").format(state=state)
    return _("Already done: {state}, {asked}.").format(state=state, asked=card.asked.text(is_open=True))


def turnout(found: Attendance | None, *, is_over: bool, is_called: bool) -> str:
    """Say how many came to voice; say nothing tonight while that is not known."""
    if found is None:
        return _("Attendance unknown.") if is_over and is_called else ""
    return found.text


def retries(chances: RetryChoices, failed: int) -> Iterator[RetryButton]:
    """Offer to resend what failed, or what of it can still be sent, and, separately, what may have arrived."""
    possible, unknown = len(chances.failed), len(chances.unknown)
    if set(chances.failed.values()) == {rules.SUMMARY}:
        yield RetryButton(_("Post the summary again"))
    elif possible and possible < failed:
        text = ngettext(
            "Retry {number} of {total} failed messages", "Retry {number} of {total} failed messages", possible
        )
        yield RetryButton(text.format(total=failed))
    elif possible:
        yield RetryButton(ngettext("Retry the failed message", "Retry {number} failed messages", possible))
    if unknown:
        yield RetryButton(
            ngettext("Resend the unknown message", "Resend {number} unknown messages", unknown),
            unknown=True,
            warning=ngettext(
                "It may have arrived already, and would then arrive twice.",
                "They may have arrived already, and would then arrive twice.",
                unknown,
            ),
        )


def _phases(card: CampaignCard, viewer: Reader) -> Iterator[Phase]:
    for phase in card.phases:
        lines = [
            *phase_lines(phase, with_reasons=viewer.can_promote, recipients=card.asked.recipients),
            *(others_line(others, own_id=card.campaign.id, with_link=viewer.is_linked) for others in phase.others),
        ]
        yield Phase(PHASE_NAMES[phase.job.kind], phase.state, phase.at, lines)
    if card.summary is not None:
        line = Line(summary_text(card.summary, with_reasons=viewer.can_promote))
        is_posted = card.summary.status is DeliveryStatus.SENT
        at = card.summary.at if is_posted else None
        yield Phase(PHASE_NAMES[rules.SUMMARY], card.summary.status.value, at, [line])


def phase_lines(phase: PhaseCard, *, with_reasons: bool, recipients: int) -> list[Line]:
    """Say what became of a phase's own messages, without those of other campaigns."""
    tally = phase.tally
    if phase.job.status is JobStatus.SKIPPED and not phase.outcomes and not phase.others:
        return [Line(_("skipped: {reason}").format(reason=phase.job.reason))]
    if tally is not None and (tally.tried or tally[DeliveryStatus.SKIPPED] or phase.retrying):
        return list(_message_lines(phase, with_reasons=with_reasons))
    if phase.others:
        return []
    if phase.job.status is JobStatus.FAILED and phase.job.last_error and with_reasons:
        return [Line(_("failed: {error}").format(error=phase.job.last_error))]
    if phase.job.status is JobStatus.PENDING and phase.job.last_error:
        return [Line(_("trying again"))]
    is_part = tally is not None and 0 < tally.open < recipients and phase.job.kind != rules.VOICE_CHECK
    if phase.job.status not in PHASE_STATES and is_part and tally is not None:
        return [Line(ngettext("{number} planned", "{number} planned", tally.open))]
    return [Line(PHASE_STATES.get(phase.job.status.value, STATE_NAMES["pending"]))]


def _message_lines(phase: PhaseCard, *, with_reasons: bool) -> Iterator[Line]:
    tally = phase.tally
    assert tally is not None  # the caller has checked it
    if tally[DeliveryStatus.SENT] or not phase.others:
        sent = tally[DeliveryStatus.SENT]
        is_check = phase.job.kind == rules.VOICE_CHECK
        yield Line(
            ngettext("{number} nudged", "{number} nudged", sent) if is_check else _counted(DeliveryStatus.SENT, sent)
        )
    for outcome in phase.outcomes:
        yield Line(outcome_text(outcome, with_reasons=with_reasons), css=f"is-{outcome.status.value}")
    if tally.open > phase.retrying:
        yield Line(ngettext("{number} on the way", "{number} on the way", tally.open - phase.retrying))
    if phase.retrying:
        yield Line(ngettext("{number} being retried", "{number} being retried", phase.retrying))


def outcome_text(outcome: OutcomeCount, *, with_reasons: bool) -> str:
    """Say how many messages ended in this status and, to promoters, why: with numbers if there are several reasons."""
    text = _counted(outcome.status, outcome.number)
    if not with_reasons or not any(why.reason for why in outcome.reasons):
        return text
    numbered = len(outcome.reasons) > 1
    reasons = [
        str(why.reason or _("no reason given")) + (f" ({why.number})" if numbered else "") for why in outcome.reasons
    ]
    return f"{text}: {', '.join(reasons)}"


def _counted(status: DeliveryStatus, number: int) -> str:
    """Say how many messages ended so."""
    match status:
        case DeliveryStatus.SENT:
            return ngettext("{number} sent", "{number} sent", number)
        case DeliveryStatus.SKIPPED:
            return ngettext("{number} skipped", "{number} skipped", number)
        case DeliveryStatus.FAILED:
            return ngettext("{number} failed", "{number} failed", number)
        case _:
            return ngettext("{number} unknown", "{number} unknown", number)


# Who tells players what this campaign does not, by whether it has done so and by when that campaign was made.
_BY_OTHERS = Texts(
    {
        (True, "site"): N_("Sent by the earlier site: {number}"),
        (True, "earlier"): N_("Sent by an earlier campaign: {number}"),
        (True, "later"): N_("Sent by a later campaign: {number}"),
        (False, "site"): N_("Left to the earlier site: {number}"),
        (False, "earlier"): N_("Left to an earlier campaign: {number}"),
        (False, "later"): N_("Left to a later campaign: {number}"),
    }
)


def others_line(others: OtherCampaignCount, *, own_id: int, with_link: bool) -> Line:
    """Say how many are told by another campaign of the day, with a link for linked players."""
    if others.campaign_id is None:
        return Line(_BY_OTHERS[others.is_told, "site"].format(number=others.number))
    text = _BY_OTHERS[others.is_told, "earlier" if others.campaign_id < own_id else "later"]
    href = f"/campaigns/{others.campaign_id}" if with_link else ""
    return Line(text.format(number=others.number), href=href)


def summary_text(summary: SummaryCard, *, with_reasons: bool) -> str:
    """Say what became of the post to the room."""
    if summary.status is DeliveryStatus.SENT:
        return _("posted")
    if not summary.status.is_settled:
        return STATE_NAMES["sending"]
    state = STATE_NAMES[summary.status.value]
    return f"{state}: {summary.reason}" if with_reasons and summary.reason else state
