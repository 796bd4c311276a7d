"""Worker, scheduler, inbox and Discord client as one process: what `SLOMIX_FORMATION=small` runs beside the web."""

from slomix.processes.background import run_background

run_background()
