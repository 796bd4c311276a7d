"""Scheduled events as Discord has them: where and when one may be made, and what becomes of it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx2
import pytest

from slomix.dev.simulator.people import GAMING_VOICE_CHANNEL, GUILD_ID, TEXT_CHANNEL
from tests.simulators import Simulator

PATH = f"/guilds/{GUILD_ID}/scheduled-events"


@pytest.fixture
def bot(simulator: Simulator) -> Iterator[httpx2.Client]:
    with simulator.bot() as bot:
        yield bot


@pytest.fixture
def now(simulator: Simulator) -> datetime:
    return datetime.fromisoformat(simulator.client().get("/control/clock").json()["now"])


def in_voice(now: datetime, **changes: Any) -> dict[str, Any]:
    start = (now + timedelta(hours=1)).isoformat()
    body = {"name": "Game night", "privacy_level": 2, "entity_type": 2, "scheduled_start_time": start}
    return body | {"channel_id": GAMING_VOICE_CHANNEL} | changes


def at_a_place(now: datetime, **changes: Any) -> dict[str, Any]:
    where = {"entity_type": 3, "channel_id": None, "entity_metadata": {"location": "play.slomix.test"}}
    return in_voice(now, scheduled_end_time=(now + timedelta(hours=3)).isoformat(), **where) | changes


def listed(simulator: Simulator) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = simulator.client().get("/control/events").json()
    return found


def test_an_event_is_made_and_listed(bot: httpx2.Client, simulator: Simulator, now: datetime) -> None:
    made = bot.post(PATH, json=in_voice(now)).json()
    other = bot.post(PATH, json=at_a_place(now)).json()
    assert [event["id"] for event in bot.get(PATH).json()] == [made["id"], other["id"]]
    assert bot.get(f"{PATH}/{made['id']}").json() == made
    [first, second] = listed(simulator)
    assert (first["status"], first["voice_channel"], first["location"]) == ("scheduled", GAMING_VOICE_CHANNEL, None)
    assert (second["voice_channel"], second["location"]) == (None, "play.slomix.test")
    page = simulator.client().get("/").text
    assert "play.slomix.test" in page.partition('id="events"')[2].partition('id="threads"')[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"scheduled_start_time": "2020-01-01T00:00:00+00:00"},
        {"scheduled_start_time": "soon"},
        {"scheduled_start_time": "2126-01-01T00:00:00"},
        {"scheduled_start_time": None},
        {"channel_id": None},
        {"entity_type": 7},
        {"privacy_level": 1},
        {"name": ""},
        {"name": "x" * 101},
        {"description": "x" * 1001},
        {"scheduled_end_time": "2020-01-01T00:00:00+00:00"},
    ],
    ids=str,
)
def test_what_discord_would_not_take_is_refused(bot: httpx2.Client, now: datetime, changes: dict[str, Any]) -> None:
    answer = bot.post(PATH, json=in_voice(now, **changes))
    assert (answer.status_code, answer.json()["code"]) == (400, 50035)


@pytest.mark.parametrize(
    "changes", [{"scheduled_end_time": None}, {"entity_metadata": None}, {"channel_id": GAMING_VOICE_CHANNEL}], ids=str
)
def test_a_place_needs_its_name_and_an_end(bot: httpx2.Client, now: datetime, changes: dict[str, Any]) -> None:
    assert bot.post(PATH, json=at_a_place(now, **changes)).json()["code"] == 50035


def test_a_text_room_is_no_place_for_an_event(bot: httpx2.Client, now: datetime) -> None:
    assert bot.post(PATH, json=in_voice(now, channel_id=TEXT_CHANNEL)).json()["code"] == 10003


def test_an_event_goes_only_forward(bot: httpx2.Client, simulator: Simulator, now: datetime) -> None:
    path = f"{PATH}/{bot.post(PATH, json=in_voice(now)).json()['id']}"
    assert bot.patch(path, json={"status": 3}).json()["code"] == 50035
    assert bot.patch(path, json={"scheduled_start_time": (now + timedelta(hours=2)).isoformat()}).status_code == 200
    assert bot.patch(path, json={"status": 2}).json()["status"] == 2
    assert bot.patch(path, json={"status": 4}).json()["code"] == 50035
    assert bot.patch(path, json={"name": "Later"}).json()["code"] == 50035
    assert bot.patch(path, json={"status": 3}).json()["status"] == 3
    assert bot.patch(path, json={"status": 2}).json()["code"] == 180000
    assert bot.get(PATH).json() == []
    assert [event["status"] for event in listed(simulator)] == ["completed"]


def test_one_that_is_deleted_is_unknown(bot: httpx2.Client, simulator: Simulator, now: datetime) -> None:
    path = f"{PATH}/{bot.post(PATH, json=in_voice(now)).json()['id']}"
    assert bot.delete(path).status_code == 204
    assert bot.patch(path, json={"status": 2}).json()["code"] == 10070
    assert listed(simulator) == []


def test_without_the_right_none_is_made(bot: httpx2.Client, simulator: Simulator, now: datetime) -> None:
    fault = {"provider": "discord", "fault": "no_events"}
    simulator.client().post("/control/faults", json=fault).raise_for_status()
    assert bot.post(PATH, json=in_voice(now)).json()["code"] == 50013
    assert bot.get(PATH).json() == []


def test_one_is_made_whose_answer_does_not_arrive(bot: httpx2.Client, simulator: Simulator, now: datetime) -> None:
    fault = {"provider": "discord", "fault": "cut_after_accept", "times": 1}
    simulator.client().post("/control/faults", json=fault).raise_for_status()
    with pytest.raises(httpx2.TransportError):
        bot.post(PATH, json=in_voice(now))
    assert len(listed(simulator)) == 1
    simulator.client().post("/control/reset").raise_for_status()
    assert listed(simulator) == []
