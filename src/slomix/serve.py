"""How gunicorn serves the web process: one gevent worker, which holds a thousand open streams in little memory."""

import resource
import signal
from typing import Any

from slomix.process import die_with_parent
from slomix.refusals import settings_or_exit

_settings = settings_or_exit()

bind = [f"127.0.0.1:{_settings.port}"]
worker_class = "gevent"
workers = 1
worker_connections = 4000
# A stream never ends by itself: a stopping server waits this long for requests, then goes.
graceful_timeout = 3
timeout = 60
keepalive = 65
accesslog = None
loglevel = "warning"
reload = _settings.reloads
limit_request_line = 4094


def when_ready(_server: object) -> None:
    """A stream is an open file: take as many as this account may have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def post_fork(_server: object, worker: Any) -> None:
    """A master that was killed takes its worker along."""
    die_with_parent(signal.SIGKILL, parent=worker.ppid)
