"""The inbox process: what people write on Telegram and Signal."""

from slomix.receiving import run_inbox

run_inbox()
