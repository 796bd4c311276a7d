"""Telegram's voice and ears against a real process that answers, refuses, cuts and keeps silent as Telegram would."""

import json
import logging
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from slomix.channels import http
from slomix.channels.base import (
    Address,
    Button,
    Message,
    ProviderDown,
    RateLimited,
    SendError,
    TokenRefused,
    Unanswered,
)
from slomix.channels.telegram import Telegram, TelegramPress, TelegramUpdate, parse_update
from slomix.dev.simulator.people import TELEGRAM_BOT_NAME, TELEGRAM_TOKEN
from slomix.reasons.codes import Explanation, Reason
from tests.simulators import CAST, NOBODY, Simulator
from tests.waiting import PATIENCE, until

HELLO = Message("Tonight at 21:00, a_b *c* <d> & https://slomix.example/x")
SECRET = TELEGRAM_TOKEN.partition(":")[2]


@pytest.fixture
def channel(simulator: Simulator) -> Iterator[Telegram]:
    channel = Telegram(f"{simulator.url}/telegram/", TELEGRAM_TOKEN)
    yield channel
    channel.close()


def break_it(simulator: Simulator, fault: str, **parameters: Any) -> None:
    body = {"provider": "telegram", "fault": fault, **parameters}
    simulator.client().post("/control/faults", json=body).raise_for_status()


def write(simulator: Simulator, name: str, text: str, **more: Any) -> None:
    body = {"user_id": CAST[name].id, "text": text, **more}
    simulator.client().post("/control/telegram", json=body).raise_for_status()


def begun(simulator: Simulator, name: str) -> Address:
    """Somebody who has written to the bot."""
    write(simulator, name, "/start")
    return Address(str(CAST[name].telegram_chat_id))


def refusal(channel: Telegram, to: Address) -> SendError:
    with pytest.raises(SendError) as refused:
        channel.send(to, HELLO, nonce="n")
    return refused.value


def test_a_text_arrives_as_it_was_written(channel: Telegram, simulator: Simulator) -> None:
    alice = begun(simulator, "Alice")
    receipts = [channel.send(alice, HELLO, nonce="n") for _ in range(2)]
    assert len({receipt.message_id for receipt in receipts}) == 2, "Telegram knows no nonce"
    assert [(one["provider"], one["kind"], one["to"], one["text"]) for one in simulator.messages()] == [
        ("telegram", "dm", CAST["Alice"].id, HELLO.text)
    ] * 2
    assert channel.repeatable_for == timedelta(0)


def test_a_text_that_is_too_long_is_cut(channel: Telegram, simulator: Simulator) -> None:
    channel.send(begun(simulator, "Alice"), Message("x" * 5000), nonce="n")
    assert [len(one["text"]) for one in simulator.messages()] == [4096]


def test_whoever_blocked_the_bot_is_out_of_reach_for_good(channel: Telegram, simulator: Simulator) -> None:
    erik, franka = begun(simulator, "Erik"), begun(simulator, "Franka")
    break_it(simulator, "closed_dm", user_id=CAST["Erik"].id)
    error = refusal(channel, erik)
    assert (error.permanent, error.reason) == (True, Explanation(Reason.TELEGRAM_BLOCKED))
    assert not isinstance(error, Unanswered)
    assert channel.send(franka, HELLO, nonce="n").message_id, "nobody else is"


def test_whoever_never_wrote_to_the_bot_is_out_of_reach(channel: Telegram) -> None:
    assert refusal(channel, Address(str(CAST["Goran"].telegram_chat_id))).permanent


def test_a_chat_that_does_not_exist_is_permanent(channel: Telegram) -> None:
    error = refusal(channel, Address("1"))
    assert (error.permanent, error.reason) == (True, Explanation(Reason.TELEGRAM_CHAT_GONE))


