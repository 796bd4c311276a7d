"""`slomix import-predecessor`: moves people in from the earlier site."""

import json
import os
import sys
from pathlib import Path

import click
from sqlalchemy.exc import DBAPIError

from slomix.cli.connect import first_line, open_transaction
from slomix.clock import local_day
from slomix.legacy_import import service, source
from slomix.legacy_import.report import ImportReport


@click.command("import-predecessor")
@click.argument("url", metavar="[DATABASE_URL]", envvar="PREDECESSOR_DATABASE_URL", required=False)
@click.option("--apply", "is_applied", is_flag=True, help="Write it. Without this nothing is written.")
@click.option("--verbose", is_flag=True, help="Each row with its reason.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, each row with its reason.")
def import_predecessor(url: str | None, is_applied: bool, verbose: bool, as_json: bool) -> None:
    """Move people in from the earlier site's database at DATABASE_URL, which is only read.

    Without an argument it is read from PREDECESSOR_DATABASE_URL, from the file that PREDECESSOR_DATABASE_URL_FILE
    names, or asked for: arguments stand in the list of processes, password and all, and sudo drops variables.
    """
    snapshot = source.read_source(url or _ask_for_url())
    try:
        with open_transaction() as (session, settings, now):
            if is_applied:
                report = service.run_import(session, snapshot, settings=settings, now=now)
            else:
                session.connection(execution_options={"postgresql_readonly": True})
                today = local_day(now, settings.zone, settings.day_starts_at)
                report = service.plan_import(session, snapshot, settings=settings, today=today, now=now)[1]
    except DBAPIError as error:
        raise click.ClickException(f"Nothing was written, as the database here refused: {first_line(error)}") from None
    if as_json:
        click.echo(json.dumps(report.as_json(is_applied=is_applied), indent=2, ensure_ascii=False))
    else:
        _print(report, verbose=verbose, is_applied=is_applied)


def _ask_for_url() -> str:
    """Read the address from a file or from whoever types. Raise ClickException."""
    if name := os.environ.get("PREDECESSOR_DATABASE_URL_FILE"):
        try:
            return Path(name).read_text().strip()
        except OSError as error:
            raise click.ClickException(f"PREDECESSOR_DATABASE_URL_FILE: {name}: {error.strerror}") from None
    if not sys.stdin.isatty():
        raise click.UsageError(
            "Nobody is there to type the address of the earlier database: give PREDECESSOR_DATABASE_URL_FILE."
        )
    return str(click.prompt("Address of the earlier database (not shown)", hide_input=True)).strip()


def _print(report: ImportReport, *, verbose: bool, is_applied: bool) -> None:
    shown = None
    for kind, outcome, reason, number in report.counted():
        if kind is not shown:
            click.echo(kind)
            shown = kind
        click.echo(f"{number:>7} {outcome}{': ' if reason else ''}{reason}")
        for finding in report.findings if verbose else ():
            if (finding.kind, finding.outcome, finding.reason) == (kind, outcome, reason) and (
                finding.who or finding.what
            ):
                click.echo(f"          {'  '.join(part for part in (finding.who, finding.what) if part)}")
    for table, why in sorted(report.tables_missing.items()):
        click.echo(f"{table}: left, {why}")
    for warning in report.warnings:
        click.echo(f"WARNING: {warning}")
    if not report.would_write:
        click.echo("There is nothing new to take; nothing was written.")
    elif is_applied:
        click.echo("Moved in. A second time nothing more is taken of these people.")
    else:
        click.echo("This was a dry run: nothing was written. With --apply it is.")
