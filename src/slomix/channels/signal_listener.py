"""Texts to our number on Signal, over the websocket of a signal-cli-rest-api in a json-rpc mode."""

import contextlib
import json
import logging
import re
from dataclasses import dataclass
from urllib.parse import quote

from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect

from slomix.channels.base import SendError
from slomix.channels.http import as_object
from slomix.reasons.codes import Reason

OPEN_WITHIN = 3.0
# A line that is dead without a word is noticed within twice this time.
PING_EVERY = 10.0

# websockets logs every frame for debugging, and a frame carries what people write and their numbers.
logging.getLogger("websockets.client").addFilter(lambda _record: False)


@dataclass(frozen=True)
class ReceivedText:
    """A text that a person wrote to our number; `number` is theirs where Signal tells us."""

    sender: str
    is_private: bool
    text: str
    sender_name: str
    sent_at: int = 0
    number: str | None = None


class SignalListener:
    """One websocket; texts that come while none is open are gone. Not thread-safe."""

    def __init__(self, base_url: str, sender: str) -> None:
        address = re.sub(r"^http", "ws", base_url.rstrip("/"))
        self._address = f"{address}/v1/receive/{quote(sender, safe='')}"
        self._socket: ClientConnection | None = None
        self._closing = contextlib.ExitStack()

    @property
    def is_open(self) -> bool:
        return self._socket is not None

    def open(self) -> None:
        """Connect. Raise SendError when that fails."""
        try:
            self._socket = self._closing.enter_context(
                connect(
                    self._address,
                    open_timeout=OPEN_WITHIN,
                    close_timeout=1,
                    ping_interval=PING_EVERY,
                    ping_timeout=PING_EVERY,
                    compression=None,
                )
            )
        except InvalidStatus as error:
            code = error.response.status_code
            failure = SendError(Reason.SIGNAL_SAID, f"does not let us listen ({code})", code=code)
        except (OSError, WebSocketException) as error:
            failure = SendError(Reason.SIGNAL_NOT_REACHED, type(error).__name__)
        else:
            return
        raise failure

    def receive(self, *, seconds: float) -> ReceivedText | None:
        """Wait for the next text for so long. Raise SendError, with the connection closed, when it broke."""
        if self._socket is None:
            raise SendError(Reason.SIGNAL_NOT_REACHED, "closed")
        try:
            frame = self._socket.recv(timeout=seconds)
        except TimeoutError:
            return None
        except (ConnectionClosed, OSError) as error:
            self.close()
            failure = SendError(Reason.SIGNAL_DID_NOT_ANSWER, type(error).__name__)
        else:
            return _incoming(frame)
        raise failure

    def close(self) -> None:
        self._socket = None
        with contextlib.suppress(OSError, WebSocketException):
            self._closing.close()


def _incoming(frame: str | bytes) -> ReceivedText | None:
    """Read a text, or None for receipts, typing, and what our other devices sent.

    The number is null in a first message, and always where its owner hides it; the id of the account is always there.
    """
    try:
        envelope = as_object(as_object(json.loads(frame)).get("envelope"))
    except ValueError:
        return None
    data = as_object(envelope.get("dataMessage"))
    number, text = envelope.get("sourceNumber") or None, data.get("message")
    sender = envelope.get("sourceUuid") or number
    if not isinstance(sender, str) or not isinstance(text, str) or not text:
        return None
    return ReceivedText(
        sender,
        is_private=data.get("groupInfo") is None,
        text=text,
        sender_name=str(envelope.get("sourceName") or ""),
        sent_at=envelope["timestamp"] if isinstance(envelope.get("timestamp"), int) else 0,
        number=number if isinstance(number, str) else None,
    )
