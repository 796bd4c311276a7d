"""The JSON API when all is well: access, reading, writing, clearing, and the campaign as aggregate."""

from datetime import timedelta
from typing import Any

import pytest

from slomix.availability.rules import Status
from tests.moments import TODAY
from tests.web.conftest import Browse, Browser, is_problem
from tests.world import CAST, World

API = "/api/availability"
CAMPAIGNS = f"{API}/promotions/campaigns"


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        (None, (False, False, False, False, False)),
        ("charlie", (True, False, False, False, False)),
        ("alice", (True, True, True, False, False)),
        ("bob", (True, True, True, False, True)),
        ("dora", (True, True, True, True, True)),
    ],
)
def test_access_says_what_somebody_may_do(browse: Browse, who: str | None, expected: tuple[bool, ...]) -> None:
    names = ("authenticated", "linked_discord", "can_submit", "is_admin", "can_promote")
    assert browse(who).get(f"{API}/access").get_json() == dict(zip(names, expected, strict=True))


def days(browser: Browser, query: str = "") -> list[dict[str, Any]]:
    answer = browser.get(f"{API}?{query}")
    assert answer.status_code == 200
    return list(answer.get_json()["days"])


def test_reading_starts_today_and_has_every_day(anonymous: Browser) -> None:
    read = days(anonymous)
    assert read[0]["date"] == str(TODAY)
    assert len(read) == 61
    assert len(days(anonymous, "from=2026-11-20&to=2027-05-18")) == 180
    assert read[0]["counts"] == {"LOOKING": 0, "AVAILABLE": 0, "MAYBE": 0, "NOT_PLAYING": 0}
    assert read[0]["total"] == 0


@pytest.mark.parametrize("who", [None, "charlie"])
def test_who_is_not_linked_reads_counts_alone_also_when_asking_for_more(
    world: World, browse: Browse, who: str | None
) -> None:
    world.says("alice", Status.LOOKING)
    answer = browse(who).get(f"{API}?include_users=true")
    first = answer.get_json()["days"][0]
    assert set(first) == {"date", "counts", "total"}
    assert first["counts"]["LOOKING"] == 1
    assert "Alice" not in answer.text
    assert CAST["alice"] not in answer.text


def test_who_is_linked_reads_names_when_asking_and_ids_are_texts(world: World, alice: Browser) -> None:
    world.says("alice", Status.LOOKING)
    world.says("erik", Status.MAYBE)
    assert "users_by_status" not in days(alice)[0]
    today = days(alice, "include_users=true")[0]
    assert today["my_status"] == "LOOKING"
    assert today["total"] == 2
    alices_id = str(world.players["alice"])
    assert [one["user_id"] for one in today["users_by_status"]["LOOKING"]] == [alices_id]
    assert "Alice" in today["users_by_status"]["LOOKING"][0]["name"]
    assert today["users_by_status"]["AVAILABLE"] == []


def test_session_ready_is_about_today(world: World, anonymous: Browser) -> None:
    def ready(query: str = "") -> Any:
        return anonymous.get(f"{API}?{query}").get_json()["session_ready"]

    key = f"SESSION_READY:{TODAY}:threshold=6"
    assert ready() == {"date": str(TODAY), "ready": False, "looking_count": 0, "threshold": 6, "event_key": key}
    for name in world.players:
        world.says(name, Status.LOOKING)
    assert ready("from=2027-01-01")["ready"] is True
    assert ready()["looking_count"] == 6


def test_writing_answers_with_the_counts_and_is_idempotent(world: World, alice: Browser) -> None:
    world.says("erik", Status.LOOKING)
    for _ in range(2):
        answer = alice.call("POST", API, {"date": str(TODAY), "status": "LOOKING"})
        assert answer.status_code == 200
        counts = {"LOOKING": 2, "AVAILABLE": 0, "MAYBE": 0, "NOT_PLAYING": 0}
        assert answer.get_json() == {"date": str(TODAY), "status": "LOOKING", "counts": counts}
    assert days(alice)[0]["my_status"] == "LOOKING"


def test_a_referer_of_ours_stands_in_for_the_origin(alice: Browser) -> None:
    headers = {"X-Requested-With": "XMLHttpRequest", "Referer": "http://localhost/day/x"}
    body = {"date": str(TODAY), "status": "LOOKING"}
    assert alice.client.post(API, json=body, headers=headers).status_code == 200


def test_clearing_is_idempotent_too(world: World, alice: Browser) -> None:
    day = TODAY + timedelta(days=90)
    world.says("alice", Status.MAYBE, day)
    for cleared in (True, False):
        answer = alice.call("DELETE", f"{API}/{day}")
        assert answer.status_code == 200
        assert answer.get_json() == {"date": str(day), "cleared": cleared}


def test_nobody_changes_anybody_else(world: World, alice: Browser) -> None:
    world.says("erik", Status.LOOKING)
    alice.call("POST", API, {"date": str(TODAY), "status": "MAYBE", "player_id": world.players["erik"]})
    alice.call("DELETE", f"{API}/{TODAY}")
    assert days(alice)[0]["counts"] == {"LOOKING": 1, "AVAILABLE": 0, "MAYBE": 0, "NOT_PLAYING": 0}


def test_the_campaign_is_read_by_the_linked_as_aggregate_alone(world: World, browse: Browse) -> None:
    alice = browse("alice")
    assert alice.get(f"{API}/promotions/campaign").get_json() == {"campaign": None}
    for name in ("erik", "franka"):
        world.says(name, Status.LOOKING)
    made = browse("bob").call("POST", CAMPAIGNS, {}).get_json()
    answer = alice.get(f"{API}/promotions/campaign?date={TODAY}")
    campaign = answer.get_json()["campaign"]
    assert set(campaign) == {"id", "status", "recipient_count", "channels_summary", "jobs"}
    assert campaign["id"] == made["campaign_id"]
    assert (campaign["status"], campaign["recipient_count"]) == ("scheduled", 2)
    assert campaign["channels_summary"] == {"discord": 2}
    assert [job["job_type"] for job in campaign["jobs"]] == [
        "send_reminder_2045",
        "send_start_2100",
        "voice_check_2100",
    ]
    assert set(campaign["jobs"][0]) == {"job_type", "run_at", "status", "attempts", "max_attempts"}
    assert not [name for name in CAST if name.title() in answer.text]
    tomorrow = TODAY + timedelta(days=1)
    assert alice.get(f"{API}/promotions/campaign?date={tomorrow}").get_json() == {"campaign": None}


def test_the_campaign_is_not_for_strangers(anonymous: Browser, charlie: Browser, alice: Browser) -> None:
    is_problem(anonymous.get(f"{API}/promotions/campaign"), 401)
    is_problem(charlie.get(f"{API}/promotions/campaign"), 403)
    is_problem(alice.get(f"{API}/promotions/campaign?date=soon"), 422)
