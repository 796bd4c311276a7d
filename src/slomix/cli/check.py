"""`slomix check`: whether the settings make sense and everything can be reached."""

import sys

import click
import httpx2
import redis
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from slomix.cli import privileges
from slomix.cli.surroundings import join_running_copy
from slomix.clock import wall_now
from slomix.db import ROOT, Database
from slomix.game_server import NoTelemetry
from slomix.health import rules
from slomix.health import service as health
from slomix.settings import Settings, problems_for_start
from slomix.wiring import game_server_of


@click.command()
def check() -> None:
    """Check settings and connections; exit 1 when something is wrong."""
    join_running_copy(ROOT)
    settings = Settings.from_env()
    problems = problems_for_start(settings)
    for problem in problems:
        click.echo(f"wrong   {problem}")
    results = {
        "settings": not problems,
        **_database_and_processes(settings),
        **_rights(settings),
        "redis": _redis(settings.redis_url.get_secret_value()),
        "discord": _discord(settings),
        **_game_server(settings),
    }
    for part, is_well in results.items():
        click.echo(f"{'ok     ' if is_well else 'wrong  '} {part}")
    sys.exit(0 if all(results.values()) else 1)


def _database_and_processes(settings: Settings) -> dict[str, bool]:
    """The database, and the processes as they last told it."""
    url = settings.database_url.get_secret_value()
    expected = [rules.SCHEDULER, rules.WORKER]
    if settings.discord_bot_token.get_secret_value():
        expected.append(rules.DISCORD)
    if settings.channels_on - {"discord"}:
        expected.append(rules.INBOX)
    if not url:
        return {"database": False}
    database = Database(url)
    try:
        with database.transaction() as session:
            session.execute(text("SELECT count(*) FROM jobs"))
            parts = health.parts(session, expected, wall=wall_now())
    except SQLAlchemyError:
        return {"database": False}
    finally:
        database.close()
    return {"database": True} | {f"{part.part} process": part.ok for part in parts}


def _rights(settings: Settings) -> dict[str, bool]:
    """Whether the role that Slomix runs as may do what it has to; what is missing is named."""
    url = settings.database_url.get_secret_value()
    if not url:
        return {}
    try:
        found = privileges.look(url, is_production=not settings.is_development)
    except SQLAlchemyError:
        return {"schema, and the rights on it": False}
    for sentence in found.wrong:
        click.echo(f"wrong   {sentence}")
    for sentence in found.warnings:
        click.echo(f"warning {sentence}")
    return {f"schema, and the rights of {found.role} on it": not found.wrong}


def _redis(url: str) -> bool:
    if not url:
        return False
    try:
        return bool(redis.Redis.from_url(url, socket_connect_timeout=3).ping())
    except redis.RedisError:
        return False


def _discord(settings: Settings) -> bool:
    token = settings.discord_bot_token.get_secret_value()
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
