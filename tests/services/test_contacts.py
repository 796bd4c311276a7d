"""How a player may be reached: opt-in only, verified addresses only, each belonging to one player."""

from dataclasses import replace
from datetime import time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from slomix.accounts import service as accounts
from slomix.accounts.models import Player, User
from slomix.contacts import preferences
from slomix.contacts import service as contacts
from slomix.contacts.models import Contact, StoredPreferences
from slomix.contacts.rules import ChannelName, MessageKind, PreferredChannel, QuietHours, Reachability
from slomix.privacy import unlinking
from slomix.reasons.codes import Explanation, Reason
from tests.moments import LJUBLJANA, TODAY, at
from tests.world import CAST, World

NOW = at(20, 30)
TOKYO = ZoneInfo("Asia/Tokyo")
NIGHT = QuietHours(time(23), time(7))
DISCORD, TELEGRAM, SIGNAL = ChannelName.DISCORD, ChannelName.TELEGRAM, ChannelName.SIGNAL


def reach(world: World, name: str, **settings: Any) -> Reachability:
    known = world.runtime.settings.model_copy(update=settings)
    with world.session() as session:
        return contacts.reachability_of(session, [world.players[name]], settings=known)[world.players[name]]


def contact(world: World, name: str, channel: ChannelName = DISCORD) -> Contact:
    with world.session() as session:
        session.expire_all()
        return contacts.contacts_of(session, world.players[name])[channel]


def addresses(world: World, name: str) -> dict[ChannelName, str]:
    """Where messages to this player go, the first first."""
    found, settings = reach(world, name), world.runtime.settings
    return {way.channel: contacts.address_of_route(way, found.discord_id or "", settings) for way in found.routes}


def test_who_never_said_anything_allows_nothing(world: World) -> None:
    with world.session() as session:
        contacts.delete_contacts_and_preferences(session, world.players["alice"])
        contacts.add_discord(session, world.players["alice"], now=NOW)
    found = reach(world, "alice")
    assert (found.allows, found.quiet_hours, found.zone) == (frozenset(), None, LJUBLJANA)
    assert addresses(world, "alice") == {DISCORD: CAST["alice"]}


def test_preferences_are_replaced_as_a_whole(world: World) -> None:
    with world.session() as session:
        wishes = preferences.Preferences(
            TOKYO, frozenset({MessageKind.CAMPAIGNS, MessageKind.SESSION_READY}), quiet_hours=NIGHT
        )
        preferences.save_preferences(session, world.players["alice"], wishes, now=NOW)
    found = reach(world, "alice")
    assert (found.allows, found.quiet_hours, found.zone) == (
        frozenset({MessageKind.CAMPAIGNS, MessageKind.SESSION_READY}),
        NIGHT,
        TOKYO,
    )
    world.prefers("alice", called=False)
    found = reach(world, "alice")
    assert (found.allows, found.quiet_hours, found.zone) == (frozenset(), None, LJUBLJANA)


@pytest.mark.parametrize(
    ("wishes", "kind"),
    [
        ({"called": True}, MessageKind.CAMPAIGNS),
        ({"session_ready": True}, MessageKind.SESSION_READY),
        ({"daily_reminder": True}, MessageKind.DAILY_REMINDER),
        ({"looking_threshold": 4}, MessageKind.LOOKING),
        ({"more_needed": True}, MessageKind.MORE_NEEDED),
    ],
)
def test_each_kind_of_message_is_allowed_by_itself(world: World, wishes: dict[str, Any], kind: MessageKind) -> None:
    world.prefers("alice", **({"called": False} | wishes))
    assert reach(world, "alice").allows == {kind}


def test_several_are_looked_up_together_and_whom_nobody_knows_is_left_out(world: World) -> None:
    ids = [world.players["alice"], world.players["erik"], 4711]
    world.has("alice", TELEGRAM, "4242")
    with world.session() as session:
        found = contacts.reachability_of(session, ids, settings=world.runtime.settings)
        assert contacts.reachability_of(session, [], settings=world.runtime.settings) == {}
    assert {player: one.discord_id for player, one in found.items()} == {
        world.players["alice"]: CAST["alice"],
        world.players["erik"]: CAST["erik"],
    }
    assert [way.channel for way in found[world.players["alice"]].routes] == [TELEGRAM, DISCORD]
    assert [way.channel for way in found[world.players["erik"]].routes] == [DISCORD], "each has their own"


