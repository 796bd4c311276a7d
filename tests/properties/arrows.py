"""What each status may become, and a trigger by which the database notes what it became."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text

from slomix.database import session as db

# What each status may become, as the glossary of the ledger has it.
JOB_ARROWS = {
    "pending": {"running", "skipped"},
    "running": {"pending", "sent", "skipped", "failed"},
    "failed": {"pending"},
    "skipped": {"pending"},
    "sent": set(),
}
DELIVERY_ARROWS = {
    "pending": {"sending", "skipped"},
    "sending": {"sent", "failed", "unknown", "pending"},
    "unknown": {"sent", "pending"},
    "skipped": {"pending"},
    "failed": {"pending"},
    "sent": set(),
}
WATCHED = {"jobs": JOB_ARROWS, "notifications_ledger": DELIVERY_ARROWS}


@contextmanager
def watching(owner: db.Database) -> Iterator[None]:
    """The database notes every change of a status meanwhile."""
    with owner.transaction() as session:
        session.execute(text("CREATE TABLE arrows (tablename text, before text, after text)"))
        session.execute(
            text(
                "CREATE FUNCTION note_arrow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                " IF OLD.status <> NEW.status THEN INSERT INTO arrows VALUES (TG_TABLE_NAME, OLD.status, NEW.status);"
                " END IF; RETURN NEW; END $$"
            )
        )
        for table in WATCHED:
            session.execute(
                text(f"CREATE TRIGGER note_arrow AFTER UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION note_arrow()")
            )
    yield
    with owner.transaction() as session:
        session.execute(text("DROP FUNCTION note_arrow() CASCADE"))
        session.execute(text("DROP TABLE arrows"))
