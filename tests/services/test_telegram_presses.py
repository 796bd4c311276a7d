"""Buttons on Telegram and numbers on Signal over real sockets, from the reminder to another's board."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from slomix.availability import service as availability
from slomix.availability.rules import Status
from slomix.channels.signal import Signal
from slomix.channels.telegram import Telegram
from slomix.chat.responder import Responder
from slomix.contacts import service as contacts
from slomix.contacts.rules import ChannelName
from slomix.database import session as db
from slomix.dev.simulator.people import SIGNAL_SENDER, TELEGRAM_TOKEN
from slomix.processes.inbox import SignalReceiver, TelegramReceiver
from tests.moments import TODAY, at
from tests.services.chatting import SIGNAL, TELEGRAM, status
from tests.simulators import CAST, Simulator
from tests.steps import call
from tests.waiting import PATIENCE, until
from tests.workers.stage import go
from tests.world import World, build_world

ALICE = CAST["Alice"]
IN, LATE, OUT, MUTE = "I'm in", "15 min late", "Can't tonight", "Mute"


@pytest.fixture
def evening(committed: db.Database, simulator: Simulator) -> Iterator[World]:
    """Telegram and Signal over sockets."""
    world = build_world(
        committed,
        telegram_api_base_url=f"{simulator.url}/telegram",
        telegram_bot_token=TELEGRAM_TOKEN,
        signal_daemon_url=f"{simulator.url}/signal",
        signal_sender=SIGNAL_SENDER,
    )
    telegram = Telegram(world.runtime.settings.telegram_api_base_url, TELEGRAM_TOKEN)
    signal = Signal(world.runtime.settings.signal_daemon_url, SIGNAL_SENDER)
    channels = {**world.runtime.channels, "telegram": telegram, "signal": signal}
    object.__setattr__(world.runtime, "channels", channels)
    object.__setattr__(world.runtime, "press_answers", telegram)
    simulator.client().post("/control/telegram", json={"user_id": ALICE.id, "text": "/start"}).raise_for_status()
    yield world
    telegram.close()
    signal.close()


class Inbox:
    """A process that polls Telegram, until it is stopped."""

    def __init__(self, world: World) -> None:
        self._stopping = threading.Event()
        self._receiver = TelegramReceiver(world.runtime, Responder(world.runtime), self._stopping)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._receiver.step()

    def stop(self, simulator: Simulator) -> None:
        """End it: what it is in the middle of is a poll, which the next one ends."""
        self._stopping.set()
        simulator.client().post("/control/telegram", json={"user_id": CAST["Kilian"].id, "text": "hm"})
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()


@pytest.fixture
def inboxes(evening: World, simulator: Simulator) -> Iterator[list[Inbox]]:
    running: list[Inbox] = []
    yield running
    for inbox in running:
        inbox.stop(simulator)


def reminded(world: World, simulator: Simulator, channel: ChannelName) -> dict[str, Any]:
    address = str(ALICE.telegram_chat_id) if channel is TELEGRAM else ALICE.signal_aci
    world.has("alice", channel, address)
    world.prefers("alice", preferred_channel=channel.value)
    world.clock.move_to(at(20, 30))
    world.says("alice", Status.LOOKING)
    call(world)
    go(world, 20, 45)
    [reminder] = [one for one in simulator.messages() if one["text"].startswith("Game night starts")]
    return reminder


def press(simulator: Simulator, message: dict[str, Any], button: str, name: str = "Alice") -> dict[str, Any]:
    body = {"user_id": CAST[name].id, "message_id": message["id"], "button": button}
    return simulator.client().post("/control/telegram/press", json=body).raise_for_status().json()


def counts(world: World) -> tuple[int, int]:
    """How many are looking and not playing today, as another sees it on the board."""
    with world.session() as session:
        day = availability.list_days(session, TODAY, TODAY, viewer=world.players["bob"])[0]
        return day.counts[Status.LOOKING], day.counts[Status.NOT_PLAYING]


def test_a_reminder_on_telegram_is_answered_there_also_by_the_next_process(
    evening: World, simulator: Simulator, inboxes: list[Inbox]
) -> None:
    reminder = reminded(evening, simulator, TELEGRAM)
    assert (reminder["provider"], reminder["buttons"][-4:]) == ("telegram", [IN, LATE, OUT, MUTE])
    inboxes.append(Inbox(evening))
    seen = press(simulator, reminder, OUT)
    assert seen["message_id"] == reminder["id"], "it is edited"
    assert seen["text"] == f"{reminder['text']}\n→ Today: Not playing"
    assert (seen["buttons"], seen["ephemeral"], seen["modal"]) == (reminder["buttons"], False, None)
    assert seen["ms"] < 3000
    assert counts(evening) == (0, 1)
    inboxes.pop().stop(simulator)
    inboxes.append(Inbox(evening))
    for _ in range(2):  # the second changes nothing, which Telegram refuses
        assert press(simulator, reminder, IN)["text"] == f"{reminder['text']}\n→ Today: Looking"
    assert counts(evening) == (1, 0)
    [edited] = [one for one in simulator.messages() if one["id"] == reminder["id"]]
    assert (edited["edits"], edited["edited_at"] is not None) == (2, True)


def test_what_was_pressed_while_nobody_listened_is_done_by_the_next(
    evening: World, simulator: Simulator, inboxes: list[Inbox]
) -> None:
    reminder = reminded(evening, simulator, TELEGRAM)
    with simulator.telegram() as bot:  # it has asked for presses before
        bot.post("/getUpdates", json={"allowed_updates": ["message", "callback_query"]})
    pressing = threading.Thread(target=press, args=(simulator, reminder, OUT))
    pressing.start()
    inboxes.append(Inbox(evening))
    pressing.join()
    assert status(evening, "alice") is Status.NOT_PLAYING


def test_a_press_after_the_evening_and_after_unlinking_is_answered_in_words(
    evening: World, simulator: Simulator, inboxes: list[Inbox]
) -> None:
    reminder = reminded(evening, simulator, TELEGRAM)
    inboxes.append(Inbox(evening))
    evening.clock.move_to(at(0, 1, day=TODAY + timedelta(days=1)))
    seen = press(simulator, reminder, OUT)
    assert (seen["text"], seen["message_id"] != reminder["id"]) == (
        "That day is over, so it can be read but no longer changed.",
        True,
    )
    with evening.session() as session:
        contacts.remove_contact(session, evening.players["alice"], TELEGRAM)
    assert "not linked to a player" in press(simulator, reminder, OUT)["text"]
    assert status(evening, "alice") is Status.LOOKING


def test_who_blocks_the_bot_after_pressing_has_answered(
    evening: World, simulator: Simulator, inboxes: list[Inbox]
) -> None:
    reminder = reminded(evening, simulator, TELEGRAM)
    fault = {"provider": "telegram", "fault": "closed_dm", "user_id": ALICE.id}
    simulator.client().post("/control/faults", json=fault).raise_for_status()
    inboxes.append(Inbox(evening))
    pressing = threading.Thread(target=press, args=(simulator, reminder, OUT))
    pressing.start()
    until(lambda: status(evening, "alice") is Status.NOT_PLAYING, "the press to be done")
    simulator.client().request("DELETE", "/control/faults")
    press(simulator, reminder, IN)
    pressing.join()
    assert status(evening, "alice") is Status.LOOKING


def test_a_reminder_on_signal_is_answered_by_a_number_also_by_the_next_process(
    evening: World, simulator: Simulator
) -> None:
    def starts() -> SignalReceiver:
        receiver = SignalReceiver(evening.runtime, Responder(evening.runtime))
        receiver.start()
        until(lambda: simulator.is_polled("signal"), "it to listen")
        return receiver

    def writes(text: str) -> str:
        before = len(simulator.messages())
        simulator.client().post("/control/signal", json={"user_id": ALICE.id, "text": text}).raise_for_status()
        until(lambda: len(simulator.messages()) > before, "the answer")
        answered: str = simulator.messages()[-1]["text"]
        return answered

    reminder = reminded(evening, simulator, SIGNAL)
    assert reminder["text"].endswith(f"\n\n1: {IN} · 2: {LATE} · 3: {OUT} · 4: {MUTE}")
    receiver = starts()
    assert writes("3") == "→ Today: Not playing"
    assert counts(evening) == (0, 1)
    receiver.finish()
    receiver = starts()
    assert writes("1") == "→ Today: Looking"
    assert counts(evening) == (1, 0)
    evening.clock.move_to(at(0, 1, day=TODAY + timedelta(days=1)))
    assert writes("3") == "That day is over, so it can be read but no longer changed."
    with evening.session() as session:
        contacts.remove_contact(session, evening.players["alice"], SIGNAL)
    assert "not linked to a player" in writes("3")
    receiver.finish()
    assert status(evening, "alice") is Status.LOOKING
