"""What each answer of Telegram to a message means: one row an answer, in Telegram's own words or a proxy's."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from slomix.channels import http
from slomix.channels.base import (
    Address,
    Message,
    ProviderDown,
    RateLimited,
    SendError,
    TokenRefused,
    Unanswered,
)
from slomix.channels.rate_limit import LocalRateLimiter
from slomix.channels.telegram import Telegram
from slomix.reasons.codes import Reason

TO, HELLO = Address("1"), Message("Hello")


def own(code: int, description: str, **parameters: Any) -> httpx2.Response:
    body = {"ok": False, "error_code": code, "description": description}
    return httpx2.Response(code, json=body | ({"parameters": parameters} if parameters else {}))


def page(code: int) -> httpx2.Response:
    """A proxy's."""
    return httpx2.Response(code, html=f"<h1>{code}</h1>")


def foreign(code: int) -> httpx2.Response:
    """JSON, and not Telegram's."""
    return httpx2.Response(code, json={"message": "upstream"})


# The answer; the meaning; whether this address never works; the reason.
ROWS = [
    # The recipient's: for good, each with its own sentence.
    (own(403, "Forbidden: bot was blocked by the user"), SendError, True, Reason.TELEGRAM_BLOCKED),
    (own(403, "Forbidden: user is deactivated"), SendError, True, Reason.TELEGRAM_DEACTIVATED),
    (own(400, "Bad Request: INPUT_USER_DEACTIVATED"), SendError, True, Reason.TELEGRAM_DEACTIVATED),
    (own(403, "Forbidden: bot can't initiate conversation with a user"), SendError, True, Reason.TELEGRAM_NOT_STARTED),
    (own(403, "Forbidden: bot can't send messages to bots"), SendError, True, Reason.TELEGRAM_IS_A_BOT),
    (own(403, "Forbidden: something new"), SendError, True, Reason.TELEGRAM_SAID),
    (own(400, "Bad Request: chat not found"), SendError, True, Reason.TELEGRAM_CHAT_GONE),
    (own(400, "Bad Request: PEER_ID_INVALID"), SendError, True, Reason.TELEGRAM_NO_SUCH_CHAT),
    # The message's, or of a group, to which we never write: counted as a try.
    (own(400, "Bad Request: message text is empty"), SendError, False, Reason.TELEGRAM_SAID),
    (
        own(400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=-1001),
        SendError,
        False,
        Reason.TELEGRAM_SAID,
    ),
    (own(400, "Bad Request: not enough rights to send text messages"), SendError, False, Reason.TELEGRAM_SAID),
    # Everybody's: no try, and the circuit opens.
    (own(401, "Unauthorized"), TokenRefused, False, Reason.TELEGRAM_SAID),
    (own(404, "Not Found"), TokenRefused, False, Reason.TELEGRAM_SAID),
    (own(500, "Internal Server Error"), ProviderDown, False, Reason.TELEGRAM_SAID),
    (own(503, "Service Unavailable"), ProviderDown, False, Reason.TELEGRAM_SAID),
    *((page(code), ProviderDown, False, Reason.TELEGRAM_SAID) for code in (400, 401, 403, 404, 413)),
    (foreign(403), ProviderDown, False, Reason.TELEGRAM_SAID),
    (own(429, "Too Many Requests: retry after 35", retry_after=35), RateLimited, False, Reason.TELEGRAM_IS_BUSY),
    (page(429), RateLimited, False, Reason.TELEGRAM_IS_BUSY),
    # Nobody knows: never repeated.
    *((own(code, "Bad Gateway"), Unanswered, False, Reason.TELEGRAM_DID_NOT_ANSWER) for code in (502, 504, 520)),
    *((page(code), Unanswered, False, Reason.TELEGRAM_DID_NOT_ANSWER) for code in (500, 502, 503, 504, 520, 524)),
    *((foreign(code), Unanswered, False, Reason.TELEGRAM_DID_NOT_ANSWER) for code in (500, 502, 503)),
    (page(200), Unanswered, False, Reason.TELEGRAM_DID_NOT_ANSWER),
    (httpx2.Response(200, json={"ok": True, "result": True}), Unanswered, False, Reason.TELEGRAM_DID_NOT_ANSWER),
    (httpx2.Response(200, json={}), Unanswered, False, Reason.TELEGRAM_DID_NOT_ANSWER),
    (httpx2.Response(204), Unanswered, False, Reason.TELEGRAM_DID_NOT_ANSWER),
]


def answers(monkeypatch: pytest.MonkeyPatch, answer: httpx2.Response) -> Telegram:
    monkeypatch.setattr(http.HttpClient, "request", lambda *_args, **_options: answer)
    return Telegram("http://telegram.example", "1:token", rate_limiter=LocalRateLimiter(1000))


@pytest.mark.parametrize(
    ("answer", "meaning", "permanent", "reason"),
    ROWS,
    ids=lambda it: f"{it.status_code} {it.text}"[:60] if isinstance(it, httpx2.Response) else "",
)
def test_each_answer_to_a_message_has_its_meaning(
    monkeypatch: pytest.MonkeyPatch,
    answer: httpx2.Response,
    meaning: type[SendError],
    permanent: bool,
    reason: Reason,
) -> None:
    with pytest.raises(SendError) as refused:
        answers(monkeypatch, answer).send(TO, HELLO, nonce="n")
    error = refused.value
    assert (type(error), error.permanent, error.reason.code) == (meaning, permanent, reason)
    asked = timedelta(seconds=35 if b"35" in answer.content else 1)
    assert error.retry_after == (asked if meaning is RateLimited else None)


ASKED: list[Callable[[Telegram], object]] = [
    lambda channel: channel.get_updates(0, wait_seconds=0),
    lambda channel: channel.username(),
    lambda channel: channel.ping(),
]


@pytest.mark.parametrize("ask", ASKED, ids=["updates", "name", "ping"])
@pytest.mark.parametrize("answer", [own(502, "Bad Gateway"), page(502), page(200), foreign(500)], ids=str)
def test_what_carries_no_message_is_never_in_doubt(
    monkeypatch: pytest.MonkeyPatch, answer: httpx2.Response, ask: Callable[[Telegram], object]
) -> None:
    with pytest.raises(SendError) as refused:
        ask(answers(monkeypatch, answer))
    assert type(refused.value) is ProviderDown


def test_all_permanent_refusals_are_told_in_different_words() -> None:
    told = [str(SendError(reason).reason) for _, _, permanent, reason in ROWS if permanent]
    assert len(set(told)) == len({reason for _, _, permanent, reason in ROWS if permanent})
