"""The world of the tests: one evening in November, one cast, a frozen clock, a channel that keeps.

Alice plays. Bob promotes. Charlie is logged in but not linked. Erik, Franka and Goran play too.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from sqlalchemy.orm import Session

from slomix import db, logs, migrations
from slomix.accounts import logins
from slomix.accounts import service as accounts
from slomix.accounts.models import User
from slomix.availability import service as availability
from slomix.availability.rules import Status
from slomix.channels.base import SendError
from slomix.channels.memory import MemoryChannel, MemoryThreads
from slomix.contacts import preferences
from slomix.contacts import service as contacts
from slomix.contacts.preferences import Wishes
from slomix.contacts.rules import ChannelName, QuietHours
from slomix.contacts.vault import vault_of
from slomix.embedded import Servers
from slomix.game_server import NoTelemetry
from slomix.runtime import Runtime
from slomix.settings import Settings
from tests.databases import (
    RolledBack,
    beside,
    committed,
    database,
    database_url,
    empty_database_url,
    owner,
    rolled_back,
    servers,
)

__all__ = ["committed", "database", "database_url", "empty_database_url", "owner", "rolled_back", "servers"]

# The simulated Discord, for whoever speaks to it; and which test process does what.
pytest_plugins = ["tests.simulators", "tests.scheduling"]

LJUBLJANA = ZoneInfo("Europe/Ljubljana")
TODAY = date(2026, 11, 20)
ROOM = "900000000000000001"
AFK = "900000000000000002"
CONTACT_KEY = "b2YtdGhlLXRlc3RzLWFuZC1vZi1ub3RoaW5nLWVsc2U="
SUMMARY_ROOM = "900000000000000003"


def at(hour: int, minute: int = 0, second: int = 0, *, day: date = TODAY) -> datetime:
    """A moment of the evening, on the community's clock."""
    return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=LJUBLJANA).astimezone(UTC)


@dataclass
class FrozenClock:
    """Stands still until a test moves it."""

    moment: datetime = field(default_factory=lambda: at(20, 30))
    can_jump: bool = True

    def now(self) -> datetime:
        return self.moment

    def move_to(self, moment: datetime) -> None:
        self.moment = moment

    def forward(self, delta: timedelta) -> None:
        self.moment += delta

    def wall_seconds_until(self, moment: datetime) -> float | None:
        return 0.0 if moment <= self.moment else None


@dataclass
class Lookup:
    """Discord's answer to who is in voice, and who left the server; an error when there is none."""

    rooms: dict[str, str] = field(default_factory=dict)
    error: SendError | None = None
    left: set[str] = field(default_factory=set)

    def is_member(self, discord_id: str) -> bool:
        if self.error is not None:
            raise self.error
        return discord_id not in self.left

    def voice_channel_of(self, discord_id: str) -> str | None:
        if self.error is not None:
            raise self.error
        return self.rooms.get(discord_id)


@dataclass
class Telemetry:
    """The game server's answer to who is on it; None when there is no answer."""

    on_it: list[str] | None = None

    def names(self) -> list[str]:
        if self.on_it is None:
            raise NoTelemetry("TimeoutError")
        return list(self.on_it)


@pytest.fixture(scope="session", autouse=True)
def plain_logs() -> None:
    """As in production; the pretty tracebacks of development take seconds each."""
    logs.configure("tests")


class Peopled(RolledBack):
    """One in which the cast lives already."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        lasting = db.Database(url)
        there = build_world(lasting)
        lasting.close()
        self.players, self.users = there.players, there.users


@pytest.fixture(scope="session")
def town(servers: Servers) -> Iterator[Peopled]:
    """The cast in a database of their own, settled once for all tests of a process: there are many.

    It is made by the owner and used, as in production, by the role that Slomix runs as.
    """
    with psycopg.connect(db.libpq_url(servers.owner_url), autocommit=True) as admin:
        admin.execute("CREATE DATABASE town")
        admin.execute("REVOKE TEMPORARY ON DATABASE town FROM PUBLIC")
    migrations.upgrade(beside(servers.owner_url, "town"))
    yield (settled := Peopled(beside(servers.database_url, "town")))
    settled.close()


@pytest.fixture
def peopled(town: Peopled) -> Iterator[Peopled]:
    """What a test does there is undone after it."""
    with town.for_a_test():
        yield town


def make_settings(**changes: object) -> Settings:
    """The settings of the tests, whatever the machine's environment says."""
    values: dict[str, object] = {
        "environment": "development",
        "port": 7000,
        "session_secret": "a-secret-of-the-tests-and-of-nothing-else",
        "gaming_voice_channels": (ROOM,),
        "afk_voice_channel": AFK,
        "discord_guild_id": "800000000000000001",
        "followup_channel_id": SUMMARY_ROOM,
        "promoter_discord_ids": frozenset({"100000000000000002"}),
        "admin_discord_ids": frozenset({"100000000000000009"}),
        "contact_encryption_key": CONTACT_KEY,
        "telegram_enabled": True,
        "telegram_bot_token": "123456789:of-the-tests",
        "signal_enabled": True,
        "signal_daemon_url": "http://127.0.0.1:9",
        "signal_sender": "+38640000000",
    }
    return Settings(**(values | changes))  # type: ignore[arg-type]


