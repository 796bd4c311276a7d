"""Runs the checks that an operator signs off after an evening."""

from collections import Counter
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from slomix.campaigns import queries, rules
from slomix.campaigns.models import Campaign, Recipient
from slomix.campaigns.rules import PROMISES, Promise
from slomix.contacts.models import StoredPreferences
from slomix.contacts.rules import QuietHours
from slomix.deliveries import service as deliveries
from slomix.deliveries.models import Delivery
from slomix.deliveries.rules import DeliveryStatus
from slomix.i18n import _, in_all_languages
from slomix.reasons.codes import Explanation, Reason


@dataclass(frozen=True)
class AcceptanceCheck:
    """One check: whether it holds (None if that is not known, or not yet), and what was seen."""

    title: str
    is_so: bool | None
    seen: str


def run_checks(session: Session, campaign: Campaign, report: dict[str, Any]) -> list[AcceptanceCheck]:
    """Return the checks that the tables can answer, in their order; `report` comes from `build_report`."""
    rows = [row for row in deliveries.deliveries_about(session, campaign.subject) if row.fell_back_to is None]
    people = {recipient.player_id: recipient for recipient in queries.recipients_of(session, campaign)}
    kept = {Promise(promise["code"]): promise["kept"] for promise in report["verdict"]}
    return [
        _called(report),
        _recorded(report),
        AcceptanceCheck(
            PROMISES[Promise.ONE_JOB_EACH],
            kept[Promise.ONE_JOB_EACH],
            ", ".join(f"{job['kind']} {job['status']}" for job in report["jobs"]) or "none",
        ),
        _never_twice(report, kept),
        _followed_up(session, campaign, rows, people),
        _server_note(campaign, rows, people),
    ]


def _called(report: dict[str, Any]) -> AcceptanceCheck:
    facts = report["campaign"]
    kind = "dry run" if facts["dry_run"] else "campaign"
    called = f"{kind} {facts['id']} for {facts['day']}, by {facts['called_by']}"
    seen = f"{called}, {facts['told']} asked: {facts['status']}"
    return AcceptanceCheck("the evening was called together", True, seen)


def _recorded(report: dict[str, Any]) -> AcceptanceCheck:
    halves = sum(len(row["attempts"]) for row in report["ledger"])
    tries = sum(row["tries"] for row in report["ledger"])
    seen = f"{len(report['jobs'])} jobs, {len(report['ledger'])} rows of the ledger, {tries} tries in {halves} entries"
    if not report["campaign"]["ledger_kept"]:
        return AcceptanceCheck("jobs, ledger and attempts are on record", None, "the ledger is not kept any more")
    return AcceptanceCheck("jobs, ledger and attempts are on record", bool(report["jobs"]), seen)


def _never_twice(report: dict[str, Any], kept: dict[Promise, bool]) -> AcceptanceCheck:
    """Check that only deliveries that had not been sent were tried again, even after a restart."""
    rows = Counter((row["to"], row["event_key"], row["channel"]) for row in report["ledger"])
    again = sum(1 for row in report["ledger"] if row["tries"] > 1)
    is_so = all(number == 1 for number in rows.values()) and kept[Promise.ONE_LIVE_ROW] and kept[Promise.NOT_AFTER_SENT]
    seen = f"{len(rows)} rows for {len(rows)} times a person, an event and a channel; {again} tried more than once"
    return AcceptanceCheck("nobody was told anything twice", is_so, seen)


def _followed_up(
    session: Session, campaign: Campaign, rows: list[Delivery], people: dict[int, Recipient]
) -> AcceptanceCheck:
    title = "follow-ups only to who was missing, not in quiet hours, and a summary"
    if campaign.judged_at is None:
        return AcceptanceCheck(title, None, "the voice check has not looked")
    asked = [row for row in rows if row.notice == rules.VOICE_CHECK and row.player_id is not None]
    found = {row.player_id: people[row.player_id].whereabouts for row in asked if row.player_id in people}
    in_voice = [where for where in found.values() if where is not None and where.is_in_voice]
    sent = [row for row in asked if row.status is DeliveryStatus.SENT]
    quiet = sum(1 for row in asked if row.reason == Explanation(Reason.QUIET_HOURS))
    summaries = [row.status.value for row in rows if row.notice == rules.SUMMARY]
    whereabouts = [recipient.whereabouts for recipient in people.values()]
    missing = sum(where is not None and not where.is_in_voice for where in whereabouts)
    is_so = not in_voice and not _sent_in_quiet_hours(session, sent) and len(summaries) <= 1
    seen = (
        f"{missing} not in voice, {len(sent)} followed up, {quiet} left alone in quiet hours,"
        f" {len(in_voice)} called from voice; summary {summaries[0] if summaries else 'nowhere to post'}"
    )
    return AcceptanceCheck(title, is_so, seen)


def _sent_in_quiet_hours(session: Session, sent: list[Delivery]) -> list[int]:
    """Return the players who were told something in quiet hours that they had set before."""
    when = {row.player_id: row.settled_at for row in sent if row.player_id is not None and row.settled_at is not None}
    query = select(StoredPreferences).where(
        StoredPreferences.player_id.in_(when), StoredPreferences.quiet_start.is_not(None)
    )
    return [
        row.player_id
        for row in session.scalars(query)
        if row.quiet_start is not None
        and row.quiet_end is not None
        and row.updated_at < when[row.player_id]
        and QuietHours(row.quiet_start, row.quiet_end).apply_at(when[row.player_id], ZoneInfo(row.timezone))
    ]


def _server_note(campaign: Campaign, rows: list[Delivery], people: dict[int, Recipient]) -> AcceptanceCheck:
    title = "the game server is mentioned only to who is on it and not in voice"
    if campaign.judged_at is None:
        return AcceptanceCheck(title, None, "the voice check has not looked")
    told = [row for row in rows if row.notice == rules.VOICE_CHECK and row.player_id in people and row.text]
    openings = tuple(
        in_all_languages(lambda: _("We are starting. We see you on the server, not in voice: will you join us there?"))
    )
    noted = {row.player_id for row in told if (row.text or "").startswith(openings)}
    on_server = {player_id for player_id, recipient in people.items() if recipient.on_server}
    summary = next((row.text or "" for row in rows if row.notice == rules.SUMMARY), "")
    lines = in_all_languages(lambda: _("On the server, not in voice: {players}"))
    says_so = any(line.partition("{")[0] in summary for line in lines)
    is_so = noted <= on_server and {row.player_id for row in told} & on_server <= noted and (on_server or not says_so)
    was_asked = any(recipient.on_server is not None for recipient in people.values())
    seen = f"{len(on_server)} on it and not in voice, {len(noted)} of {len(told)} follow-ups say so"
    return AcceptanceCheck(
        title, bool(is_so), seen if was_asked else "who was on it was unknown, so no follow-up said so"
    )
