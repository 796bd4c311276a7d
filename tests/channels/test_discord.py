"""Discord's voice against a real process that answers, refuses, cuts and keeps silent as Discord would."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from slomix.channels import http
from slomix.channels.base import (
    Address,
    Button,
    Message,
    ProviderDown,
    RateLimited,
    Receipt,
    SendError,
    TokenRefused,
    Unanswered,
)
from slomix.channels.discord import Discord
from slomix.channels.rate_limit import LocalRateLimiter, RateLimitHold, Slot
from slomix.dev.simulator.people import (
    AFK_VOICE_CHANNEL,
    BOT_TOKEN,
    GAMING_VOICE_CHANNEL,
    GUILD_ID,
    TEXT_CHANNEL,
    SimulatedPerson,
)
from slomix.reasons.codes import Explanation, Reason
from tests.simulators import CAST, NOBODY, Simulator
from tests.waiting import PATIENCE

HELLO = Message("Tonight at <t:1795204800:t>, <@1> @everyone")


@pytest.fixture
def channel(simulator: Simulator) -> Iterator[Discord]:
    channel = Discord(f"{simulator.url}/api/v10", BOT_TOKEN, GUILD_ID)
    yield channel
    channel.close()


def break_it(simulator: Simulator, fault: str, **parameters: Any) -> None:
    body = {"provider": "discord", "fault": fault, **parameters}
    simulator.client().post("/control/faults", json=body).raise_for_status()


def requests(simulator: Simulator) -> int:
    return int(simulator.client().get("/control/stats").json()["accepted"])


def person(name: str) -> Address:
    return Address(CAST[name].id)


def refusal(channel: Discord, to: Address, *, nonce: str = "n") -> SendError:
    with pytest.raises(SendError) as refused:
        channel.send(to, HELLO, nonce=nonce)
    return refused.value


def test_a_dm_channel_is_opened_once_and_its_id_is_learned(channel: Discord, simulator: Simulator) -> None:
    first = channel.send(person("Alice"), HELLO, nonce="one")
    assert (first.learned, requests(simulator)) == (CAST["Alice"].dm_channel, 2)
    second = channel.send(Address(CAST["Alice"].id, learned=first.learned), HELLO, nonce="two")
    assert (second.learned, requests(simulator)) == (first.learned, 3)
    assert first.message_id != second.message_id
    assert [(message["to"], message["text"], message["nonce"]) for message in simulator.messages()] == [
        (CAST["Alice"].id, HELLO.text, "one"),
        (CAST["Alice"].id, HELLO.text, "two"),
    ]


@pytest.mark.parametrize("to", [person("Alice"), Address(TEXT_CHANNEL, is_room=True)])
def test_what_was_sent_is_edited_in_its_place(channel: Discord, simulator: Simulator, to: Address) -> None:
    buttons = (Button("Mute", "mute.x"),)
    receipt = channel.send(to, Message("Six", buttons=buttons), nonce="one")
    channel.edit(receipt.learned or to.value, receipt.message_id, Message("Not six any more"))
    [message] = simulator.messages()
    assert (message["text"], message["edits"], message["edited_at"] is None) == ("Not six any more", 1, False)
    assert message["buttons"] == ["Mute"], "its buttons stay"


def test_the_same_nonce_gives_the_first_message(channel: Discord, simulator: Simulator) -> None:
    receipts = [channel.send(person("Bob"), HELLO, nonce="same") for _ in range(3)]
    assert len({receipt.message_id for receipt in receipts}) == 1
    assert len(simulator.messages()) == 1


def test_a_room_is_written_to_directly_and_teaches_nothing(channel: Discord, simulator: Simulator) -> None:
    receipt = channel.send(Address(TEXT_CHANNEL, is_room=True), HELLO, nonce="n")
    assert (receipt.learned, requests(simulator)) == (None, 1)
    [message] = simulator.messages()
    assert (message["kind"], message["to"]) == ("text_channel", TEXT_CHANNEL)


def test_closed_dms_are_permanent(channel: Discord, simulator: Simulator) -> None:
    break_it(simulator, "closed_dm", user_id=CAST["Erik"].id)
    error = refusal(channel, person("Erik"))
    assert (error.permanent, error.reason) == (True, Explanation(Reason.DMS_CLOSED))
    assert not isinstance(error, Unanswered)
    assert channel.send(person("Franka"), HELLO, nonce="n").message_id, "nobody else's are"


@pytest.mark.parametrize("to", [Address("1", is_room=True), Address("1", learned="2"), Address("1")])
def test_a_room_or_a_person_that_does_not_exist_is_permanent(channel: Discord, to: Address) -> None:
    assert refusal(channel, to).permanent


def test_a_429_says_how_long_to_wait(channel: Discord, simulator: Simulator) -> None:
    break_it(simulator, "rate_limit", retry_after=2.5, times=1)
    error = refusal(channel, person("Goran"))
    assert (type(error), error.permanent, error.retry_after) == (RateLimited, False, timedelta(seconds=2.5))
    assert channel.send(person("Goran"), HELLO, nonce="n").message_id


@pytest.mark.parametrize("status", [500, 503])
def test_a_server_error_of_its_own_passes_and_was_no_delivery(
    channel: Discord, simulator: Simulator, status: int
) -> None:
    break_it(simulator, "status", code=status)
    error = refusal(channel, Address(TEXT_CHANNEL, is_room=True))
    assert (error.permanent, error.retry_after, type(error)) == (False, None, ProviderDown)
    assert str(status) in str(error.reason)
    assert simulator.messages() == []


@pytest.mark.parametrize(
    ("status", "html"), [(502, False), (504, False), (520, True), (524, True), (500, True), (503, True)]
)
def test_an_error_that_a_proxy_may_have_answered_says_nothing(
    channel: Discord, simulator: Simulator, status: int, html: bool
) -> None:
    break_it(simulator, "error_after_accept", code=status, html=html, times=1)
    error = refusal(channel, Address(TEXT_CHANNEL, is_room=True))
    assert (type(error), str(status) in str(error.reason)) == (Unanswered, True)
    assert len(simulator.messages()) == 1


def test_a_success_that_names_no_message_says_nothing(channel: Discord, monkeypatch: pytest.MonkeyPatch) -> None:
    page = httpx2.Response(200, html="<h1>Just a moment...</h1>")
    monkeypatch.setattr(channel._http, "request", lambda *_asked, **_how: page)
    assert type(refusal(channel, Address(TEXT_CHANNEL, is_room=True))) is Unanswered


def test_a_wrong_token_is_not_the_recipients_fault(simulator: Simulator) -> None:
    error = refusal(Discord(f"{simulator.url}/api/v10", "wrong", GUILD_ID), person("Hana"))
    assert (error.permanent, type(error)) == (False, TokenRefused)


def test_a_cut_connection_is_no_answer_and_a_repeat_does_not_double(channel: Discord, simulator: Simulator) -> None:
    to = Address(CAST["Ivan"].id, learned=CAST["Ivan"].dm_channel)
    break_it(simulator, "cut_after_accept", times=1)
    assert isinstance(refusal(channel, to, nonce="kept"), Unanswered)
    [accepted] = simulator.messages()
    assert isinstance(channel.send(to, HELLO, nonce="kept"), Receipt)
    assert simulator.messages() == [accepted]


@pytest.fixture
def hasty(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Discord]:
    """Waits for an answer for a tenth of a second only."""
    monkeypatch.setattr(http, "TIMEOUT", httpx2.Timeout(PATIENCE, read=0.1))
    channel = Discord(f"{simulator.url}/api/v10", BOT_TOKEN, GUILD_ID)
    yield channel
    channel.close()


def test_silence_is_no_answer(hasty: Discord, simulator: Simulator) -> None:
    break_it(simulator, "timeout")
    error = refusal(hasty, Address(TEXT_CHANNEL, is_room=True))
    assert (type(error), error.permanent) == (Unanswered, False)


def test_silence_before_there_is_a_room_to_write_to_is_a_definite_failure(hasty: Discord, simulator: Simulator) -> None:
    """The message itself has not left yet."""
    break_it(simulator, "timeout")
    assert type(refusal(hasty, person("Jana"))) is ProviderDown


def test_a_refused_connection_is_a_definite_failure() -> None:
    nobody = Discord(f"http://127.0.0.1:{NOBODY}/api/v10", BOT_TOKEN, GUILD_ID)
    error = refusal(nobody, Address(TEXT_CHANNEL, is_room=True))
    assert (type(error), error.permanent) == (ProviderDown, False)
    assert "ConnectError" in str(error.reason)


def test_an_error_does_not_tell_the_token(simulator: Simulator) -> None:
    unreachable = Discord(f"http://127.0.0.1:{NOBODY}/api/v10", "a-very-secret-token", GUILD_ID)
    error = refusal(unreachable, Address(TEXT_CHANNEL, is_room=True))
    assert "secret" not in f"{error!r} {error.__cause__!r}"


def test_it_is_tried_once(channel: Discord, simulator: Simulator) -> None:
    break_it(simulator, "rate_limit", retry_after=0.01, times=2)
    to = Address(TEXT_CHANNEL, is_room=True)
    refusal(channel, to)
    assert len(simulator.client().get("/control/faults").json()) == 1, "one of the two faults is left"


def walk(simulator: Simulator, who: SimulatedPerson, room: str | None) -> None:
    body = {"user_id": who.id, "voice_channel": room}
    simulator.client().post("/control/voice", json=body).raise_for_status()


def test_where_somebody_is_can_be_asked_and_nowhere_is_an_answer(channel: Discord, simulator: Simulator) -> None:
    luka = CAST["Luka"]
    assert channel.voice_channel_of(luka.id) is None
    walk(simulator, luka, "default")
    assert channel.voice_channel_of(luka.id) == GAMING_VOICE_CHANNEL
    walk(simulator, luka, "afk")
    assert channel.voice_channel_of(luka.id) == AFK_VOICE_CHANNEL
    walk(simulator, luka, None)
    assert channel.voice_channel_of(luka.id) is None


@pytest.mark.parametrize("status", [500, 503])
def test_not_knowing_where_somebody_is_is_an_error_and_not_nowhere(
    channel: Discord, simulator: Simulator, status: int
) -> None:
    break_it(simulator, "status", code=status)
    with pytest.raises(SendError):
        channel.voice_channel_of(CAST["Luka"].id)


def test_a_guild_that_is_not_there_is_an_error_and_not_nowhere(simulator: Simulator) -> None:
    elsewhere = Discord(f"{simulator.url}/api/v10", BOT_TOKEN, "1")
    with pytest.raises(SendError):
        elsewhere.voice_channel_of(CAST["Luka"].id)


def test_silence_about_where_somebody_is_is_an_error_and_not_nowhere(hasty: Discord, simulator: Simulator) -> None:
    break_it(simulator, "timeout")
    with pytest.raises(SendError):
        hasty.voice_channel_of(CAST["Luka"].id)


class NotedHolds(LocalRateLimiter):
    """Notes what it is told to hold back."""

    def __init__(self) -> None:
        super().__init__()
        self.holds: list[str] = []

    def hold(self, route: str, hold: RateLimitHold, slot: Slot) -> timedelta:
        self.holds.append(route)
        return super().hold(route, hold, slot)


@pytest.mark.parametrize(("error", "held"), [(30046, 0), (20028, 1)])
def test_a_message_edited_too_often_holds_back_no_other(simulator: Simulator, error: int, held: int) -> None:
    limiter = NotedHolds()
    channel = Discord(f"{simulator.url}/api/v10", BOT_TOKEN, GUILD_ID, rate_limiter=limiter)
    room = Address(TEXT_CHANNEL, is_room=True)
    posted = channel.send(room, HELLO, nonce="n").message_id
    break_it(simulator, "refusal", error=error, at="edit-message", times=1)
    with pytest.raises(RateLimited) as refused:
        channel.edit(TEXT_CHANNEL, posted, HELLO)
    assert (refused.value.code, len(limiter.holds)) == (error, held)
    channel.close()
