"""What changed between planning and sending decides where a message goes: a key that is lost, a wish that is new."""

from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import update
from sqlalchemy.orm import Session

from slomix.channels.base import SendError
from slomix.contacts import preferences
from slomix.contacts import service as contacts
from slomix.contacts.encryption import AddressVault
from slomix.contacts.models import Contact
from slomix.contacts.rules import ChannelName, PreferredChannel
from slomix.deliveries import service as deliveries
from slomix.reasons.codes import Explanation, Reason
from tests.moments import LJUBLJANA, at
from tests.world import CAST

from .sending import CHAT, NUMBER, Post

DISCORD, TELEGRAM, SIGNAL = ChannelName.DISCORD, ChannelName.TELEGRAM, ChannelName.SIGNAL
BLOCKED = SendError(Reason.TELEGRAM_BLOCKED, permanent=True)
GONE = SendError(Reason.SIGNAL_UNKNOWN_NUMBER, permanent=True)
CLOSED = SendError(Reason.DMS_CLOSED, permanent=True)


def seal_with_a_lost_key(session: Session, player_id: int, channel: ChannelName, address: str) -> None:
    sealed = AddressVault([Fernet.generate_key().decode()]).seal(channel, address)
    session.execute(
        update(Contact)
        .where(Contact.player_id == player_id, Contact.channel == channel)
        .values(sealed=sealed.text, address_hash=sealed.address_hash)
    )


def test_an_address_that_nobody_can_read_takes_the_next_way_and_says_so_on_the_contact(everywhere: Post) -> None:
    with everywhere.world.session() as session:
        seal_with_a_lost_key(session, everywhere.world.players["alice"], TELEGRAM, CHAT)
    everywhere.plan("alice")
    assert everywhere.carry_all() == [(SIGNAL, "sent", None, None)]
    assert everywhere.arrived() == {SIGNAL: [NUMBER]}
    contact = everywhere.contact("alice", TELEGRAM)
    assert contact is not None
    assert (contact.unusable_since, contact.unusable_reason) == (at(20, 45), Explanation(Reason.UNREADABLE))


def test_where_no_address_can_be_read_it_is_no_working_contact(everywhere: Post) -> None:
    with everywhere.world.session() as session:
        player = everywhere.world.players["alice"]
        contacts.remove_contact(session, player, DISCORD)
        seal_with_a_lost_key(session, player, TELEGRAM, CHAT)
        seal_with_a_lost_key(session, player, SIGNAL, NUMBER)
    everywhere.plan("alice")
    assert everywhere.carry_all() == [(TELEGRAM, "skipped", Explanation(Reason.NO_WORKING_CONTACT), None)]
    assert all(
        (contact := everywhere.contact("alice", one)) and contact.unusable_reason == Explanation(Reason.UNREADABLE)
        for one in (TELEGRAM, SIGNAL)
    )


def test_an_unreadable_address_after_a_fallback_takes_no_way_that_was_tried_already(everywhere: Post) -> None:
    """Discord refused, Telegram is next; meanwhile its key is lost and Alice says that her DMs are open again."""
    everywhere.world.prefers("alice", preferred_channel=PreferredChannel.DISCORD)
    with everywhere.world.session() as session:
        contacts.remove_contact(session, everywhere.world.players["alice"], SIGNAL)
    everywhere.wire.answers = [CLOSED]
    everywhere.plan("alice")
    everywhere.carry(everywhere.row("alice"))
    with everywhere.world.session() as session:
        contacts.retry_contacts(session, everywhere.world.players["alice"])
        seal_with_a_lost_key(session, everywhere.world.players["alice"], TELEGRAM, CHAT)
    everywhere.world.prefers("alice", preferred_channel=PreferredChannel.TELEGRAM)
    assert everywhere.carry_all() == [
        (DISCORD, "failed", CLOSED.reason, TELEGRAM),
        (TELEGRAM, "skipped", Explanation(Reason.NO_WORKING_CONTACT), None),
    ]


