"""A thousand more people, for benchmarks: they can be written to, and nobody else hears of them."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from slomix.dev.simulator import signal
from slomix.dev.simulator.people import (
    GUILD_ID,
    LOAD_TEST_USERS,
    PEOPLE,
    PEOPLE_BY_ADDRESS,
    PEOPLE_BY_ID,
    SIGNAL_SENDER,
    SimulatedPerson,
)
from slomix.dev.simulator.timekeeping import SimulatorClock
from slomix.dev.simulator.world import World
from tests.simulators import CAST, Simulator

SOMEBODY = LOAD_TEST_USERS[499]


def test_everybody_of_the_crowd_is_somebody_else() -> None:
    everybody = [*PEOPLE, *LOAD_TEST_USERS]
    assert len(LOAD_TEST_USERS) == 1000
    for what in ("id", "username", "player_guid", "player_name", "dm_channel", "telegram_chat_id", "signal_number"):
        assert len({getattr(person, what) for person in everybody}) == len(everybody), what
    assert SIGNAL_SENDER not in PEOPLE_BY_ADDRESS["signal"]


def test_their_ids_are_such_as_a_browser_would_spoil() -> None:
    assert all(int(person.id) > 2**53 and int(float(person.id)) != int(person.id) for person in LOAD_TEST_USERS)
    assert all(person.id == str(int(person.id)) and len(person.id) == 18 for person in LOAD_TEST_USERS)
    assert all(len(person.player_guid) == 32 for person in LOAD_TEST_USERS)


def test_every_address_leads_to_them() -> None:
    for person in LOAD_TEST_USERS:
        assert PEOPLE_BY_ID[person.id] is person
        assert PEOPLE_BY_ADDRESS["discord"][person.dm_channel] is person
        assert PEOPLE_BY_ADDRESS["telegram"][str(person.telegram_chat_id)] is person
        assert PEOPLE_BY_ADDRESS["signal"][person.signal_number] is person


def test_the_numbers_of_the_cast_are_what_they_were() -> None:
    assert CAST["Alice"].signal_number == "+38640000001"
    assert CAST["Luka"].signal_number == "+38640000012"


def test_they_are_written_to_on_every_provider(simulator: Simulator) -> None:
    with simulator.bot() as bot, simulator.telegram() as telegram, simulator.signal() as signal:
        room = bot.post("/users/@me/channels", json={"recipient_id": SOMEBODY.id}).json()["id"]
        assert room == SOMEBODY.dm_channel
        bot.post(f"/channels/{room}/messages", json={"content": "Hi"}).raise_for_status()
        assert bot.get(f"/guilds/{GUILD_ID}/members/{SOMEBODY.id}").json()["user"]["id"] == SOMEBODY.id
        assert bot.get(f"/guilds/{GUILD_ID}/voice-states/{SOMEBODY.id}").json()["code"] == 10065
        chat = {"chat_id": SOMEBODY.telegram_chat_id, "text": "Hi"}
        telegram.post("/sendMessage", json=chat).raise_for_status()
        to = {"message": "Hi", "number": SIGNAL_SENDER, "recipients": [SOMEBODY.signal_number]}
        signal.post("/v2/send", json=to).raise_for_status()
    assert [(one["provider"], one["kind"], one["to"]) for one in simulator.messages()] == [
        (provider, "dm", SOMEBODY.id) for provider in ("discord", "telegram", "signal")
    ]


def test_they_walk_into_voice(simulator: Simulator) -> None:
    with simulator.client() as control, simulator.bot() as bot:
        control.post("/control/voice", json={"user_id": SOMEBODY.id, "voice_channel": "default"}).raise_for_status()
        assert bot.get(f"/guilds/{GUILD_ID}/voice-states/{SOMEBODY.id}").json()["user_id"] == SOMEBODY.id


def test_nobody_hears_of_them(simulator: Simulator) -> None:
    ids = {person.id for person in LOAD_TEST_USERS}
    with simulator.client() as client:
        assert not ids & {person["id"] for person in client.get("/control/people").json()}
        assert "Crowd" not in client.get("/").text


def test_only_what_came_later_is_listed_when_asked_for(simulator: Simulator) -> None:
    with simulator.bot() as bot, simulator.client() as control:
        for number in range(3):
            bot.post(f"/channels/{LOAD_TEST_USERS[number].dm_channel}/messages", json={"content": str(number)})
        later = [
            [one["text"] for one in control.get("/control/messages", params={"after": after}).json()]
            for after in (0, 1, 3, 99)
        ]
        assert later == [["0", "1", "2"], ["1", "2"], [], []]


@pytest.mark.parametrize("after", ["-1", "x", "", "1.5", "٣", "1" * 10])
def test_what_came_after_nonsense_nobody_knows(simulator: Simulator, after: str) -> None:
    answer = simulator.client().get("/control/messages", params={"after": after})
    assert (answer.status_code, bool(answer.json()["detail"])) == (422, True)


def lines_run(deed: Callable[[], object]) -> int:
    """How many lines of Python that takes, which is the same on any machine."""
    lines = 0

    def count(_frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal lines
        lines += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        deed()
    finally:
        sys.settrace(before)
    return lines


def test_the_thousandth_message_is_no_more_work_than_the_first(tmp_path: Path) -> None:
    world = World(1, SimulatorClock(tmp_path / "clock.json"), tmp_path / "chats.json")

    def write(person: SimulatedPerson) -> None:
        signal._accept_message(world, {"message": "Hi", "number": SIGNAL_SENDER, "recipients": [person.signal_number]})

    work = [lines_run(partial(write, person)) for person in LOAD_TEST_USERS]
    assert len(world.messages) == len(LOAD_TEST_USERS)
    assert work[-1] < 2 * work[0]
