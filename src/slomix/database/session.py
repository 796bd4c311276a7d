"""The database session: the base of all tables, the engine, transactions and notifications."""

import enum
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import psycopg
from sqlalchemy import ARRAY, BigInteger, DateTime, Engine, Enum, MetaData, Text, create_engine, func, select, text
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

ROOT = Path(__file__).resolve().parents[3]

# NOTIFY channels: the topics that open pages should reload, and a hint to the scheduler to look for due rows.
LIVE_CHANNEL = "slomix_live"
JOBS_CHANNEL = "slomix_jobs"

# An arbitrary number of our own: changes of the schema and of its grants run one after the other.
MIGRATION_LOCK = 7_305_919


class Base(DeclarativeBase):
    """Base of all tables: times are `timestamptz`, text is unbounded, enums are stored by value and checked."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: DateTime(timezone=True),
        int: BigInteger,
        str: Text,
        list[str]: ARRAY(Text),
        enum.StrEnum: Enum(
            enum.StrEnum,
            native_enum=False,
            create_constraint=True,
            length=32,
            values_callable=lambda members: [member.value for member in members],
        ),
    }


class Database:
    """One process's connections."""

    def __init__(self, url: str, *, pool_size: int = 5, overflow: int = 5, pre_ping: bool = True) -> None:
        """Open at most `pool_size` connections, and `overflow` more under load."""
        self.url = url
        self.max_connections = pool_size + overflow
        self.engine: Engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=overflow,
            pool_pre_ping=pre_ping,
            hide_parameters=True,  # an error names what failed, not with whose data
            # UTC, whatever the server's time zone is.
            # Custom plans: a plan made for a small table must not outlive a campaign that writes a thousand rows.
            connect_args={
                "options": "-c timezone=UTC -c statement_timeout=15s -c plan_cache_mode=force_custom_plan",
                "connect_timeout": 5,
                # Notice a server that vanished in ten seconds, not in a quarter of an hour.
                "tcp_user_timeout": 10_000,
            },
        )
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)

    def transaction(self) -> AbstractContextManager[Session]:
        """Open a session that commits when the block ends and rolls back when it raises."""
        return self._sessions.begin()

    def close(self) -> None:
        self.engine.dispose()


def notify(session: Session, channel: str, payload: str = "") -> None:
    """Notify the listeners of `channel`, if and when the transaction commits."""
    session.execute(select(func.pg_notify(channel, payload)))


_SNAPSHOT = text("SELECT pg_current_snapshot()::text, pg_current_xact_id_if_assigned() IS NULL")


def snapshot(session: Session) -> str | None:
    """Name what the database shows from here on; while the name is the same, nothing was committed in between.

    None in a transaction that has written: its own rows have no name yet.
    """
    name, is_reading = session.connection().execute(_SNAPSHOT).one()
    return str(name) if is_reading else None


def libpq_url(url: str) -> str:
    """Convert a SQLAlchemy URL to one for libpq."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def listen(url: str, channel: str) -> "psycopg.Connection[tuple[object, ...]]":
    """Open a connection outside any pool that listens to `channel` and soon notices when it is cut off."""
    connection = psycopg.connect(
        libpq_url(url),
        autocommit=True,
        connect_timeout=5,
        keepalives_idle=20,
        keepalives_interval=10,
        keepalives_count=3,
    )
    listen_again(connection, channel)
    return connection


def listen_again(connection: "psycopg.Connection[tuple[object, ...]]", channel: str) -> None:
    """Tell the server once more to what a connection listens, which changes nothing; it answers if it is there."""
    connection.execute(f"LISTEN {channel}")
