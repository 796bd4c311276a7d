"""`slomix rehearse`: plays evenings and prints the ledger and a verdict per promise."""

import random
import sys
from pathlib import Path

import click

from slomix.cli.campaign import ledger_lines, step_lines
from slomix.dev.rehearsal.evening import RehearsalResult, play_evening
from slomix.dev.rehearsal.matrix import run, table
from slomix.dev.rehearsal.matrix.scenarios import BY_NAME, SCENARIOS, SHORT
from slomix.dev.rehearsal.people import UnexpectedAnswer


@click.command()
@click.option("--rounds", type=click.IntRange(1, 100), help="How many evenings; of each cell, in the matrix.")
@click.option("--matrix", is_flag=True, help="The fault matrix: everything that can go wrong, many times.")
@click.option("--cells", help="Of the matrix only these, separated by commas.")
@click.option("--short", is_flag=True, help="Of the matrix only the short form.")
@click.option("--seed", type=int, help="Of the matrix: strike at the same moments as in an earlier run.")
@click.option(
    "--copies", default=2, show_default=True, type=click.IntRange(1, 8), help="Of the matrix: played at once."
)
@click.option("--markdown", type=click.Path(path_type=Path), help="Of the matrix: write the table there too.")
def rehearse(
    rounds: int | None,
    matrix: bool,
    cells: str | None,
    short: bool,
    seed: int | None,
    copies: int,
    markdown: Path | None,
) -> None:
    """Play one campaign evening with real processes; exit 1 when a promise is broken."""
    if not (matrix or cells or short):
        _play_evenings(rounds or 1)
        return
    names = [name.strip() for name in cells.split(",")] if cells else []
    if unknown := [name for name in names if name not in BY_NAME]:
        raise click.BadParameter(f"{unknown[0]!r} is none of: {', '.join(BY_NAME)}", param_hint="--cells")
    chosen = [BY_NAME[name] for name in names] or (SHORT if short else SCENARIOS)
    seed = random.randrange(1_000_000) if seed is None else seed
    click.echo(f"{len(chosen)} cells, seed {seed}")
    try:
        results = run.play_matrix(chosen, rounds=rounds, seed=seed, copies=copies, say=click.echo)
    except UnexpectedAnswer as error:
        click.echo(f"The matrix could not be played: {error}", err=True)
        sys.exit(1)
    click.echo(f"\n{table.as_text(results)}\n")
    if markdown is not None:
        markdown.write_text(table.as_markdown(results) + "\n")
    sys.exit(0 if all(result.is_kept for result in results) else 1)


def _play_evenings(rounds: int) -> None:
    results: list[RehearsalResult] = []
    for number in range(rounds):
        if rounds > 1:
            click.echo(f"evening {number + 1} of {rounds}")
        try:
            result = play_evening(lambda words: click.echo(f"  {words}"))
        except UnexpectedAnswer as error:
            click.echo(f"The evening could not be played: {error}", err=True)
            sys.exit(1)
        results.append(result)
        _print(result)
    if rounds > 1:
        _print_all(results)
    sys.exit(0 if all(result.is_kept for result in results) else 1)


def _print(result: RehearsalResult) -> None:
    click.echo("\nledger")
    for line in ledger_lines(result.evidence["ledger"]):
        click.echo(line)
    click.echo("\nsign-off")
    for line in step_lines(result.evidence["steps"]):
        click.echo(line)
    click.echo("\nverdict, as the provider counts")
    for promise in result.promises:
        click.echo(f"  {'kept  ' if promise.kept else 'BROKEN'}  {promise.text}: {promise.seen}")
    if result.lateness is not None:
        first, last = result.lateness.first, result.lateness.last
        click.echo(f"\nstart notices: the first {first:.2f} s, the last {last:.2f} s after their moment")
    click.echo(f"duplicates {result.duplicates}, losses {result.losses}\n")


def _print_all(results: list[RehearsalResult]) -> None:
    late = [result.lateness for result in results if result.lateness is not None]
    click.echo(f"{len(results)} evenings: {sum(result.is_kept for result in results)} kept every promise")
    duplicates, losses = sum(result.duplicates for result in results), sum(result.losses for result in results)
    click.echo(f"duplicates {duplicates}, losses {losses}")
    if late:
        click.echo(f"first start notice at worst {max(lateness.first for lateness in late):.2f} s late")
        click.echo(f"last start notice at worst {max(lateness.last for lateness in late):.2f} s late")
