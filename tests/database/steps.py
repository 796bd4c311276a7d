"""Steps of tests about roles and backups."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result
from psycopg import sql
from sqlalchemy import select

from slomix.accounts import claims, logins
from slomix.accounts import roles as granting
from slomix.accounts.models import Player, User
from slomix.accounts.rules import Role
from slomix.availability import feeds
from slomix.availability.rules import Status
from slomix.channels.base import ProviderDown
from slomix.chat import service as inbox
from slomix.chat.models import WaitingStatus
from slomix.cli import main
from slomix.clock import wall_now
from slomix.contacts import links
from slomix.contacts.rules import ChannelName
from slomix.database.grants import ROLE
from slomix.database.session import Database, libpq_url
from slomix.deliveries import pausing
from slomix.deliveries.models import OfferedChoices
from slomix.dev.embedded import Servers
from slomix.evening.models import EveningEvent, EveningMessage
from slomix.health import outages
from slomix.health import service as health
from slomix.planning.models import RoomThread
from slomix.reasons.codes import Reason
from tests.configuration import ROOM
from tests.moments import at
from tests.services.planning import A, Tonight
from tests.steps import call
from tests.workers.pump import pump
from tests.workers.stage import in_voice
from tests.world import CAST, World, build_world

Rows = list[tuple[object, ...]]


Run = Callable[..., Result]


def ask(url: str, *queries: str) -> Rows:
    """What the last of them answers; all are committed."""
    with psycopg.connect(libpq_url(url)) as connection:
        for query in queries:
            cursor = connection.execute(sql.SQL(query))
        return cursor.fetchall() if cursor.description else []


def as_role(url: str) -> str:
    return url.replace("//postgres@", f"//{ROLE}@")


@pytest.fixture
def slomix(empty_database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> Run:
    """The console script, with a database of which it knows both addresses."""
    monkeypatch.chdir(str(tmp_path))
    for name, value in {
        "DATABASE_URL": as_role(empty_database_url),
        "DATABASE_OWNER_URL": empty_database_url,
        "REDIS_URL": "redis://127.0.0.1:1",
        "SESSION_SECRET": "of-the-tests-and-of-nothing-else-at-all",
        "SLOMIX_ENV": "development",
        "PORT": "64999",  # where no copy runs
    }.items():
        monkeypatch.setenv(name, value)
    return lambda *words, **more: CliRunner().invoke(main, list(words), **more)


@pytest.fixture
def modest(servers: Servers, empty_database_url: str) -> Iterator[str]:
    """An owner as production has one, and its address: it owns the database and is nothing else on the server."""
    ask(servers.owner_url, "CREATE ROLE modest LOGIN")
    ask(empty_database_url, "ALTER DATABASE empty OWNER TO modest")
    yield empty_database_url.replace("//postgres@", "//modest@")
    ask(empty_database_url, "REASSIGN OWNED BY modest TO postgres", "DROP OWNED BY modest")
    ask(servers.owner_url, "DROP ROLE modest")


AN_HOUR = timedelta(hours=1)


@pytest.fixture
def lived_in(committed: Database) -> World:
    """An evening after which no table is empty."""
    world = build_world(committed)
    world.has("erik", ChannelName.TELEGRAM, "4242")
    for name in ("alice", "erik", "franka", "goran", "bob", "dora"):
        world.says(name, Status.LOOKING)
    tonight = Tonight(world)
    tonight.opens("alice")
    tonight.votes("erik", tonight.suggests("alice", "Back\\slashes; \\. 'čšž'"))
    tonight.leads("bob", A, "alice")
    tonight.places("bob", "erik", A)
    call(world)
    world.clock.move_to(at(20, 45))
    pump(world)
    in_voice(world, alice=ROOM)
    with world.session() as session:
        settings, now = world.runtime.settings, world.clock.now()
        charlie = session.get_one(User, world.users["charlie"])
        spare = session.scalars(select(Player).where(Player.guid == "guid-spare")).one()
        logins.open_login_session(session, charlie, now=now)
        claims.request_profile(session, charlie, spare, "it is me", now=now)
        session.add(
            WaitingStatus(discord_id=CAST["charlie"], day=world.clock.now().date(), status=Status.MAYBE, said_at=now)
        )
        feeds.renew_feed(session, world.players["goran"], now=now)
        granting.grant(session, "100000000000000042", Role.PROMOTER, actor="command line", now=now)
        logins.create_login_attempt(
            session, state="s", browser="b", code_verifier="v", next_path="/", expires_at=now + AN_HOUR, now=now
        )
        links.new_code(
            session, world.players["goran"], ChannelName.TELEGRAM, lifetime=AN_HOUR, settings=settings, now=now
        )
        inbox.next_update(session, ChannelName.TELEGRAM, now=now)
        inbox.advance_position(session, ChannelName.TELEGRAM, 1, now=now)
        message = inbox.IncomingMessage(ChannelName.SIGNAL, "an account", "/today", mark="1")
        inbox.claim_message(session, message, now=now)
        session.add(
            RoomThread(session_id=tonight.view().room.id, members=["1", '{"2"}', "tabs\tand\nlines"], thread_id="7")
        )
        down = ProviderDown(Reason.TELEGRAM_SAID, "Bad Gateway (502)")
        outages.record_failure(session, ChannelName.TELEGRAM, down, 1, now=now, wall=wall_now())
        pausing.pause(session, by="command line", now=now)
        today = world.clock.now().date()
        session.add(EveningMessage(day=today, room="4", mark="m" * 20, is_second=False))
        session.add(EveningEvent(day=today, campaign_id=1, mark="e" * 20, status=1))
        session.add(
            OfferedChoices(
                channel=ChannelName.SIGNAL, chat_hash="h", nonce="o" * 20, choices=[["I'm in", "x"]], offered_at=now
            )
        )
        health.record_heartbeat(session, "worker", "here/1", wall=wall_now() - AN_HOUR)
    return world


@pytest.fixture
def slomix_lived_in(lived_in: World, slomix: Run, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("DATABASE_URL", servers.database_url)
    monkeypatch.setenv("DATABASE_OWNER_URL", servers.owner_url)
    return slomix


@pytest.fixture
def backup(lived_in: World, slomix_lived_in: Run, tmp_path: Path) -> Path:
    """Of that evening, made while somebody is connected."""
    file = tmp_path / "slomix.backup"
    done = slomix_lived_in("backup", str(file))
    assert done.exit_code == 0, done.output
    return file


@pytest.fixture
def elsewhere(slomix: Run, empty_database_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The console script, again with the empty database."""

    def run(*words: str, **more: str) -> object:
        monkeypatch.setenv("DATABASE_URL", more.pop("role", as_role(empty_database_url)))
        monkeypatch.setenv("DATABASE_OWNER_URL", more.pop("owner", empty_database_url))
        return slomix(*words, **more)

    return run  # type: ignore[return-value]


def content(url: str) -> dict[str, list[object]]:
    """Every row of every table, and where every sequence stands."""
    with psycopg.connect(libpq_url(url)) as connection:
        names = [name for (name,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        found: dict[str, list[Any]] = {
            name: connection.execute(f'SELECT t::text FROM "{name}" t ORDER BY 1').fetchall() for name in names
        }
        found["sequences"] = list(connection.execute("SELECT sequencename, last_value FROM pg_sequences ORDER BY 1"))
    return found
