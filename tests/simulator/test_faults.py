"""What goes wrong on purpose goes wrong as it would on an evening."""

import time
from typing import Any

import httpx2
import pytest

from slomix.dev.simulator.faults import LONGEST_SECONDS
from slomix.dev.simulator.people import SIGNAL_SENDER, TEXT_CHANNEL
from tests.simulators import CAST, Simulator


def switch_on(simulator: Simulator, fault: str, **parameters: Any) -> None:
    body = {"provider": "discord", "fault": fault, **parameters}
    simulator.client().post("/control/faults", json=body).raise_for_status()


def say(bot: httpx2.Client, name: str, **more: Any) -> httpx2.Response:
    return bot.post(f"/channels/{CAST[name].dm_channel}/messages", json={"content": "Hi", **more})


def test_a_cut_connection_has_delivered_its_message_and_the_nonce_finds_it(simulator: Simulator) -> None:
    switch_on(simulator, "cut_after_accept", times=1)
    with simulator.bot() as bot:
        with pytest.raises(httpx2.TransportError):
            say(bot, "Alice", nonce="kept", enforce_nonce=True)
        assert len(simulator.messages()) == 1
        assert say(bot, "Alice", nonce="kept", enforce_nonce=True).status_code == 200
    assert len(simulator.messages()) == 1


@pytest.mark.parametrize("html", [True, False])
def test_an_error_after_the_message_was_taken_has_delivered_it(simulator: Simulator, html: bool) -> None:
    switch_on(simulator, "error_after_accept", code=504, html=html, times=1)
    with simulator.bot() as bot:
        answer = say(bot, "Alice", nonce="kept", enforce_nonce=True)
        assert (answer.status_code, answer.headers["Content-Type"].startswith("text/html")) == (504, html)
        assert say(bot, "Alice", nonce="kept", enforce_nonce=True).status_code == 200
    assert len(simulator.messages()) == 1


def test_rooms_that_the_bot_does_not_see_refuse_all_and_direct_messages_do_not(simulator: Simulator) -> None:
    switch_on(simulator, "no_view")
    room = f"/channels/{TEXT_CHANNEL}"
    with simulator.bot() as bot:
        for refused in (
            bot.get(room),
            bot.get(f"{room}/messages"),
            bot.post(f"{room}/messages", json={"content": "hi"}),
        ):
            assert (refused.status_code, refused.json()["code"]) == (403, 50001)
        assert bot.get(f"/channels/{CAST['Alice'].dm_channel}/messages").status_code == 200


def test_without_the_right_to_read_its_history_a_room_seems_empty(simulator: Simulator) -> None:
    with simulator.bot() as bot:
        room = f"/channels/{TEXT_CHANNEL}"
        bot.post(f"{room}/messages", json={"content": "hi"})
        say(bot, "Alice")
        assert len(bot.get(f"{room}/messages").json()) == 1
        switch_on(simulator, "no_history")
        assert (bot.get(f"{room}/messages").status_code, bot.get(f"{room}/messages").json()) == (200, [])
        assert bot.get(room).json()["permission_overwrites"][0]["deny"] == str(1 << 16)
        assert len(bot.get(f"/channels/{CAST['Alice'].dm_channel}/messages").json()) == 1


def test_latency_slows_the_bot_and_not_the_control(simulator: Simulator) -> None:
    switch_on(simulator, "latency", seconds=LONGEST_SECONDS)
    assert simulator.messages() == [], "it would not be answered in time either"
    simulator.client().delete("/control/faults").raise_for_status()
    switch_on(simulator, "latency", seconds=0.2)
    began = time.monotonic()
    with simulator.bot() as bot:
        assert say(bot, "Bob").status_code == 200
    assert time.monotonic() - began >= 0.2


def test_a_status_is_answered_and_nothing_is_taken(simulator: Simulator) -> None:
    switch_on(simulator, "status", code=503)
    with simulator.bot() as bot:
        assert say(bot, "Bob").status_code == 503
        assert bot.get("/users/@me").status_code == 503
    assert simulator.messages() == []


def test_a_time_out_is_silence(simulator: Simulator) -> None:
    switch_on(simulator, "timeout")
    with simulator.bot(reads_for=0.1) as bot, pytest.raises(httpx2.ReadTimeout):
        say(bot, "Bob")
    assert simulator.messages() == []


