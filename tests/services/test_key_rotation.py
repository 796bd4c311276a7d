"""A new key for the addresses at rest: the old one reads until all are sealed anew, and nothing is lost on the way."""

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import select

from slomix.config.settings import Settings
from slomix.contacts import links
from slomix.contacts import service as contacts
from slomix.contacts.encryption import AddressVault, CannotDecrypt
from slomix.contacts.links import AddressTaken, NoKey
from slomix.contacts.models import Contact
from slomix.contacts.rules import CODE_LIFETIME, ChannelName
from tests.configuration import CONTACT_KEY
from tests.world import World

from .sending import CHAT, NUMBER

TELEGRAM, SIGNAL = ChannelName.TELEGRAM, ChannelName.SIGNAL
NEW, OTHER = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def keyed(world: World, *keys: str) -> Settings:
    return world.runtime.settings.model_copy(update={"contact_encryption_key": SecretStr(",".join(keys))})


def rotate(world: World, *keys: str) -> tuple[int, int]:
    with world.session() as session:
        return links.reseal_addresses(session, keyed(world, *keys))


def stored(world: World) -> dict[int, tuple[str | None, str | None]]:
    with world.session() as session:
        session.expire_all()
        return {one.id: (one.sealed, one.address_hash) for one in session.scalars(select(Contact))}


def readable(world: World, name: str, *keys: str) -> dict[ChannelName, str]:
    """The addresses of a player that these keys open."""
    settings, found = keyed(world, *keys), {}
    with world.session() as session:
        reach = contacts.reachability_of(session, [world.players[name]], settings=settings)[world.players[name]]
        for way in reach.routes:
            try:
                found[way.channel] = contacts.address_of_route(way, reach.discord_id or "", settings)
            except CannotDecrypt:
                continue
    return {channel: address for channel, address in found.items() if channel is not ChannelName.DISCORD}


def owner(world: World, address: str, channel: ChannelName, *keys: str) -> int | None:
    with world.session() as session:
        return links.player_of_address(session, channel, address, settings=keyed(world, *keys))


@pytest.fixture
def linked(world: World) -> World:
    """Under the old key Alice has a chat and Erik a number."""
    world.has("alice", TELEGRAM, CHAT)
    world.has("erik", SIGNAL, NUMBER)
    return world


def test_with_a_new_key_in_front_the_old_one_still_reads_and_finds(linked: World) -> None:
    assert readable(linked, "alice", NEW, CONTACT_KEY) == {TELEGRAM: CHAT}
    assert owner(linked, CHAT, TELEGRAM, NEW, CONTACT_KEY) == linked.players["alice"]
    assert owner(linked, CHAT, TELEGRAM, NEW) is None


def test_rotating_seals_every_address_with_the_new_key(linked: World) -> None:
    before = stored(linked)
    assert rotate(linked, NEW, CONTACT_KEY) == (2, 0)
    after = stored(linked)
    changed = {one for one, values in after.items() if values != before[one]}
    assert len(changed) == 2, "and Discord's, which are not sealed, stay"
    assert readable(linked, "alice", NEW) == {TELEGRAM: CHAT}
    assert readable(linked, "erik", NEW) == {SIGNAL: NUMBER}
    for keys in ((NEW,), (NEW, CONTACT_KEY), (OTHER, NEW)):
        assert owner(linked, CHAT, TELEGRAM, *keys) == linked.players["alice"]
    assert readable(linked, "alice", CONTACT_KEY) == {}, "the old key may be thrown away"
    assert rotate(linked, NEW) == (2, 0), "once more is no harm"


@pytest.mark.parametrize("is_rotated", [False, True])
def test_an_address_stays_taken_while_keys_change(linked: World, is_rotated: bool) -> None:
    if is_rotated:
        rotate(linked, NEW, CONTACT_KEY)
    settings, now = keyed(linked, NEW, CONTACT_KEY), linked.clock.now()
    with linked.session() as session:
        code, _ = links.new_code(
            session, linked.players["erik"], TELEGRAM, lifetime=CODE_LIFETIME, settings=settings, now=now
        )
    with pytest.raises(AddressTaken), linked.session() as session:
        links.confirm_code(session, TELEGRAM, code, CHAT, settings=settings, now=now)


def test_what_was_linked_under_the_new_key_is_read_beside_what_was_linked_before(linked: World) -> None:
    settings, now = keyed(linked, NEW, CONTACT_KEY), linked.clock.now()
    with linked.session() as session:
        code, _ = links.new_code(
            session, linked.players["alice"], SIGNAL, lifetime=CODE_LIFETIME, settings=settings, now=now
        )
        links.confirm_code(session, SIGNAL, code, "+38640999999", settings=settings, now=now)
    assert readable(linked, "alice", NEW, CONTACT_KEY) == {TELEGRAM: CHAT, SIGNAL: "+38640999999"}
    assert readable(linked, "alice", NEW) == {SIGNAL: "+38640999999"}


def test_an_address_whose_key_is_lost_is_counted_and_left_as_it_is(linked: World) -> None:
    sealed = AddressVault([OTHER]).seal(TELEGRAM, "777")
    with linked.session() as session:
        now = linked.clock.now()
        contacts.add_sealed(session, linked.players["franka"], TELEGRAM, sealed.text, sealed.address_hash, now=now)
    before = stored(linked)
    assert rotate(linked, NEW, CONTACT_KEY) == (2, 1)
    [lost] = [one for one, values in stored(linked).items() if values == (sealed.text, sealed.address_hash)]
    assert before[lost] == stored(linked)[lost]
    assert rotate(linked, NEW, OTHER) == (3, 0), "the key may turn up again"
    assert readable(linked, "franka", NEW) == {TELEGRAM: "777"}


def test_with_no_key_of_old_nothing_is_overwritten(linked: World) -> None:
    before = stored(linked)
    assert rotate(linked, NEW) == (0, 2)
    assert stored(linked) == before
    assert readable(linked, "alice", CONTACT_KEY) == {TELEGRAM: CHAT}


def test_without_any_key_nothing_is_rotated(linked: World) -> None:
    before = stored(linked)
    with pytest.raises(NoKey):
        rotate(linked)
    assert stored(linked) == before
