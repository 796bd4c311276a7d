"""Builds a campaign's card for one viewer: the text of each phase, the warnings and the buttons."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from slomix import words
from slomix.campaigns import rules
from slomix.campaigns.queries import Attendance
from slomix.campaigns.rules import CampaignState
from slomix.campaigns.view_models import CampaignCard, OtherCampaignCount, OutcomeCount, PhaseCard, SummaryCard
from slomix.deliveries.retrying import RetryChoices
from slomix.deliveries.rules import DeliveryStatus
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
    """A line about a phase; it may end with another campaign, a link to it and when it was."""

    text: str
    css: str | None = None
    campaign: str = ""
    href: str = ""
    when: str = ""


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
    # What it is a card of, before its hour or day.
    title: str = ""
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
        invitation = words.NOT_CALLED_YET if viewer.can_promote else ""
        return Card(is_today=True, is_empty=not invitation, invitation=invitation)
    is_today, state = card.campaign.day == today, card.state(today)
    is_theirs = viewer.can_promote and (viewer.is_admin or viewer.player_id == card.campaign.promoter_id)
    may_call_again = viewer.can_promote and is_today and not card.is_called
    return Card(
        is_today=is_today,
        # To a player it would read as if the night had failed.
        state="" if state is CampaignState.NONE_REACHED and not viewer.can_promote else state.value,
        title=_title(card, is_today=is_today),
        promoter=plain_name(card.promoter) if viewer.is_linked else "",
        asked=card.asked.text(is_open=card.is_open and card.is_called),
        risks="; ".join(risk.reason for risk in card.risks if risk.kind != "paused") if viewer.can_promote else "",
        turnout=turnout(card.turnout, is_over=not is_today, is_called=card.is_called),
        phases=list(_phases(card, viewer, is_today=is_today)),
        retries=list(retries(card.chances, card.failed)) if is_theirs else (),
        may_cancel=is_theirs and card.is_open,
        invitation=words.CALL_AGAIN if may_call_again else "",
    )


def _title(card: CampaignCard, *, is_today: bool) -> str:
    if card.campaign.dry_run:
        return words.DRY_RUN_OF
    return words.GAME_NIGHT_AT if is_today else words.GAME_NIGHT


def created_text(card: CampaignCard, *, is_new: bool) -> str:
    """Say what a submit made or, if it is a repeat, how that campaign stands now."""
    is_dry_run = card.campaign.dry_run
    if is_new:
        return words.TRIED_OUT if is_dry_run else words.CALLED.format(count=card.asked.recipients)
    state = words.STATES[card.state(card.campaign.day).value]
    if is_dry_run:
        return words.TRIED_OUT_BEFORE.format(state=state)
    return words.CALLED_BEFORE.format(state=state, asked=card.asked.text(is_open=True))


def turnout(found: Attendance | None, *, is_over: bool, is_called: bool) -> str:
    """Say how many came to voice; say nothing tonight while that is not known."""
    if found is None:
        return f"{words.OVER} {words.TURNOUT_UNKNOWN}" if is_over and is_called else ""
    return f"{words.OVER} {found.text}".strip() if is_over else found.text


def retries(chances: RetryChoices, failed: int) -> Iterator[RetryButton]:
    """Offer to resend what failed, or what of it can still be sent, and, separately, what may have arrived."""
    possible, unknown = len(chances.failed), len(chances.unknown)
    if set(chances.failed.values()) == {rules.SUMMARY}:
        yield RetryButton(words.RETRY_SUMMARY)
    elif possible and possible < failed:
        yield RetryButton(words.RETRY_SOME_FAILED.format(number=possible, total=failed))
    elif possible:
        yield RetryButton(words.RETRY_ONE_FAILED if possible == 1 else words.RETRY_FAILED.format(number=possible))
    if unknown == 1:
        yield RetryButton(words.RETRY_ONE_UNKNOWN, unknown=True, warning=words.ONE_MAY_ARRIVE_TWICE)
    elif unknown:
        yield RetryButton(words.RETRY_UNKNOWN.format(number=unknown), unknown=True, warning=words.MAY_ARRIVE_TWICE)


def _phases(card: CampaignCard, viewer: Reader, *, is_today: bool) -> Iterator[Phase]:
    for phase in card.phases:
        lines = [
            *phase_lines(phase, with_reasons=viewer.can_promote, recipients=card.asked.recipients),
            *(
                others_line(others, own_id=card.campaign.id, is_today=is_today, with_link=viewer.is_linked)
                for others in phase.others
            ),
        ]
        yield Phase(words.PHASES[phase.job.kind], phase.state, phase.at, lines)
    if card.summary is not None:
        line = Line(summary_text(card.summary, with_reasons=viewer.can_promote))
        is_posted = card.summary.status is DeliveryStatus.SENT
        at = card.summary.at if is_posted else None
        yield Phase(words.PHASES[rules.SUMMARY], card.summary.status.value, at, [line])


def phase_lines(phase: PhaseCard, *, with_reasons: bool, recipients: int) -> list[Line]:
    """Say what became of a phase's own messages, without those of other campaigns."""
    tally = phase.tally
    if phase.job.status is JobStatus.SKIPPED and not phase.outcomes and not phase.others:
        return [Line(words.SKIPPED_BECAUSE.format(reason=phase.job.reason))]
    if tally is not None and (tally.tried or tally[DeliveryStatus.SKIPPED] or phase.retrying):
        return list(_message_lines(phase, with_reasons=with_reasons))
    if phase.others:
        return []
    if phase.job.status is JobStatus.FAILED and phase.job.last_error and with_reasons:
        return [Line(words.FAILED_WITH.format(error=phase.job.last_error))]
    if phase.job.status is JobStatus.PENDING and phase.job.last_error:
        return [Line(words.TRYING_AGAIN)]
    is_part = tally is not None and 0 < tally.open < recipients and phase.job.kind != rules.VOICE_CHECK
    if phase.job.status not in words.PHASE_STATES and is_part and tally is not None:
        return [Line(words.SO_MANY_PLANNED.format(number=tally.open))]
    return [Line(words.PHASE_STATES.get(phase.job.status.value, words.STATES["pending"]))]


