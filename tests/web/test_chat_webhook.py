"""The webhook: only Telegram, which knows the secret, may hand us what people write."""

from typing import Any

import pytest
from pydantic import SecretStr
from werkzeug.test import TestResponse

from slomix.availability import service as availability
from slomix.availability.rules import Status
from slomix.channels.base import Address, Message
from slomix.contacts.rules import ChannelName
from slomix.deliveries import choices
from slomix.deliveries.choices import Choice
from tests.moments import TODAY
from tests.web.conftest import Browser, browser_of, is_page, make_app, nothing_stored, with_settings
from tests.world import World

SECRET = "the-webhook-of-the-tests"
PATH = "/inbox/telegram"


def update(number: int = 7, text: str = "/avail looking", **chat: object) -> dict[str, Any]:
    return {"update_id": number, "message": {"chat": {"id": 4242, "type": "private"} | chat, "text": text}}


@pytest.fixture
def hooked(world: World) -> World:
    world.has("alice", ChannelName.TELEGRAM, "4242")
    return with_settings(world, telegram_webhook_secret=SecretStr(SECRET))


@pytest.fixture
def telegram(hooked: World) -> Browser:
    """Telegram: without a cookie, without a token."""
    return browser_of(make_app(hooked.runtime), hooked, None)


def post(telegram: Browser, body: object, secret: str | None = SECRET) -> TestResponse:
    headers = {} if secret is None else {"X-Telegram-Bot-Api-Secret-Token": secret}
    return telegram.client.post(PATH, json=body, headers=headers)


def status(world: World) -> Status | None:
    with world.session() as session:
        return availability.statuses_of_day(session, TODAY).get(world.players["alice"])


def test_what_telegram_posts_is_done_and_answered_once(hooked: World, telegram: Browser) -> None:
    for _ in range(2):
        assert post(telegram, update()).status_code == 200
    assert status(hooked) is Status.LOOKING
    assert [(to.value, message.text) for to, message, _ in hooked.telegram.sent] == [
        ("4242", "Today: Looking\n1 looking")
    ]


@pytest.mark.parametrize("secret", [None, "", "wrong", SECRET + "x", SECRET[:-1], "ü"])
def test_who_does_not_know_the_secret_finds_no_such_page(hooked: World, telegram: Browser, secret: str | None) -> None:
    with nothing_stored(hooked):
        assert is_page(post(telegram, update(), secret), 404) == is_page(telegram.get("/nowhere"), 404)
    assert hooked.telegram.sent == []


@pytest.mark.parametrize("secret", ["", None, SECRET])
def test_without_a_secret_there_is_no_webhook(world: World, anonymous: Browser, secret: str | None) -> None:
    world.has("alice", ChannelName.TELEGRAM, "4242")
    with nothing_stored(world):
        is_page(post(anonymous, update(), secret), 404)


@pytest.mark.parametrize(
    "body",
    [None, [], "x", 7, {}, {"update_id": "7"}, {"update_id": 7}, {"update_id": 7, "message": []}, {"message": {}}],
    ids=str,
)
def test_what_cannot_be_read_is_taken_so_that_it_does_not_come_again(
    hooked: World, telegram: Browser, body: object
) -> None:
    assert post(telegram, body).status_code == 200
    assert hooked.telegram.sent == []


def test_a_group_is_not_answered(hooked: World, telegram: Browser) -> None:
    assert post(telegram, update(id=-100123, type="supergroup")).status_code == 200
    assert (status(hooked), hooked.telegram.sent) == (None, [])


def test_what_goes_wrong_is_posted_again_by_telegram_and_in_the_end_passed_over(
    hooked: World, telegram: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object, **__: object) -> str:
        raise RuntimeError("a mistake of ours")

    with monkeypatch.context() as patched:
        patched.setattr("slomix.chat.commands.reply_to", breaks)
        assert [post(telegram, update()).status_code for _ in range(3)] == [500, 500, 200]
    assert post(telegram, update(8)).status_code == 200
    assert status(hooked) is Status.LOOKING


def test_a_press_that_telegram_posts_is_done_once_and_the_message_edited(hooked: World, telegram: Browser) -> None:
    settings = hooked.runtime.settings
    hooked.telegram.send(Address("4242"), Message("Come?"), nonce="n")
    pressed = {
        "id": "q1",
        "from": {"id": 4242},
        "data": choices.sign(Choice("status", TODAY.isoformat(), "looking", "n" * 20), settings),
        "message": {"message_id": 0, "chat": {"id": 4242, "type": "private"}, "text": "Come?"},
    }
    for _ in range(2):
        assert post(telegram, {"update_id": 7, "callback_query": pressed}).status_code == 200
    assert status(hooked) is Status.LOOKING
    assert hooked.telegram.texts == ["Come?\n→ Today: Looking"]
    assert set(hooked.telegram.acknowledged) == {"q1"}
