"""What has to be seen of a campaign before anybody signs that the evening went as promised."""

from collections import Counter
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from slomix import words
from slomix.campaigns import queries, rules
from slomix.campaigns.models import Campaign, Recipient
from slomix.campaigns.rules import Promise
from slomix.contacts.models import StoredPreferences
from slomix.contacts.rules import QuietHours
from slomix.deliveries import service as deliveries
from slomix.deliveries.models import Delivery
from slomix.deliveries.rules import DeliveryStatus
from slomix.reasons.codes import Explanation, Reason


@dataclass(frozen=True)
class AcceptanceCheck:
    """One thing to look at: whether it is so (None where nobody can say, or not yet), and what was seen."""

    title: str
    is_so: bool | None
    seen: str


def run_checks(session: Session, campaign: Campaign, report: dict[str, Any]) -> list[AcceptanceCheck]:
    """The steps that the tables tell, in their order; `report` is what `evidence.gather` found."""
    rows = [row for row in deliveries.deliveries_about(session, campaign.subject) if row.fell_back_to is None]
    people = {one.player_id: one for one in queries.recipients_of(session, campaign)}
    kept = {Promise(one["code"]): one["kept"] for one in report["verdict"]}
    return [
        _called(report),
        _recorded(report),
        AcceptanceCheck(
            words.PROMISES[Promise.ONE_JOB_EACH],
            kept[Promise.ONE_JOB_EACH],
            ", ".join(f"{job['kind']} {job['status']}" for job in report["jobs"]) or "none",
        ),
        _never_twice(report, kept),
        _followed_up(session, campaign, rows, people),
        _server_note(campaign, rows, people),
    ]


def _called(report: dict[str, Any]) -> AcceptanceCheck:
    one = report["campaign"]
    kind = "dry run" if one["dry_run"] else "campaign"
    seen = f"{kind} {one['id']} for {one['day']}, by {one['called_by']}, {one['recipients']} asked: {one['status']}"
    return AcceptanceCheck("the evening was called together", True, seen)


def _recorded(report: dict[str, Any]) -> AcceptanceCheck:
    halves = sum(len(row["attempts"]) for row in report["ledger"])
    tries = sum(row["tries"] for row in report["ledger"])
    seen = f"{len(report['jobs'])} jobs, {len(report['ledger'])} rows of the ledger, {tries} tries in {halves} entries"
    if not report["campaign"]["ledger_kept"]:
        return AcceptanceCheck("jobs, ledger and attempts are on record", None, "the ledger is not kept any more")
    return AcceptanceCheck("jobs, ledger and attempts are on record", bool(report["jobs"]), seen)


def _never_twice(report: dict[str, Any], kept: dict[Promise, bool]) -> AcceptanceCheck:
    """On a rerun or a restart too: whatever was tried again had not been sent."""
    rows = Counter((row["to"], row["event_key"], row["channel"]) for row in report["ledger"])
    again = sum(1 for row in report["ledger"] if row["tries"] > 1)
    is_so = all(number == 1 for number in rows.values()) and kept[Promise.ONE_LIVE_ROW] and kept[Promise.NOT_AFTER_SENT]
    seen = f"{len(rows)} rows for {len(rows)} times somebody, an event and a channel; {again} tried more than once"
    return AcceptanceCheck("nobody was told anything twice", is_so, seen)


def _followed_up(
    session: Session, campaign: Campaign, rows: list[Delivery], people: dict[int, Recipient]
) -> AcceptanceCheck:
    title = "follow-ups only to who was missing, not in quiet hours, and a summary"
    if campaign.judged_at is None:
        return AcceptanceCheck(title, None, "nobody has looked who is in voice")
    asked = [row for row in rows if row.notice == rules.VOICE_CHECK and row.player_id is not None]
    found = {row.player_id: people[row.player_id].whereabouts for row in asked if row.player_id in people}
    in_voice = [one for one in found.values() if one is not None and one.is_in_voice]
    sent = [row for row in asked if row.status is DeliveryStatus.SENT]
    quiet = sum(1 for row in asked if row.reason == Explanation(Reason.QUIET_HOURS))
    summaries = [row.status.value for row in rows if row.notice == rules.SUMMARY]
    missing = sum(1 for one in people.values() if one.whereabouts is not None and not one.whereabouts.is_in_voice)
    is_so = not in_voice and not _sent_in_quiet_hours(session, sent) and len(summaries) <= 1
    seen = (
        f"{missing} not in voice, {len(sent)} followed up, {quiet} left alone in quiet hours,"
        f" {len(in_voice)} called from voice; summary {summaries[0] if summaries else 'nowhere to post'}"
    )
    return AcceptanceCheck(title, is_so, seen)


def _sent_in_quiet_hours(session: Session, sent: list[Delivery]) -> list[int]:
    """Who was told something in hours that they had called quiet before."""
    when = {row.player_id: row.settled_at for row in sent if row.player_id is not None and row.settled_at is not None}
    query = select(StoredPreferences).where(
        StoredPreferences.player_id.in_(when), StoredPreferences.quiet_start.is_not(None)
    )
    return [
        one.player_id
        for one in session.scalars(query)
        if one.quiet_start is not None
        and one.quiet_end is not None
        and one.updated_at < when[one.player_id]
        and QuietHours(one.quiet_start, one.quiet_end).apply_at(when[one.player_id], ZoneInfo(one.timezone))
    ]


def _server_note(campaign: Campaign, rows: list[Delivery], people: dict[int, Recipient]) -> AcceptanceCheck:
    title = "the game server is mentioned only to who is on it and not in voice"
    if campaign.judged_at is None:
        return AcceptanceCheck(title, None, "nobody has looked who is in voice")
    told = [row for row in rows if row.notice == rules.VOICE_CHECK and row.player_id in people and row.text]
    noted = {row.player_id for row in told if (row.text or "").startswith(words.NOT_IN_VOICE_YET)}
    on_server = {one.player_id for one in people.values() if one.on_server}
    summary = next((row.text or "" for row in rows if row.notice == rules.SUMMARY), "")
    says_so = words.ON_SERVER.partition("{")[0] in summary
    is_so = noted <= on_server and {row.player_id for row in told} & on_server <= noted and (on_server or not says_so)
    was_asked = any(one.on_server is not None for one in people.values())
    seen = f"{len(on_server)} on it and not in voice, {len(noted)} of {len(told)} follow-ups say so"
    return AcceptanceCheck(title, bool(is_so), seen if was_asked else "nobody knew who was on it, and nobody was told")
