"""Addresses and channels: which come first, what an address may look like, and how little of it is shown."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix.config.types import is_aci, is_e164
from slomix.contacts.rules import (
    CHANNEL_ORDER,
    LINKED_BY_CODE,
    MAX_THRESHOLD,
    ChannelName,
    NoSuchChannel,
    NoSuchLifetime,
    NoSuchThreshold,
    PreferredChannel,
    code_lifetime,
    is_private_chat,
    mask_address,
    parse_linked_channel,
    parse_preferred,
    parse_threshold,
)


@pytest.mark.parametrize("preferred", PreferredChannel)
def test_whatever_somebody_prefers_every_channel_has_its_turn_once(preferred: PreferredChannel) -> None:
    assert set(CHANNEL_ORDER[preferred]) == set(ChannelName)
    assert len(CHANNEL_ORDER[preferred]) == len(ChannelName)


@pytest.mark.parametrize("channel", ChannelName)
def test_the_preferred_channel_is_the_first(channel: ChannelName) -> None:
    assert CHANNEL_ORDER[PreferredChannel(channel.value)][0] is channel


@pytest.mark.parametrize("preferred", [one for one in PreferredChannel if one is not PreferredChannel.DISCORD])
def test_discord_which_everybody_has_is_the_last_resort(preferred: PreferredChannel) -> None:
    assert CHANNEL_ORDER[preferred][-1] is ChannelName.DISCORD


def test_who_has_no_preference_is_told_where_they_linked_an_address_by_hand() -> None:
    assert CHANNEL_ORDER[PreferredChannel.ANY] == (ChannelName.TELEGRAM, ChannelName.SIGNAL, ChannelName.DISCORD)


def test_a_code_links_every_channel_but_discord_where_the_login_does() -> None:
    assert set(LINKED_BY_CODE) == set(ChannelName) - {ChannelName.DISCORD}
    assert [parse_linked_channel(one.value) for one in LINKED_BY_CODE] == list(LINKED_BY_CODE)


@pytest.mark.parametrize("text", ["discord", "any", "", "Telegram", " signal", "telegram\n", "pigeon"])
def test_no_other_channel_is_linked_by_a_code(text: str) -> None:
    with pytest.raises(NoSuchChannel):
        parse_linked_channel(text)


@pytest.mark.parametrize("preferred", PreferredChannel)
def test_a_preference_is_read_by_its_name(preferred: PreferredChannel) -> None:
    assert parse_preferred(preferred.value) is preferred


@pytest.mark.parametrize("text", ["", "Any", "ANY", "email", "discord ", "0"])
def test_no_other_preference_is_read(text: str) -> None:
    with pytest.raises(NoSuchChannel):
        parse_preferred(text)


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("1", 1), ("06", 6), ("99", MAX_THRESHOLD), ("099", 99)])
def test_a_threshold_is_a_number_of_players(text: str, number: int) -> None:
    assert parse_threshold(text) == number


@pytest.mark.parametrize("text", ["", "-1", "100", "999", "1000", "1.5", "six", "６", "²", " 6", "6\n", "9" * 5000])
def test_what_nobody_can_wait_for_is_no_threshold(text: str) -> None:
    with pytest.raises(NoSuchThreshold):
        parse_threshold(text)


@given(st.integers())
def test_a_code_lives_five_minutes_to_two_hours_whatever_number_is_asked_for(minutes: int) -> None:
    if 5 <= minutes <= 120:
        assert code_lifetime(minutes) == timedelta(minutes=minutes)
    else:
        with pytest.raises(NoSuchLifetime):
            code_lifetime(minutes)


@pytest.mark.parametrize("minutes", [-(10**30), -(10**10), -1, 0, 4, 121, 150, 199, 10**10, 10**30])
def test_no_number_is_too_large_or_too_small_to_be_refused(minutes: int) -> None:
    with pytest.raises(NoSuchLifetime):
        code_lifetime(minutes)


@pytest.mark.parametrize("number", ["+38640123456", "+12025550123", "+1234567", "+123456789012345"])
def test_a_phone_number_begins_with_its_country(number: str) -> None:
    assert is_e164(number)


@pytest.mark.parametrize(
    "number",
    [
        "",
        "+",
        "38640123456",
        "0038640123456",
        "040123456",
        "+040123456",
        "+386 40 123 456",
        "+386-40-123456",
        "+123456",
        "+1234567890123456",
        "+38640123456\n",
        " +38640123456",
        "+３８６４０１２３４５６",
        "+3864012345a",
        "123456789",
    ],
)
def test_nothing_else_is_a_phone_number(number: str) -> None:
    assert not is_e164(number)


@pytest.mark.parametrize(
    ("account", "is_one"),
    [
        ("9f1c5a52-7c0e-5e4b-8f0b-0a1b2c3d4e5f", True),
        ("9F1C5A52-7C0E-5E4B-8F0B-0A1B2C3D4E5F", False),
        ("9f1c5a527c0e5e4b8f0b0a1b2c3d4e5f", False),
        ("PNI:9f1c5a52-7c0e-5e4b-8f0b-0a1b2c3d4e5f", False),
        ("9f1c5a52-7c0e-5e4b-8f0b-0a1b2c3d4e5f\n", False),
        ("", False),
    ],
)
def test_an_account_on_signal_has_an_id(account: str, is_one: bool) -> None:
    assert is_aci(account) is is_one


@pytest.mark.parametrize("chat", ["1", "123456789", "9" * 19])
def test_a_private_chat_has_a_positive_number(chat: str) -> None:
    assert is_private_chat(chat)


@pytest.mark.parametrize("chat", ["", "0", "01", "-100123", "-1", "9" * 20, "1.0", "@alice", "1\n", "１２３"])
def test_a_group_and_what_is_no_number_are_no_private_chat(chat: str) -> None:
    assert not is_private_chat(chat)


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("+38640123456", "••••••56"),
        ("123456789", "••••••89"),
        ("123456", "••••••56"),
        ("12345", "••••••5"),
        ("123", "••••••3"),
        ("12", "••••••"),
        ("", "••••••"),
    ],
)
def test_an_address_is_shown_by_its_end(address: str, masked: str) -> None:
    assert mask_address(address) == masked


@given(st.text(max_size=40))
def test_a_masked_address_tells_neither_its_length_nor_more_than_a_third_of_it(address: str) -> None:
    shown = mask_address(address).removeprefix("•" * 6)
    assert mask_address(address).startswith("•" * 6)
    assert address.endswith(shown)
    assert len(shown) <= min(2, len(address) / 3)
