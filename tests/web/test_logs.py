"""What the logs hold: that something happened, and never a code, an address, a token, a key or anybody's words."""

import io
import logging
from dataclasses import replace

import pytest
from pydantic import SecretStr
from sqlalchemy import event

from slomix.accounts.models import LoginAttempt
from slomix.availability.rules import Status
from slomix.channels.base import SendError
from slomix.channels.telegram import Telegram, TelegramUpdate
from slomix.chat.responder import Responder
from slomix.chat.service import IncomingMessage
from slomix.contacts import link_views, unsubscribe
from slomix.contacts.rules import ChannelName
from slomix.dev.simulator.people import TELEGRAM_TOKEN, environment
from slomix.reasons.codes import Reason
from tests.simulators import NOBODY, Simulator
from tests.steps import call
from tests.web.conftest import Browse, Browser, browser_of, lands, make_app, with_settings
from tests.web.reading import read
from tests.web.steps import Dance, code_in, key_of
from tests.workers.pump import pump
from tests.workers.stage import go
from tests.world import World

TYPED = "my very own words"


def holds(logged: io.StringIO, *secrets: str) -> list[str]:
    return [secret for secret in secrets if secret and secret in logged.getvalue()]


def test_a_login_leaves_no_secret_in_the_logs(dance: Dance, simulator: Simulator, logged: io.StringIO) -> None:
    asked = dance.leave("/auth/login?next=/calendar")
    back = dance.consent(asked)
    code = back.partition("code=")[2].partition("&")[0]
    assert code
    lands(dance.browser.get(back))
    dance.browser.get(back)
    dance.browser.get("/auth/callback?state=forged-state&code=forged-code")
    key = key_of(dance.browser)
    cookie = dance.browser.client.get_cookie(dance.browser.client.application.config["SESSION_COOKIE_NAME"])
    assert cookie is not None
    dance.browser.post("/auth/logout/everywhere")
    secrets = (code, asked["state"], asked["code_challenge"], key, cookie.value, "forged-state", "forged-code")
    client_secret = environment(simulator.port)["DISCORD_CLIENT_SECRET"]
    assert holds(logged, *secrets, client_secret) == []


def test_linking_leaves_neither_codes_nor_addresses_in_the_logs(world: World, logged: io.StringIO) -> None:
    secret = "the-bridge-of-the-tests-and-of-nothing-else"
    here = with_settings(world, internal_api_secret=SecretStr(secret))
    app = make_app(here.runtime)
    alice, bridge = browser_of(app, here, "alice"), browser_of(app, here, None)
    code = code_in(read(alice.post("/contacts/telegram/code").text))
    other = code_in(read(alice.post("/contacts/signal/code").text))
    for token, address, given in (
        ("wrong" * 5, "987654321", secret),
        (code, "-100987654321", secret),
        (code, "987654321", "not-the-secret"),
        (code, "987654321", secret),
        (code, "987654321", secret),
    ):
        body = {"channel_type": "telegram", "token": token, "channel_address": address}
        bridge.client.post("/api/availability/link-confirm", json=body, headers={"Authorization": f"Bearer {given}"})
    desk = Responder(here.runtime)
    desk.answer_message(IncomingMessage(ChannelName.SIGNAL, "+38640123456", f"/link {other}"))
    desk.answer_message(IncomingMessage(ChannelName.SIGNAL, "+38640123456", "/yes"))
    desk.answer_message(IncomingMessage(ChannelName.SIGNAL, "+38640123456", TYPED))
    desk.answer_update(TelegramUpdate(7, "987654321", True, f"{TYPED} {code}", "Alice"))
    assert here.signal.texts, "it was answered"
    alice.post("/contacts/telegram/remove")
    assert holds(logged, code, other, "987654321", "38640123456", "wrongwrong", secret, "not-the-secret", TYPED) == []


def test_messages_leave_neither_words_nor_addresses_in_the_logs(
    world: World, browse: Browse, logged: io.StringIO
) -> None:
    alice = browse("alice")
    world.has("alice", ChannelName.TELEGRAM, "987654321")
    world.has("bob", ChannelName.SIGNAL, "+38640123456")
    for name in ("alice", "bob"):
        world.says(name, Status.LOOKING)
    alice.post("/contacts/telegram/test")
    call(world)
    world.telegram.answers = [SendError(Reason.TELEGRAM_BLOCKED, permanent=True)]
    world.signal.answers = [SendError(Reason.OTHER, "Signal answered 500"), None]
    pump(world)
    go(world, 20, 45)
    assert "delivery.tried" in logged.getvalue(), "else nothing was looked at"
    texts = [*world.discord.texts, *world.telegram.texts, *world.signal.texts]
    assert texts
    lines = [line for text in texts for line in text.splitlines()]
    assert holds(logged, *lines, "987654321", "38640123456", *world.discord_ids.values(), "/stop/") == []


