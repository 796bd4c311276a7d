"""The HTTP client of all channels: one attempt, and whether a failed request had left."""

import functools
import logging
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2

from slomix import clock
from slomix.channels.base import ProviderDown, SendError, Unanswered
from slomix.reasons.codes import Reason

# A first message on Discord is two requests; together they stay below a job's lease.
TIMEOUT = httpx2.Timeout(8, connect=3, write=3, pool=2)
# Of a ping: while a provider is out, the next one shall not wait long for it.
PING_TIMEOUT = 3.0

# Errors without a connection: nothing can have left.
NOT_SENT_ERRORS = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
)

# The 5xx by which a provider says, in its own words, that it took nothing; any other may come from a proxy.
OWN_ERRORS = (500, 503)

MAX_RETRY_DELAY = timedelta(days=1)

# httpx2 logs the address of every request, and an address may carry a token or a phone number.
logging.getLogger("httpx2").addFilter(lambda _record: False)


@functools.cache
def certificates() -> ssl.SSLContext:
    """Read the machine's certificates once a process: that takes longer than all the rest of a request."""
    return httpx2.create_ssl_context()


class HttpClient:
    """The connections to one provider. Thread-safe, and tries once.

    `not_reached` and `no_answer` are the reasons in its errors; their detail is the kind of error.
    """

    def __init__(
        self,
        base_url: str,
        *,
        connections: int,
        not_reached: Reason,
        no_answer: Reason,
        headers: Mapping[str, str] | None = None,
        hears_time: bool = False,
    ) -> None:
        """Connect to a provider. One that `hears_time` compares the provider's clock with ours."""
        self._hears_time = hears_time
        self._not_reached = not_reached
        self._no_answer = no_answer
        self._timeout = TIMEOUT
        self._client = httpx2.Client(
            base_url=base_url.rstrip("/"),
            headers=headers,
            verify=certificates(),
            limits=httpx2.Limits(max_connections=connections, max_keepalive_connections=connections),
        )

    def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        carries_message: bool = False,
        wait_seconds: float = 0,
        is_ping: bool = False,
        on_sent: Callable[[], None] | None = None,
    ) -> httpx2.Response:
        """Send one request and return the response, whatever its status.

        Raise SendError when there is no answer, and Unanswered when a message may have left. `wait_seconds` is how many
        seconds the provider was asked to hold its answer back; `on_sent` is called when the request is on the wire.
        """
        timeout = self._timeout.as_dict() | ({"read": PING_TIMEOUT} if is_ping else {})
        if wait_seconds and timeout["read"] is not None:
            timeout["read"] += wait_seconds
        try:
            response = self._client.request(
                method, path, json=json, timeout=httpx2.Timeout(**timeout), extensions=_tracing(on_sent)
            )
            if self._hears_time:
                _hear_time(response)
            return response
        except NOT_SENT_ERRORS as error:
            failure: SendError = ProviderDown(self._not_reached, type(error).__name__)
        except httpx2.HTTPError as error:
            failure = self.no_answer(type(error).__name__, carries_message=carries_message)
        # Raised out here, so that it doesn't chain the library's error, which knows the whole address.
        raise failure

    def no_answer(self, kind: str, *, carries_message: bool, code: int | None = None) -> SendError:
        """Return the error for a request that was sent, but not answered in a readable way."""
        failure = Unanswered if carries_message else ProviderDown
        return failure(self._no_answer, kind, code=code)

    def close(self) -> None:
        self._client.close()


def _tracing(left: Callable[[], None] | None) -> dict[str, Any]:
    if left is None:
        return {}

    def hear(event: str, _info: Any) -> None:
        if event == "http11.send_request_body.complete":
            left()

    return {"trace": hear}


def _hear_time(response: httpx2.Response) -> None:
    with suppress(ValueError):
        clock.hear(parsedate_to_datetime(response.headers.get("Date", "")))


def decode_json(response: httpx2.Response) -> Any:
    """Return the body as JSON, or None if it is none."""
    try:
        return response.json()
    except (ValueError, RecursionError):
        return None


def as_object(value: Any) -> dict[str, Any]:
    """Return the value if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def retry_delay(asked: Any, *, otherwise: timedelta | None) -> timedelta | None:
    """Return how long the provider asks us to wait, or `otherwise` if it says nothing sensible."""
    try:
        seconds = float(asked)
    except (TypeError, ValueError):
        return otherwise
    return timedelta(seconds=min(seconds, MAX_RETRY_DELAY.total_seconds())) if seconds >= 0 else otherwise
