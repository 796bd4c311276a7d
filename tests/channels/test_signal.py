"""Signal's voice against a real process that answers, refuses, cuts and keeps silent as Signal would."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from slomix.channels import http
from slomix.channels.base import Address, Message, ProviderDown, RateLimited, SendError, TokenRefused, Unanswered
from slomix.channels.signal import ChallengeNeeded, Signal
from slomix.dev.simulator.people import SIGNAL_SENDER
from slomix.reasons.codes import Explanation, Reason
from tests.simulators import CAST, NOBODY, Simulator
from tests.waiting import PATIENCE

HELLO = Message("Tonight at 21:00, a_b *c* <d> & https://slomix.example/x")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def channel(simulator: Simulator) -> Iterator[Signal]:
    channel = Signal(f"{simulator.url}/signal", SIGNAL_SENDER)
    yield channel
    channel.close()


def break_it(simulator: Simulator, fault: str, **parameters: Any) -> None:
    body = {"provider": "signal", "fault": fault, **parameters}
    simulator.client().post("/control/faults", json=body).raise_for_status()


def run_service(simulator: Simulator, **how: str) -> None:
    simulator.client().post("/control/signal-service", json=how).raise_for_status()


def person(name: str) -> Address:
    return Address(CAST[name].signal_aci)


def refusal(channel: Signal, to: Address) -> SendError:
    with pytest.raises(SendError) as refused:
        channel.send(to, HELLO, nonce="n")
    return refused.value


@pytest.mark.parametrize("address", [CAST["Alice"].signal_aci, CAST["Alice"].signal_number])
def test_a_text_arrives_as_it_was_written(channel: Signal, simulator: Simulator, address: str) -> None:
    receipts = [channel.send(Address(address), HELLO, nonce="n") for _ in range(2)]
    assert len({receipt.message_id for receipt in receipts}) == 2, "Signal knows no nonce"
    assert [(one["provider"], one["kind"], one["to"], one["text"]) for one in simulator.messages()] == [
        ("signal", "dm", CAST["Alice"].id, HELLO.text)
    ] * 2
    assert channel.repeatable_for == timedelta(0)


@pytest.mark.parametrize(
    "address",
    [
        *("", "38640000001", "+0640000001", "+386", "+386 40 000 001", "+3864000000123456", "+38640000001\n", "x"),
        *("group.Z2FtZS1uaWdodHM=", "u:alice.01", "--help"),
        *("9F1C5A52-7C0E-5E4B-8F0B-0A1B2C3D4E5F", "9f1c5a52-7c0e-5e4b-8f0b-0a1b2c3d4e5", "PNI:9f1c5a52"),
    ],
)
def test_what_is_neither_an_account_nor_a_number_is_refused_without_asking(address: str) -> None:
    error = refusal(Signal(f"http://127.0.0.1:{NOBODY}", SIGNAL_SENDER), Address(address))
    assert error.permanent
    assert error.reason == Explanation(Reason.NOT_E164)


def test_a_sender_that_is_not_registered_is_not_the_recipients_fault(simulator: Simulator) -> None:
    error = refusal(Signal(f"{simulator.url}/signal", "+38641999999"), person("Hana"))
    assert (type(error), error.permanent) == (TokenRefused, False)
    assert error.reason == Explanation(Reason.SIGNAL_SAID, "our own number is not registered there")


def test_a_challenge_has_a_name_of_its_own_and_waits_for_an_hour(channel: Signal, simulator: Simulator) -> None:
    break_it(simulator, "challenge", times=1)
    error = refusal(channel, person("Ivan"))
    assert isinstance(error, ChallengeNeeded)
    assert (error.permanent, error.retry_after) == (False, HOUR)
    assert channel.send(person("Ivan"), HELLO, nonce="n").message_id


def test_a_rate_limit_that_no_captcha_lifts_waits_a_minute(channel: Signal, simulator: Simulator) -> None:
    """With json-rpc it is told by an empty token for each recipient, and nobody says how long."""
    break_it(simulator, "rate_limit", retry_after=30, times=1)
    error = refusal(channel, person("Goran"))
    assert (type(error), error.permanent, error.retry_after) == (RateLimited, False, MINUTE)
    assert error.reason == Explanation(Reason.SIGNAL_IS_BUSY)


# providers.md, the table of signal-cli-rest-api: the answer, what it means, whether the message arrived.
@pytest.mark.parametrize(
    ("kind", "meaning", "is_permanent", "pause", "reason"),
    [
        ("unregistered", SendError, True, None, "Signal doesn’t know this account"),
        ("failed", SendError, False, None, "Signal: Failed to send message (400)"),
        ("recipients", SendError, True, None, "Signal doesn’t know this account"),
        ("empty", Unanswered, False, None, "Signal didn’t answer (201)"),
        ("html", Unanswered, False, None, "Signal didn’t answer (200)"),
        ("rate_limit", RateLimited, False, timedelta(minutes=4), "Signal asks us to slow down"),
        ("proof", ChallengeNeeded, False, HOUR, "Signal wants an operator to solve a captcha"),
        ("identity", SendError, True, None, "Signal: this phone is new, and our operator has to trust its key first"),
        ("network", ProviderDown, False, None, "NETWORK_FAILURE"),
        ("socket_timeout", Unanswered, False, None, "SocketTimeoutException"),
        ("killed", Unanswered, False, None, "process killed as timeout reached"),
        ("sender", TokenRefused, False, None, "Signal: our own number is not registered there"),
    ],
)
def test_each_answer_of_the_service_is_understood(
    channel: Signal,
    simulator: Simulator,
    kind: str,
    meaning: type[SendError],
    is_permanent: bool,
    pause: timedelta | None,
    reason: str,
) -> None:
    break_it(simulator, "mishap", kind=kind, times=1)
    error = refusal(channel, person("Alice"))
    assert (type(error), error.permanent, error.retry_after) == (meaning, is_permanent, pause)
    assert reason in str(error)
    arrived = [one["text"] for one in simulator.messages()]
    assert arrived == ([HELLO.text] if meaning is Unanswered else []), "only what says nothing may have sent it"


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("Failed to send message due to untrusted identities", SendError),
        ('Untrusted Identity for "+38640000001"', SendError),
        ("untrusted recipient keys", SendError),
        ('CAPTCHA proof required for sending to "x", available options "RECAPTCHA"', ChallengeNeeded),
        ("Failed to send message due to rate limiting", RateLimited),
    ],
)
def test_what_signal_cli_prints_as_text_means_the_same(
    channel: Signal, monkeypatch: pytest.MonkeyPatch, text: str, meaning: type[SendError]
) -> None:
    answer = httpx2.Response(400, json={"error": text})
    monkeypatch.setattr(http.HttpClient, "request", lambda *_args, **_options: answer)
    error = refusal(channel, person("Alice"))
    assert type(error) is meaning
    assert error.permanent is (meaning is SendError)


@pytest.mark.parametrize("status", [400, 401, 404, 500, 503])
def test_what_the_service_says_it_did_not_take_was_not_taken(
    channel: Signal, simulator: Simulator, status: int
) -> None:
    break_it(simulator, "status", code=status)
    error = refusal(channel, person("Alice"))
    kind = ProviderDown if status >= 500 else SendError
    assert (type(error), error.permanent, error.retry_after) == (kind, False, None)
    assert str(status) in str(error)
    with pytest.raises(SendError):
        channel.service_problem()
    assert simulator.messages() == []


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(502, json={"error": "bad gateway"}),
        httpx2.Response(504, json={"error": "gateway timeout"}),
        httpx2.Response(500, html="<html>"),
        httpx2.Response(503, html="<html>"),
        httpx2.Response(500, json={"message": "of somebody else"}),
        httpx2.Response(522, text=""),
        httpx2.Response(201, json=[]),
        httpx2.Response(201, json={"timestamp": ""}),
        httpx2.Response(204),
    ],
    ids=str,
)
def test_what_only_a_server_between_us_says_is_no_answer(
    channel: Signal, monkeypatch: pytest.MonkeyPatch, answer: httpx2.Response
) -> None:
    monkeypatch.setattr(http.HttpClient, "request", lambda *_args, **_options: answer)
    assert isinstance(refusal(channel, person("Alice")), Unanswered)


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
    assert (type(error), error.permanent) == (ProviderDown, False)
    assert "ConnectError" in str(error)


@pytest.mark.parametrize(
    ("how", "problem"),
    [
        ({}, None),
        ({"mode": "json-rpc-native", "version": "0.85"}, None),
        ({"version": "1.0"}, None),
        ({"mode": "normal"}, "the service runs in mode normal; it has to be json-rpc or json-rpc-native"),
        ({"mode": "native"}, "the service runs in mode native; it has to be json-rpc or json-rpc-native"),
        ({"version": "0.84"}, "the service has version 0.84; it has to be 0.85 or newer"),
    ],
    ids=str,
)
def test_a_service_of_no_use_is_refused_by_name(
    channel: Signal, simulator: Simulator, how: dict[str, str], problem: str | None
) -> None:
    run_service(simulator, **how)
    assert channel.service_problem() == problem


def test_a_service_that_does_not_have_our_number_is_of_no_use(simulator: Simulator) -> None:
    other = Signal(f"{simulator.url}/signal", "+38641999999")
    assert other.service_problem() == "AVAILABILITY_SIGNAL_SENDER: the service has no such number"


@pytest.mark.parametrize("about", [{}, {"mode": "json-rpc"}, {"mode": "json-rpc", "version": "unset"}, []], ids=str)
def test_a_service_that_does_not_say_what_it_is_is_refused(
    channel: Signal, monkeypatch: pytest.MonkeyPatch, about: Any
) -> None:
    answer = httpx2.Response(200, json=about)
    monkeypatch.setattr(http.HttpClient, "request", lambda *_args, **_options: answer)
    assert channel.service_problem()


def test_no_log_tells_an_account(channel: Signal, simulator: Simulator, caplog: pytest.LogCaptureFixture) -> None:
    for name in (None, "httpx2", "httpcore2"):
        caplog.set_level(logging.DEBUG, logger=name)
    channel.send(Address(CAST["Alice"].signal_number), HELLO, nonce="n")
    channel.send(person("Alice"), HELLO, nonce="n")
    assert "httpcore2" in caplog.text, "the libraries did log"
    assert "3864000000" not in caplog.text
    assert CAST["Alice"].signal_aci not in caplog.text