def test_closed_dms_refuse_one_person(simulator: Simulator) -> None:
    switch_on(simulator, "closed_dm", user_id=CAST["Hana"].id)
    with simulator.bot() as bot:
        refused = say(bot, "Hana")
        assert (refused.status_code, refused.json()["code"]) == (403, 50007)
        assert say(bot, "Ivan").status_code == 200


def test_a_room_that_is_read_only_refuses_messages_and_threads_and_nobody_else_does(simulator: Simulator) -> None:
    switch_on(simulator, "read_only")
    with simulator.bot() as bot:
        for refused in (
            bot.post(f"/channels/{TEXT_CHANNEL}/messages", json={"content": "hello"}),
            bot.post(f"/channels/{TEXT_CHANNEL}/threads", json={"name": "hello", "type": 12}),
        ):
            assert (refused.status_code, refused.json()["code"]) == (403, 50013)
        assert bot.get(f"/channels/{TEXT_CHANNEL}/messages").status_code == 200
        assert say(bot, "Ivan").status_code == 200


def test_a_rate_limit_says_how_long_and_ends(simulator: Simulator) -> None:
    switch_on(simulator, "rate_limit", retry_after=1.5, times=2)
    with simulator.bot() as bot:
        answers = [say(bot, "Ivan") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert (answers[0].json()["retry_after"], answers[0].headers["Retry-After"]) == (1.5, "1.500")


def broken(simulator: Simulator, name: str) -> set[str]:
    """The providers that do not take a message to that person."""
    person = CAST[name]
    simulator.client().post("/control/telegram", json={"user_id": person.id, "text": "/start"})
    text = {"chat_id": person.telegram_chat_id, "text": "Hi"}
    letter = {"message": "Hi", "number": SIGNAL_SENDER, "recipients": [person.signal_number]}
    with simulator.bot() as bot, simulator.telegram() as telegram, simulator.signal() as signal:
        answers = {
            "discord": say(bot, name),
            "telegram": telegram.post("/sendMessage", json=text),
            "signal": signal.post("/v2/send", json=letter),
        }
    return {provider for provider, answer in answers.items() if answer.is_error}


# To people whom no other test writes to on Discord, so that no room there gets more than it takes.
@pytest.mark.parametrize(("provider", "name"), [("discord", "Dora"), ("telegram", "Charlie"), ("signal", "Luka")])
@pytest.mark.parametrize("fault", ["status", "rate_limit", "closed_dm"])
def test_a_fault_of_one_provider_leaves_the_others_alone(
    simulator: Simulator, provider: str, name: str, fault: str
) -> None:
    parameters: dict[str, dict[str, object]] = {
        "status": {"code": 503},
        "rate_limit": {"retry_after": 1},
        "closed_dm": {"user_id": CAST[name].id},
    }
    body = {"provider": provider, "fault": fault, **parameters[fault]}
    simulator.client().post("/control/faults", json=body).raise_for_status()
    assert broken(simulator, name) == {provider}
    assert {message["provider"] for message in simulator.messages()} == {"discord", "telegram", "signal"} - {provider}


def test_faults_are_listed_and_cleared(simulator: Simulator) -> None:
    switch_on(simulator, "status", code=500, rate=0.5)
    switch_on(simulator, "timeout")
    listed = simulator.client().get("/control/faults").json()
    assert [fault["fault"] for fault in listed] == ["status", "timeout"]
    assert simulator.client().delete("/control/faults").json() == []
    assert simulator.client().get("/control/faults").json() == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"provider": "icq", "fault": "timeout"},
        {"provider": "discord", "fault": "earthquake"},
        {"provider": "discord", "fault": "latency"},
        {"provider": "discord", "fault": "latency", "seconds": -1},
        {"provider": "discord", "fault": "latency", "seconds": True},
        {"provider": "discord", "fault": "latency", "seconds": 1, "code": 500},
        {"provider": "discord", "fault": "status", "code": 200},
        {"provider": "discord", "fault": "status", "code": 500, "rate": 2},
        {"provider": "discord", "fault": "closed_dm", "user_id": "1"},
        {"provider": "discord", "fault": "closed_dm", "user_id": ["1"]},
        {"provider": "discord", "fault": "cut_after_accept", "times": 0},
        {"provider": "discord", "fault": "error_after_accept", "code": 504, "html": "yes"},
        {"provider": "signal", "fault": "no_history"},
        {"provider": "discord", "fault": "refusal"},
        {"provider": "discord", "fault": "refusal", "error": 1},
        {"provider": "discord", "fault": "refusal", "error": 50007, "at": "nowhere"},
        {"provider": "discord", "fault": "refusal", "error": [50007]},
        {"provider": "discord", "fault": "cloudflare", "page": 404},
        {"provider": "discord", "fault": "unreadable", "body": "smoke"},
        {"provider": "discord", "fault": "rate_limit", "retry_after": 1, "scope": "all"},
        {"provider": "telegram", "fault": "rate_limit", "retry_after": 1, "scope": "global"},
        {"provider": "signal", "fault": "token_reset"},
        {"provider": "discord", "fault": "challenge"},
        {"provider": "telegram", "fault": "challenge"},
        {"provider": "signal", "fault": "read_only"},
        {"provider": "telegram", "fault": "zombie"},
        {"provider": "discord", "fault": "slow_resume"},
        {"provider": "discord", "fault": "close_at_identify", "close_code": 1000},
        {"provider": ["discord"], "fault": ["timeout"]},
    ],
    ids=str,
)
def test_a_fault_that_makes_no_sense_is_refused_with_a_sentence(simulator: Simulator, body: dict[str, Any]) -> None:
    answer = simulator.client().post("/control/faults", json=body)
    assert answer.status_code == 422
    assert answer.json()["detail"]
    assert simulator.client().get("/control/faults").json() == []


