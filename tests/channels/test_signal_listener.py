"""Signal's listener: what people write comes over a websocket, and only while it is open."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from slomix.channels.base import SendError
from slomix.channels.signal_listener import ReceivedText, SignalListener, _incoming
from slomix.dev.simulator.people import SIGNAL_SENDER
from tests.simulators import CAST, NOBODY, Simulator
from tests.waiting import PATIENCE, until

ALICE, BOB = CAST["Alice"], CAST["Bob"]


@pytest.fixture
def listener(simulator: Simulator) -> Iterator[SignalListener]:
    listener = SignalListener(f"{simulator.url}/signal", SIGNAL_SENDER)
    yield listener
    listener.close()


def control(simulator: Simulator, path: str, **body: Any) -> None:
    simulator.client().post(f"/control/{path}", json=body).raise_for_status()


def text(listener: SignalListener) -> ReceivedText:
    """The next text; typing and receipts come in between."""
    found: list[ReceivedText] = []

    def comes() -> bool:
        incoming = listener.receive(seconds=0.1)
        if incoming is not None:
            found.append(incoming)
        return bool(found)

    until(comes, "a text")
    return found[0]


def opened(listener: SignalListener, simulator: Simulator) -> SignalListener:
    listener.open()
    until(lambda: simulator.is_polled("signal"), "the simulator to know that we listen")
    return listener


def test_what_people_write_is_heard_also_of_those_who_hide_their_number(
    listener: SignalListener, simulator: Simulator
) -> None:
    opened(listener, simulator)
    control(simulator, "signal", user_id=ALICE.id, text="/link ABC", hides_number=True)
    control(simulator, "signal", user_id=BOB.id, text="hello there", group=True)
    first, second = text(listener), text(listener)
    assert (first.sender, first.number, first.is_private, first.text) == (ALICE.signal_aci, None, True, "/link ABC")
    assert (second.sender, second.is_private, second.text) == (BOB.signal_aci, False, "hello there")
    assert first.sender_name == "Alice"
    assert 0 < first.sent_at < second.sent_at
    assert listener.receive(seconds=0.1) is None


def test_a_cut_line_is_told_and_can_be_opened_again(listener: SignalListener, simulator: Simulator) -> None:
    opened(listener, simulator)
    control(simulator, "signal-service", drop=True)
    with pytest.raises(SendError, match="Signal didn’t answer"):
        listener.receive(seconds=PATIENCE)
    assert not listener.is_open
    opened(listener, simulator)
    control(simulator, "signal", user_id=ALICE.id, text="again")
    assert text(listener).text == "again"


def test_a_service_in_another_mode_does_not_let_us_listen(listener: SignalListener, simulator: Simulator) -> None:
    control(simulator, "signal-service", mode="normal")
    with pytest.raises(SendError) as refused:
        listener.open()
    assert (str(refused.value), refused.value.code) == ("Signal: does not let us listen (200)", 200)


def test_nobody_there_is_told_with_no_code(simulator: Simulator) -> None:
    with pytest.raises(SendError) as refused:
        SignalListener(f"http://127.0.0.1:{NOBODY}", SIGNAL_SENDER).open()
    assert (str(refused.value), refused.value.code) == ("Signal can’t be reached (ConnectionRefusedError)", None)


@pytest.mark.parametrize(
    ("base", "address"),
    [
        ("http://signal:8080", "ws://signal:8080/v1/receive/%2B38640000000"),
        ("https://signal.example/api/", "wss://signal.example/api/v1/receive/%2B38640000000"),
    ],
)
def test_the_address_follows_the_setting(base: str, address: str) -> None:
    assert SignalListener(base, SIGNAL_SENDER)._address == address


@pytest.mark.parametrize(
    "envelope",
    [
        {"dataMessage": {"message": "Hi"}},
        {"sourceNumber": None, "sourceUuid": None, "dataMessage": {"message": "Hi"}},
        {"sourceUuid": ALICE.signal_aci, "dataMessage": {"message": None}},
        {"sourceUuid": ALICE.signal_aci, "dataMessage": None},
        {"sourceUuid": ALICE.signal_aci, "syncMessage": {"sentMessage": {"message": "Hi"}}},
        None,
    ],
    ids=str,
)
def test_an_envelope_without_a_sender_or_a_text_is_left_out(envelope: Any) -> None:
    assert _incoming(json.dumps({"envelope": envelope})) is None


@pytest.mark.parametrize("frame", ["no JSON", "[]", '{"error": "…"}', b"\xff", '"nonsense"'], ids=str)
def test_a_frame_that_makes_no_sense_is_left_out(frame: str | bytes) -> None:
    assert _incoming(frame) is None


def test_an_old_service_that_tells_the_number_alone_is_understood() -> None:
    heard = _incoming(json.dumps({"envelope": {"sourceNumber": "+38640000001", "dataMessage": {"message": "Hi"}}}))
    assert heard == ReceivedText("+38640000001", True, "Hi", "", number="+38640000001")


def test_no_log_tells_what_was_written(
    listener: SignalListener, simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    for name in (None, "websockets", "websockets.client"):
        caplog.set_level(logging.DEBUG, logger=name)
    opened(listener, simulator)
    control(simulator, "signal", user_id=ALICE.id, text="a secret")
    assert text(listener).text == "a secret"
    assert "a secret" not in caplog.text
    assert ALICE.signal_aci not in caplog.text
