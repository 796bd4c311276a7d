"""Decides what to import of days: statuses, messages already sent, campaigns."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from slomix.availability import rules as availability
from slomix.availability.rules import HORIZON, Status
from slomix.campaigns import rules as campaigns
from slomix.contacts.rules import ChannelName
from slomix.legacy_import.people import PeopleToImport
from slomix.legacy_import.report import ImportOutcome, ImportReport, RowKind
from slomix.legacy_import.source import SourceRow, SourceSnapshot

_EVENT = re.compile(
    r"(?P<name>PROMOTE:(?:T-15|T0|FOLLOWUP)|DAILY_REMINDER|SESSION_READY):(?P<day>\d{4}-\d\d-\d\d)(?::threshold=\d+)?"
)
# The notice of ours with the same event key.
SESSION_READY = "session_ready"
_NOTICES = {
    "PROMOTE:T-15": campaigns.REMINDER,
    "PROMOTE:T0": campaigns.START,
    "PROMOTE:FOLLOWUP": campaigns.VOICE_CHECK,
    "DAILY_REMINDER": "daily_reminder",
    "SESSION_READY": SESSION_READY,
}
# The states of campaigns that have nothing left to do.
_OVER = {"sent", "followup_sent", "partial", "failed", "cancelled"}


@dataclass(frozen=True)
class ImportedStatus:
    """A player's status for a day there; `since` is None if unknown."""

    discord_id: str
    day: date
    status: Status
    since: datetime | None


def decide_statuses(
    snapshot: SourceSnapshot,
    movers: PeopleToImport,
    linked_here: Collection[tuple[str, date]],
    *,
    today: date,
    now: datetime,
    report: ImportReport,
) -> list[ImportedStatus]:
    """Return the statuses to import, past ones too, as history. `linked_here` are guids with the days set here."""
    kept: list[ImportedStatus] = []
    for row in snapshot["availability_entries"]:
        person = movers.people.get(row["user_id"])
        who = person.label if person is not None else movers.describe(row["user_id"])
        what = f"{row['entry_date'] or 'some day'} {row['status']}"
        status = next((known_status for known_status in Status if known_status.value == row["status"]), None)
        outcome, reason = ImportOutcome.LEFT, ""
        if person is None:
            reason = "not a person who moves in now"
        elif row["entry_date"] is None:
            reason = "no day that can be shown"
        elif status is None:
            reason = "no status of ours"
        elif row["entry_date"] - today > HORIZON:
            reason = f"more than {HORIZON.days} days ahead"
        elif (person.guid, row["entry_date"]) in linked_here:
            outcome, reason = ImportOutcome.HERE, "a status for that day is here"
        else:
            outcome = ImportOutcome.TAKEN
            since = min(row["updated_at"], now) if row["updated_at"] else None
            kept.append(ImportedStatus(person.discord_id, row["entry_date"], status, since))
        report.add(RowKind.STATUSES, outcome, reason, who=who, what=what)
    return kept


@dataclass(frozen=True)
class SentNotice:
    """A message of the earlier site to a player or a room, about an event that is not over."""

    event_key: str
    notice: str
    channel: ChannelName
    message_id: str
    at: datetime | None
    guid: str | None = None
    room: str | None = None


def decide_messages(
    snapshot: SourceSnapshot,
    movers: PeopleToImport,
    players: Mapping[str, str],
    known: Collection[tuple[str | None, str]],
    *,
    today: date,
    now: datetime,
    report: ImportReport,
) -> list[SentNotice]:
    """Return the messages of today or later, once per player and event, so that they aren't sent again.

    `players` are guids by Discord id; `known` is what our ledger has sent, or may have sent.
    """
    kept: list[SentNotice] = []
    seen = set(known)
    for row in snapshot["notifications_ledger"]:
        found = _read_message(row, players, today=today, now=now)
        outcome, reason = ImportOutcome.TAKEN, ""
        if isinstance(found, str):
            outcome, reason = ImportOutcome.LEFT, found
        elif (found.guid, found.event_key) in seen:
            outcome, reason = ImportOutcome.HERE, "the ledger here knows it, or another way"
        else:
            seen.add((found.guid, found.event_key))
            kept.append(found)
        who = movers.describe(row["user_id"])
        report.add(RowKind.MESSAGES, outcome, reason, who=who, what=row["event_key"] or "")
    return kept


def _read_message(row: SourceRow, players: Mapping[str, str], *, today: date, now: datetime) -> SentNotice | str:
    """Return the message, or the reason why it doesn't matter."""
    found = _EVENT.fullmatch(row["event_key"] or "")
    day = _day(found["day"]) if found else None
    channel = next((name for name in ChannelName if name == (row["channel_type"] or "").strip().lower()), None)
    to = row["user_id"] or ""
    if found is None or day is None:
        return "no message of ours"
    if day < today:
        return "for a day that is over"
    if not (row["message_id"] or "").strip():
        return "not known to have arrived"
    if channel is None:
        return "no channel of ours"
    notice, is_room = _NOTICES[found["name"]], to.startswith("-")
    if is_room and (notice != SESSION_READY or channel is not ChannelName.DISCORD):
        return "to a room that ours writes its own to"
    if not is_room and to not in players:
        return "not to a player here"
    at = min(row["sent_at"], now) if row["sent_at"] else None
    guid, room = (None, to.removeprefix("-")) if is_room else (players[to], None)
    return SentNotice(found[0], notice, channel, row["message_id"].strip(), at, guid, room)


def _day(text: str) -> date | None:
    try:
        return availability.parse_day(text)
    except availability.NoSuchDay:
        return None


def report_campaigns(snapshot: SourceSnapshot, *, today: date, report: ImportReport) -> None:
    """Report the campaigns, which stay there; warn of those that may still send."""
    jobs: dict[str, list[str]] = defaultdict(list)
    for row in snapshot["availability_promotion_jobs"]:
        jobs[row["campaign_id"]].append(f"{row['job_type']} {row['status']}")
    log: dict[str, Counter[str]] = defaultdict(Counter)
    for row in snapshot["availability_promotion_send_logs"]:
        log[row["campaign_id"]][row["status"] or ""] += 1
    may_send = 0
    for row in snapshot["availability_promotion_campaigns"]:
        day, status = row["campaign_date"], row["status"]
        open_jobs = any(job.endswith((" pending", " running")) for job in jobs[row["id"]])
        may_send += day is not None and day >= today and (status not in _OVER or open_jobs)
        parts = [f"{day or 'some day'}: {'dry run, ' if row['dry_run'] else ''}{status}"]
        parts += [f"{row['recipient_count']} asked"] if row["recipient_count"] is not None else []
        parts += sorted(jobs[row["id"]])
        parts += [f"{number} tries {came_to}" for came_to, number in sorted(log[row["id"]].items())]
        report.add(
            RowKind.CAMPAIGNS,
            ImportOutcome.LEFT,
            (
                "written before its messages were known to have arrived; ours is counted from the "
                "ledger, and would claim too much"
            ),
            what=", ".join(parts),
        )
    if may_send:
        number = f"{may_send} campaign{'s' if may_send > 1 else ''}"
        report.warnings.append(
            f"The earlier site has {number} from today on that may still send. Stop its bot "
            "before an evening is called together here, or people hear of it twice."
        )


def report_rights(snapshot: SourceSnapshot, report: ImportReport) -> None:
    """Report the roles, which admins of this site grant anew."""
    for row in snapshot["user_permissions"]:
        report.add(RowKind.RIGHTS, ImportOutcome.LEFT, "given anew: slomix roles grant", what=row["tier"] or "")