@pytest.mark.parametrize(
    ("preferred", "order"),
    [
        (PreferredChannel.ANY, [TELEGRAM, SIGNAL, DISCORD]),
        (PreferredChannel.TELEGRAM, [TELEGRAM, SIGNAL, DISCORD]),
        (PreferredChannel.SIGNAL, [SIGNAL, TELEGRAM, DISCORD]),
        (PreferredChannel.DISCORD, [DISCORD, TELEGRAM, SIGNAL]),
    ],
)
def test_the_ways_come_in_the_order_the_player_prefers(
    world: World, preferred: PreferredChannel, order: list[ChannelName]
) -> None:
    world.has("alice", SIGNAL, "+38640123456")
    world.has("alice", TELEGRAM, "4242")
    world.prefers("alice", preferred_channel=preferred)
    assert list(addresses(world, "alice")) == order


def test_a_channel_that_is_switched_off_here_is_no_way(world: World) -> None:
    world.has("alice", TELEGRAM, "4242")
    world.has("alice", SIGNAL, "+38640123456")
    assert [way.channel for way in reach(world, "alice", telegram_enabled=False).all_routes] == [SIGNAL, DISCORD]
    assert [way.channel for way in reach(world, "alice", signal_enabled=False).all_routes] == [TELEGRAM, DISCORD]


def test_an_unusable_contact_is_not_used_and_says_since_when_and_why(world: World) -> None:
    way = contact(world, "alice").route
    with world.session() as session:
        contacts.apply_update(
            session, contacts.after_failure(way, Explanation(Reason.DMS_CLOSED), is_permanent=True, now=NOW)
        )
        contacts.apply_update(
            session,
            contacts.after_failure(way, Explanation(Reason.DISCORD_ANSWERED, "503"), is_permanent=True, now=at(22)),
        )
    marked = contact(world, "alice")
    assert (marked.unusable_since, marked.unusable_reason) == (NOW, Explanation(Reason.DMS_CLOSED))
    assert (marked.last_error, marked.last_error_at) == (Explanation(Reason.DISCORD_ANSWERED, "503"), at(22))
    found = reach(world, "alice")
    assert (found.routes, found.is_linked) == ((), True)
    assert [one.contact_id for one in found.all_routes] == [way.contact_id], "it is known all the same"
    with world.session() as session:
        told = select(Player.id, contacts.broken_contacts(Player.id)).order_by(Player.id)
        said = {row[0]: row[1] for row in session.execute(told)}
    assert said[world.players["alice"]] == [[DISCORD, Explanation(Reason.DMS_CLOSED).as_json()]]
    assert said[world.players["erik"]] is None


def test_a_passing_failure_leaves_a_contact_usable(world: World) -> None:
    with world.session() as session:
        contacts.apply_update(
            session,
            contacts.after_failure(
                contact(world, "alice").route, Explanation(Reason.DISCORD_ANSWERED, "503"), is_permanent=False, now=NOW
            ),
        )
    shown = contact(world, "alice")
    assert (shown.unusable_since, shown.last_error, shown.last_error_at) == (
        None,
        Explanation(Reason.DISCORD_ANSWERED, "503"),
        NOW,
    )
    assert addresses(world, "alice") == {DISCORD: CAST["alice"]}


def test_a_message_that_arrived_makes_a_contact_usable_again(world: World) -> None:
    with world.session() as session:
        contacts.apply_update(
            session,
            contacts.after_failure(
                contact(world, "alice").route, Explanation(Reason.DMS_CLOSED), is_permanent=True, now=NOW
            ),
        )
        contacts.apply_update(
            session, contacts.after_success(contact(world, "alice").route, learned="7001", now=at(22))
        )
    shown = contact(world, "alice")
    assert (shown.unusable_since, shown.unusable_reason, shown.last_success_at) == (None, None, at(22))


def test_logging_in_again_makes_a_contact_usable_again(world: World) -> None:
    with world.session() as session:
        contacts.apply_update(
            session,
            contacts.after_failure(
                contact(world, "alice").route, Explanation(Reason.DMS_CLOSED), is_permanent=True, now=NOW
            ),
        )
        contacts.add_discord(session, world.players["alice"], now=at(22))
    fresh = contact(world, "alice")
    assert (fresh.unusable_since, fresh.unusable_reason, fresh.verified_at) == (None, None, at(22))
    assert (fresh.last_error, fresh.last_error_at) == (None, None)
    assert addresses(world, "alice") == {DISCORD: CAST["alice"]}


