"""A code proves an address: shown once, used once, in time, from the channel it was asked for."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from slomix.accounts.models import User
from slomix.contacts import links
from slomix.contacts import service as contacts
from slomix.contacts.links import AddressTaken, ChannelOff, CodeNotValid, CodeTooSoon, NoKey
from slomix.contacts.models import Contact, LinkCode
from slomix.contacts.rules import CODE_LIFETIME, ChannelName
from slomix.database.session import Database
from slomix.privacy import unlinking
from slomix.reasons.codes import Explanation, Reason
from tests.moments import TODAY, at
from tests.world import World, build_world

from .racing import at_once
from .sending import CHAT, NUMBER

TELEGRAM, SIGNAL = ChannelName.TELEGRAM, ChannelName.SIGNAL

SECOND = timedelta(seconds=1)


def ask(
    world: World,
    name: str = "alice",
    channel: ChannelName = TELEGRAM,
    *,
    lasts: timedelta = CODE_LIFETIME,
    **known: Any,
) -> tuple[str, datetime]:
    """Somebody asks for a code; what they are shown."""
    settings = world.runtime.settings.model_copy(update=known)
    with world.session() as session:
        return links.new_code(
            session, world.players[name], channel, lifetime=lasts, settings=settings, now=world.clock.now()
        )


def confirm(world: World, code: str, address: str = CHAT, channel: ChannelName = TELEGRAM, **known: Any) -> int:
    """The code comes in from this address; whose it is now."""
    settings = world.runtime.settings.model_copy(update=known)
    with world.session() as session:
        return links.confirm_code(session, channel, code, address, settings=settings, now=world.clock.now())


def has(world: World, name: str = "alice") -> dict[ChannelName, str]:
    """Which addresses a player has proved beside Discord's, as a message would find them."""
    with world.session() as session:
        reach = contacts.reachability_of(session, [world.players[name]], settings=world.runtime.settings)[
            world.players[name]
        ]
        ways = [way for way in reach.routes if way.sealed is not None]
        return {way.channel: contacts.address_of_route(way, "", world.runtime.settings) for way in ways}


def codes(world: World) -> list[LinkCode]:
    with world.session() as session:
        return list(session.scalars(select(LinkCode).execution_options(populate_existing=True)))


def waits(world: World, name: str = "alice") -> frozenset[ChannelName]:
    with world.session() as session:
        return frozenset(links.open_codes(session, world.players[name], now=world.clock.now()))


def test_who_sends_their_code_from_a_chat_has_that_chat(world: World) -> None:
    code, expires_at = ask(world)
    assert expires_at == world.clock.now() + CODE_LIFETIME
    assert (waits(world), has(world)) == (frozenset({TELEGRAM}), {})
    assert confirm(world, code) == world.players["alice"]
    assert has(world) == {TELEGRAM: CHAT}
    assert (waits(world), codes(world)) == (frozenset(), [])
    with world.session() as session:
        assert (
            links.player_of_address(session, TELEGRAM, CHAT, settings=world.runtime.settings) == world.players["alice"]
        )
        assert links.player_of_address(session, SIGNAL, CHAT, settings=world.runtime.settings) is None
        contact = contacts.contacts_of(session, world.players["alice"])[TELEGRAM]
    assert contact.verified_at == world.clock.now()
    assert CHAT not in f"{contact.sealed} {contact.address_hash}"


def test_a_code_is_no_word_that_anybody_guesses_and_only_its_hash_is_kept(world: World) -> None:
    shown = [ask(world, name)[0] for name in ("alice", "bob", "erik")]
    assert len(set(shown)) == 3
    assert all(len(code) >= 32 and code.replace("-", "").replace("_", "").isalnum() for code in shown)
    for row in codes(world):
        assert not any(code in str(vars(row)) for code in shown)