# Discord's own, as unkind as the original


def test_a_refusal_is_in_discords_words_and_meets_whom_it_is_meant_for(simulator: Simulator) -> None:
    switch_on(simulator, "refusal", error=50278, user_id=CAST["Hana"].id)
    with simulator.bot() as bot:
        refused = say(bot, "Hana")
        assert (refused.status_code, refused.json()["code"]) == (403, 50278)
        assert "no mutual guilds" in refused.json()["message"]
        assert say(bot, "Ivan").status_code == 200
    assert len(simulator.messages()) == 1


def test_a_refusal_at_a_route_meets_only_that(simulator: Simulator) -> None:
    switch_on(simulator, "refusal", error=40003, at="open-dm", times=1)
    with simulator.bot() as bot:
        body = {"recipient_id": CAST["Ivan"].id}
        assert say(bot, "Ivan").status_code == 200
        answers = [bot.post("/users/@me/channels", json=body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [403, 200]
    assert "Retry-After" not in answers[0].headers


@pytest.mark.parametrize(("page", "status"), [(1010, 403), (1015, 429)])
def test_cloudflare_answers_in_html_and_says_nothing_of_when(simulator: Simulator, page: int, status: int) -> None:
    switch_on(simulator, "cloudflare", page=page)
    with simulator.bot() as bot:
        answer = say(bot, "Bob")
    assert (answer.status_code, answer.headers["Content-Type"].split(";")[0]) == (status, "text/html")
    assert {"Via", "Retry-After", "X-RateLimit-Scope"}.isdisjoint(answer.headers)
    assert simulator.client().get("/control/stats").json()["blocked"] == 1


@pytest.mark.parametrize(("scope", "header"), [("user", None), ("shared", None), ("global", "true"), ("body", None)])
def test_a_429_says_in_header_and_body_whom_it_is_about(simulator: Simulator, scope: str, header: str | None) -> None:
    switch_on(simulator, "rate_limit", retry_after=3, scope=scope)
    with simulator.bot() as bot:
        answer = say(bot, "Bob")
    assert answer.headers.get("X-RateLimit-Global") == header
    assert answer.json()["global"] is (scope in ("global", "body"))


def test_a_success_that_cannot_be_read_has_done_what_was_asked(simulator: Simulator) -> None:
    switch_on(simulator, "unreadable", body="html", at="messages", times=1)
    with simulator.bot() as bot:
        answer = say(bot, "Bob")
        assert (answer.status_code, answer.headers["Content-Type"].split(";")[0]) == (200, "text/html")
        assert bot.get("/users/@me").json()["bot"] is True
    assert len(simulator.messages()) == 1


def test_a_token_that_was_reset_is_refused_everywhere(simulator: Simulator) -> None:
    switch_on(simulator, "token_reset")
    with simulator.bot() as bot:
        assert [say(bot, "Bob").status_code, bot.get("/users/@me").status_code] == [401, 401]
