"""Runs migrations: one transaction each, one migrator at a time, and no waiting for a lock that others hold."""

from alembic import context
from sqlalchemy import NullPool, create_engine, text

from slomix.database.session import MIGRATION_LOCK
from slomix.models import Base


def run() -> None:
    # A connection that is closed and not kept: the lock goes with it, also after an error.
    engine = create_engine(context.config.attributes["url"], poolclass=NullPool)
    with engine.connect() as connection:
        # Another migrator is waited for as long as it takes; what holds a table is not.
        connection.execute(text("SET lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
        connection.execute(text("SET lock_timeout = '3s'"))
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            transaction_per_migration=True,
            compare_type=True,
            compare_server_default=True,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