@dataclass
class World:
    """Who there is and what they may do, for tests to read like sentences."""

    runtime: Runtime
    clock: FrozenClock
    discord: MemoryChannel
    telegram: MemoryChannel
    signal: MemoryChannel
    lookup: Lookup
    players: dict[str, int]
    users: dict[str, int]
    discord_ids: dict[str, str]
    game_server: Telemetry = field(default_factory=Telemetry)
    # Those of its runtime only where the settings switch them on.
    threads: MemoryThreads = field(default_factory=lambda: MemoryThreads(MemoryChannel()))

    @contextmanager
    def session(self) -> Iterator[Session]:
        with self.runtime.transaction() as session:
            yield session

    def says(self, name: str, status: Status | None, day: date = TODAY) -> None:
        """Somebody sets or clears their status."""
        with self.session() as session:
            if status is None:
                availability.clear_status(session, self.players[name], day, today=TODAY)
            else:
                now = self.clock.now()
                availability.set_status(session, self.players[name], day, status, today=TODAY, now=now)

    def prefers(self, name: str, *, called: bool = True, quiet: QuietHours | None = None, **wishes: Any) -> None:
        """Somebody saves their preferences."""
        with self.session() as session:
            wanted = Wishes(LJUBLJANA, allow_promotions=called, quiet_hours=quiet, **wishes)
            preferences.save(session, self.players[name], wanted, now=self.clock.now())

    def has(self, name: str, channel: ChannelName, address: str) -> None:
        """Somebody has proved an address on Telegram or Signal."""
        with self.session() as session:
            vault = vault_of(self.runtime.settings)
            assert vault is not None
            sealed = vault.seal(channel, address)
            now = self.clock.now()
            contacts.add_sealed(session, self.players[name], channel, sealed.text, sealed.address_hash, now=now)


CAST = {
    "alice": "100000000000000001",
    "bob": "100000000000000002",
    "charlie": "100000000000000003",
    "erik": "100000000000000005",
    "franka": "100000000000000006",
    "goran": "100000000000000007",
    "dora": "100000000000000009",
}
LINKED = [name for name in CAST if name != "charlie"]


def build_world(database: db.Database, **settings: object) -> World:
    """The cast, linked and opted in; nobody has said anything yet."""
    clock, discord, lookup, game_server = FrozenClock(), MemoryChannel(), Lookup(), Telemetry()
    # Neither knows nonces, so nothing may be repeated there.
    telegram, signal = (MemoryChannel(repeatable_for=timedelta(0)) for _ in range(2))
    threads, made = MemoryThreads(discord), make_settings(database_url=database.url, **settings)
    runtime = Runtime(
        settings=made,
        clock=clock,
        database=database,
        channels={"discord": discord, "telegram": telegram, "signal": signal},
        voice_lookup=lookup,
        guild_lookup=lookup,
        game_server=game_server,
        threads=threads if made.planning_create_thread else None,
    )
    world = World(runtime, clock, discord, telegram, signal, lookup, {}, {}, dict(CAST), game_server, threads)
    if isinstance(database, Peopled):
        world.players.update(database.players)
        world.users.update(database.users)
    else:
        _settle(world)
    return world


def _settle(world: World) -> None:
    now = world.clock.now() - timedelta(days=7)
    with world.session() as session:
        rows = [(f"guid-{name}", f"^1{name.title()}", [f"{name}_old"]) for name in LINKED]
        accounts.import_players(session, [*rows, ("guid-spare", "Spare", [])], now=now)
        for name, discord_id in CAST.items():
            user: User = logins.log_in(
                session, discord_id=discord_id, username=name, display_name=name.title(), now=now
            )
            world.users[name] = user.id
            if name in LINKED:
                world.players[name] = accounts.link_player(session, user, f"guid-{name}", now=now).id
                contacts.add_discord(session, world.players[name], now=now)
    for name in LINKED:
        world.prefers(name)


@pytest.fixture
def world(peopled: Peopled) -> World:
    return build_world(peopled)


@pytest.fixture
def root() -> Path:
    return Path(__file__).parents[1]
