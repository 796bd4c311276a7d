"""Signal over our own signal-cli-rest-api: messages to phone numbers, and messages to ours."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import httpx2

from slomix.channels.base import Address, Message, RateLimited, Receipt, SendError
from slomix.channels.http import HttpClient, as_object, decode_json, retry_delay
from slomix.config.types import E164, is_e164
from slomix.reasons.codes import Reason

# Of the recipient. "User +386… is not registered." is said of the sender and must not be taken for this.
UNKNOWN_NUMBER = re.compile(r"unregistered[ _](user|failure)|unknown user", re.IGNORECASE)
RATE_LIMIT = re.compile(r"rate[ -]?limit", re.IGNORECASE)
LONGEST_ERROR = 200

# Signal mostly does not say how long.
DEFAULT_RETRY_DELAY = timedelta(seconds=5)
# An operator has to solve it; asking again earlier makes Signal stricter.
CHALLENGE_RETRY_DELAY = timedelta(hours=1)


class ChallengeNeeded(SendError):
    """Signal refuses our number until an operator has solved a captcha."""


@dataclass(frozen=True)
class ReceivedText:
    """A text that was sent to our number."""

    sender: str
    is_private: bool
    text: str
    sender_name: str


class Signal:
    """The client for our number. Thread-safe."""

    # Signal knows no nonce: a repeat is a second message.
    repeatable_for = timedelta(0)

    def __init__(self, base_url: str, sender: str, *, connections: int = 4) -> None:
        self._sender = sender
        self._http = HttpClient(
            base_url,
            connections=connections,
            not_reached=Reason.SIGNAL_NOT_REACHED,
            no_answer=Reason.SIGNAL_DID_NOT_ANSWER,
        )

    def send(self, to: Address, message: Message, *, nonce: str) -> Receipt:
        """Post once to a phone number; refuse anything else without a request."""
        del nonce  # which Signal does not recognise
        if not is_e164(to.value):
            raise SendError(Reason.NOT_E164, permanent=True)
        body = {"message": message.text, "number": self._sender, "recipients": [to.value]}
        response = self._http.request("POST", "/v2/send", json=body, carries_message=True)
        answer = as_object(decode_json(response))
        if not response.is_success:
            raise _refusal(response, answer)
        return Receipt(str(answer.get("timestamp", "")))

    def receive(self, *, wait_seconds: int) -> list[ReceivedText]:
        """Return the texts since the last call, waiting for some if there are none; each is returned once."""
        path = f"/v1/receive/{quote(self._sender, safe='')}?timeout={wait_seconds}"
        response = self._http.request("GET", path, wait_seconds=wait_seconds)
        answer = decode_json(response)
        if not response.is_success:
            raise _refusal(response, as_object(answer))
        if not isinstance(answer, list):
            raise self._http.no_answer(f"{response.status_code}", carries_message=False)
        return [incoming for message in answer if (incoming := _incoming(message)) is not None]

    def is_registered(self) -> bool:
        """Check whether the service has our number. Raise SendError when it does not answer."""
        response = self._http.request("GET", "/v1/accounts")
        answer = decode_json(response)
        if not response.is_success:
            raise _refusal(response, as_object(answer))
        return isinstance(answer, list) and self._sender in answer

    def close(self) -> None:
        self._http.close()


def _refusal(response: httpx2.Response, problem: dict[str, Any]) -> SendError:
    code, error = response.status_code, str(problem.get("error") or "refused")
    if code == 429 and problem.get("challenge_tokens"):
        return ChallengeNeeded(Reason.SIGNAL_CHALLENGE, retry_after=CHALLENGE_RETRY_DELAY, code=code)
    if code == 429 or RATE_LIMIT.search(error):
        wait = retry_delay(response.headers.get("Retry-After"), otherwise=DEFAULT_RETRY_DELAY)
        return RateLimited(Reason.SIGNAL_IS_BUSY, retry_after=wait, code=code)
    if code == 400 and UNKNOWN_NUMBER.search(error):
        return SendError(Reason.SIGNAL_UNKNOWN_NUMBER, permanent=True, code=code)
    return SendError(Reason.SIGNAL_SAID, f"{_without_numbers(error)} ({code})", code=code)


def _without_numbers(error: str) -> str:
    """Put an error on one line without phone numbers, because reasons are stored and shown unencrypted."""
    return E164.sub("+…", " ".join(error.split()))[:LONGEST_ERROR]


def _incoming(raw: Any) -> ReceivedText | None:
    """Read a text, or None for receipts, typing, our other devices, and senders who hide their number."""
    envelope = as_object(as_object(raw).get("envelope"))
    data = as_object(envelope.get("dataMessage"))
    sender, text = envelope.get("sourceNumber"), data.get("message")
    if not isinstance(sender, str) or not sender or not isinstance(text, str) or not text:
        return None
    return ReceivedText(
        sender,
        is_private=data.get("groupInfo") is None,
        text=text,
        sender_name=str(envelope.get("sourceName") or ""),
    )
