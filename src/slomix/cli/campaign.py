"""`slomix campaign`: how an evening went, with the evidence."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import click

from slomix.campaigns import evening_report, history, queries
from slomix.campaigns.history import PastCampaign
from slomix.cli import signoff
from slomix.cli.connect import open_transaction
from slomix.presence.game_names import plain_name

LATEST = 20


@click.group()
def campaign() -> None:
    """Show campaigns and how they went."""


@campaign.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(as_json: bool) -> None:
    """List the latest campaigns, newest first, and how many came to voice."""
    with open_transaction() as (session, settings, _):
        signoff.make_read_only(session)
        nights = history.past_campaigns(session, settings.zone, dry_runs=True)[0][:LATEST]
    if as_json:
        click.echo(json.dumps([_as_plain(night) for night in nights], indent=2))
    elif nights:
        click.echo(f"Times are those of {settings.zone.key}.")
        for night in nights:
            click.echo(_line(night, settings.zone))
    else:
        click.echo("No campaign yet.")


def _as_plain(night: PastCampaign) -> dict[str, Any]:
    return {
        "id": str(night.id),
        "day": night.day.isoformat(),
        "start_at": night.start_at.isoformat(),
        "called_by": plain_name(night.promoter),
        "status": night.status.value,
        "dry_run": night.is_dry_run,
        "recipients": night.asked.recipients,
        "came": night.turnout.here if night.turnout else None,
        "of": night.turnout.asked if night.turnout else None,
    }


def _line(night: PastCampaign, zone: ZoneInfo) -> str:
    came = night.turnout.text if night.turnout else ""
    asked = "dry run" if night.is_dry_run else night.asked_text
    start = f"{night.start_at.astimezone(zone):%H:%M}"
    promoter = plain_name(night.promoter)
    return f"{night.id:>5}  {night.day}  {start}  {night.status:13}  {asked:27}  {came:27}  {promoter}".rstrip()


@campaign.command()
@click.argument("campaign_id", type=int)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(campaign_id: int, as_json: bool) -> None:
    """Show a campaign with jobs, ledger and attempts, whether promises were kept, and the ten sign-off steps.

    Reads only. Exit status 1 when a promise was broken, whatever the system is like at this moment.
    """
    with open_transaction() as (session, settings, _):
        signoff.make_read_only(session)
        found = queries.get_campaign(session, campaign_id)
        shown = evening_report.build_report(session, found)
        shown["steps"] = [asdict(step) for step in signoff.run_all_checks(session, found, shown, settings)]
    click.echo(json.dumps(shown, indent=2) if as_json else _as_text(shown, settings.zone))
    if not all(verdict["kept"] for verdict in shown["verdict"]) or any(
        step["is_so"] is False for step in shown["steps"][signoff.OF_THE_SYSTEM :]
    ):
        raise SystemExit(1)


def _as_text(shown: dict[str, Any], zone: ZoneInfo) -> str:
    about = shown["campaign"]
    how = "came to voice" if about["counted_for_good"] else "in voice at the voice check"
    came = "" if about["came"] is None else f", {about['came']} of {about['of']} {how}"
    kind = "Dry run" if about["dry_run"] else "Campaign"
    lines = [
        f"{kind} {about['id']} for {about['day']}, start {_local(about['start_at'], zone)}: {about['status']}",
        f"called by {about['called_by']} at {_local(about['called_at'], zone)}, {about['told']} asked{came}",
        f"Times are those of {zone.key}.",
        "",
        "jobs",
    ]
    for job in shown["jobs"]:
        what = f"  {job['kind']:20} {job['status']:8} {_local(job['run_at'], zone)}  attempts {job['attempts']}"
        lines.append(f"{what}  {job['note']}".rstrip())
    lines += ["", "ledger" if about["ledger_kept"] else "ledger: not kept any more (SLOMIX_RETENTION_DAYS)"]
    for row, line in zip(shown["ledger"], ledger_lines(shown["ledger"]), strict=True):
        lines.append(line)
        lines += [f"    {_local(half['at'], zone)}  {_half(half)}" for half in row["attempts"]]
    lines += ["", "verdict"]
    lines += [f"  {'kept  ' if verdict['kept'] else 'BROKEN'} {verdict['promise']}" for verdict in shown["verdict"]]
    lines += ["", "sign-off", *step_lines(shown["steps"])]
    return "\n".join(lines)


def step_lines(steps: list[dict[str, Any]]) -> list[str]:
    """Format the ten steps, a line each."""
    marks = {True: "yes", False: "NO ", None: "?  "}
    return [
        f"  {number:>2}  {marks[step['is_so']]}  {step['title']}: {step['seen']}"
        for number, step in enumerate(steps, start=1)
    ]


def _half(half: dict[str, Any]) -> str:
    """Describe the beginning or the end of an attempt."""
    came_to = "" if half["event"] == "begun" else f": {half['status']}"
    return f"try {half['claim']} {half['event']}{came_to}{', ' + half['error'] if half['error'] else ''}"


def _local(moment: str, zone: ZoneInfo) -> str:
    return f"{datetime.fromisoformat(moment).astimezone(zone):%H:%M:%S}"


def ledger_lines(ledger: list[dict[str, Any]]) -> list[str]:
    """Format the ledger, a line each."""
    return [
        f"  {row['event_key']:27} {row['to']:24} {row['channel']:8} {row['status']:8} tries {row['tries']}"
        f"  {'; then on '.join(filter(None, (row['reason'], row['fell_back_to'])))}".rstrip()
        for row in ledger
    ]
