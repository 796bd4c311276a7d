"""What a campaign's card says, line by line: of each phase, of the evening, and to whom."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from slomix.campaigns import card, rules
from slomix.campaigns.queries import AskedCounts, Attendance
from slomix.campaigns.risk import RiskFacts, find_risks
from slomix.campaigns.view_models import OtherCampaignCount, OutcomeCount, PhaseCard, ReasonCount, SummaryCard
from slomix.deliveries.retrying import RetryChoices
from slomix.deliveries.rules import DeliveryStatus
from slomix.deliveries.service import Tally
from slomix.health.rules import joined
from slomix.i18n import later, speaking, spoken
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus
from slomix.reasons.codes import Explanation, Reason
from tests.moments import TODAY

SENT, FAILED, SKIPPED = DeliveryStatus.SENT, DeliveryStatus.FAILED, DeliveryStatus.SKIPPED
PENDING, UNKNOWN = DeliveryStatus.PENDING, DeliveryStatus.UNKNOWN
RECIPIENTS = 4
QUIET = Explanation(Reason.QUIET_HOURS)


def phase(
    status: JobStatus = JobStatus.SENT,
    numbers: Mapping[DeliveryStatus, int] | None = None,
    *,
    kind: str = rules.START,
    others: int = 0,
    reason: Reason | None = None,
    error: str | None = None,
    is_refused: bool = False,
) -> PhaseCard:
    """A phase whose messages came to these statuses, each for one reason."""
    job = Job(
        kind=kind,
        status=status,
        reason=Explanation(reason) if reason is not None else None,
        last_error=Explanation(Reason.CRASHED, error) if error is not None else None,
    )
    tally = (
        None
        if numbers is None
        else Tally(
            {(status, QUIET if is_refused or status.is_settled else None): number for status, number in numbers.items()}
        )
    )
    outcomes = [
        OutcomeCount(status, number, [ReasonCount(QUIET, number)])
        for status, number in (numbers or {}).items()
        if status in {SKIPPED, FAILED, UNKNOWN}
    ]
    return PhaseCard(job, tally, outcomes, [OtherCampaignCount(7, others, is_told=True)] if others else [])


def lines(shown: PhaseCard, *, with_reasons: bool = False) -> list[str]:
    return [line.text for line in card.phase_lines(shown, with_reasons=with_reasons, recipients=RECIPIENTS)]


@pytest.mark.parametrize(
    ("shown", "says"),
    [
        (phase(JobStatus.PENDING), ["planned"]),
        (phase(JobStatus.PENDING, {PENDING: 4}), ["planned"]),
        (phase(JobStatus.PENDING, {PENDING: 3}), ["3 planned"]),
        (phase(JobStatus.PENDING, {PENDING: 3}, kind=rules.VOICE_CHECK), ["planned"]),
        (phase(JobStatus.PENDING, {PENDING: 21}, is_refused=True), ["0 sent", "21 being retried"]),
        (phase(JobStatus.PENDING, {SENT: 1, PENDING: 2}, is_refused=True), ["1 sent", "2 being retried"]),
        (phase(JobStatus.PENDING, kind=rules.VOICE_CHECK, error="no answer"), ["trying again"]),
        (phase(JobStatus.RUNNING), ["under way"]),
        (phase(JobStatus.RUNNING, {PENDING: 3}), ["under way"]),
        (phase(JobStatus.RUNNING, {SENT: 1, PENDING: 3}), ["1 sent", "3 on the way"]),
        (phase(JobStatus.SENT), ["done"]),
        (phase(JobStatus.SENT, {SENT: 4}), ["4 sent"]),
        (phase(JobStatus.SENT, {SENT: 4}, kind=rules.VOICE_CHECK), ["4 nudged"]),
        (phase(JobStatus.SENT, {SENT: 1, SKIPPED: 3}), ["1 sent", "3 skipped"]),
        (phase(JobStatus.SENT, {FAILED: 4}), ["0 sent", "4 failed"]),
        (phase(JobStatus.SENT, {SKIPPED: 1}, others=3), ["1 skipped"]),
        (phase(JobStatus.SENT, others=4), []),
        (phase(JobStatus.SKIPPED, reason=Reason.TOO_LATE), ["skipped: too late"]),
        (phase(JobStatus.SKIPPED, others=4, reason=Reason.TOO_LATE), []),
        (phase(JobStatus.SKIPPED, {SKIPPED: 4}, reason=Reason.CANCELLED_BY_OPERATOR), ["0 sent", "4 skipped"]),
        (phase(JobStatus.FAILED, error="it broke"), ["failed"]),
    ],
)
def test_a_phase_says_what_became_of_its_messages(shown: PhaseCard, says: list[str]) -> None:
    assert lines(shown) == says


def test_promoters_are_told_why() -> None:
    assert lines(phase(JobStatus.FAILED, error="it broke"), with_reasons=True) == ["failed: it broke"]
    assert lines(phase(JobStatus.SENT, {SKIPPED: 3}), with_reasons=True) == ["0 sent", "3 skipped: quiet hours"]


@pytest.mark.parametrize(
    ("reasons", "says"),
    [
        ([ReasonCount(None, 3)], "3 skipped"),
        ([ReasonCount(QUIET, 3)], "3 skipped: quiet hours"),
        (
            [ReasonCount(QUIET, 2), ReasonCount(Explanation(Reason.ALREADY_IN_VOICE), 1)],
            "3 skipped: quiet hours (2), already in voice (1)",
        ),
        ([ReasonCount(QUIET, 2), ReasonCount(None, 1)], "3 skipped: quiet hours (2), no reason given (1)"),
    ],
)
def test_one_reason_needs_no_number_and_several_do(reasons: list[ReasonCount], says: str) -> None:
    assert card.outcome_text(OutcomeCount(SKIPPED, 3, reasons), with_reasons=True) == says
    assert card.outcome_text(OutcomeCount(SKIPPED, 3, reasons), with_reasons=False) == "3 skipped"


@pytest.mark.parametrize(
    ("shown", "state"),
    [
        (phase(JobStatus.SENT), "sent"),
        (phase(JobStatus.SENT, {SENT: 3, SKIPPED: 1}), "sent"),
        (phase(JobStatus.SENT, {SENT: 3, FAILED: 1}), "partial"),
        (phase(JobStatus.SENT, {SENT: 3, UNKNOWN: 1}), "partial"),
        (phase(JobStatus.RUNNING, {SENT: 3, FAILED: 1}), "running"),
        (phase(JobStatus.FAILED), "failed"),
        (phase(JobStatus.PENDING, {PENDING: 3}), "pending"),
        (phase(JobStatus.PENDING, {PENDING: 3}, is_refused=True), "running"),
        (phase(JobStatus.PENDING, error="no answer"), "running"),
    ],
)
def test_a_phase_is_partial_where_something_went_wrong_or_may_have(shown: PhaseCard, state: str) -> None:
    assert shown.state == state


@pytest.mark.parametrize(
    ("others", "says"),
    [
        (OtherCampaignCount(3, 4, is_told=True), ("Sent by an earlier campaign: 4", "/campaigns/3")),
        (OtherCampaignCount(9, 4, is_told=False), ("Left to a later campaign: 4", "/campaigns/9")),
        (OtherCampaignCount(None, 4, is_told=True), ("Sent by the earlier site: 4", "")),
    ],
)
def test_whom_another_campaign_told_is_said_with_its_page(others: OtherCampaignCount, says: tuple[str, str]) -> None:
    line = card.others_line(others, own_id=7, with_link=True)
    assert (line.text, line.href) == says
    assert card.others_line(others, own_id=7, with_link=False).href == ""


@pytest.mark.parametrize(
    ("found", "is_over", "says"),
    [
        (None, False, ""),
        (None, True, "Attendance unknown."),
        (Attendance(2, 4), False, "2 of 4 came to voice."),
        (Attendance(4, 4), False, "All 4 came to voice."),
        (Attendance(0, 0), False, ""),
        (Attendance(0, 0), True, ""),
        (Attendance(2, 4, "21:00"), False, "2 of 4 in voice at 21:00."),
        (Attendance(4, 4, "21:00"), False, "4 of 4 in voice at 21:00."),
        (Attendance(4, 4), True, "All 4 came to voice."),
    ],
)
def test_how_it_turned_out(found: Attendance | None, is_over: bool, says: str) -> None:
    assert card.turnout(found, is_over=is_over, is_called=True) == says


def test_a_cancelled_evening_turned_out_to_be_nothing() -> None:
    assert card.turnout(None, is_over=True, is_called=False) == ""


@pytest.mark.parametrize(
    ("status", "reason", "says"),
    [
        (SENT, None, "posted"),
        (PENDING, None, "on its way"),
        (DeliveryStatus.SENDING, None, "on its way"),
        (FAILED, Explanation(Reason.CRASHED, "it broke"), "failed: it broke"),
        (SKIPPED, None, "skipped"),
    ],
)
def test_what_became_of_the_summary(status: DeliveryStatus, reason: Explanation | None, says: str) -> None:
    summary = SummaryCard(status, reason, None)
    assert card.summary_text(summary, with_reasons=True) == says
    assert card.summary_text(summary, with_reasons=False) == says.partition(":")[0]


@pytest.mark.parametrize(
    ("possible", "failed", "unknown", "labels"),
    [
        (0, 0, 0, []),
        (1, 1, 0, ["Retry the failed message"]),
        (3, 3, 1, ["Retry 3 failed messages", "Resend the unknown message"]),
        (3, 43, 0, ["Retry 3 of 43 failed messages"]),
        (0, 43, 2, ["Resend 2 unknown messages"]),
    ],
)
def test_what_can_still_arrive_can_be_sent_again(possible: int, failed: int, unknown: int, labels: list[str]) -> None:
    chances = RetryChoices(dict.fromkeys(range(possible), rules.START), dict.fromkeys(range(unknown), rules.START))
    offered = list(card.retries(chances, failed))
    assert [retry.label for retry in offered] == labels
    assert [bool(retry.warning) for retry in offered] == [retry.unknown for retry in offered]


def test_where_only_the_summary_is_left_the_button_says_so() -> None:
    [offered] = card.retries(RetryChoices({7: rules.SUMMARY}), 43)
    assert offered.label == "Post the summary again"


@dataclass(frozen=True)
class Viewer:
    player_id: int | None = None
    is_linked: bool = False
    is_admin: bool = False
    can_promote: bool = False


def test_only_who_may_call_is_invited_to_an_evening_nobody_has_called() -> None:
    promoter = card.seen_by(Viewer(1, is_linked=True, can_promote=True), None, TODAY)
    assert (promoter.is_empty, promoter.invitation) == (False, "No game night called yet.")
    assert card.seen_by(Viewer(2, is_linked=True), None, TODAY).is_empty


@pytest.mark.parametrize(
    ("number", "asked", "sent"),
    [
        (1, "1 igralec bo obveščen", "1 poslano"),
        (2, "2 igralca bosta obveščena", "2 poslani"),
        (3, "3 igralci bodo obveščeni", "3 poslana"),
        (5, "5 igralcev bo obveščenih", "5 poslanih"),
    ],
)
def test_slovene_counts_in_four_forms(number: int, asked: str, sent: str) -> None:
    with speaking("sl"):
        assert AskedCounts(number, 0).text(is_open=True) == asked
        assert lines(phase(JobStatus.SENT, {SENT: number})) == [sent]


def test_one_reading_is_told_in_each_readers_language() -> None:
    skipped = phase(JobStatus.SENT, {SKIPPED: 3})
    assert lines(skipped, with_reasons=True) == ["0 sent", "3 skipped: quiet hours"]
    [risk] = find_risks(RiskFacts(late=1))
    assert risk.reason == "some messages are more than a minute late"
    silent = joined([later("was never seen"), later("its last day is in {days} days", days=3)]) or ""
    assert silent == "was never seen; its last day is in 3 days"
    with speaking("sl"):
        assert lines(skipped, with_reasons=True) == ["0 poslanih", "3 izpuščena: tihe ure"]
        assert risk.reason == "nekatera sporočila zamujajo več kot minuto"
        assert str(Explanation(Reason.ALREADY, "sent")) == "že poslano"
        assert spoken(silent) == "še nikoli videno; zadnji dan veljavnosti: čez 3 dni"
