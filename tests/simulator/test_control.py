"""The control interface does what it is told, and says what it was told wrongly."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from slomix.clock import AnchoredClock, wall_now
from slomix.dev.simulator.people import AFK_VOICE_CHANNEL, GAMING_VOICE_CHANNEL, OTHER_VOICE_CHANNEL, TEXT_CHANNEL
from tests.simulators import CAST, Simulator


def test_the_cast_has_everybody_an_evening_needs(simulator: Simulator) -> None:
    people = simulator.client().get("/control/people").json()
    roles = [person["role"] for person in people]
    assert set(roles) == {"admin", "promoter", "player", "unlinked"}
    assert len(roles) - roles.count("unlinked") >= 8
    assert all(isinstance(person["id"], str) and int(float(person["id"])) != int(person["id"]) for person in people)


def test_people_walk_through_the_rooms(simulator: Simulator) -> None:
    alice = CAST["Alice"].id
    with simulator.client() as control:
        for room, is_in in [
            ("default", GAMING_VOICE_CHANNEL),
            ("afk", AFK_VOICE_CHANNEL),
            (OTHER_VOICE_CHANNEL, OTHER_VOICE_CHANNEL),
        ]:
            assert control.post("/control/voice", json={"user_id": alice, "voice_channel": room}).status_code == 200
            assert [one["voice_channel"] for one in control.get("/control/voice").json()] == [is_in]
        control.post("/control/voice", json={"user_id": alice, "voice_channel": None})
        assert control.get("/control/voice").json() == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"user_id": "1", "voice_channel": "default"}, 404),
        ({"user_id": int(CAST["Alice"].id), "voice_channel": "default"}, 404),
        ({"user_id": CAST["Alice"].id, "voice_channel": TEXT_CHANNEL}, 422),
        ({"user_id": CAST["Alice"].id, "voice_channel": ["afk"]}, 422),
        ({"user_id": CAST["Alice"].id}, 422),
        ({"user_id": CAST["Alice"].id, "voice_channel": "afk", "room": 1}, 422),
        ([], 422),
    ],
    ids=str,
)
def test_nobody_walks_where_nobody_can(simulator: Simulator, body: Any, status: int) -> None:
    with simulator.client() as control:
        answer = control.post("/control/voice", json=body)
        assert answer.status_code == status
        assert answer.json()["detail"]
        assert control.get("/control/voice").json() == []


@pytest.mark.parametrize("provider", ["telegram", "signal"])
@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"user_id": "1", "text": "Hi"}, 404),
        ({"text": "Hi"}, 404),
        ({"user_id": CAST["Alice"].id}, 422),
        ({"user_id": CAST["Alice"].id, "text": " "}, 422),
        ({"user_id": CAST["Alice"].id, "text": "x" * 4097}, 422),
        ({"user_id": CAST["Alice"].id, "text": 1}, 422),
        ({"user_id": CAST["Alice"].id, "text": "Hi", "group": 1}, 422),
        ({"user_id": CAST["Alice"].id, "text": "Hi", "to": "x"}, 422),
    ],
    ids=lambda value: str(value)[:60],
)
def test_nobody_writes_what_makes_no_sense(simulator: Simulator, provider: str, body: Any, status: int) -> None:
    answer = simulator.client().post(f"/control/{provider}", json=body)
    assert (answer.status_code, bool(answer.json()["detail"])) == (status, True)


def test_the_clock_is_set_for_every_process_that_shares_it(simulator: Simulator) -> None:
    clock = AnchoredClock(simulator.clock_file)
    with simulator.client() as control:
        answer = control.post("/control/clock", json={"now": "2026-03-28T20:40:00+01:00", "speed": 0}).json()
        assert answer == {"now": "2026-03-28T19:40:00+00:00", "speed": 0.0}
        assert clock.now() == datetime(2026, 3, 28, 19, 40, tzinfo=UTC)
        before = wall_now()
        control.post("/control/clock", json={"speed": 20})
        moving = datetime.fromisoformat(control.get("/control/clock").json()["now"])
        assert timedelta() < moving - datetime(2026, 3, 28, 19, 40, tzinfo=UTC) < (wall_now() - before) * 20
        control.post("/control/clock", json={"now": "2026-03-28T20:40:00+01:00"})
        assert control.get("/control/clock").json()["speed"] == 20


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"now": "tonight"},
        {"now": "2026-03-28T20:40:00"},
        {"now": 1774728000},
        {"now": "0001-01-01T00:00:00+01:00"},
        {"now": "9999-12-31T23:00:00+00:00"},
        {"speed": -1},
        {"speed": "20"},
        {"speed": True},
        {"speed": 1e300},
        {"now": "2026-03-28T20:40:00+01:00", "speed": -1},
        {"spede": 1},
    ],
    ids=str,
)
def test_a_clock_that_makes_no_sense_is_refused_and_nothing_changes(simulator: Simulator, body: dict[str, Any]) -> None:
    with simulator.client() as control:
        control.post("/control/clock", json={"now": "2026-03-28T20:40:00+01:00", "speed": 0})
        before = control.get("/control/clock").json()
        answer = control.post("/control/clock", json=body)
        assert answer.status_code == 422
        assert answer.json()["detail"]
        assert control.get("/control/clock").json() == before


def test_a_body_that_is_no_json_is_refused(simulator: Simulator) -> None:
    assert simulator.client().post("/control/clock", content="now=20:40").status_code == 422
    assert simulator.client().post("/control/clock", content=b"\xff\xfe").status_code == 422


def test_a_message_carries_the_time_of_the_system(simulator: Simulator) -> None:
    with simulator.client() as control, simulator.bot() as bot:
        control.post("/control/clock", json={"now": "2026-03-28T20:45:00+01:00", "speed": 0})
        bot.post(f"/channels/{TEXT_CHANNEL}/messages", json={"content": "Four are here."})
    [message] = simulator.messages()
    assert message["kind"] == "text_channel"
    assert message["to"] == TEXT_CHANNEL
    assert message["accepted_at"] == "2026-03-28T19:45:00+00:00"
    assert datetime.fromisoformat(message["accepted_at_wall"]).tzinfo is not None


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:1", "null"])
def test_a_page_from_elsewhere_may_not_drive_it(simulator: Simulator, origin: str) -> None:
    with simulator.client() as control:
        assert control.post("/control/reset", headers={"Origin": origin}).status_code == 403
        assert control.get("/control/messages", headers={"Origin": origin}).status_code == 403
        assert control.post("/page/reset", headers={"Origin": origin}).status_code == 403


def test_a_name_that_was_made_to_point_here_is_refused(simulator: Simulator) -> None:
    host = f"evil.example:{simulator.port + 1}"
    assert simulator.client().get("/control/messages", headers={"Host": host}).status_code == 403


def test_its_own_page_may(simulator: Simulator) -> None:
    assert simulator.client().post("/control/reset", headers={"Origin": simulator.url}).status_code == 200
