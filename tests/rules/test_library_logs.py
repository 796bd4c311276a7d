"""What libraries log comes in our form, and what they repeat comes once."""

import subprocess
import sys

from tests.waiting import PATIENCE

SAYS = """
import logging
from slomix.runtime import logs
logs.configure("worker")
for _ in range(3):
    for lane in ("general", "discord"):
        logging.getLogger(f"dramatiq.worker.ConsumerThread({lane})").critical("Consumer encountered an error.")
    logging.getLogger("elsewhere").warning("the same, %s", "again")
"""


def test_a_library_speaks_in_our_form_and_each_consumer_says_once_that_its_broker_is_away() -> None:
    done = subprocess.run([sys.executable, "-c", SAYS], capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stdout) == (0, "")
    lines = done.stderr.splitlines()
    assert all("timestamp=" in line and " level=" in line and "part=worker" in line for line in lines), lines
    for lane in ("general", "discord"):
        assert len([line for line in lines if f"ConsumerThread({lane})" in line]) == 1
    assert len([line for line in lines if 'event="the same, again"' in line]) == 3
    assert len(lines) == 5
