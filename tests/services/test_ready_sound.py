"""The ready sound a player chose: kept beside the other preferences, and sane also for who writes past the code."""

from datetime import time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from slomix.contacts import service as contacts
from slomix.contacts.models import Preferences
from slomix.contacts.rules import QuietHours, Sound
from slomix.db import Database
from tests.conftest import LJUBLJANA, World, build_world

from .racing import at_once

TOKYO = ZoneInfo("Asia/Tokyo")
NIGHT = QuietHours(time(22), time(6))
LOUD = Sound(is_on=True, cooldown=timedelta(seconds=90))


def hears(world: World, name: str) -> Sound:
    with world.session() as session:
        return contacts.sound_of(session, world.players[name])


def wants(world: World, name: str, sound: Sound) -> None:
    with world.session() as session:
        contacts.set_sound(session, world.players[name], sound, zone=LJUBLJANA, now=world.clock.now())


def allows(world: World, name: str) -> tuple[object, ...]:
    """All that a player's row says but the sound."""
    with world.session() as session:
        session.expire_all()
        row = session.get_one(Preferences, world.players[name])
        return row.allow_promotions, row.quiet_start, row.quiet_end, row.timezone


def test_who_never_chose_hears_nothing(world: World) -> None:
    assert hears(world, "alice") == Sound()
    with world.session() as session:
        contacts.remove_all(session, world.players["alice"])
    assert hears(world, "alice") == Sound(), "also without any row"


def test_the_sound_is_kept_and_is_ones_own(world: World) -> None:
    wants(world, "alice", LOUD)
    assert hears(world, "alice") == LOUD
    assert hears(world, "erik") == Sound()
    wants(world, "alice", Sound(is_on=False, cooldown=timedelta(hours=1)))
    assert hears(world, "alice") == Sound(is_on=False, cooldown=timedelta(hours=1))


def test_changing_the_sound_leaves_consent_quiet_hours_and_zone_as_they_were(world: World) -> None:
    with world.session() as session:
        contacts.set_preferences(
            session,
            world.players["alice"],
            allow_promotions=True,
            quiet_hours=NIGHT,
            zone=TOKYO,
            now=world.clock.now(),
        )
    before = allows(world, "alice")
    assert before == (True, NIGHT.start, NIGHT.end, "Asia/Tokyo")
    wants(world, "alice", LOUD)
    assert allows(world, "alice") == before


@pytest.mark.parametrize("called", [True, False])
def test_changing_the_other_preferences_leaves_the_sound_as_it_was(world: World, called: bool) -> None:
    wants(world, "alice", LOUD)
    world.prefers("alice", called=called, quiet=NIGHT)
    assert allows(world, "alice")[0] is called
    assert hears(world, "alice") == LOUD


def test_switching_the_sound_on_first_of_all_allows_nobody_to_write(world: World) -> None:
    with world.session() as session:
        contacts.remove_all(session, world.players["alice"])
    wants(world, "alice", LOUD)
    assert allows(world, "alice") == (False, None, None, LJUBLJANA.key)
    assert hears(world, "alice") == LOUD


def test_forgetting_somebody_forgets_their_sound(world: World) -> None:
    wants(world, "alice", LOUD)
    with world.session() as session:
        contacts.remove_all(session, world.players["alice"])
    assert hears(world, "alice") == Sound()


@pytest.mark.parametrize("seconds", [30, 3600])
def test_the_database_takes_half_a_minute_to_an_hour(world: World, seconds: int) -> None:
    wants(world, "alice", Sound(is_on=True, cooldown=timedelta(seconds=seconds)))
    assert hears(world, "alice").cooldown == timedelta(seconds=seconds)


@pytest.mark.parametrize("seconds", [-480, 0, 29, 3601])
def test_the_database_refuses_another_cooldown_whoever_writes_it(world: World, seconds: int) -> None:
    alices = Preferences.player_id == world.players["alice"]
    with pytest.raises(IntegrityError, match="sound_cooldown_sane"), world.session() as session:
        session.execute(update(Preferences).where(alices).values(sound_cooldown_seconds=seconds))
    with world.session() as session:
        assert session.scalar(select(Preferences.sound_cooldown_seconds).where(alices)) == 480


def test_sound_and_preferences_saved_at_once_are_both_kept(committed: Database) -> None:
    """Two tabs: one has the preferences open, in the other a script calls the settings."""
    world = build_world(committed)
    with world.session() as session:
        contacts.remove_all(session, world.players["alice"])
    deeds = [lambda: wants(world, "alice", LOUD), lambda: world.prefers("alice", called=True, quiet=NIGHT)] * 3
    assert at_once(deeds) == [None] * 6
    assert hears(world, "alice") == LOUD
    assert allows(world, "alice")[:3] == (True, NIGHT.start, NIGHT.end)
