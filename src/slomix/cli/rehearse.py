"""`slomix rehearse`: plays evenings and prints the ledger and a verdict per promise."""

import sys

import click

from slomix.cli.campaign import ledger_lines
from slomix.rehearsal.evening import Result, play
from slomix.rehearsal.people import Stumbled


@click.command()
@click.option("--rounds", default=1, show_default=True, type=click.IntRange(1, 100), help="How many evenings.")
def rehearse(rounds: int) -> None:
    """Play one campaign evening with real processes; exit 1 when a promise is broken."""
    results: list[Result] = []
    for number in range(rounds):
        if rounds > 1:
            click.echo(f"evening {number + 1} of {rounds}")
        try:
            result = play(lambda words: click.echo(f"  {words}"))
        except Stumbled as error:
            click.echo(f"The evening could not be played: {error}", err=True)
            sys.exit(1)
        results.append(result)
        _print(result)
    if rounds > 1:
        _print_all(results)
    sys.exit(0 if all(result.is_kept for result in results) else 1)


def _print(result: Result) -> None:
    click.echo("\nledger")
    for line in ledger_lines(result.evidence["ledger"]):
        click.echo(line)
    click.echo("\nverdict, as the provider counts")
    for promise in result.promises:
        click.echo(f"  {'kept  ' if promise.kept else 'BROKEN'}  {promise.text}: {promise.seen}")
    if result.lateness is not None:
        first, last = result.lateness.first, result.lateness.last
        click.echo(f"\nstart notices: the first {first:.2f} s, the last {last:.2f} s after their moment")
    click.echo(f"duplicates {result.duplicates}, losses {result.losses}\n")


def _print_all(results: list[Result]) -> None:
    late = [result.lateness for result in results if result.lateness is not None]
    click.echo(f"{len(results)} evenings: {sum(result.is_kept for result in results)} kept every promise")
    click.echo(f"duplicates {sum(one.duplicates for one in results)}, losses {sum(one.losses for one in results)}")
    if late:
        click.echo(f"first start notice at worst {max(one.first for one in late):.2f} s late")
        click.echo(f"last start notice at worst {max(one.last for one in late):.2f} s late")
