"""The worker process: claims and does jobs. One process, no fork, so that killing it leaves nothing behind."""

from slomix.processes.common import run_worker

run_worker()
