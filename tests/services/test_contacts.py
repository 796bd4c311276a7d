"""How a player may be reached: opt-in only, verified addresses only, each belonging to one player."""

from dataclasses import replace
from datetime import time
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from slomix.accounts import service as accounts
from slomix.accounts.models import Player, User
from slomix.contacts import service as contacts
from slomix.contacts.models import Contact, Preferences
from slomix.contacts.rules import ChannelName, QuietHours, Reach
from tests.conftest import CAST, LJUBLJANA, World, at

NOW = at(20, 30)
TOKYO = ZoneInfo("Asia/Tokyo")
NIGHT = QuietHours(time(23), time(7))


def reach(world: World, name: str) -> Reach:
    with world.session() as session:
        return contacts.reach_of(session, [world.players[name]], zone=LJUBLJANA)[world.players[name]]


def contact(world: World, name: str) -> Contact:
    with world.session() as session:
        found = contacts.contact_of(session, world.players[name])
    assert found is not None
    return found


def test_who_never_said_anything_allows_nothing(world: World) -> None:
    with world.session() as session:
        contacts.remove_all(session, world.players["alice"])
        contacts.add_discord(session, world.players["alice"], CAST["alice"], now=NOW)
    found = reach(world, "alice")
    assert (found.allows_promotions, found.quiet_hours, found.zone) == (False, None, LJUBLJANA)
    assert found.address == CAST["alice"]


def test_preferences_are_replaced_as_a_whole(world: World) -> None:
    with world.session() as session:
        contacts.set_preferences(
            session, world.players["alice"], allow_promotions=True, quiet_hours=NIGHT, zone=TOKYO, now=NOW
        )
    found = reach(world, "alice")
    assert (found.allows_promotions, found.quiet_hours, found.zone) == (True, NIGHT, TOKYO)
    world.prefers("alice", called=False)
    found = reach(world, "alice")
    assert (found.allows_promotions, found.quiet_hours, found.zone) == (False, None, LJUBLJANA)


def test_several_are_looked_up_together_and_whom_nobody_knows_is_left_out(world: World) -> None:
    ids = [world.players["alice"], world.players["erik"], 4711]
    with world.session() as session:
        found = contacts.reach_of(session, ids, zone=LJUBLJANA)
        assert contacts.reach_of(session, [], zone=LJUBLJANA) == {}
    assert {player: one.discord_id for player, one in found.items()} == {
        world.players["alice"]: CAST["alice"],
        world.players["erik"]: CAST["erik"],
    }


def test_an_unusable_contact_is_not_used_and_says_since_when_and_why(world: World) -> None:
    contact_id = contact(world, "alice").id
    with world.session() as session:
        contacts.mark_unusable(session, contact_id, "DMs closed", now=NOW)
        contacts.mark_unusable(session, contact_id, "again", now=at(22))
    with world.session() as session:
        session.expire_all()
        marked = session.get_one(Contact, contact_id)
        assert (marked.unusable_since, marked.unusable_reason) == (NOW, "DMs closed")
    found = reach(world, "alice")
    assert (found.contact_id, found.address, found.is_linked) == (None, None, True)


def test_logging_in_again_makes_a_contact_usable_again(world: World) -> None:
    with world.session() as session:
        contacts.mark_unusable(session, contact(world, "alice").id, "DMs closed", now=NOW)
        contacts.add_discord(session, world.players["alice"], CAST["alice"], now=at(22))
    fresh = contact(world, "alice")
    assert (fresh.unusable_since, fresh.unusable_reason, fresh.verified_at) == (None, None, at(22))
    assert reach(world, "alice").address == CAST["alice"]


def test_what_a_receipt_taught_is_kept_with_the_address(world: World) -> None:
    with world.session() as session:
        contacts.learn(session, contact(world, "alice").id, "7001")
    assert reach(world, "alice").learned == "7001"
    assert reach(world, "erik").learned is None


def test_an_address_moves_with_its_account_and_what_was_learned_of_the_old_one_does_not(world: World) -> None:
    with world.session() as session:
        contacts.learn(session, contact(world, "erik").id, "7001")
        contacts.add_discord(session, world.players["erik"], CAST["alice"], now=NOW)
        assert contacts.contact_of(session, world.players["alice"]) is None
    found = reach(world, "erik")
    assert (found.address, found.learned) == (CAST["alice"], None)


@pytest.mark.parametrize(
    ("who", "address", "constraint"),
    [
        ("alice", "1", "uq_contacts_player_channel"),
        ("charlie's", CAST["alice"], "uq_contacts_channel_address"),
    ],
)
def test_an_address_belongs_to_one_player_and_a_player_has_one(
    world: World, who: str, address: str, constraint: str
) -> None:
    with world.session() as session:
        spare = Player(guid="another", name="Another", aliases=[], created_at=NOW)
        session.add(spare)
    player = world.players.get(who, spare.id)
    with pytest.raises(IntegrityError, match=constraint), world.session() as session:
        session.add(Contact(player_id=player, channel=ChannelName.DISCORD, address=address, verified_at=NOW))


def test_forgetting_somebody_leaves_neither_address_nor_permission(world: World) -> None:
    with world.session() as session:
        contacts.remove_all(session, world.players["alice"])
        assert contacts.contact_of(session, world.players["alice"]) is None
        assert contacts.preferences_of(session, world.players["alice"]) is None
    assert reach(world, "erik").allows_promotions, "and nobody else"


def test_who_is_unlinked_has_no_account_to_write_to(world: World) -> None:
    with world.session() as session:
        accounts.unlink_player(session, session.get_one(User, world.users["alice"]), now=NOW)
    assert not reach(world, "alice").is_linked
    assert reach(world, "erik").is_linked


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"quiet_start": time(22)}, "quiet_hours_whole"),
        ({"quiet_end": time(22)}, "quiet_hours_whole"),
        ({"quiet_start": time(22), "quiet_end": time(22)}, "quiet_hours_some"),
    ],
)
def test_half_or_empty_quiet_hours_cannot_be_stored(world: World, values: dict[str, time], constraint: str) -> None:
    change = update(Preferences).where(Preferences.player_id == world.players["alice"]).values(**values)
    with pytest.raises(IntegrityError, match=constraint), world.session() as session:
        session.execute(change)


def test_quiet_hours_are_the_players_own_evening(world: World) -> None:
    world.prefers("alice", quiet=NIGHT)
    found = reach(world, "alice")
    assert not found.is_quiet(at(20, 45))
    assert replace(found, zone=TOKYO).is_quiet(at(20, 45)), "in Tokyo it is a quarter to five"
