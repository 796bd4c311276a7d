"""A simulator of one's own: a real process on a free pair of ports."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from slomix.simulator.people import BOT_TOKEN, PEOPLE, TELEGRAM_TOKEN, Person

# Reading the machine's certificates takes longer than most of these tests, and nothing here is encrypted.
NO_TLS = False
CAST = {person.name: person for person in PEOPLE}


@dataclass(frozen=True)
class Simulator:
    """Where the simulator listens, and clients that speak to it."""

    port: int
    clock_file: Path
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port + 1}"

    def client(self) -> httpx2.Client:
        """A plain client: a browser, or a test that drives the evening."""
        return httpx2.Client(base_url=self.url, timeout=10, verify=NO_TLS)

    def bot(self, *, timeout: float = 10) -> httpx2.Client:
        """Slomix, with its bot token."""
        return httpx2.Client(
            base_url=f"{self.url}/api/v10",
            headers={"Authorization": f"Bot {BOT_TOKEN}"},
            timeout=timeout,
            verify=NO_TLS,
        )

    def telegram(self, *, timeout: float = 10) -> httpx2.Client:
        """Slomix, with its token for Telegram."""
        return httpx2.Client(base_url=f"{self.url}/telegram/bot{TELEGRAM_TOKEN}", timeout=timeout, verify=NO_TLS)

    def signal(self, *, timeout: float = 10) -> httpx2.Client:
        """Slomix at its signal-cli-rest-api."""
        return httpx2.Client(base_url=f"{self.url}/signal", timeout=timeout, verify=NO_TLS)

    def messages(self) -> list[dict[str, Any]]:
        return self.client().get("/control/messages").json()


def free_pair() -> int:
    """A port that is free, and the one after it too."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port


@pytest.fixture(scope="session")
def running_simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    port, clock_file = free_pair(), tmp_path_factory.mktemp("simulator") / "clock.json"
    process = subprocess.Popen(
        [sys.executable, "-m", "slomix.simulator"],
        env=os.environ | {"PORT": str(port), "SLOMIX_CLOCK_FILE": str(clock_file)},
    )
    simulator = Simulator(port, clock_file, process)
    deadline = time.monotonic() + 15
    while True:
        try:
            simulator.client().get("/control/people")
            break
        except httpx2.TransportError:
            assert process.poll() is None, "the simulator ended at once"
            assert time.monotonic() < deadline, "the simulator does not answer"
            time.sleep(0.05)
    yield simulator
    process.terminate()
    assert process.wait(timeout=5) == 0


@pytest.fixture
def simulator(running_simulator: Simulator) -> Simulator:
    """The simulator as an evening finds it: nobody in voice, nothing written, nothing broken."""
    running_simulator.client().post("/control/reset").raise_for_status()
    return running_simulator


@pytest.fixture
def cast() -> dict[str, Person]:
    return CAST
