"""Absence is never concluded from an answer that cannot be read: every method of the client, every such answer."""

import inspect
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from slomix.channels.base import Address, Message, SendError
from slomix.channels.discord import Discord
from slomix.channels.discord_threads import DiscordThreads

# What a method is called with, by the names of its parameters. A new method with other ones has to add them.
ARGUMENTS: dict[str, Any] = {
    "to": Address("2", learned="3"),
    "message": Message("Hello"),
    "nonce": "n",
    "room": "3",
    "discord_id": "2",
    "parent": "4",
    "name": "Game night",
    "names": ["Game night"],
    "thread": "5",
    "account": "2",
    "message_id": "6",
    "beginning": "Teams",
    "beginnings": ["Teams"],
    "most": 20,
    "replaces_buttons": True,
}
# Not requests of their own: `request` asks on behalf of the others.
PLUMBING = {"close", "request", "request_or_none"}

HTML = b"<html><title>Just a moment...</title></html>"
BODIES: dict[str, bytes] = {
    "html": HTML,
    "half an object": b'{"id": "1"',
    "nothing": b"",
    "null": b"null",
    "text": b'"OK"',
    "number": b"1",
    "object": b"{}",
    "list": b"[]",
    "list of nothing": b"[null]",
    "list of objects": b"[{}]",
    "a sentence": b'{"message": "OK", "code": 0}',
    "a code of absence": b'{"message": "Unknown Member", "code": 10007}',
    "id null": b'{"id": null, "user": null, "threads": null}',
    "id of another kind": b'{"id": {}, "user": {"id": 1}, "threads": [{"id": 1}], "user_id": 2, "channel_id": 3}',
    "another account": b'{"user": {"id": "9"}, "user_id": "9", "channel_id": "9", "threads": [{"id": "9"}]}',
    "deep": b"[" * 100_000,
}
# What these ask for may be empty.
READABLE = {
    "add": {"nothing"},
    "count_after": {"list", "list of objects"},
    "delete": {"nothing"},
    "remove": {"nothing"},
}


class Wire:
    """Stands in for the HTTP client: answers everything alike."""

    def __init__(self, real: Any, status: int, body: bytes) -> None:
        self.no_answer = real.no_answer
        self._status, self._body = status, body

    def request(self, method: str, path: str, **_: Any) -> httpx2.Response:
        return httpx2.Response(self._status, content=self._body, request=httpx2.Request(method, "http://x" + path))


def methods(of: type) -> list[str]:
    found = inspect.getmembers(of, inspect.isfunction)
    return [name for name, _ in found if not name.startswith("_") and name not in PLUMBING]


CALLS = [(of, name) for of in (Discord, DiscordThreads) for name in methods(of)]


def call(of: type, name: str, status: int, body: bytes, monkeypatch: pytest.MonkeyPatch) -> Callable[[], object]:
    client = Discord("http://x", "token", "1")
    monkeypatch.setattr(client, "_http", Wire(client._http, status, body))
    target: Any = client
    client.history._own_id = "7"
    if of is DiscordThreads:
        target = DiscordThreads(client, "1")
    method = getattr(target, name)
    return lambda: method(**{parameter: ARGUMENTS[parameter] for parameter in inspect.signature(method).parameters})


def test_all_that_asks_discord_is_asked_here() -> None:
    assert {"send", "is_member", "voice_channel_of", "find", "find_message"} <= {name for _, name in CALLS}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize(("of", "name"), CALLS, ids=lambda it: getattr(it, "__name__", it))
def test_a_success_without_what_was_asked_for_is_no_answer(
    of: type, name: str, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = call(of, name, 200, body, monkeypatch)
    if body in [BODIES[readable] for readable in READABLE.get(name, ())]:
        ask()
        return
    with pytest.raises(SendError) as failed:
        ask()
    assert not failed.value.permanent


@pytest.mark.parametrize("status", [204, 301, 302, 304, 400, 401, 403, 404, 410, 429, 500, 502, 504, 520, 530])
@pytest.mark.parametrize("body", [HTML, b"", b"{}", b'{"code": 10007}', b'{"code": 10065, "error": "no"}', b"[10013]"])
@pytest.mark.parametrize("name", ["is_member", "voice_channel_of"])
def test_an_error_that_is_not_in_discords_words_is_no_absence(
    name: str, body: bytes, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SendError):
        call(Discord, name, status, body, monkeypatch)()


@pytest.mark.parametrize("status", [200, 500, 502, 503])
@pytest.mark.parametrize("name", ["is_member", "voice_channel_of"])
def test_a_code_of_absence_counts_with_a_status_that_goes_with_it(
    name: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = b'{"message": "Unknown Member", "code": 10007}'
    with pytest.raises(SendError):
        call(Discord, name, status, body, monkeypatch)()
    assert not call(Discord, name, 404, body, monkeypatch)()
