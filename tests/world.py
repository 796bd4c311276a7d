"""The world of the tests: one evening in November, one cast, a frozen clock, a channel that keeps.

Alice plays. Bob promotes. Charlie is logged in but not linked. Erik, Franka and Goran play too.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from slomix.accounts import logins
from slomix.accounts import service as accounts
from slomix.accounts.models import User
from slomix.availability import service as availability
from slomix.availability.rules import Status
from slomix.channels.base import SendError
from slomix.channels.game_server import NoTelemetry
from slomix.contacts import preferences
from slomix.contacts import service as contacts
from slomix.contacts.encryption import vault_from_settings
from slomix.contacts.preferences import Preferences
from slomix.contacts.rules import TICKS, ChannelName, MessageKind, QuietHours
from slomix.database import session as db
from slomix.dev.embedded import Servers
from slomix.runtime.context import Runtime
from tests.channel_doubles import MemoryChannel, MemoryEvents, MemoryThreads
from tests.configuration import make_settings
from tests.databases import MIGRATED, RolledBack, beside, do_as_owner
from tests.moments import LJUBLJANA, TODAY, at

# Who has the world has its databases.
pytest_plugins = ["tests.databases"]


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

    def player_names(self) -> list[str]:
        if self.on_it is None:
            raise NoTelemetry("TimeoutError")
        return list(self.on_it)


class Peopled(RolledBack):
    """One in which the cast lives already."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        lasting = db.Database(url)
        there = build_world(lasting)
        lasting.close()
        self.players, self.users = there.players, there.users


@pytest.fixture(scope="session")
def town(servers: Servers, database_url: str) -> Iterator[Peopled]:
    """The cast in a database of their own, settled once for all tests of a process: there are many.

    It is made by the owner and used, as in production, by the role that Slomix runs as.
    """
    made = f"CREATE DATABASE town TEMPLATE {MIGRATED}"
    do_as_owner(servers, made, "REVOKE TEMPORARY ON DATABASE town FROM PUBLIC")
    yield (settled := Peopled(beside(servers.database_url, "town")))
    settled.close()


@pytest.fixture
def peopled(town: Peopled) -> Iterator[Peopled]:
    """What a test does there is undone after it."""
    with town.for_a_test():
        yield town


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
    events: MemoryEvents = field(default_factory=MemoryEvents)

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
                availability.record_status(session, self.players[name], day, status, today=TODAY, now=now)

    def prefers(self, name: str, *, called: bool = True, quiet: QuietHours | None = None, **wishes: Any) -> None:
        """Somebody saves their preferences."""
        with self.session() as session:
            ticked = frozenset(kind for kind, name in TICKS.items() if wishes.pop(name, False))
            ticked |= {MessageKind.CAMPAIGNS} if called else set()
            wanted = Preferences(LJUBLJANA, ticked, quiet_hours=quiet, **wishes)
            preferences.save_preferences(session, self.players[name], wanted, now=self.clock.now())

    def speaks(self, name: str, language: str) -> None:
        """Somebody chooses a language."""
        with self.session() as session:
            logins.choose_language(session, self.users[name], language)

    def has(self, name: str, channel: ChannelName, address: str) -> None:
        """Somebody has proved an address on Telegram or Signal."""
        with self.session() as session:
            vault = vault_from_settings(self.runtime.settings)
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
    events, threads, made = MemoryEvents(), MemoryThreads(discord), make_settings(database_url=database.url, **settings)
    runtime = Runtime(
        settings=made,
        clock=clock,
        database=database,
        channels={"discord": discord, "telegram": telegram, "signal": signal},
        press_answers=telegram,
        voice_lookup=lookup,
        room_editor=discord,
        guild_lookup=lookup,
        game_server=game_server,
        threads=threads if made.planning_create_thread else None,
        scheduled_events=events if made.scheduled_event_enabled else None,
    )
    world = World(runtime, clock, discord, telegram, signal, lookup, {}, {}, dict(CAST), game_server, threads, events)
    if isinstance(database, Peopled):
        world.players.update(database.players)
        world.users.update(database.users)
    else:
        _settle(world)
    return world


@dataclass
class Settled:
    """The rows of the cast in PostgreSQL's own form, from the first time that it settled in this process."""

    rows: dict[str, bytes] = field(default_factory=dict)
    players: dict[str, int] = field(default_factory=dict)
    users: dict[str, int] = field(default_factory=dict)

    def remember(self, session: Session, world: World) -> None:
        self.rows, self.players, self.users = rows_of(session), dict(world.players), dict(world.users)

    def settle_again(self, session: Session, world: World) -> None:
        """Copy the rows, and let no other row get a number that one of them has."""
        connection = session.connection()
        for table, rows in self.rows.items():
            with connection.connection.cursor().copy(f"COPY {table} FROM STDIN") as copy:
                copy.write(rows)
            if "id" in db.Base.metadata.tables[table].c:
                numbers = f"generate_series(1, (SELECT max(id) FROM {table}))"
                connection.execute(
                    text(f"SELECT count(nextval(pg_get_serial_sequence('{table}', 'id'))) FROM {numbers}")
                )
        world.players.update(self.players)
        world.users.update(self.users)


SETTLED = Settled()


def rows_of(session: Session) -> dict[str, bytes]:
    """Everything that is stored, by table, those first to which others refer."""
    cursor, found = session.connection().connection.cursor(), {}
    for table in db.Base.metadata.sorted_tables:
        with cursor.copy(f"COPY {table} TO STDOUT") as copy:
            found[table.name] = b"".join(copy)
    return {table: rows for table, rows in found.items() if rows}


def _settle(world: World) -> None:
    """Let the cast move in; they come with all that services do once a process, and as a copy from then on."""
    with world.session() as session:
        if SETTLED.rows:
            SETTLED.settle_again(session, world)
            return
        was_empty = not rows_of(session)
    _settle_first(world)
    if was_empty:
        with world.session() as session:
            SETTLED.remember(session, world)


def _settle_first(world: World) -> None:
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
