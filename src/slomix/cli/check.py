"""`slomix check`: the effective configuration, whether it makes sense, and whether everything can be reached."""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import click
import httpx2
import redis
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from slomix.cli import advice, configuration, privileges
from slomix.cli.privileges import Findings
from slomix.cli.surroundings import join_running_copy
from slomix.clock import wall_now
from slomix.db import ROOT, Database
from slomix.environment import Environment
from slomix.game_server import NoTelemetry
from slomix.health import service as health
from slomix.refusals import all_problems
from slomix.settings import ENV_PATH, Settings, secrets
from slomix.wiring import game_server_of


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def check(as_json: bool) -> None:
    """Show the effective settings; check them and all connections; exit 1 when something is wrong."""
    joined = join_running_copy(ROOT)
    given = Environment.read(ENV_PATH, secrets=secrets())
    settings, problems = all_problems(given)
    rights = _rights(settings)
    parts = {"settings": not problems, **_connections(settings, rights)}
    found = {
        "configuration": [asdict(one) for one in configuration.effective(settings, given, problems, joined=joined)],
        "problems": [*problems, *(rights.wrong if rights else [])],
        "warnings": [
            *advice.warnings(settings, given),
            *advice.about_the_file(ENV_PATH),
            *(rights.warnings if rights else []),
        ],
        "parts": parts,
    }
    click.echo(json.dumps(found, indent=2) if as_json else "\n".join(_lines(found)))
    sys.exit(0 if all(parts.values()) else 1)


def _lines(found: dict[str, Any]) -> Iterator[str]:
    widest = max(len(one["name"]) for one in found["configuration"])
    for one in found["configuration"]:
        yield f"{one['name']:{widest}}  {one['source']:11}  {one['value']}".rstrip()
    yield ""
    yield from (f"wrong   {problem}" for problem in found["problems"])
    yield from (f"warning {warning}" for warning in found["warnings"])
    yield from (f"{'ok     ' if is_well else 'wrong  '} {part}" for part, is_well in found["parts"].items())


def _connections(settings: Settings, rights: Findings | None) -> dict[str, bool]:
    """Whether each part of the outside world answers."""
    return {
        **_database_and_processes(settings),
        f"schema, and the rights of {rights.role} on it" if rights else "schema, and the rights on it": (
            rights is not None and not rights.wrong
        ),
        "redis": _redis(settings.redis_url.get_secret_value()),
        "discord": _discord(settings),
        **_game_server(settings),
    }


def _database_and_processes(settings: Settings) -> dict[str, bool]:
    """The database, and the processes as they last told it."""
    url = settings.database_url.get_secret_value()
    if not url:
        return {"database": False}
    database = Database(url)
    try:
        with database.transaction() as session:
            session.execute(text("SELECT count(*) FROM jobs"))
            parts = health.parts(session, health.expected(settings), wall=wall_now())
    except SQLAlchemyError:
        return {"database": False}
    finally:
        database.close()
    return {"database": True} | {f"{part.part} process": part.ok for part in parts}


def _rights(settings: Settings) -> Findings | None:
    """What the role we run as may do; None where it cannot be asked."""
    url = settings.database_url.get_secret_value()
    if not url:
        return None
    try:
        return privileges.look(url, is_production=not settings.is_development)
    except SQLAlchemyError:
        return None


def _redis(url: str) -> bool:
    if not url:
        return False
    try:
        return bool(redis.Redis.from_url(url, socket_connect_timeout=3).ping())
    except (redis.RedisError, OSError, ValueError):
        return False


def _discord(settings: Settings) -> bool:
    token = settings.discord_bot_token.get_secret_value()
    if not token:
        return False
    try:
        answer = httpx2.get(
            f"{settings.discord_api_base_url}/users/@me", headers={"Authorization": f"Bot {token}"}, timeout=5
        )
    except httpx2.HTTPError:
        return False
    return answer.is_success


def _game_server(settings: Settings) -> dict[str, bool]:
    """Whether it says who is on it; nothing where nobody asks it."""
    server = game_server_of(settings)
    if server is None:
        return {}
    try:
        server.names()
    except NoTelemetry:
        return {"game server": False}
    return {"game server": True}
