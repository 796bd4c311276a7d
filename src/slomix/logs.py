"""Logs are events with fields, one line each, on standard error."""

import logging
import sys

import structlog


def configure(part: str) -> None:
    """Set up logging for one process. Client libraries are quiet: their lines carry addresses."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    for name in ("httpx2", "httpcore2", "httpcore", "discord", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # It warns at every start that voice cannot be spoken; we only look who is there.
    logging.getLogger("discord.client").setLevel(logging.ERROR)
    # Its clock counts from its own heartbeats, and we send some between them.
    logging.getLogger("discord.gateway").addFilter(lambda record: not str(record.msg).startswith("Can't keep up"))
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    structlog.contextvars.bind_contextvars(part=part)
