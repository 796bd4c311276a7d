"""Who acts by a link has it until they are done: what is written meanwhile goes with it."""

import pytest
from sqlalchemy import select

from slomix.accounts import service as accounts
from slomix.accounts.models import User
from slomix.accounts.service import LinkEnded
from slomix.availability.models import Entry
from slomix.chat.service import IncomingMessage
from slomix.contacts import links, preferences
from slomix.contacts.models import Contact, LinkCode
from slomix.contacts.rules import CODE_LIFETIME, ChannelName
from slomix.database.session import Database
from slomix.privacy import unlinking
from tests.moments import TODAY
from tests.services.chatting import ADDRESS, desk_of
from tests.services.racing import at_once
from tests.services.unlinking import unlink, unlinked_before_writing
from tests.world import World, build_world


def ask_for_code(world: World, name: str) -> str:
    """As the page does, for the player that somebody had when they began to ask."""
    with world.session() as session:
        player_id, now = world.players[name], world.clock.now()
        accounts.lock_link(session, world.users[name], player_id)
        code, _ = links.new_code(
            session, player_id, ChannelName.TELEGRAM, lifetime=CODE_LIFETIME, settings=world.runtime.settings, now=now
        )
        return code


def codes(world: World) -> int:
    with world.session() as session:
        return len(session.scalars(select(LinkCode)).all())


def test_who_is_unlinked_meanwhile_gets_no_code_for_whoever_has_the_profile_next(world: World) -> None:
    unlink(world, "erik")
    with world.session() as session:
        user = session.get_one(User, world.users["charlie"])
        unlinking.link_profile(session, user, "guid-erik", today=TODAY, now=world.clock.now())
    with pytest.raises(LinkEnded):
        ask_for_code(world, "erik")
    assert codes(world) == 0


def test_a_code_that_is_asked_for_while_the_link_ends_ends_with_it(committed: Database) -> None:
    world = build_world(committed)
    for _ in range(5):
        at_once([lambda: unlink(world, "erik"), lambda: ask_for_code(world, "erik")])
        assert codes(world) == 0
        with world.session() as session:
            user = session.get_one(User, world.users["erik"])
            unlinking.link_profile(session, user, "guid-erik", today=TODAY, now=world.clock.now())


@pytest.mark.parametrize("text", ["/avail looking", "/today looking", "/tomorrow maybe"])
def test_a_status_said_in_a_chat_ends_with_the_link_that_ends_while_it_is_said(committed: Database, text: str) -> None:
    world = build_world(committed)
    world.has("erik", ChannelName.SIGNAL, ADDRESS[ChannelName.SIGNAL])
    with unlinked_before_writing(world, "erik", Entry.__tablename__) as at_once:
        desk_of(world).answer_message(IncomingMessage(ChannelName.SIGNAL, ADDRESS[ChannelName.SIGNAL], text))
        assert not at_once.is_set()
    with world.session() as session:
        assert not session.scalars(select(Entry)).all()


def test_linking_here_and_unlinking_there_at_once_come_to_an_end(committed: Database) -> None:
    world = build_world(committed)

    def link(guid: str) -> None:
        with world.session() as session:
            user = session.get_one(User, world.users["erik"])
            unlinking.link_profile(session, user, guid, today=TODAY, now=world.clock.now())

    with world.session() as session:
        both = [accounts.get_profile(session, guid).id for guid in ("guid-spare", "guid-erik")]
    for _ in range(5):
        answers = at_once([lambda: unlink(world, "erik"), lambda: link("guid-spare"), lambda: link("guid-erik")])
        assert answers == [None] * 3
        with world.session() as session:
            linked_to = session.get_one(User, world.users["erik"]).player_id
            contacts = session.scalars(select(Contact.player_id).where(Contact.player_id.in_(both))).all()
            assert contacts == ([linked_to] if linked_to else [])


def test_a_profile_is_taken_over_without_what_was_left_behind(world: World) -> None:
    with world.session() as session:
        user = session.get_one(User, world.users["erik"])
        accounts.unlink_player(session, user, now=world.clock.now())  # as if something went wrong half-way
    world.has("erik", ChannelName.TELEGRAM, "666")
    with world.session() as session:
        user = session.get_one(User, world.users["charlie"])
        unlinking.link_profile(session, user, "guid-erik", today=TODAY, now=world.clock.now())
    with world.session() as session:
        assert not preferences.has_preferences(session, world.players["erik"])
        assert links.player_of_address(session, ChannelName.TELEGRAM, "666", settings=world.runtime.settings) is None
