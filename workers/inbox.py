"""The inbox process: what people write on Telegram and Signal."""

from slomix.processes.inbox import run_inbox

run_inbox()