def test_a_text_that_telegram_does_not_take_is_not_the_recipients_fault(
    channel: Telegram, simulator: Simulator
) -> None:
    with pytest.raises(SendError) as refused:
        channel.send(begun(simulator, "Alice"), Message(" "), nonce="n")
    assert (refused.value.permanent, refused.value.code) == (False, 400)
    assert refused.value.reason == Explanation(Reason.TELEGRAM_SAID, "Bad Request: message text is empty (400)")


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, TokenRefused), (404, TokenRefused), (500, ProviderDown), (502, Unanswered), (503, ProviderDown)],
)
def test_what_is_wrong_with_the_bot_or_telegram_passes(
    channel: Telegram, simulator: Simulator, status: int, kind: type[SendError]
) -> None:
    alice = begun(simulator, "Alice")
    break_it(simulator, "status", code=status)
    error = refusal(channel, alice)
    assert (type(error), error.permanent, error.retry_after) == (kind, False, None)
    assert str(status) in str(error.reason)
    assert simulator.messages() == []


def test_a_wrong_token_is_not_the_recipients_fault(simulator: Simulator) -> None:
    stranger = Telegram(f"{simulator.url}/telegram", "1:wrong")
    error = refusal(stranger, begun(simulator, "Hana"))
    assert (error.permanent, error.reason) == (False, Explanation(Reason.TELEGRAM_SAID, "Unauthorized (401)"))
    with pytest.raises(SendError):
        stranger.get_updates(0, wait_seconds=0)


@pytest.mark.parametrize(("status", "html"), [(502, False), (504, False), (500, True), (503, True)])
def test_an_error_that_a_proxy_may_have_answered_says_nothing(
    channel: Telegram, simulator: Simulator, status: int, html: bool
) -> None:
    alice = begun(simulator, "Alice")
    break_it(simulator, "error_after_accept", code=status, html=html, times=1)
    assert type(refusal(channel, alice)) is Unanswered
    assert len(simulator.messages()) == 1


@pytest.mark.parametrize(("status", "kind"), [(403, ProviderDown), (200, Unanswered)])
def test_what_somebody_in_between_answers_says_nothing_about_the_person(
    channel: Telegram, monkeypatch: pytest.MonkeyPatch, status: int, kind: type[SendError]
) -> None:
    answer = httpx2.Response(status, html="<h1>A proxy</h1>")
    monkeypatch.setattr(http.HttpClient, "request", lambda *_args, **_options: answer)
    error = refusal(channel, Address("1"))
    assert (type(error), error.permanent) == (kind, False)


@pytest.mark.parametrize("asked", [None, "soon", -1, [], float("nan")], ids=str)
def test_a_pause_that_makes_no_sense_is_a_second(
    channel: Telegram, monkeypatch: pytest.MonkeyPatch, asked: Any
) -> None:
    answer = httpx2.Response(429, content=json.dumps({"ok": False, "parameters": {"retry_after": asked}}))
    monkeypatch.setattr(http.HttpClient, "request", lambda *_args, **_options: answer)
    assert refusal(channel, Address("1")).retry_after == timedelta(seconds=1)


@pytest.mark.parametrize(
    "update",
    [{}, {"message": None}, {"message": {"chat": None, "from": [], "text": None}}, {"edited_message": {"text": "Hi"}}],
    ids=str,
)
def test_an_update_that_cannot_be_read_still_has_its_number(
    channel: Telegram, monkeypatch: pytest.MonkeyPatch, update: dict[str, Any]
) -> None:
    answer = httpx2.Response(200, json={"ok": True, "result": [update | {"update_id": 7}, {"no": "number"}, None]})
    monkeypatch.setattr(http.HttpClient, "request", lambda *_args, **_options: answer)
    assert channel.get_updates(0, wait_seconds=0) == [
        TelegramUpdate(7, "", chat_is_private=False, text="", sender_name="")
    ]


def test_a_429_says_how_long_to_wait(channel: Telegram, simulator: Simulator) -> None:
    goran = begun(simulator, "Goran")
    break_it(simulator, "rate_limit", retry_after=7, times=1)
    error = refusal(channel, goran)
    assert (type(error), error.permanent, error.retry_after) == (RateLimited, False, timedelta(seconds=7))
    assert channel.send(goran, HELLO, nonce="n").message_id


def test_a_cut_connection_is_no_answer(channel: Telegram, simulator: Simulator) -> None:
    ivan = begun(simulator, "Ivan")
    break_it(simulator, "cut_after_accept", times=1)
    assert isinstance(refusal(channel, ivan), Unanswered)
    assert len(simulator.messages()) == 1


