"""A simulator of one's own: a real process on a free pair of ports."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from slomix.channels.discord import USER_AGENT
from slomix.dev.simulator.people import BOT_TOKEN, PEOPLE, TELEGRAM_TOKEN, SimulatedPerson
from slomix.dev.simulator.ports import free_pair
from tests.waiting import PATIENCE, until

# A port on which nobody listens: no program but one of root's may, and none is meant to.
NOBODY = 1
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
        agent = {"User-Agent": USER_AGENT}
        return httpx2.Client(base_url=self.url, headers=agent, timeout=PATIENCE, verify=NO_TLS)

    def bot(self, *, reads_for: float = PATIENCE) -> httpx2.Client:
        """Slomix, with its bot token; it gives up when it has read nothing for so long."""
        return httpx2.Client(
            base_url=f"{self.url}/api/v10",
            headers={"Authorization": f"Bot {BOT_TOKEN}", "User-Agent": USER_AGENT},
            timeout=httpx2.Timeout(PATIENCE, read=reads_for),
            verify=NO_TLS,
        )

    def telegram(self) -> httpx2.Client:
        """Slomix, with its token for Telegram."""
        return httpx2.Client(base_url=f"{self.url}/telegram/bot{TELEGRAM_TOKEN}", timeout=PATIENCE, verify=NO_TLS)

    def signal(self) -> httpx2.Client:
        """Slomix at its signal-cli-rest-api."""
        return httpx2.Client(base_url=f"{self.url}/signal", timeout=PATIENCE, verify=NO_TLS)

    def is_polled(self, provider: str) -> bool:
        """Whether a request to Telegram or Signal waits there for a message to come."""
        polls: dict[str, int] = self.client().get("/control/polls").json()
        return polls[provider] > 0

    def messages(self) -> list[dict[str, Any]]:
        return self.client().get("/control/messages").json()


@pytest.fixture(scope="session")
def running_simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    port, clock_file = free_pair(), tmp_path_factory.mktemp("simulator") / "clock.json"
    process = subprocess.Popen(
        [sys.executable, "-m", "slomix.dev.simulator"],
        env=os.environ | {"PORT": str(port), "SLOMIX_CLOCK_FILE": str(clock_file)},
    )
    simulator = Simulator(port, clock_file, process)

    def answers() -> bool:
        assert process.poll() is None, "the simulator ended at once"
        with suppress(httpx2.TransportError):
            return simulator.client().get("/control/people").is_success
        return False

    until(answers, "an answer of the simulator")
    yield simulator
    process.terminate()
    assert process.wait(PATIENCE) == 0


@pytest.fixture
def simulator(running_simulator: Simulator) -> Simulator:
    """The simulator as an evening finds it: nobody in voice, nothing asked, written or broken."""
    running_simulator.client().post("/control/reset").raise_for_status()
    return running_simulator


@pytest.fixture
def cast() -> dict[str, SimulatedPerson]:
    return CAST