def test_an_answer_that_does_not_arrive_is_logged_without_its_chat(world: World, logged: io.StringIO) -> None:
    world.telegram.answers = [SendError(Reason.TELEGRAM_CHAT_GONE, permanent=True)]
    Responder(world.runtime).answer_update(TelegramUpdate(7, "987654321", True, TYPED, "Alice"))
    assert "inbox.not_answered" in logged.getvalue()
    assert holds(logged, "987654321", TYPED) == []


def test_what_telegram_answers_tells_the_logs_no_token(
    world: World, simulator: Simulator, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """W55: the token is part of every address, and the library would log each."""
    link_views._bot_name.cache_clear()
    monkeypatch.setattr(logging.getLogger(), "level", logging.DEBUG)
    urls = [f"{simulator.url}/telegram", f"{simulator.url}/nowhere", f"http://127.0.0.1:{NOBODY}"]
    for number, (who, url) in enumerate(zip(("erik", "franka", "goran"), urls, strict=True)):
        telegram = Telegram(url, TELEGRAM_TOKEN, connections=1)
        here = replace(world, runtime=replace(world.runtime, channels={**world.runtime.channels, "telegram": telegram}))
        answer = browser_of(make_app(here.runtime), here, who).post("/contacts/telegram/code")
        assert ("?start=" in answer.text) == (number == 0), "the first one answers"
        Responder(here.runtime).answer_update(TelegramUpdate(number, "987654321", True, "/help", "Alice"))
    link_views._bot_name.cache_clear()
    assert logged.getvalue().count("inbox.not_answered") >= 2
    assert holds(logged, TELEGRAM_TOKEN, TELEGRAM_TOKEN.partition(":")[2], "987654321") == []


def test_a_mistake_of_ours_logs_where_it_was_and_not_what_was_typed(
    world: World, alice: Browser, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr("slomix.accounts.claims.request_profile", breaks)
    key = key_of(alice)
    answer = alice.post("/profile/claim", {"guid": "guid-bob", "note": TYPED})
    assert answer.status_code == 500
    assert "web.error" in logged.getvalue()
    assert "a mistake of ours" in logged.getvalue()
    assert holds(logged, TYPED, key) == []
    assert "a mistake of ours" not in answer.text


def test_what_cannot_be_stored_is_logged_without_it(alice: Browser, logged: io.StringIO) -> None:
    assert alice.post("/profile/claim", {"guid": f"{TYPED}\0"}).status_code == 422
    assert "web.unstorable" in logged.getvalue()
    assert holds(logged, TYPED) == []


@pytest.mark.parametrize("typed", ["%0Aevent=forged", "x%22%0A%22y", "%0A%0A"])
def test_what_somebody_types_begins_no_line_of_its_own(
    anonymous: Browser, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    def breaks(_: object, said: str, **__: object) -> None:
        raise RuntimeError(f"a mistake\nof ours about {said}")

    monkeypatch.setattr(unsubscribe, "read_token", breaks)
    assert anonymous.get(f"/stop/{typed}").status_code == 500
    lines = logged.getvalue().splitlines()
    assert "web.error" in lines[0]
    assert [line for line in lines if not line.startswith("timestamp=")] == []


@pytest.mark.parametrize("typed", ["%0D%0Alevel=error", "a%0Db", "%C2%85z", "%E2%80%A8z", "%1B[2J", "%0B", "%0C"])
def test_no_control_character_reaches_the_logs(
    anonymous: Browser, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    """What ends a line, or clears the screen of whoever reads it."""

    def breaks(_: object, said: str, **__: object) -> None:
        raise RuntimeError(f"a mistake of ours about {said}")

    monkeypatch.setattr(unsubscribe, "read_token", breaks)
    assert anonymous.get(f"/stop/{typed}").status_code == 500
    assert all(letter == "\n" or letter.isprintable() for letter in logged.getvalue())
    error, asked = logged.getvalue().splitlines()
    assert ("web.error" in error, "web.request" in asked) == (True, True)


def test_a_secret_in_an_address_stays_out_of_the_logs(
    anonymous: Browser, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(unsubscribe, "read_token", breaks)
    assert anonymous.get("/stop/7.campaigns.a-signature").status_code == 500
    assert "rule=/stop/<token>" in logged.getvalue()
    assert holds(logged, "a-signature") == []


def test_a_statement_that_fails_is_logged_without_its_values(alice: Browser, logged: io.StringIO) -> None:
    def forget_the_browser(_mapper: object, _connection: object, row: LoginAttempt) -> None:
        row.browser_hash = None  # type: ignore[assignment]

    before = logged.getvalue()
    event.listen(LoginAttempt, "before_insert", forget_the_browser)
    try:
        assert alice.get("/auth/login?next=/my-own-path").status_code == 500
    finally:
        event.remove(LoginAttempt, "before_insert", forget_the_browser)
    assert "web.error" in logged.getvalue()[len(before) :]
    assert holds(logged, "/my-own-path", "code_verifier': '") == []
