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

# What PostgreSQL adds to an error: the row that it was about.
_ROW = re.compile(r"^(DETAIL|CONTEXT): .*$", re.MULTILINE)


def new_trace() -> str:
    """A name for something that begins here: every line about it and about what it sets off carries it."""
    return secrets.token_hex(6)


def trace() -> str | None:
    """The name of what is being done; None where nobody gave it one."""
    name: str | None = structlog.contextvars.get_contextvars().get("trace")
    return name


@contextmanager
def about(**ids: object) -> Iterator[None]:
    """Every line that is written in this block, and everything that `add` names in it, carries these ids."""
    before = structlog.contextvars.get_contextvars()
    structlog.contextvars.bind_contextvars(**ids)
    try:
        yield
    finally:
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(**before)


def add(**ids: object) -> None:
    """The lines of the block from here on carry these ids too."""
    structlog.contextvars.bind_contextvars(**ids)


def without_rows(error: str) -> str:
    """An error's text without the data of the row that it was about."""
    return _ROW.sub(r"\1: …", error)


def _without_data(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """No row's data, and no character that would begin a new line or move a cursor."""
    for name, value in event.items():
        if isinstance(value, str):
            plain = without_rows(value)
            event[name] = "".join(
                letter if letter.isprintable() or letter == "\n" else ascii(letter)[1:-1] for letter in plain
            )
    return event


class _Seldom(logging.Filter):
    """Of loggers whose names begin so the same once in half a minute: who is away is away, and once will do."""

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
    # It warns at every start that voice cannot be spoken; we only look who is there.
    logging.getLogger("discord.client").setLevel(logging.ERROR)
    # Its clock counts from its own heartbeats, and we send some between them.
    logging.getLogger("discord.gateway").addFilter(lambda record: not str(record.msg).startswith("Can't keep up"))
    # Each lane has a worker of its own on one broker, and a broker away is said by each of them, four times a second.
    logging.getLogger("dramatiq.broker.RedisBroker").setLevel(logging.ERROR)
    handler.addFilter(_Seldom("dramatiq.worker.ConsumerThread("))
    structlog.configure(
        processors=[*_FIRST, *_LAST],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    structlog.contextvars.bind_contextvars(part=part)
