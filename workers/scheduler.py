"""The scheduler process: releases what is due and takes back what was lost."""

from slomix.processes.common import run_scheduler

run_scheduler()
