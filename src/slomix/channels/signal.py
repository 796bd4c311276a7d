"""Signal over a signal-cli-rest-api of our own: messages to people's accounts."""

import json
import re
from datetime import timedelta
from typing import Any

import httpx2

from slomix.channels.base import (
    Address,
    Message,
    ProviderDown,
    RateLimited,
    Receipt,
    SendError,
    TokenRefused,
    Unanswered,
)
from slomix.channels.http import MAX_RETRY_DELAY, OWN_ERRORS, HttpClient, as_object, decode_json
from slomix.config.types import E164, is_aci, is_e164
from slomix.reasons.codes import Reason

# Of the recipient. "User +386… is not registered." is said of the sender and must not be taken for this.
UNKNOWN_ACCOUNT = re.compile(r"unregistered[ _](user|failure)|unknown user", re.IGNORECASE)
UNKNOWN_SENDER = re.compile(r"\bUser \S+ is not registered")
RATE_LIMIT = re.compile(r"rate[ _-]?limit", re.IGNORECASE)
RETRY_AFTER = re.compile(r'"retryAfterSeconds": ?([0-9]{1,7})')
CHALLENGE = re.compile(r'"token": ?"[^"]|CAPTCHA proof required')
UNTRUSTED = re.compile(r"identity_failure|untrusted (identit|recipient key)", re.IGNORECASE)
# The message may have left before the service gave up.
GAVE_UP = re.compile(r"SocketTimeout|process killed as timeout reached", re.IGNORECASE)
# The service cannot reach Signal, for every recipient.
NETWORK = re.compile(r"network_failure", re.IGNORECASE)
LONGEST_ERROR = 200

# Over websocket the service does not say how long, and asking sooner makes Signal stricter.
DEFAULT_RETRY_DELAY = timedelta(minutes=1)
# A person has to solve it; asking again earlier makes Signal stricter.
CHALLENGE_RETRY_DELAY = timedelta(hours=1)

MODES = ("json-rpc", "json-rpc-native")
# Earlier versions take the id of an account for a user name.
OLDEST_VERSION = (0, 85)


class ChallengeNeeded(SendError):
    """Signal takes nothing more from our number until an operator solves a captcha."""


class Signal:
    """Our number's client. Thread-safe."""

    # Signal knows no nonce: a repeat is a second message.
    repeatable_for = timedelta(0)
    # The service does not keep what was sent.
    history = None

    def __init__(self, base_url: str, sender: str, *, connections: int = 4) -> None:
        self._sender = sender
        self._http = HttpClient(
            base_url,
            connections=connections,
            not_reached=Reason.SIGNAL_NOT_REACHED,
            no_answer=Reason.SIGNAL_DID_NOT_ANSWER,
        )

    def send(self, to: Address, message: Message, *, nonce: str) -> Receipt:
        """Post once to an account or a phone number; refuse anything else, such as a group, without a request."""
        del nonce  # which Signal does not recognise
        if not is_aci(to.value) and not is_e164(to.value):
            raise SendError(Reason.NOT_E164, permanent=True)
        body = {"message": numbered_text(message), "number": self._sender, "recipients": [to.value]}
        response = self._http.request("POST", "/v2/send", json=body, carries_message=True)
        if not response.is_success:
            raise self._refusal(response, carries_message=True)
        answer = as_object(decode_json(response))
        if answer.get("errors"):
            raise _failure(json.dumps(answer["errors"]), response.status_code)
        if not answer.get("timestamp"):
            raise self._http.no_answer(f"{response.status_code}", carries_message=True)
        return Receipt(str(answer["timestamp"]))

    def ping(self) -> None:
        """Ask the service about itself. Raise SendError if it doesn't answer."""
        self._asked("/v1/about", is_ping=True)

    def service_problem(self) -> str | None:
        """Return why this service is of no use to us, or None. Raise SendError when it does not answer."""
        about = as_object(self._asked("/v1/about"))
        if about.get("mode") not in MODES:
            return f"the service runs in mode {about.get('mode')}; it has to be json-rpc or json-rpc-native"
        version = re.match(r"([0-9]+)\.([0-9]+)", str(about.get("version")))
        if version is None or (int(version[1]), int(version[2])) < OLDEST_VERSION:
            return f"the service has version {about.get('version')}; it has to be 0.85 or newer"
        accounts = self._asked("/v1/accounts")
        if not isinstance(accounts, list) or self._sender not in accounts:
            return "AVAILABILITY_SIGNAL_SENDER: the service has no such number"
        return None

    def close(self) -> None:
        self._http.close()

    def _asked(self, path: str, *, is_ping: bool = False) -> Any:
        response = self._http.request("GET", path, is_ping=is_ping)
        if not response.is_success:
            raise self._refusal(response, carries_message=False)
        return decode_json(response)

    def _refusal(self, response: httpx2.Response, *, carries_message: bool) -> SendError:
        """Decide what an answer that is no success means; only the service's own words say that nothing was taken."""
        code, problem = response.status_code, as_object(decode_json(response))
        error = problem.get("error")
        is_own = isinstance(error, str)
        if code >= 500 and not (is_own and code in OWN_ERRORS):
            return self._http.no_answer(str(code), carries_message=carries_message, code=code)
        # A rate limit that no captcha lifts is told with an empty token for each recipient.
        if code == 429 and any(problem.get("challenge_tokens") or ()):
            return ChallengeNeeded(Reason.SIGNAL_CHALLENGE, retry_after=CHALLENGE_RETRY_DELAY, code=code)
        return _failure(str(error) if is_own else "refused", code)


def numbered_text(message: Message) -> str:
    """Return a message with its choices at the end, each with the number that answers it."""
    choices = [f"{number}: {button.label}" for number, button in enumerate(message.choices, 1)]
    return "\n".join([message.text, *([""] if choices else []), " · ".join(choices)]).rstrip("\n")


def _failure(error: str, code: int) -> SendError:
    """Decide what an error text of the service or of signal-cli means."""
    if GAVE_UP.search(error):
        return Unanswered(Reason.SIGNAL_SAID, f"{_without_numbers(error)} ({code})", code=code)
    if CHALLENGE.search(error):
        return ChallengeNeeded(Reason.SIGNAL_CHALLENGE, retry_after=CHALLENGE_RETRY_DELAY, code=code)
    if code == 429 or RATE_LIMIT.search(error):
        told = RETRY_AFTER.search(error)
        wait = min(timedelta(seconds=int(told[1])), MAX_RETRY_DELAY) if told else DEFAULT_RETRY_DELAY
        return RateLimited(Reason.SIGNAL_IS_BUSY, retry_after=wait, code=code)
    if UNKNOWN_ACCOUNT.search(error):
        return SendError(Reason.SIGNAL_UNKNOWN_NUMBER, permanent=True, code=code)
    if UNTRUSTED.search(error):
        return SendError(
            Reason.SIGNAL_SAID,
            "this phone is new, and our operator has to trust its key first",
            permanent=True,
            code=code,
        )
    if UNKNOWN_SENDER.search(error):
        return TokenRefused(Reason.SIGNAL_SAID, "our own number is not registered there", code=code)
    is_down = code >= 500 or NETWORK.search(error)
    failure = ProviderDown if is_down else SendError
    return failure(Reason.SIGNAL_SAID, f"{_without_numbers(error)} ({code})", code=code)


def _without_numbers(error: str) -> str:
    """Put an error on one line without phone numbers, because reasons are stored and shown unencrypted."""
    return E164.sub("+…", " ".join(error.split()))[:LONGEST_ERROR]
