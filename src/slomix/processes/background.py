"""Worker, scheduler, inbox and Discord client as one process, for small machines.

It keeps the promises that they keep apart: a kill ends all of them at once, and each goes on from the rows.
"""

import sys
import threading
from functools import partial

import structlog

from slomix.health import rules as health_rules
from slomix.processes import common, inbox
from slomix.processes.discord.process import keep_picture

log = structlog.get_logger()


def run_background() -> None:
    """Run the process behind `workers/background.py` until told to stop, or until one of its parts ends by itself."""
    runtime = common.start_process("background", connections=inbox.CONNECTIONS)
    of_worker = common.open_runtime(runtime.settings, health_rules.WORKER)
    run_together(
        {
            health_rules.WORKER: partial(common.do_jobs, of_worker),
            health_rules.SCHEDULER: partial(common.release_what_is_due, runtime),
            health_rules.INBOX: partial(inbox.receive, runtime),
            health_rules.DISCORD: partial(keep_picture, runtime),
        },
        common.stop_event(),
    )


def run_together(parts: "dict[str, partial[None]]", stopping: threading.Event) -> None:
    """Run each part on a thread; when one fails the others end too, and so does the process, to be started anew."""
    failed: list[str] = []

    def run(part: str, work: "partial[None]") -> None:
        structlog.contextvars.bind_contextvars(part=part)
        try:
            work(stopping)
        except Exception:
            log.exception("process.part_failed")
        if not stopping.is_set():
            failed.append(part)
            stopping.set()

    threads = [threading.Thread(target=run, args=item, daemon=True, name=item[0]) for item in parts.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        sys.exit(1)