def test_the_owner_may_have_their_addresses_tried_again_but_for_those_that_nobody_can_read(world: World) -> None:
    world.has("alice", TELEGRAM, "4242")
    with world.session() as session:
        for name in ("alice", "erik"):
            contacts.apply_update(
                session,
                contacts.after_failure(
                    contact(world, name).route, Explanation(Reason.DMS_CLOSED), is_permanent=True, now=NOW
                ),
            )
        contacts.apply_update(
            session,
            contacts.after_failure(
                contact(world, "alice", TELEGRAM).route, Explanation(Reason.UNREADABLE), is_permanent=True, now=NOW
            ),
        )
        contacts.retry_contacts(session, world.players["alice"])
    assert [way.channel for way in reach(world, "alice").routes] == [DISCORD]
    assert contact(world, "alice", TELEGRAM).unusable_reason == Explanation(Reason.UNREADABLE)
    assert reach(world, "erik").routes == (), "and nobody else's"


def test_what_a_receipt_taught_is_kept_with_the_address(world: World) -> None:
    with world.session() as session:
        contacts.apply_update(session, contacts.after_success(contact(world, "alice").route, learned="7001", now=NOW))
    assert [way.learned for way in reach(world, "alice").routes] == ["7001"]
    assert [way.learned for way in reach(world, "erik").routes] == [None]


def test_an_address_moves_with_its_account_and_what_was_learned_of_the_old_one_does_not(world: World) -> None:
    """On Discord the account is the address, so it goes where the account is linked; the other addresses are let go."""
    world.has("alice", TELEGRAM, "4242")
    with world.session() as session:
        contacts.apply_update(session, contacts.after_success(contact(world, "alice").route, learned="7001", now=NOW))
        alice = session.get_one(User, world.users["alice"])
        spare = unlinking.link_profile(session, alice, "guid-spare", today=TODAY, now=NOW).id
        assert contacts.contacts_of(session, world.players["alice"]) == {}
    world.players["spare"] = spare
    assert addresses(world, "spare") == {DISCORD: CAST["alice"]}
    assert [way.learned for way in reach(world, "spare").routes] == [None]
    assert not reach(world, "alice").is_linked


def stored(player_id: int, **changes: Any) -> Contact:
    values: dict[str, Any] = {"channel": TELEGRAM, "sealed": "s", "address_hash": "h", "verified_at": NOW}
    return Contact(player_id=player_id, **(values | changes))


@pytest.mark.parametrize(
    ("who", "values", "constraint"),
    [
        ("alice", {"channel": DISCORD, "sealed": None, "address_hash": None}, "uq_contacts_player_channel"),
        ("erik", {"address_hash": "another"}, "uq_contacts_player_channel"),
        ("alice", {}, "uq_contacts_channel_address_hash"),
        ("another", {"channel": DISCORD}, "sealed_unless_discord"),
        ("alice", {"sealed": None, "address_hash": None}, "sealed_unless_discord"),
        ("alice", {"address_hash": None}, "sealed_with_hash"),
        ("another", {"channel": DISCORD, "sealed": None}, "sealed_with_hash"),
    ],
)
def test_an_address_belongs_to_one_player_and_a_player_has_one_and_it_is_never_stored_in_the_clear(
    world: World, who: str, values: dict[str, Any], constraint: str
) -> None:
    with world.session() as session:
        another = Player(guid="another", name="Another", aliases=[], created_at=NOW)
        session.add(another)
        session.add(stored(world.players["erik"]))
    player = world.players.get(who, another.id)
    with pytest.raises(IntegrityError, match=constraint), world.session() as session:
        session.add(stored(player, **values))


def test_forgetting_somebody_leaves_neither_address_nor_permission(world: World) -> None:
    world.has("alice", TELEGRAM, "4242")
    with world.session() as session:
        contacts.delete_contacts_and_preferences(session, world.players["alice"])
        assert contacts.contacts_of(session, world.players["alice"]) == {}
        assert not preferences.has_preferences(session, world.players["alice"])
    assert reach(world, "erik").allows == {MessageKind.CAMPAIGNS}, "and nobody else"


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
        ({"looking_threshold": -1}, "looking_threshold_sane"),
        ({"looking_threshold": 100}, "looking_threshold_sane"),
    ],
)
def test_half_or_empty_wishes_cannot_be_stored(world: World, values: dict[str, Any], constraint: str) -> None:
    change = update(StoredPreferences).where(StoredPreferences.player_id == world.players["alice"]).values(**values)
    with pytest.raises(IntegrityError, match=constraint), world.session() as session:
        session.execute(change)


def test_quiet_hours_are_the_players_own_evening(world: World) -> None:
    world.prefers("alice", quiet=NIGHT)
    found = reach(world, "alice")
    assert not found.is_quiet(at(20, 45))
    assert replace(found, zone=TOKYO).is_quiet(at(20, 45)), "in Tokyo it is a quarter to five"
