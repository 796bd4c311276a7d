"""`slomix export-systemd`: the Procfile as units of systemd."""

import difflib
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from slomix.cli import formation, run_folder, units
from slomix.cli.run_folder import Given
from slomix.config.environment import Environment
from slomix.config.settings import SettingsError
from slomix.parsing import parse_int

SYSTEMS_OWN = Path("/etc/systemd/system")


@click.command("export-systemd")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option("--formation", "wanted", default="", metavar="web=2,worker=2", help="As for `slomix up`.")
@click.option("--user", default="slomix", show_default=True, help="The account that it runs under.")
@click.option(
    "--env-file",
    default=Path("/etc/slomix/slomix.env"),
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file with the settings and secrets.",
)
@click.option("--force", is_flag=True, help="Overwrite units that say something else.")
@click.option("--diff", is_flag=True, help="Only show what would change; exit 1 if anything would.")
def export_systemd(directory: Path, wanted: str, user: str, env_file: Path, force: bool, diff: bool) -> None:
    """Write a unit for each process of the Procfile into DIRECTORY.

    Changes of your own belong into drop-ins (`systemctl edit UNIT`), which this leaves alone.
    """
    root = run_folder.project_root()
    env_file = env_file.absolute()
    texts = _texts(root, wanted, user, env_file)
    if diff:
        changes = "".join(_changes(directory, texts))
        click.echo(changes or "Nothing would change.", nl=not changes)
        sys.exit(1 if changes else 0)
    differing = [name for name, text in texts.items() if _content_of(directory / name) not in {None, text}]
    if differing and not force:
        names = ", ".join(differing)
        raise click.ClickException(
            f"{names} in {directory} say something else; nothing was written. --diff shows what, --force overwrites."
        )
    try:
        _write(directory, texts)
    except OSError as error:
        raise click.ClickException(f"{directory} cannot be written: {error.strerror}") from None
    _print_next_steps(directory, texts, env_file)


def _texts(root: Path, wanted: str, user: str, env_file: Path) -> dict[str, str]:
    given = Given.read(root)
    there = Environment.read(env_file, secrets=())
    port = given.text("PORT") or there.text("PORT") or "7000"
    number = parse_int(port, 1, formation.LAST_PORT)
    if number is None:
        raise SettingsError(f"PORT: {port!r} is no port")
    commands = formation.commands_of(root / "Procfile")
    # Not resolved: in a virtual environment, python is a link to the outside.
    host = units.UnitHost(root.resolve(), Path(sys.executable).parent.absolute(), user, env_file)
    running = formation.instances(
        commands.processes, wanted or given.text("SLOMIX_FORMATION") or there.text("SLOMIX_FORMATION"), port=number
    )
    return units.unit_texts(host, commands.release, running)


def _content_of(path: Path) -> str | None:
    try:
        return path.read_text()
    except FileNotFoundError:
        return None


def _changes(directory: Path, texts: dict[str, str]) -> Iterator[str]:
    """Yield the lines that would change, unit by unit."""
    for name, text in texts.items():
        there = (_content_of(directory / name) or "").splitlines(keepends=True)
        yield from difflib.unified_diff(there, text.splitlines(keepends=True), f"{directory / name}", f"{name}, new")


def _write(directory: Path, texts: dict[str, str]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        fresh = directory / f".{name}.new"
        fresh.write_text(text)
        fresh.chmod(0o644)
        fresh.replace(directory / name)


def _print_next_steps(directory: Path, texts: dict[str, str], env_file: Path) -> None:
    click.echo(f"{len(texts)} units in {directory}: {', '.join(texts)}")
    for path in sorted(directory.glob("slomix*")):
        if path.name not in texts and (_content_of(path) or "").startswith(units.GENERATED_BY):
            click.echo(f"{path.name} is of an earlier formation: stop it, and remove it")
    if not env_file.exists():
        click.echo(f"There is no {env_file} yet: docs/operations/install.md says what belongs there.")
    click.echo("Next:")
    if directory.resolve() != SYSTEMS_OWN:
        click.echo(f"  sudo cp {directory}/slomix* {SYSTEMS_OWN}/")
    click.echo("  sudo systemctl daemon-reload")
    click.echo(f"  sudo systemctl enable --now {units.TARGET}")
