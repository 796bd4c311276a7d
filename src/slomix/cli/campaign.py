"""`slomix campaign`: what became of an evening, with the evidence."""

import json
from typing import Any

import click

from slomix.campaigns import evidence, queries
from slomix.cli.connect import open_database
from slomix.errors import NotFound


@click.group()
def campaign() -> None:
    """Campaigns and what became of them."""


@campaign.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(as_json: bool) -> None:
    """The latest campaigns."""
    database, _ = open_database()
    with database.transaction() as session:
        rows = [
            {
                "id": str(one.id),
                "day": one.day.isoformat(),
                "status": queries.progress(session, one).status.value,
                "dry_run": one.dry_run,
                "recipients": queries.recipient_count(session, one),
            }
            for one in queries.recent(session)
        ]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows or [{}]:
        click.echo("  ".join(str(value) for value in row.values()) or "No campaign yet.")


@campaign.command()
@click.argument("campaign_id", type=int)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(campaign_id: int, as_json: bool) -> None:
    """Campaign, jobs, ledger, attempts, and whether the promises were kept."""
    database, _ = open_database()
    try:
        with database.transaction() as session:
            shown = evidence.gather(session, queries.get(session, campaign_id))
    except NotFound as error:
        raise click.ClickException(str(error)) from None
    click.echo(json.dumps(shown, indent=2) if as_json else _as_text(shown))
    if not all(verdict["kept"] for verdict in shown["verdict"]):
        raise SystemExit(1)


def _as_text(shown: dict[str, Any]) -> str:
    lines = ["  ".join(f"{name} {value}" for name, value in shown["campaign"].items()), "", "jobs"]
    lines += [f"  {one['kind']:20} {one['status']:8} {one['run_at']}  {one['note']}" for one in shown["jobs"]]
    lines += ["", "ledger"]
    lines += ledger_lines(shown["ledger"])
    lines += ["", "verdict"]
    lines += [f"  {'kept  ' if one['kept'] else 'BROKEN'} {one['promise']}" for one in shown["verdict"]]
    return "\n".join(lines)


def ledger_lines(ledger: list[dict[str, Any]]) -> list[str]:
    """The ledger, a line each."""
    return [
        f"  {row['event_key']:27} {row['to']:24} {row['channel']:8} {row['status']:8} tries {row['tries']}"
        f"  {'; then on '.join(filter(None, (row['reason'], row['fell_back_to'])))}".rstrip()
        for row in ledger
    ]
