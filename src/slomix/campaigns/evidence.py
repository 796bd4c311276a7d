"""What became of one campaign, from the tables, with a verdict on each promise."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from slomix.accounts import service as accounts
from slomix.accounts.rules import plain_name
from slomix.campaigns import queries, rules
from slomix.campaigns.models import Campaign
from slomix.deliveries import service as deliveries
from slomix.deliveries.models import Attempt, Delivery
from slomix.deliveries.rules import AttemptEvent, DeliveryStatus
from slomix.jobs.models import Job

Tries = Mapping[int, Sequence[Attempt]]


def gather(session: Session, campaign: Campaign) -> dict[str, Any]:
    """Campaign, jobs, ledger with attempts, verdict; plain values, ids as strings."""
    so_far = queries.progress(session, campaign)
    own = so_far.jobs
    rows = deliveries.ledger(session, campaign.subject)
    tries = deliveries.attempts(session, [row.id for row in rows])
    names = accounts.names(session, [row.player_id for row in rows if row.player_id is not None])
    return {
        "campaign": {
            "id": str(campaign.id),
            "day": campaign.day.isoformat(),
            "status": so_far.status.value,
            "start_at": campaign.start_at.isoformat(),
            "recipients": queries.recipient_count(session, campaign),
        },
        "jobs": [
            {
                "kind": job.kind,
                "status": job.status.value,
                "run_at": job.run_at.isoformat(),
                "attempts": job.attempts,
                "note": job.reason or job.last_error or "",
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
                "reason": row.reason,
                "message_id": row.message_id,
                "tries": sum(1 for one in tries.get(row.id, []) if one.event is AttemptEvent.BEGUN),
                "attempts": [
                    {"claim": one.claim, "event": one.event.value, "status": one.status.value, "error": one.error}
                    for one in tries.get(row.id, [])
                ],
            }
            for row in rows
        ],
        "verdict": [
            {"promise": promise, "kept": kept} for promise, kept in _verdict(campaign, own, rows, tries).items()
        ],
    }


def _verdict(campaign: Campaign, own: list[Job], rows: list[Delivery], tries: Tries) -> dict[str, bool]:
    kinds = Counter(job.kind for job in own)
    sent = [row for row in rows if row.status is DeliveryStatus.SENT]
    return {
        "exactly one job of each type": campaign.dry_run or kinds == Counter(rules.JOB_KINDS),
        "nothing was tried again after it was sent": all(_ends_with_the_sent(tries.get(row.id, [])) for row in rows),
        "what was not sent has its reason": all(
            row.reason for row in rows if row.status.is_settled and row.status is not DeliveryStatus.SENT
        ),
        "at most one summary": sum(1 for row in rows if row.notice == rules.SUMMARY) <= 1,
        "nothing left after its deadline": all(
            row.deadline_at is None or one.at < row.deadline_at
            for row in sent
            for one in tries.get(row.id, [])
            if one.event is AttemptEvent.BEGUN
        ),
    }


def _ends_with_the_sent(attempts: Sequence[Attempt]) -> bool:
    """Whether the try that was sent is the last thing that happened."""
    sent = [number for number, one in enumerate(attempts) if one.status is DeliveryStatus.SENT]
    return not sent or sent == [len(attempts) - 1]