@pytest.mark.parametrize(
    ("change", "channel"),
    [
        ({"preferred_channel": PreferredChannel.DISCORD}, DISCORD),
        ({"preferred_channel": PreferredChannel.SIGNAL}, SIGNAL),
        ({"preferred_channel": PreferredChannel.TELEGRAM}, TELEGRAM),
        ("unlinked Telegram", SIGNAL),
        ("linked another chat", TELEGRAM),
    ],
)
def test_what_was_changed_since_the_planning_is_heeded(everywhere: Post, change: Any, channel: ChannelName) -> None:
    everywhere.plan("alice")
    assert everywhere.row("alice").channel is TELEGRAM
    player = everywhere.world.players["alice"]
    with everywhere.world.session() as session:
        match change:
            case dict():
                preferences.change_preferences(session, player, change, zone=LJUBLJANA, now=at(20, 40))
            case "unlinked Telegram":
                contacts.remove_contact(session, player, TELEGRAM)
    if change == "linked another chat":
        everywhere.world.has("alice", TELEGRAM, "777")
    assert everywhere.carry_all() == [(channel, "sent", None, None)]
    where = {DISCORD: CAST["alice"], TELEGRAM: "777" if change == "linked another chat" else CHAT, SIGNAL: NUMBER}
    assert everywhere.arrived() == {channel: [where[channel]]}


def test_who_switched_it_off_between_two_channels_is_told_nothing(everywhere: Post) -> None:
    everywhere.telegram.answers = [BLOCKED]
    everywhere.plan("alice")
    everywhere.carry(everywhere.row("alice"))
    everywhere.world.prefers("alice", called=False)
    assert everywhere.carry_all()[1] == (SIGNAL, "skipped", Explanation(Reason.NOT_OPTED_IN), None)
    assert everywhere.arrived() == {}


def test_a_channel_that_is_back_after_a_fallback_is_not_tried_again_for_this_event(everywhere: Post) -> None:
    everywhere.telegram.answers = [BLOCKED]
    everywhere.plan("alice")
    everywhere.carry(everywhere.row("alice"))
    with everywhere.world.session() as session:
        contacts.retry_contacts(session, everywhere.world.players["alice"])
    assert everywhere.carry_all()[1] == (SIGNAL, "sent", None, None)
    assert everywhere.arrived() == {SIGNAL: [NUMBER]}


def test_a_later_campaign_of_the_day_begins_on_the_channel_that_works_by_then(everywhere: Post) -> None:
    """All three refused; then Alice lets the bot in again, and another campaign is made."""
    everywhere.telegram.answers, everywhere.signal.answers, everywhere.wire.answers = [BLOCKED], [GONE], [CLOSED]
    everywhere.plan("alice")
    everywhere.carry_all()
    with everywhere.world.session() as session:
        contacts.retry_contacts(session, everywhere.world.players["alice"])
    assert everywhere.plan("alice", subject="2") == 1
    assert everywhere.carry_all()[0] == (TELEGRAM, "sent", None, None)
    assert everywhere.arrived() == {TELEGRAM: [CHAT]}


def test_a_later_campaign_may_fall_back_to_where_an_earlier_one_failed(everywhere: Post) -> None:
    everywhere.telegram.answers, everywhere.signal.answers, everywhere.wire.answers = [BLOCKED], [GONE], [CLOSED]
    everywhere.plan("alice")
    everywhere.carry_all()
    with everywhere.world.session() as session:
        contacts.retry_contacts(session, everywhere.world.players["alice"])
    everywhere.telegram.answers = [BLOCKED]
    everywhere.plan("alice", subject="2")
    assert [row[:2] for row in everywhere.carry_all()] == [(TELEGRAM, "failed"), (SIGNAL, "sent"), (DISCORD, "failed")]
    with everywhere.world.session() as session:
        assert deliveries.tally_by_notice(session, "2")["greeting"].total == 1


def test_an_answer_about_the_old_address_says_nothing_of_the_new_one(everywhere: Post) -> None:
    everywhere.plan("alice")

    def links_another() -> None:
        everywhere.world.clock.forward(timedelta(seconds=1))
        everywhere.world.has("alice", TELEGRAM, "777")

    everywhere.telegram.meanwhile = links_another
    everywhere.telegram.answers = [BLOCKED]
    everywhere.carry(everywhere.row("alice"))
    contact = everywhere.contact("alice", TELEGRAM)
    assert contact is not None
    assert (contact.unusable_since, contact.last_error) == (None, None)
