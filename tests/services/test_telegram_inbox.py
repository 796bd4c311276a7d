"""The inbox on Telegram: who else receives with our token is said, and a webhook that is not ours goes."""

from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from slomix.channels import http
from slomix.channels.base import SendError
from slomix.clock import wall_now
from slomix.processes.inbox import DELETE_WEBHOOK_EVERY, TelegramReceiver
from tests.services.chatting import desk_of
from tests.world import World

HOOK = "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
OURS = "http://127.0.0.1:7000/inbox/telegram"


@dataclass
class Bot:
    """Telegram, with somebody else's webhook that comes back as often as it is deleted."""

    asked: list[str] = field(default_factory=list)
    is_stubborn: bool = True
    has_webhook: bool = True
    info: dict[str, Any] = field(default_factory=dict)

    def request(self, _method: str, path: str, **_more: Any) -> httpx2.Response:
        self.asked.append(path.removeprefix("/"))
        if path == "/deleteWebhook" and not self.is_stubborn:
            self.has_webhook = False
        if path == "/getUpdates" and self.has_webhook:
            return httpx2.Response(409, json={"ok": False, "error_code": 409, "description": HOOK})
        result = {"/getUpdates": [], "/getWebhookInfo": self.info}.get(path, True)
        return httpx2.Response(200, json={"ok": True, "result": result})


@dataclass
class Now:
    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def bot(monkeypatch: pytest.MonkeyPatch) -> Bot:
    bot = Bot()
    monkeypatch.setattr(http.HttpClient, "request", lambda _self, *args, **more: bot.request(*args, **more))
    return bot


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Now:
    now = Now()
    monkeypatch.setattr("slomix.processes.inbox.time.monotonic", now)
    return now


def receiver_of(world: World) -> TelegramReceiver:
    stopping = Event()
    stopping.set()  # so that nothing is waited for
    return TelegramReceiver(world.runtime, desk_of(world), stopping)


def test_a_webhook_is_deleted_again_but_no_more_than_once_a_minute(world: World, bot: Bot, now: Now) -> None:
    receiver = receiver_of(world)
    for _ in range(5):
        with pytest.raises(SendError, match="webhook is active"):
            receiver.step()
        now.seconds += 2
    assert bot.asked.count("deleteWebhook") == 1
    now.seconds += DELETE_WEBHOOK_EVERY
    bot.is_stubborn = False
    with pytest.raises(SendError, match="webhook is active"):
        receiver.step()
    receiver.step()
    assert bot.asked.count("deleteWebhook") == 2
    assert bot.asked[-1] == "getUpdates"


def with_webhook(world: World) -> World:
    world.runtime.settings.__dict__["telegram_webhook_secret"] = SecretStr("a" * 32)
    return world


@pytest.mark.usefixtures("now")
def test_a_webhook_that_somebody_changed_is_set_again(world: World, bot: Bot) -> None:
    receiver = receiver_of(with_webhook(world))
    bot.info = {"url": f"{world.runtime.settings.base_url}/inbox/telegram"}
    receiver.step()
    receiver.step()
    assert bot.asked == ["setWebhook", "getWebhookInfo", "getWebhookInfo"]
    bot.info = {"url": "https://old.example/hook"}
    receiver.step()
    receiver.step()
    assert bot.asked.count("setWebhook") == 2


@pytest.mark.parametrize(("ago", "pending", "is_deaf"), [(10, 3, True), (10, 0, False), (3600, 3, False)])
@pytest.mark.usefixtures("now")
def test_a_webhook_that_telegram_cannot_reach_is_no_hearing(
    world: World, bot: Bot, ago: int, pending: int, is_deaf: bool
) -> None:
    receiver = receiver_of(with_webhook(world))
    failed_at = int((wall_now() - timedelta(seconds=ago)).timestamp())
    bot.info = {"last_error_date": failed_at, "last_error_message": "SSL error", "pending_update_count": pending}
    if is_deaf:
        with pytest.raises(SendError, match="SSL error"):
            receiver.step()
    else:
        receiver.step()