def test_silence_is_no_answer_to_a_message_and_a_plain_failure_otherwise(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "TIMEOUT", httpx2.Timeout(PATIENCE, read=0.1))
    hasty, jana = Telegram(f"{simulator.url}/telegram", TELEGRAM_TOKEN), begun(simulator, "Jana")
    break_it(simulator, "timeout")
    assert isinstance(refusal(hasty, jana), Unanswered)
    with pytest.raises(SendError) as refused:
        hasty.get_updates(0, wait_seconds=0)
    assert type(refused.value) is ProviderDown


@pytest.mark.parametrize("address", ["http://127.0.0.1:{port}", "127.0.0.1:{port}"])
def test_where_there_is_no_connection_nothing_has_left(address: str) -> None:
    error = refusal(Telegram(address.format(port=NOBODY), TELEGRAM_TOKEN), Address("1"))
    assert (type(error), error.permanent) == (ProviderDown, False)


def test_what_people_write_is_read_once_it_is_confirmed_never_again(channel: Telegram, simulator: Simulator) -> None:
    write(simulator, "Alice", "/start ABC")
    write(simulator, "Bob", "hello there", group=True)
    first, second = channel.get_updates(0, wait_seconds=5)
    assert (first.chat_id, first.chat_is_private) == (str(CAST["Alice"].telegram_chat_id), True)
    assert (first.text, first.sender_name) == ("/start ABC", "Alice")
    assert (second.chat_is_private, second.chat_id[0], second.text) == (False, "-", "hello there")
    assert channel.get_updates(first.update_id + 1, wait_seconds=0) == [second]
    assert channel.get_updates(second.update_id + 1, wait_seconds=0) == []
    assert channel.get_updates(0, wait_seconds=0) == []


def test_the_bot_knows_its_own_name(channel: Telegram) -> None:
    assert channel.username() == TELEGRAM_BOT_NAME


def test_a_webhook_that_somebody_else_has_set_is_said(channel: Telegram, simulator: Simulator) -> None:
    bot = simulator.telegram()
    bot.post("/setWebhook", json={"url": "https://slomix.example/hook"})
    try:
        with pytest.raises(SendError, match=r"webhook is active.*\(409\)"):
            channel.get_updates(0, wait_seconds=0)
    finally:
        bot.post("/deleteWebhook")


