"""The ready sound a player chose: kept beside the other preferences, and sane also for who writes past the code."""

from collections.abc import Mapping
from datetime import time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from slomix.contacts import preferences
from slomix.contacts import service as contacts
from slomix.contacts.models import StoredPreferences
from slomix.contacts.preferences import Preferences
from slomix.contacts.rules import PreferredChannel, QuietHours, ReadySound
from slomix.database.session import Database
from tests.moments import LJUBLJANA
from tests.world import World, build_world

from .racing import at_once

TOKYO = ZoneInfo("Asia/Tokyo")
NIGHT = QuietHours(time(22), time(6))
LOUD = ReadySound(is_on=True, cooldown=timedelta(seconds=90))


def hears(world: World, name: str) -> ReadySound:
    with world.session() as session:
        return preferences.preferences_of(session, world.players[name], zone=LJUBLJANA).sound


def changes(world: World, name: str, **columns: Any) -> None:
    """Somebody changes these of their preferences and no others."""
    with world.session() as session:
        preferences.change_preferences(session, world.players[name], columns, zone=LJUBLJANA, now=world.clock.now())


def wants(world: World, name: str, sound: ReadySound) -> None:
    columns = Preferences(LJUBLJANA, sound=sound).columns
    changes(world, name, **{column: value for column, value in columns.items() if column.startswith("sound_")})


def allows(world: World, name: str) -> dict[str, object]:
    """All columns of a player's preferences but those of the sound."""
    with world.session() as session:
        wishes = preferences.preferences_of(session, world.players[name], zone=LJUBLJANA)
    return {column: value for column, value in wishes.columns.items() if not column.startswith("sound_")}


def test_who_never_chose_hears_nothing(world: World) -> None:
    assert hears(world, "alice") == ReadySound()
    with world.session() as session:
        contacts.delete_contacts_and_preferences(session, world.players["alice"])
    assert hears(world, "alice") == ReadySound(), "also without any row"


def test_the_sound_is_kept_and_is_ones_own(world: World) -> None:
    wants(world, "alice", LOUD)
    assert hears(world, "alice") == LOUD
    assert hears(world, "erik") == ReadySound()
    wants(world, "alice", ReadySound(is_on=False, cooldown=timedelta(hours=1)))
    assert hears(world, "alice") == ReadySound(is_on=False, cooldown=timedelta(hours=1))


EVERYTHING = {
    "timezone": TOKYO.key,
    "allow_promotions": True,
    "session_ready": True,
    "daily_reminder": True,
    "more_needed": True,
    "looking_threshold": 4,
    "preferred_channel": PreferredChannel.SIGNAL,
    "quiet_start": NIGHT.start,
    "quiet_end": NIGHT.end,
}
# Quiet hours are kept in two columns, which are there together or not at all.
EACH: list[Mapping[str, object]] = [
    *({name: value} for name, value in EVERYTHING.items() if not name.startswith("quiet_")),
    {"allow_promotions": False},
    preferences.quiet_columns(NIGHT),
    preferences.quiet_columns(None),
]


def test_changing_the_sound_leaves_consent_quiet_hours_and_zone_as_they_were(world: World) -> None:
    changes(world, "alice", **EVERYTHING)
    before = allows(world, "alice")
    assert before == EVERYTHING
    wants(world, "alice", LOUD)
    assert allows(world, "alice") == before


@pytest.mark.parametrize("columns", EACH, ids=str)
def test_changing_another_preference_leaves_the_sound_as_it_was(world: World, columns: Mapping[str, object]) -> None:
    wants(world, "alice", LOUD)
    changes(world, "alice", **columns)
    assert hears(world, "alice") == LOUD
    assert columns.items() <= allows(world, "alice").items()


def test_switching_the_sound_on_first_of_all_allows_nobody_to_write(world: World) -> None:
    with world.session() as session:
        contacts.delete_contacts_and_preferences(session, world.players["alice"])
    wants(world, "alice", LOUD)
    assert allows(world, "alice") == {
        column: value for column, value in Preferences(LJUBLJANA).columns.items() if not column.startswith("sound_")
    }
    assert hears(world, "alice") == LOUD


def test_forgetting_somebody_forgets_their_sound(world: World) -> None:
    wants(world, "alice", LOUD)
    with world.session() as session:
        contacts.delete_contacts_and_preferences(session, world.players["alice"])
    assert hears(world, "alice") == ReadySound()


@pytest.mark.parametrize("seconds", [30, 3600])
def test_the_database_takes_half_a_minute_to_an_hour(world: World, seconds: int) -> None:
    wants(world, "alice", ReadySound(is_on=True, cooldown=timedelta(seconds=seconds)))
    assert hears(world, "alice").cooldown == timedelta(seconds=seconds)


@pytest.mark.parametrize("seconds", [-480, 0, 29, 3601])
def test_the_database_refuses_another_cooldown_whoever_writes_it(world: World, seconds: int) -> None:
    alices = StoredPreferences.player_id == world.players["alice"]
    with pytest.raises(IntegrityError, match="sound_cooldown_sane"), world.session() as session:
        session.execute(update(StoredPreferences).where(alices).values(sound_cooldown_seconds=seconds))
    with world.session() as session:
        assert session.scalar(select(StoredPreferences.sound_cooldown_seconds).where(alices)) == 480


def test_sound_and_preferences_saved_at_once_are_both_kept(committed: Database) -> None:
    """Two tabs: one has the preferences open, in the other a script calls the settings."""
    world = build_world(committed)
    with world.session() as session:
        contacts.delete_contacts_and_preferences(session, world.players["alice"])
    deeds = [lambda: wants(world, "alice", LOUD), lambda: changes(world, "alice", **EVERYTHING)] * 3
    assert at_once(deeds) == [None] * 6
    assert hears(world, "alice") == LOUD
    assert allows(world, "alice") == EVERYTHING