def _message_lines(phase: PhaseCard, *, with_reasons: bool) -> Iterator[Line]:
    tally = phase.tally
    assert tally is not None  # the caller has checked it
    if tally[DeliveryStatus.SENT] or not phase.others:
        sent = words.FOLLOW_UPS_SENT if phase.job.kind == rules.VOICE_CHECK else words.SO_MANY_SENT
        yield Line(sent.format(number=tally[DeliveryStatus.SENT]))
    for outcome in phase.outcomes:
        yield Line(outcome_text(outcome, with_reasons=with_reasons), css=f"is-{outcome.status.value}")
    if tally.open > phase.retrying:
        yield Line(words.ON_THE_WAY.format(number=tally.open - phase.retrying))
    if phase.retrying:
        yield Line(words.SO_MANY_TRIED_AGAIN.format(number=phase.retrying))


def outcome_text(outcome: OutcomeCount, *, with_reasons: bool) -> str:
    """Say how many messages ended in this status and, to promoters, why: with numbers if there are several reasons."""
    text = f"{outcome.number} {words.STATES[outcome.status.value]}"
    if not with_reasons or not any(why.reason for why in outcome.reasons):
        return text
    numbered = len(outcome.reasons) > 1
    reasons = [(f"{why.number} " if numbered else "") + (why.reason or words.NO_REASON) for why in outcome.reasons]
    return f"{text}: {', '.join(reasons)}"


def others_line(others: OtherCampaignCount, *, own_id: int, is_today: bool, with_link: bool) -> Line:
    """Say how many were told by another campaign of the day, with a link for linked players."""
    text = (words.TOLD_BY if others.is_told else words.LEFT_TO_BE_TOLD_BY).format(number=others.number)
    if others.campaign_id is None:
        campaign = words.THE_EARLIER_SITE
    else:
        campaign = words.AN_EARLIER_CAMPAIGN if others.campaign_id < own_id else words.A_LATER_CAMPAIGN
    when = f" {words.ON_THIS_EVENING}" if is_today else ""
    href = f"/campaigns/{others.campaign_id}" if with_link and others.campaign_id is not None else ""
    return Line(text, campaign=campaign, href=href, when=when)


def summary_text(summary: SummaryCard, *, with_reasons: bool) -> str:
    """Say what became of the post to the room."""
    if summary.status is DeliveryStatus.SENT:
        return words.POSTED
    if not summary.status.is_settled:
        return words.STATES["sending"]
    state = words.STATES[summary.status.value]
    return f"{state}: {summary.reason}" if with_reasons and summary.reason else state