@pytest.mark.parametrize("lasts", [timedelta(minutes=5), CODE_LIFETIME, timedelta(minutes=120)])
def test_a_code_lives_as_long_as_was_said_and_no_moment_longer(world: World, lasts: timedelta) -> None:
    code, _ = ask(world, lasts=lasts)
    other, _ = ask(world, "erik", lasts=lasts)
    world.clock.forward(lasts - SECOND)
    confirm(world, code)
    world.clock.forward(SECOND)
    assert waits(world, "erik") == frozenset()
    with pytest.raises(CodeNotValid):
        confirm(world, other, "777")
    assert has(world, "erik") == {}


def test_a_code_is_good_once(world: World) -> None:
    code, _ = ask(world)
    confirm(world, code)
    for address in (CHAT, "777"):
        with pytest.raises(CodeNotValid):
            confirm(world, code, address)
    assert has(world) == {TELEGRAM: CHAT}


@pytest.mark.parametrize("code", ["", "made up", "A" * 32, "a" * 10_000, "' OR 1=1 --"])
def test_a_code_that_nobody_was_shown_links_nothing(world: World, code: str) -> None:
    ask(world)
    with pytest.raises(CodeNotValid):
        confirm(world, code)
    assert waits(world) == {TELEGRAM}


def test_a_code_for_one_channel_is_none_on_another_and_stays_good(world: World) -> None:
    code, _ = ask(world)
    with pytest.raises(CodeNotValid):
        confirm(world, code, NUMBER, SIGNAL)
    assert confirm(world, code) == world.players["alice"]


def test_a_player_may_wait_on_two_channels_at_once(world: World) -> None:
    telegram, signal = ask(world)[0], ask(world, channel=SIGNAL)[0]
    assert waits(world) == {TELEGRAM, SIGNAL}
    confirm(world, signal, NUMBER, SIGNAL)
    assert waits(world) == {TELEGRAM}
    confirm(world, telegram)
    assert has(world) == {TELEGRAM: CHAT, SIGNAL: NUMBER}


def test_nobody_is_shown_two_codes_within_the_interval_and_is_told_how_long_it_is(world: World) -> None:
    first, _ = ask(world)
    world.clock.forward(12 * SECOND)
    with pytest.raises(CodeTooSoon) as refused:
        ask(world)
    assert refused.value.retry_after == 18 * SECOND
    assert ask(world, "erik") and ask(world, channel=SIGNAL), "others and other channels do not wait"
    world.clock.forward(18 * SECOND)
    second, _ = ask(world)
    with pytest.raises(CodeNotValid):
        confirm(world, first)
    assert confirm(world, second) == world.players["alice"]


def test_after_the_clock_was_set_back_nobody_waits_for_it_to_catch_up(world: World) -> None:
    ask(world)
    world.clock.forward(-timedelta(hours=2))
    code, expires_at = ask(world)
    assert expires_at == at(18, 30) + CODE_LIFETIME
    with pytest.raises(CodeTooSoon):
        ask(world)
    confirm(world, code)


def test_an_operator_may_have_no_interval_at_all(world: World) -> None:
    first, second = (ask(world, link_code_interval_seconds=0)[0] for _ in range(2))
    with pytest.raises(CodeNotValid):
        confirm(world, first)
    confirm(world, second)


def test_a_new_code_leaves_a_link_that_works_alone_until_it_is_used(world: World) -> None:
    world.has("alice", TELEGRAM, CHAT)
    code, _ = ask(world)
    assert has(world) == {TELEGRAM: CHAT}
    confirm(world, code, "777")
    assert has(world) == {TELEGRAM: "777"}
    with world.session() as session:
        assert links.player_of_address(session, TELEGRAM, CHAT, settings=world.runtime.settings) is None, (
            "the old one is free"
        )


def test_linking_the_same_chat_again_mends_what_was_marked(world: World) -> None:
    world.has("alice", TELEGRAM, CHAT)
    with world.session() as session:
        contact = contacts.contacts_of(session, world.players["alice"])[TELEGRAM]
        contacts.apply_update(
            session,
            contacts.after_failure(
                contact.route, Explanation(Reason.TELEGRAM_BLOCKED), is_permanent=True, now=at(20, 30)
            ),
        )
    assert has(world) == {}
    confirm(world, ask(world)[0])
    assert has(world) == {TELEGRAM: CHAT}


