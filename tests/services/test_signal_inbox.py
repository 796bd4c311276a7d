"""What people write on Signal is heard over a real socket and answered once, also of those who hide their number."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from slomix.availability.rules import Status
from slomix.channels.base import Address, Message, SendError
from slomix.channels.signal import Signal
from slomix.channels.signal_listener import SignalListener
from slomix.chat.responder import Responder
from slomix.contacts import links
from slomix.contacts import service as contacts
from slomix.contacts.rules import ChannelName
from slomix.database import session as db
from slomix.dev.simulator.people import SIGNAL_SENDER
from slomix.processes import inbox
from slomix.processes.inbox import Reception, SignalReceiver
from slomix.reasons.codes import Reason
from tests.services.chatting import code_for, status
from tests.simulators import CAST, Simulator
from tests.steps import call
from tests.waiting import until
from tests.workers.stage import go
from tests.world import World, build_world

SIGNAL = ChannelName.SIGNAL
ALICE = CAST["Alice"]


@pytest.fixture
def evening(committed: db.Database, simulator: Simulator) -> Iterator[World]:
    world = build_world(committed, signal_daemon_url=f"{simulator.url}/signal", signal_sender=SIGNAL_SENDER)
    real = Signal(world.runtime.settings.signal_daemon_url, SIGNAL_SENDER)
    object.__setattr__(world.runtime, "channels", {**world.runtime.channels, "signal": real})
    yield world
    real.close()


@pytest.fixture
def receivers(evening: World, simulator: Simulator) -> Iterator["Receivers"]:
    made = Receivers(evening, simulator)
    yield made
    made.finish()


class Receivers:
    """Inboxes that listen."""

    def __init__(self, world: World, simulator: Simulator) -> None:
        self._world, self._simulator = world, simulator
        self._running: list[SignalReceiver] = []

    def start(self, *, listens: bool = True) -> SignalReceiver:
        receiver = SignalReceiver(self._world.runtime, Responder(self._world.runtime))
        receiver.start()
        self._running.append(receiver)
        if listens:
            self.are_listening(len(self._running))
        return receiver

    def are_listening(self, number: int) -> None:
        polls = self._simulator.client()
        until(lambda: polls.get("/control/polls").json()["signal"] == number, f"{number} to listen")

    def stop(self, receiver: SignalReceiver) -> None:
        self._running.remove(receiver)
        receiver.finish()

    def finish(self) -> None:
        for receiver in self._running:
            receiver.finish()


def control(simulator: Simulator, path: str, **body: Any) -> None:
    simulator.client().post(f"/control/{path}", json=body).raise_for_status()


def writes(simulator: Simulator, text: str, name: str = "Alice", **more: Any) -> None:
    control(simulator, "signal", user_id=CAST[name].id, text=text, **more)


def got(simulator: Simulator, name: str = "Alice") -> list[str]:
    return [one["text"] for one in simulator.messages() if one["to"] == CAST[name].id]


def answers(simulator: Simulator, number: int, name: str = "Alice") -> list[str]:
    until(lambda: len(got(simulator, name)) >= number, f"answer {number} to {name}")
    return got(simulator, name)


def address_of(world: World, name: str) -> str | None:
    with world.session() as session:
        contact = contacts.contacts_of(session, world.players[name]).get(SIGNAL)
        return contacts.address_of_route(contact.route, "", world.runtime.settings) if contact is not None else None


def test_who_hides_their_number_is_linked_reminded_and_can_stop(
    evening: World, receivers: Receivers, simulator: Simulator
) -> None:
    """F5: the code is the first message, and comes without a number from everybody."""
    receivers.start()
    code = code_for(evening, "alice", SIGNAL)
    writes(simulator, f"/link {code}", hides_number=True)
    assert "“Alice”" in answers(simulator, 1)[0]
    writes(simulator, "/yes")
    assert "This chat is linked to Alice." in answers(simulator, 2)[1]
    assert address_of(evening, "alice") == ALICE.signal_aci

    writes(simulator, "/today looking")
    assert "Looking" in answers(simulator, 3)[2]
    assert status(evening, "alice") is Status.LOOKING

    evening.prefers("alice", preferred_channel="signal")
    call(evening)
    go(evening, 20, 45)
    assert answers(simulator, 4)[3].startswith("Game night starts at")

    writes(simulator, "/unlink")
    assert answers(simulator, 5)[4] == "Unlinked. Nothing is sent here any more."
    assert address_of(evening, "alice") is None
    before = len(got(simulator))
    go(evening, 21)
    assert len(got(simulator)) == before, "she has stopped it"


def test_a_contact_that_was_linked_by_its_number_is_kept_by_its_account(
    evening: World, receivers: Receivers, simulator: Simulator
) -> None:
    evening.has("alice", SIGNAL, ALICE.signal_number)
    evening.has("bob", SIGNAL, CAST["Bob"].signal_number)
    for name in ("Alice", "Bob"):  # what we have written reveals the number of who does not hide it
        evening.runtime.channels["signal"].send(Address(CAST[name].signal_number), Message("Hello"), nonce="n")
    receivers.start()
    writes(simulator, "/today looking")
    assert "Looking" in answers(simulator, 2)[1]
    assert address_of(evening, "alice") == ALICE.signal_aci
    assert address_of(evening, "bob") == CAST["Bob"].signal_number
    writes(simulator, "/today maybe", hides_number=True)
    answers(simulator, 3)
    assert status(evening, "alice") is Status.MAYBE, "hiding it later changes nothing"


def test_a_number_that_was_seen_gives_nobody_anothers_link(evening: World) -> None:
    settings = evening.runtime.settings
    evening.has("alice", SIGNAL, ALICE.signal_aci)
    evening.has("bob", SIGNAL, "+38640123456")
    with evening.session() as session:
        links.replace_number(session, SIGNAL, "+38640123456", ALICE.signal_aci, settings=settings)
        assert links.player_of_address(session, SIGNAL, ALICE.signal_aci, settings=settings) == evening.players["alice"]
    assert address_of(evening, "bob") == "+38640123456"


def test_of_two_inboxes_one_answers_and_a_restart_leaves_no_gap(
    evening: World, receivers: Receivers, simulator: Simulator
) -> None:
    evening.has("alice", SIGNAL, ALICE.signal_aci)
    first, second = receivers.start(), receivers.start()
    for number in range(1, 4):
        writes(simulator, f"/help {number}")
        answers(simulator, number)
    receivers.stop(first)
    writes(simulator, "/help")
    answers(simulator, 4)
    third = receivers.start()
    receivers.stop(second)
    writes(simulator, "/help")
    answers(simulator, 5)
    receivers.stop(third)
    assert len(got(simulator)) == 5, "each was answered, and once"


def test_groups_are_not_answered(evening: World, receivers: Receivers, simulator: Simulator) -> None:
    receivers.start()
    writes(simulator, "/help", group=True)
    writes(simulator, "/help", "Bob")
    answers(simulator, 1, "Bob")
    assert got(simulator) == []


def test_the_connection_is_back_after_a_cut(evening: World, receivers: Receivers, simulator: Simulator) -> None:
    receivers.start()
    for number in (1, 2):
        control(simulator, "signal-service", drop=True)
        receivers.are_listening(1)
        writes(simulator, "/help")
        answers(simulator, number)


def test_while_the_database_is_away_nothing_that_was_heard_is_lost(
    evening: World, receivers: Receivers, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, away = Responder.answer_message, threading.Event()
    tried: list[str] = []

    def take(self: Responder, letter: Any) -> None:
        tried.append(letter.text)
        if not away.is_set():
            raise OperationalError("", {}, Exception("away"))
        real(self, letter)

    monkeypatch.setattr(Responder, "answer_message", take)
    monkeypatch.setattr(inbox, "PAUSE_SECONDS", 0.05)
    receivers.start()
    for number in range(3):
        writes(simulator, f"/help {number}")
    until(lambda: len(tried) > 3, "it to be tried again")
    away.set()
    assert len(answers(simulator, 3)) == 3


@pytest.mark.parametrize(
    ("how", "problem"),
    [
        ({"mode": "normal"}, "the service runs in mode normal; it has to be json-rpc or json-rpc-native"),
        ({"version": "0.84"}, "the service has version 0.84; it has to be 0.85 or newer"),
    ],
    ids=str,
)
def test_a_service_of_no_use_is_told_and_waited_for(
    evening: World,
    receivers: Receivers,
    simulator: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    how: dict[str, str],
    problem: str,
) -> None:
    monkeypatch.setattr(inbox, "TROUBLE_AFTER", 0.0)
    monkeypatch.setattr(inbox, "PAUSE_SECONDS", 0.05)
    control(simulator, "signal-service", **how)
    receiver = receivers.start(listens=False)
    until(receiver.reception.trouble, "it to be told")
    assert (receiver.reception.trouble() or "").endswith(problem)
    control(simulator, "signal-service", mode="json-rpc", version="0.98")
    until(lambda: receiver.reception.trouble() is None, "it to be over")
    receivers.are_listening(1)


def test_a_service_that_hangs_up_at_once_is_deaf_and_not_asked_without_pause(
    evening: World, receivers: Receivers, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[int] = []

    def drops(self: SignalListener, *, seconds: float) -> None:
        opened.append(1)
        raise SendError(Reason.SIGNAL_DID_NOT_ANSWER, "ConnectionClosedOK")

    monkeypatch.setattr(SignalListener, "receive", drops)
    monkeypatch.setattr(inbox, "TROUBLE_AFTER", 1.0)
    receiver = receivers.start(listens=False)
    until(receiver.reception.trouble, "it to be told")
    assert str(receiver.reception.trouble()).endswith("Signal didn’t answer (ConnectionClosedOK)")
    assert len(opened) <= 4


def test_a_provider_is_deaf_only_after_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = [1000.0]
    monkeypatch.setattr("slomix.processes.inbox.time.monotonic", lambda: seconds[0])
    reception = Reception(ChannelName.TELEGRAM)
    assert reception.trouble() is None
    reception.failed("Conflict")
    seconds[0] += 59
    reception.failed("Conflict: terminated by other getUpdates request")
    assert reception.trouble() is None
    seconds[0] += 1
    assert reception.trouble() == (
        "Telegram has not been heard for 60 s: Conflict: terminated by other getUpdates request"
    )
    reception.succeeded()
    assert reception.trouble() is None
