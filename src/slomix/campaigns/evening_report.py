"""Reports on a campaign from the tables, with a verdict on each promise."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from slomix.accounts import service as accounts
from slomix.campaigns import queries, rules
from slomix.campaigns.models import Campaign
from slomix.campaigns.rules import PROMISES, Promise
from slomix.deliveries import service as deliveries
from slomix.deliveries.models import Attempt, Delivery
from slomix.deliveries.rules import LIVE_STATUSES, AttemptEvent, DeliveryStatus
from slomix.jobs.models import Job
from slomix.presence.game_names import plain_name
from slomix.reasons.codes import Explanation

AttemptsByDelivery = Mapping[int, Sequence[Attempt]]


def build_report(session: Session, campaign: Campaign) -> dict[str, Any]:
    """Return campaign, jobs, ledger with attempts, and verdict, as plain values with ids as strings."""
    so_far = queries.read_progress(session, campaign)
    own = so_far.jobs
    rows = deliveries.deliveries_about(session, campaign.subject)
    tries = deliveries.attempts_of(session, [row.id for row in rows])
    players = [row.player_id for row in rows if row.player_id is not None]
    names = accounts.player_names(session, [campaign.promoter_id, *players])
    asked = queries.asked_counts(session, campaign)
    return {
        "campaign": {
            "id": str(campaign.id),
            "day": campaign.day.isoformat(),
            "status": so_far.status.value,
            "start_at": campaign.start_at.isoformat(),
            "called_at": campaign.created_at.isoformat(),
            "called_by": plain_name(names[campaign.promoter_id]),
            "recipients": asked.recipients,
            "told": asked.told,
            "came": campaign.came,
            "of": campaign.counted,
            "counted_for_good": campaign.counted_at is not None,
            "dry_run": campaign.dry_run,
            "ledger_kept": campaign.ledger_pruned_at is None,
        },
        "jobs": [
            {
                "kind": job.kind,
                "status": job.status.value,
                "run_at": job.run_at.isoformat(),
                "attempts": job.attempts,
                "note": str(job.reason or job.last_error or ""),
            }
            for job in own
        ],
        "ledger": [
            {
                "id": str(row.id),
                "event_key": row.event_key,
                "to": plain_name(names[row.player_id]) if row.player_id is not None else f"room {row.destination}",
                "channel": row.channel.value,
                "fell_back_to": row.fell_back_to,
                "status": row.status.value,
                "reason": _text(row.reason),
                "message_id": row.message_id,
                "deadline_at": row.deadline_at.isoformat() if row.deadline_at else None,
                "settled_at": row.settled_at.isoformat() if row.settled_at else None,
                "tries": sum(attempt.event is AttemptEvent.BEGUN for attempt in tries.get(row.id, [])),
                "attempts": [
                    {
                        "claim": attempt.claim,
                        "event": attempt.event.value,
                        "status": attempt.status.value,
                        "error": _text(attempt.error),
                        "at": attempt.at.isoformat(),
                    }
                    for attempt in tries.get(row.id, [])
                ],
            }
            for row in rows
        ],
        "verdict": [
            {"code": promise.value, "promise": PROMISES[promise], "kept": kept}
            for promise, kept in _verdict(session, campaign, own, rows, tries).items()
        ],
    }


def _text(explanation: Explanation | None) -> str | None:
    return str(explanation) if explanation is not None else None


def _verdict(
    session: Session, campaign: Campaign, own: list[Job], rows: list[Delivery], tries: AttemptsByDelivery
) -> dict[Promise, bool]:
    claims = _claims(session, rows)
    return {
        Promise.ONE_JOB_EACH: campaign.dry_run or Counter(job.kind for job in own) == Counter(rules.JOB_KINDS),
        Promise.ONE_LIVE_ROW: _no_two_alive(session, rows),
        Promise.NOT_AFTER_SENT: all(_ends_with_the_sent(tries.get(row.id, [])) for row in rows),
        Promise.NOT_AFTER_DEADLINE: all(
            row.deadline_at is None or attempt.at < row.deadline_at
            for row in rows
            for attempt in tries.get(row.id, [])
            if attempt.event is AttemptEvent.BEGUN
        ),
        Promise.REASON_GIVEN: all(
            row.reason for row in rows if row.status.is_settled and row.status is not DeliveryStatus.SENT
        ),
        Promise.ONE_SUMMARY: sum(1 for row in rows if row.notice == rules.SUMMARY) <= 1,
        Promise.UNKNOWN_UNANSWERED: all(
            _has_an_open_question(tries.get(row.id, [])) for row in rows if row.status is DeliveryStatus.UNKNOWN
        ),
        Promise.TRIES_END: all(_is_paired(row, tries.get(row.id, []), claims.get(row.id, 0)) for row in rows),
    }


def _claims(session: Session, rows: Sequence[Delivery]) -> dict[int, int]:
    """Return how often the job of each delivery was claimed."""
    subjects = [str(row.id) for row in rows]
    query = select(Job.subject, Job.claims).where(Job.kind == deliveries.JOB_KIND, Job.subject.in_(subjects))
    return {int(subject): claims for subject, claims in session.execute(query)}


def _no_two_alive(session: Session, rows: Sequence[Delivery]) -> bool:
    """Return whether no event has two live rows for a recipient, of whichever campaign."""
    keys = {row.event_key for row in rows}
    people = (Delivery.player_id, Delivery.destination, Delivery.event_key)
    alive = select(*people).where(Delivery.event_key.in_(keys), Delivery.status.in_(LIVE_STATUSES)).group_by(*people)
    return session.execute(alive.having(func.count() > 1)).first() is None


def _ends_with_the_sent(attempts: Sequence[Attempt]) -> bool:
    """Return whether the attempts end with the sent one, if there is one."""
    sent = [number for number, attempt in enumerate(attempts) if attempt.status is DeliveryStatus.SENT]
    return not sent or sent == [len(attempts) - 1]


def _has_an_open_question(attempts: Sequence[Attempt]) -> bool:
    """Return whether a try was sent and its answer was not seen."""
    ended = _claims_of(attempts, AttemptEvent.ENDED)
    unanswered = {DeliveryStatus.SENDING, DeliveryStatus.UNKNOWN}
    return any(
        attempt.status in unanswered if attempt.event is AttemptEvent.ENDED else attempt.claim not in ended
        for attempt in attempts
        if attempt.event is not AttemptEvent.ASKED
    )


def _is_paired(row: Delivery, attempts: Sequence[Attempt], claims: int) -> bool:
    """Return whether every try that began has ended, was followed by another claim, or is still open or unknown."""
    begun, ended = _claims_of(attempts, AttemptEvent.BEGUN), _claims_of(attempts, AttemptEvent.ENDED)
    may_lack = not row.status.is_settled or row.status is DeliveryStatus.UNKNOWN
    return ended <= begun and all(may_lack or claim < claims for claim in begun - ended)


def _claims_of(attempts: Sequence[Attempt], event: AttemptEvent) -> set[int]:
    return {attempt.claim for attempt in attempts if attempt.event is event}
