"""Logs are events with fields, one line each, on standard error."""

import logging
import re
import secrets
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import structlog
from structlog.typing import Processor

# PostgreSQL adds to an error the row that it was about.
_ROW = re.compile(r"^(DETAIL|CONTEXT): .*$", re.MULTILINE)


def new_trace() -> str:
    """Return a new trace id, which all log lines about one action and its consequences carry."""
    return secrets.token_hex(6)


def current_trace() -> str | None:
    """Return the current trace id, or None."""
    name: str | None = structlog.contextvars.get_contextvars().get("trace")
    return name


@contextmanager
def log_context(**ids: object) -> Iterator[None]:
    """Add these ids to every log line of the block, together with those that `add_log_context` adds in it."""
    before = structlog.contextvars.get_contextvars()
    structlog.contextvars.bind_contextvars(**ids)
    try:
        yield
    finally:
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(**before)


def add_log_context(**ids: object) -> None:
    """Add these ids to the remaining log lines of the block."""
    structlog.contextvars.bind_contextvars(**ids)


def redact_rows(error: str) -> str:
    """Remove the row's data from an error's text."""
    return _ROW.sub(r"\1: …", error)


def _without_data(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Remove rows' data, and characters that would begin a new line or move the cursor."""
    for name, value in event.items():
        if isinstance(value, str):
            plain = redact_rows(value)
            event[name] = "".join(
                letter if letter.isprintable() or letter == "\n" else ascii(letter)[1:-1] for letter in plain
            )
    return event


class _Seldom(logging.Filter):
    """Lets the same message of matching loggers through once in half a minute, as reconnecting repeats it."""

    def __init__(self, beginning: str) -> None:
        super().__init__()
        self._beginning = beginning
        self._said: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith(self._beginning):
            return True
        what = record.name, str(record.msg)
        is_new = record.created - self._said.get(what, 0) > 30
        if is_new:
            self._said[what] = record.created
        return is_new


_FIRST: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso"),
]
_LAST: list[Processor] = [
    structlog.processors.format_exc_info,
    _without_data,
    structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
]


def configure(part: str) -> None:
    """Set up logging for one process. Client libraries are quiet: their lines carry addresses."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *_FIRST],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_LAST],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    for name in ("httpx2", "httpcore2", "httpcore", "discord", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # It warns at every start that voice isn't supported; we only read who is there.
    logging.getLogger("discord.client").setLevel(logging.ERROR)
    # It misses its own heartbeats' timing because we send some in between.
    logging.getLogger("discord.gateway").addFilter(lambda record: not str(record.msg).startswith("Can't keep up"))
    # While Redis is away, each lane's worker says so again and again.
    handler.addFilter(_Seldom("dramatiq.worker.ConsumerThread("))
    structlog.configure(
        processors=[*_FIRST, *_LAST],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    structlog.contextvars.bind_contextvars(part=part)
