"""The picture of the voice rooms is always the last one, whole, with the time it was seen."""

from datetime import datetime, timedelta

from sqlalchemy import select

from slomix.database.session import Database
from slomix.presence import service as presence
from slomix.presence.models import VoiceState
from slomix.presence.rules import VoiceSnapshot
from tests.configuration import AFK, ROOM
from tests.moments import at

NOW = at(21)
MAX_AGE = timedelta(seconds=90)


def record(database: Database, rooms: dict[str, str], *, now: datetime = NOW) -> VoiceSnapshot:
    with database.transaction() as session:
        presence.record_voice(session, rooms, now=now)
    return voice(database)


def voice(database: Database) -> VoiceSnapshot:
    with database.transaction() as session:
        return presence.latest_snapshot(session)


def test_before_anybody_looked_nothing_is_known(database: Database) -> None:
    snapshot = voice(database)
    assert snapshot == VoiceSnapshot(None, {})
    assert not snapshot.is_fresh(NOW, MAX_AGE)


def test_a_new_picture_replaces_the_old_one(database: Database) -> None:
    assert record(database, {"1": ROOM, "2": ROOM, "3": AFK}).rooms == {"1": ROOM, "2": ROOM, "3": AFK}
    later = NOW + timedelta(seconds=15)
    assert record(database, {"2": AFK, "3": AFK, "4": ROOM}, now=later) == VoiceSnapshot(
        later, {"2": AFK, "3": AFK, "4": ROOM}
    )


def test_that_nobody_is_in_voice_is_knowledge_too(database: Database) -> None:
    record(database, {"1": ROOM})
    later = NOW + timedelta(seconds=15)
    snapshot = record(database, {}, now=later)
    assert snapshot == VoiceSnapshot(later, {})
    assert snapshot.is_fresh(later, MAX_AGE)


def test_an_unchanged_picture_is_renewed_and_ages(database: Database) -> None:
    record(database, {"1": ROOM})
    renewed = record(database, {"1": ROOM}, now=NOW + timedelta(seconds=60))
    assert renewed.is_fresh(NOW + timedelta(seconds=150), MAX_AGE)
    assert not renewed.is_fresh(NOW + timedelta(seconds=151), MAX_AGE)


def test_since_when_somebody_is_in_a_room_changes_with_the_room_only(database: Database) -> None:
    record(database, {"1": ROOM, "2": ROOM})
    later = NOW + timedelta(seconds=15)
    record(database, {"1": ROOM, "2": AFK}, now=later)
    with database.transaction() as session:
        since = {one.discord_id: one.since for one in session.scalars(select(VoiceState))}
    assert since == {"1": NOW, "2": later}
