"""How gunicorn serves the web process: one gevent worker, which holds a thousand open streams in little memory."""

import gc
import importlib
import resource
import signal
from typing import Any

import gevent
from gevent import monkey

from slomix.app.worker import BodyDeadline, BoundedWorker, Line, hold_refusal
from slomix.config.checks import settings_or_exit
from slomix.supervisor.process import die_with_parent

_settings = settings_or_exit()

_SPARE_FILES = 200


def _connections() -> int:
    """Return how many connections one process may hold: every one is an open file."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 8000 if most == resource.RLIM_INFINITY else max(200, min(8000, most - _SPARE_FILES))


bind = [f"[{_settings.bind}]:{_settings.port}" if ":" in _settings.bind else f"{_settings.bind}:{_settings.port}"]
worker_class = BoundedWorker
workers = 1
worker_connections = _connections()
BoundedWorker.trusted_proxies = _settings.trusted_proxies
BoundedWorker.most_of_client = worker_connections * 3 // 16
# Streams end as soon as a stop is asked for; requests under way have this long, kept connections last as long.
graceful_timeout = 3
timeout = 60
keepalive = 65
accesslog = None
loglevel = "warning"
control_socket_disable = True  # several web processes of one account would share its path
reload = _settings.reloads
limit_request_line = 4094


def on_starting(_server: object) -> None:
    """Read all code before the port is taken: until it is, a proxy sends requests to another process.

    The application itself is made after the fork; only its modules are shared. gevent has to come before them.
    """
    if not reload:
        monkey.patch_all()
        importlib.import_module("slomix.app.factory")
        # Else the worker's collector would write into every object and so copy what both could share.
        gc.collect()
        gc.freeze()


def when_ready(_server: object) -> None:
    """Raise the limit of open files to what this account may have: every stream is an open file."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def post_fork(_server: object, worker: Any) -> None:
    """End the worker with its master, even if that was killed."""
    die_with_parent(signal.SIGKILL, parent=worker.ppid)


def post_worker_init(worker: Any) -> None:
    """Bound what requests may hold, and end all streams as soon as a stop is asked for.

    Pages then reach another process before this one ends.
    """
    stop: Any = signal.getsignal(signal.SIGTERM)
    hub = worker.wsgi.extensions["slomix_hub"]
    hub.most_streams = worker_connections // 2  # the other half is for pages
    shares = worker.wsgi.extensions["slomix_shares"]
    shares.turn, shares.hold_refusal = Line().turn, hold_refusal
    worker.wsgi.wsgi_app = BodyDeadline(worker.wsgi.wsgi_app)

    def let_go(number: int, frame: object) -> None:
        gevent.spawn(hub.close)
        stop(number, frame)

    signal.signal(signal.SIGTERM, let_go)