def test_nothing_tells_the_token(
    channel: Telegram, simulator: Simulator, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (None, "httpx2", "httpcore2"):
        caplog.set_level(logging.DEBUG, logger=name)
    monkeypatch.setattr(http, "TIMEOUT", httpx2.Timeout(PATIENCE, read=0.1))
    alice = begun(simulator, "Alice")
    channel.send(alice, HELLO, nonce="n")
    channel.get_updates(0, wait_seconds=0)
    errors = [refusal(channel, Address("1"))]
    errors.append(refusal(Telegram(f"http://127.0.0.1:{NOBODY}", TELEGRAM_TOKEN), alice))
    break_it(simulator, "cut_after_accept", times=1)
    errors.append(refusal(channel, alice))
    break_it(simulator, "timeout")
    errors.append(refusal(Telegram(f"{simulator.url}/telegram", TELEGRAM_TOKEN), alice))
    assert "httpcore2" in caplog.text, "the libraries did log"
    told = [caplog.text, repr(channel), *(f"{one!r} {one.__cause__!r} {one.__context__!r}" for one in errors)]
    assert SECRET not in "\n".join(told)


# Buttons


KEYS = (
    Button("I'm in", "status.2026-11-20.looking..abc"),
    Button("Can't tonight", "status.2026-11-20.not_playing..abc"),
    Button("Join voice", link="https://discord.com/channels/1/2"),
    Button("At home", link="http://localhost:7000/"),
)


def pressed(channel: Telegram, simulator: Simulator, message_id: str, button: str) -> TelegramPress:
    """Press a button and return what the bot hears of it; nobody answers there."""
    channel.get_updates(0, wait_seconds=0)  # so that presses are asked for
    body = {"user_id": CAST["Alice"].id, "message_id": message_id, "button": button}
    person = threading.Thread(target=lambda: simulator.client().post("/control/telegram/press", json=body), daemon=True)
    person.start()

    def heard() -> list[TelegramPress]:
        return [one.press for one in channel.get_updates(0, wait_seconds=1) if one.press is not None]

    return until(heard, "the press")[0]


def test_buttons_stand_under_a_message_and_say_what_they_mean_when_they_are_pressed(
    channel: Telegram, simulator: Simulator
) -> None:
    alice = begun(simulator, "Alice")
    sent = channel.send(alice, Message("Come?", buttons=KEYS), nonce="n")
    [message] = simulator.messages()
    assert message["buttons"] == ["I'm in", "Can't tonight", "Join voice"], "without the link that opens nowhere"
    press = pressed(channel, simulator, sent.message_id, "Can't tonight")
    assert (press.value, press.message_id, press.text) == (KEYS[1].value, sent.message_id, "Come?")
    assert press.buttons == KEYS[:3]
    channel.answer_press(press.id)
    for _ in range(2):  # the second changes nothing
        channel.edit(alice.value, sent.message_id, Message("Come?\n→ No", buttons=press.buttons))
    [message] = simulator.messages()
    assert (message["text"], message["edits"], len(message["buttons"])) == ("Come?\n→ No", 1, 3)
    channel.edit(alice.value, sent.message_id, Message("Over"))
    assert simulator.messages()[0]["buttons"] == []


def test_what_telegram_refuses_of_a_press_or_an_edit_is_said(channel: Telegram, simulator: Simulator) -> None:
    alice = begun(simulator, "Alice")
    with pytest.raises(SendError, match="query is too old"):
        channel.answer_press("1")
    with pytest.raises(SendError, match="message to edit not found"):
        channel.edit(alice.value, "1", HELLO)
    sent = channel.send(alice, HELLO, nonce="n")
    break_it(simulator, "rate_limit", retry_after=7, times=1)
    with pytest.raises(RateLimited):
        channel.edit(alice.value, sent.message_id, Message("Other"))
    break_it(simulator, "closed_dm", user_id=CAST["Alice"].id)
    with pytest.raises(SendError) as refused:
        Telegram(f"{simulator.url}/telegram", TELEGRAM_TOKEN).edit(alice.value, sent.message_id, Message("Other"))
    assert (refused.value.permanent, refused.value.reason) == (True, Explanation(Reason.TELEGRAM_BLOCKED))


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"id": 1, "data": None, "message": None},
        {"message": {"chat": {"id": 1, "type": "private"}, "message_id": 2, "date": 0}},
        {"message": {"reply_markup": {"inline_keyboard": 7}}},
        {"message": {"reply_markup": {"inline_keyboard": [7, [None, {"text": 1}]]}}},
        {"from": {"id": 2}, "data": "x", "message": {"chat": {"id": 1, "type": "private"}}},
        {"from": {"id": -1}, "data": "x", "message": {"chat": {"id": -1, "type": "group"}}},
    ],
    ids=str,
)
def test_a_press_that_is_not_its_own_chats_is_nobodys(query: dict[str, Any]) -> None:
    update = parse_update({"update_id": 7, "callback_query": query})
    assert update is not None
    assert not update.chat_is_private


def test_a_press_in_its_own_chat_is_its_owners() -> None:
    query = {"id": "9", "from": {"id": 1}, "data": "x", "message": {"chat": {"id": 1, "type": "private"}}}
    update = parse_update({"update_id": 7, "callback_query": query})
    assert update is not None
    assert (update.chat_is_private, update.chat_id, update.press) == (True, "1", TelegramPress("9", "x", "", "", ()))


def test_presses_are_asked_for_by_poll_and_by_webhook(channel: Telegram, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not named here Telegram keeps to itself."""
    asked: list[Any] = []

    def request(_self: Any, _method: str, _path: str, *, json: Any, **_more: Any) -> httpx2.Response:
        asked.append(json["allowed_updates"])
        return httpx2.Response(200, json={"ok": True, "result": []})

    monkeypatch.setattr(http.HttpClient, "request", request)
    channel.get_updates(0, wait_seconds=0)
    channel.set_webhook("https://slomix.example/hook", "s" * 20)
    assert [set(one) for one in asked] == [{"message", "callback_query"}] * 2
