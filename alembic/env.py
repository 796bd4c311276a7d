"""Runs migrations: one transaction each, one migrator at a time, and no waiting for a lock that others hold."""

from alembic import context
from sqlalchemy import create_engine, text

from slomix.models import Base

# An arbitrary number of our own: two `slomix db upgrade` at once run one after the other.
MIGRATION_LOCK = 7_305_919


def run() -> None:
    engine = create_engine(context.config.attributes["url"])
    with engine.connect() as connection:
        # Another migrator is waited for as long as it takes; what holds a table is not.
        connection.execute(text("SET lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
        connection.execute(text("SET lock_timeout = '10s'"))
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
    engine.dispose()


run()