def test_an_address_of_another_player_is_refused_and_the_code_stays_good(world: World) -> None:
    world.has("erik", TELEGRAM, CHAT)
    code, _ = ask(world)
    with pytest.raises(AddressTaken, match="Telegram account belongs to another player"):
        confirm(world, code)
    assert (has(world), has(world, "erik"), waits(world)) == ({}, {TELEGRAM: CHAT}, frozenset({TELEGRAM}))
    assert confirm(world, code, "777") == world.players["alice"]


def test_twenty_who_send_one_code_at_once_are_one_winner(committed: Database) -> None:
    world = build_world(committed)
    code, _ = ask(world)
    came_to = at_once([partial(confirm, world, code, str(1000 + number)) for number in range(20)])
    assert [one for one in came_to if not isinstance(one, CodeNotValid)] == [world.players["alice"]]
    assert list(has(world)) == [TELEGRAM]
    assert codes(world) == []


def test_twenty_who_send_their_codes_from_one_chat_at_once_are_one_owner(committed: Database) -> None:
    world = build_world(committed)
    shown = {name: ask(world, name)[0] for name in world.players}
    came_to = at_once([partial(confirm, world, code) for code in shown.values()])
    assert sorted(type(one).__name__ for one in came_to) == ["AddressTaken"] * (len(shown) - 1) + ["int"]
    owners = [name for name in shown if has(world, name)]
    assert len(owners) == 1
    assert len(codes(world)) == len(shown) - 1, "the others may use theirs from a chat of their own"


def test_twenty_requests_at_once_show_one_code(committed: Database) -> None:
    world = build_world(committed)
    came_to = at_once([lambda: ask(world)[0]] * 10)
    [code] = [one for one in came_to if isinstance(one, str)]
    assert sum(isinstance(one, CodeTooSoon) for one in came_to) == 9
    assert confirm(world, code) == world.players["alice"]


@pytest.mark.parametrize("do", [ask, lambda world, **known: confirm(world, "made up", **known)])
def test_where_a_channel_is_off_or_no_address_can_be_kept_nothing_is_linked(world: World, do: Any) -> None:
    with pytest.raises(ChannelOff, match="Telegram is switched off here"):
        do(world, telegram_enabled=False)
    keyless = type(world.runtime.settings.contact_encryption_key)("")
    with pytest.raises(NoKey):
        do(world, contact_encryption_key=keyless)
    assert codes(world) == []


def test_giving_an_address_up_forgets_it_and_its_code_and_no_other(world: World) -> None:
    world.has("alice", TELEGRAM, CHAT)
    world.has("alice", SIGNAL, NUMBER)
    code, _ = ask(world)
    ask(world, "erik")
    with world.session() as session:
        assert contacts.remove_contact(session, world.players["alice"], TELEGRAM)
        assert not contacts.remove_contact(session, world.players["alice"], TELEGRAM), "twice is once"
    assert (has(world), waits(world), waits(world, "erik")) == ({SIGNAL: NUMBER}, frozenset(), frozenset({TELEGRAM}))
    with pytest.raises(CodeNotValid):
        confirm(world, code)


def test_unlinking_forgets_every_address_and_every_code(world: World) -> None:
    world.has("alice", TELEGRAM, CHAT)
    code, _ = ask(world, channel=SIGNAL)
    with world.session() as session:
        unlinking.unlink_profile(session, session.get_one(User, world.users["alice"]), today=TODAY, now=at(20, 31))
        assert not list(session.scalars(select(Contact).where(Contact.player_id == world.players["alice"])))
    assert codes(world) == []
    with pytest.raises(CodeNotValid):
        confirm(world, code, NUMBER, SIGNAL)
    world.has("erik", TELEGRAM, CHAT)
    assert has(world, "erik") == {TELEGRAM: CHAT}, "and the chat is free for somebody else"
