"""`slomix check`: the effective configuration, whether it makes sense, and whether everything can be reached."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import click
import redis
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from slomix.channels.game_server import NoTelemetry
from slomix.cli import config_warnings, configuration, formation, privileges, providers
from slomix.cli.connect import first_line
from slomix.cli.parts import ask, attempt
from slomix.cli.privileges import PrivilegeFindings
from slomix.cli.run_folder import join_running_copy
from slomix.clock import wall_now
from slomix.config.checks import all_problems
from slomix.config.environment import Environment
from slomix.config.settings import ENV_PATH, Settings, SettingsError, secret_variables
from slomix.database.session import ROOT, Database
from slomix.health import nudging, proofs, rules
from slomix.health import service as health
from slomix.i18n import _
from slomix.runtime.factory import make_game_server

NOT_SET = "is not set"


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def check(as_json: bool) -> None:
    """Show the effective settings; check them and all connections; exit 1 when something is wrong."""
    joined = join_running_copy(ROOT)
    given = Environment.read(ENV_PATH, secrets=secret_variables())
    settings, problems = all_problems(given)
    formation_problems, surprise = attempt(_formation, settings)
    problems += formation_problems if formation_problems is not None else [surprise]
    rights, rights_surprise = attempt(_rights, settings)
    # What is to be known of parts that are well, and of those that were not tried.
    notes: dict[str, str] = {}
    # The problem of each part; empty when it is well.
    parts = {
        "settings": "see above" if problems else "",
        **_connections(settings, rights, rights_surprise, notes),
    }
    found = {
        "configuration": [
            asdict(variable) for variable in configuration.effective_variables(settings, given, problems, joined=joined)
        ],
        "problems": [*problems, *(rights.problems if rights else [])],
        "warnings": [
            *_warnings(settings, given),
            *(rights.warnings if rights else []),
            *(f"redis: {note}" for note in [notes.pop("redis", "")] if note),
        ],
        "parts": {part: not reason for part, reason in parts.items()},
        "notes": _notes(settings, parts) | notes,
        "reasons": {part: reason for part, reason in parts.items() if reason},
    }
    click.echo(json.dumps(found, indent=2) if as_json else "\n".join(_lines(found)))
    sys.exit(1 if any(parts.values()) else 0)


def _lines(found: dict[str, Any]) -> Iterator[str]:
    widest = max(len(variable["name"]) for variable in found["configuration"])
    for variable in found["configuration"]:
        yield f"{variable['name']:{widest}}  {variable['source']:11}  {variable['value']}".rstrip()
    yield ""
    yield from (f"wrong   {problem}" for problem in found["problems"])
    yield from (f"warning {warning}" for warning in found["warnings"])
    for part, is_well in found["parts"].items():
        yield f"ok      {part}" if is_well else f"wrong   {part}: {found['reasons'][part]}"
    yield from (f"note    {part}: {note}" for part, note in found["notes"].items())


def _notes(settings: Settings, parts: Mapping[str, str]) -> dict[str, str]:
    """Return what is not proven about the parts that are well."""
    part = "discord login"
    return {part: providers.login_note(settings)} if parts.get(part) == "" else {}


def _formation(settings: Settings) -> list[str]:
    """List the problems that `slomix up` would have with the formation."""
    try:
        commands = formation.commands_of(ROOT / "Procfile")
        formation.instances(commands.processes, settings.formation, port=settings.port)
    except SettingsError as error:
        return [str(error)]
    return []


def _warnings(settings: Settings, given: Environment) -> list[str]:
    found, surprise = attempt(
        lambda settings: [*config_warnings.find_warnings(settings, given), *config_warnings.file_warnings(ENV_PATH)],
        settings,
    )
    return found if found is not None else [surprise]


def _connections(
    settings: Settings, rights: PrivilegeFindings | None, surprise: str, notes: dict[str, str]
) -> dict[str, str]:
    """Return the problem of each external part, empty if it does what is needed; add to `notes` what else to know."""
    about = f"schema, and the rights of {rights.role} on it" if rights else "schema, and the rights on it"
    return {
        **ask("database", lambda settings: _database_and_processes(settings, notes), settings),
        about: surprise or "cannot be asked" if rights is None else "see above" if rights.problems else "",
        **ask("redis", lambda settings: _redis(settings, notes), settings),
        **providers.provider_problems(settings),
        **ask("game server", _game_server, settings),
        **ask("installation", lambda settings: _installation(settings, notes), settings),
    }


def _database_and_processes(settings: Settings, notes: dict[str, str]) -> dict[str, str]:
    """Check the database, and the heartbeats of the processes in it."""
    if not settings.database_url:
        return {"database": NOT_SET}
    try:
        with _open(settings) as database, database.transaction() as session:
            session.execute(text("SELECT count(*) FROM jobs"))
            parts = health.part_healths(session, health.expected_parts(settings), wall=wall_now())
            out = health.outage_healths(session, settings)
            has_started = health.has_started(session)
    except SQLAlchemyError as error:
        return {"database": first_line(error)}
    found = {"database": ""} | {part.part.replace("_", " "): part.problem or "" for part in out}
    if has_started:
        return found | {f"{part.part} process": part.problem or "" for part in parts}
    notes["processes"] = f"not started yet ({', '.join(part.part for part in parts)})"
    return found


def _installation(settings: Settings, notes: dict[str, str]) -> dict[str, str]:
    """Check room on disks, the last backup and PUBLIC_URL, where there is something to lose."""
    if settings.is_development or not settings.database_url:
        return {}
    with _open(settings) as database:
        try:
            with database.transaction() as session:
                has_started = health.has_started(session)
        except SQLAlchemyError:
            has_started = False  # it is named as the database's problem
        found = proofs.find_room(database) | proofs.find_backup(database, wall_now())
    if has_started:
        found |= proofs.find_ourselves(settings)
    else:
        notes[rules.PUBLIC_URL] = "not tried, as nothing was started yet"
    if found[rules.BACKUP].problem == proofs.NO_BACKUP:
        notes[rules.BACKUP] = proofs.NO_BACKUP
        del found[rules.BACKUP]
    return {part: finding.problem or "" for part, finding in found.items()}


@contextmanager
def _open(settings: Settings) -> Iterator[Database]:
    database = Database(settings.database_url.get_secret_value())
    try:
        yield database
    finally:
        database.close()


def _rights(settings: Settings) -> PrivilegeFindings | None:
    """Check the rights of the role that Slomix runs as; None if the database cannot be asked."""
    url = settings.database_url.get_secret_value()
    if not url:
        return None
    try:
        return privileges.check_privileges(url, is_production=not settings.is_development)
    except SQLAlchemyError:
        return None


def _redis(settings: Settings, notes: dict[str, str]) -> str:
    url = settings.redis_url.get_secret_value()
    if not url:
        return NOT_SET
    try:
        note = nudging.send_trial_nudge(nudging.open_client(url, timeout=3))
        notes |= {"redis": note} if note else {}
    except redis.ConnectionError as error:
        return str(error) or _("does not answer")
    except redis.RedisError as error:
        return nudging.describe_failure(error)
    except (OSError, ValueError) as error:
        return str(error) or type(error).__name__
    return ""


def _game_server(settings: Settings) -> dict[str, str]:
    """Check whether the game server names its players; nothing if it is not asked."""
    server = make_game_server(settings)
    if server is None:
        return {}
    try:
        server.player_names()
    except NoTelemetry as error:
        return {"game server": f"does not say who is on it ({error})"}
    return {"game server": ""}
