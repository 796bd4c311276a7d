"""Signal's voice and ears against a real process that answers, refuses, cuts and keeps silent as Signal would."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from slomix.channels import http
from slomix.channels.base import Address, Message, RateLimited, SendError, Unanswered
from slomix.channels.signal import ChallengeNeeded, ReceivedText, Signal
from slomix.dev.simulator.people import SIGNAL_SENDER
from slomix.reasons.codes import Explanation, Reason
from tests.simulators import CAST, NOBODY, Simulator
from tests.waiting import PATIENCE

HELLO = Message("Tonight at 21:00, a_b *c* <d> & https://slomix.example/x")


@pytest.fixture
def channel(simulator: Simulator) -> Iterator[Signal]:
    channel = Signal(f"{simulator.url}/signal", SIGNAL_SENDER)
    yield channel
    channel.close()


def break_it(simulator: Simulator, fault: str, **parameters: Any) -> None:
    body = {"provider": "signal", "fault": fault, **parameters}
    simulator.client().post("/control/faults", json=body).raise_for_status()


def write(simulator: Simulator, name: str, text: str, **more: Any) -> None:
    body = {"user_id": CAST[name].id, "text": text, **more}
    simulator.client().post("/control/signal", json=body).raise_for_status()


def person(name: str) -> Address:
    return Address(CAST[name].signal_number)


def refusal(channel: Signal, to: Address) -> SendError:
    with pytest.raises(SendError) as refused:
        channel.send(to, HELLO, nonce="n")
    return refused.value


def test_a_text_arrives_as_it_was_written(channel: Signal, simulator: Simulator) -> None:
    receipts = [channel.send(person("Alice"), HELLO, nonce="n") for _ in range(2)]
    assert len({receipt.message_id for receipt in receipts}) == 2, "Signal knows no nonce"
    assert [(one["provider"], one["kind"], one["to"], one["text"]) for one in simulator.messages()] == [
        ("signal", "dm", CAST["Alice"].id, HELLO.text)
    ] * 2
    assert channel.repeatable_for == timedelta(0)


@pytest.mark.parametrize(
    "number", ["", "38640000001", "+0640000001", "+386", "+386 40 000 001", "+3864000000123456", "+38640000001\n", "x"]
)
def test_what_is_no_phone_number_is_refused_without_asking(number: str) -> None:
    error = refusal(Signal(f"http://127.0.0.1:{NOBODY}", SIGNAL_SENDER), Address(number))
    assert (error.permanent, error.reason) == (True, Explanation(Reason.NOT_E164))


def test_a_number_that_signal_does_not_know_is_permanent(channel: Signal, simulator: Simulator) -> None:
    break_it(simulator, "closed_dm", user_id=CAST["Erik"].id)
    for number in (person("Erik"), Address("+38699999999")):
        error = refusal(channel, number)
        assert (error.permanent, error.reason) == (True, Explanation(Reason.SIGNAL_UNKNOWN_NUMBER))
    assert channel.send(person("Franka"), HELLO, nonce="n").message_id, "everybody else's it knows"


def test_a_sender_that_is_not_registered_is_not_the_recipients_fault(simulator: Simulator) -> None:
    error = refusal(Signal(f"{simulator.url}/signal", "+38641999999"), person("Hana"))
    assert (type(error), error.permanent) == (SendError, False)
    assert error.reason == Explanation(Reason.SIGNAL_SAID, "User +… is not registered. (400)"), "and no number is told"


def test_a_challenge_has_a_name_of_its_own_and_waits_for_an_hour(channel: Signal, simulator: Simulator) -> None:
    break_it(simulator, "challenge", times=1)
    error = refusal(channel, person("Ivan"))
    assert isinstance(error, ChallengeNeeded)
    assert (error.permanent, error.retry_after) == (False, timedelta(hours=1))
    assert channel.send(person("Ivan"), HELLO, nonce="n").message_id


def test_a_429_says_how_long_to_wait(channel: Signal, simulator: Simulator) -> None:
    break_it(simulator, "rate_limit", retry_after=30, times=1)
    error = refusal(channel, person("Goran"))
    assert (type(error), error.permanent, error.retry_after) == (RateLimited, False, timedelta(seconds=30))
    assert error.reason == Explanation(Reason.SIGNAL_IS_BUSY)


@pytest.mark.parametrize("status", [400, 401, 404, 500, 502, 503])
def test_what_is_wrong_with_signal_passes(channel: Signal, simulator: Simulator, status: int) -> None:
    break_it(simulator, "status", code=status)
    error = refusal(channel, person("Alice"))
    assert (type(error), error.permanent, error.retry_after) == (SendError, False, None)
    assert str(status) in str(error.reason)
    with pytest.raises(SendError):
        channel.receive(wait_seconds=0)
    assert simulator.messages() == []


def test_a_cut_connection_is_no_answer(channel: Signal, simulator: Simulator) -> None:
    break_it(simulator, "cut_after_accept", times=1)
    assert isinstance(refusal(channel, person("Ivan")), Unanswered)
    assert len(simulator.messages()) == 1


def test_silence_is_no_answer(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "TIMEOUT", httpx2.Timeout(PATIENCE, read=0.1))
    hasty = Signal(f"{simulator.url}/signal", SIGNAL_SENDER)
    break_it(simulator, "timeout")
    assert isinstance(refusal(hasty, person("Jana")), Unanswered)


def test_a_refused_connection_is_a_definite_failure() -> None:
    error = refusal(Signal(f"http://127.0.0.1:{NOBODY}", SIGNAL_SENDER), person("Jana"))
    assert (type(error), error.permanent) == (SendError, False)
    assert "ConnectError" in str(error.reason)


def test_what_people_write_is_read_once_and_nothing_else_is(channel: Signal, simulator: Simulator) -> None:
    """Each text is announced by typing, and each of ours is answered by a receipt."""
    channel.send(person("Alice"), HELLO, nonce="n")
    write(simulator, "Alice", "LINK ABC")
    write(simulator, "Bob", "hello there", group=True)
    assert channel.receive(wait_seconds=5) == [
        ReceivedText(CAST["Alice"].signal_number, is_private=True, text="LINK ABC", sender_name="Alice"),
        ReceivedText(CAST["Bob"].signal_number, is_private=False, text="hello there", sender_name="Bob"),
    ]
    assert channel.receive(wait_seconds=0) == []


@pytest.mark.parametrize(
    "envelope",
    [
        {"dataMessage": {"message": "Hi"}},
        {"sourceNumber": None, "dataMessage": {"message": "Hi"}},
        {"sourceNumber": "+38640000001", "dataMessage": {"message": None}},
        {"sourceNumber": "+38640000001", "dataMessage": None},
        {"sourceNumber": "+38640000001", "syncMessage": {"sentMessage": {"message": "Hi"}}},
        None,
    ],
    ids=str,
)
def test_an_envelope_without_a_sender_or_a_text_is_left_out(
    channel: Signal, monkeypatch: pytest.MonkeyPatch, envelope: Any
) -> None:
    answer = httpx2.Response(200, json=[{"envelope": envelope}, "nonsense"])
    monkeypatch.setattr(http.HttpClient, "request", lambda *_args, **_options: answer)
    assert channel.receive(wait_seconds=0) == []


def test_no_log_tells_a_number(channel: Signal, simulator: Simulator, caplog: pytest.LogCaptureFixture) -> None:
    for name in (None, "httpx2", "httpcore2"):
        caplog.set_level(logging.DEBUG, logger=name)
    channel.send(person("Alice"), HELLO, nonce="n")
    channel.receive(wait_seconds=0)
    assert "httpcore2" in caplog.text, "the libraries did log"
    assert "3864000000" not in caplog.text
