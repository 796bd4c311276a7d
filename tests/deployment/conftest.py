"""Slomix as an operator runs it: production, two web processes, three workers and two schedulers, behind nginx."""

import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx2
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import create_engine, text

from slomix.availability import service as availability
from slomix.availability.rules import Status
from slomix.cli.demo import load_demo
from slomix.clock import SystemClock
from slomix.config.settings import Settings
from slomix.database.session import LIVE_CHANNEL, ROOT, Database, notify
from slomix.dev.embedded import Servers
from slomix.dev.rehearsal.people import BrowserUser, SimulatorControl
from slomix.dev.simulator.people import environment
from slomix.dev.simulator.ports import free_pair
from tests.configuration import make_settings
from tests.databases import beside
from tests.deployment import proxy
from tests.deployment.watching import process_of
from tests.simulators import CAST, Simulator
from tests.waiting import PATIENCE, until

ZONE = "AVAILABILITY_PROMOTION_TIMEZONE"
FORMATION = "web=2,worker=3,scheduler=2"
NOT_OURS = ("SLOMIX_", "DISCORD_", "AVAILABILITY_", "PROMOTER_", "WEBSITE_", "GAME_", "GAMING_", "AFK_", "PORT")
# Not in the first seconds of a process: who ends in them of its own accord is thought to have had nothing to do.
SETTLED = 10.5


def pytest_configure(config: pytest.Config) -> None:
    """Load what only these tests need."""
    config.pluginmanager.import_plugin("tests.databases")
    config.pluginmanager.import_plugin("tests.simulators")


def evening() -> ZoneInfo:
    """A zone in which it is between eight and nine in the evening now: production knows no other clock."""
    ahead = (20 - datetime.now(UTC).hour + 12) % 24 - 12
    return ZoneInfo(f"Etc/GMT{-ahead:+d}")


@dataclass
class Deployment:
    """What runs, and how to look at it."""

    process: "subprocess.Popen[bytes]"
    folder: Path
    url: str
    plain_url: str
    web_ports: list[int]
    simulator: Simulator
    settings: Settings
    up_since: float = field(default_factory=time.monotonic)

    @property
    def zone(self) -> ZoneInfo:
        return self.settings.zone

    @property
    def control(self) -> SimulatorControl:
        return SimulatorControl(self.simulator.url)

    def pids(self) -> dict[str, int]:
        return dict(json.loads((self.folder / "pids.json").read_text()))

    def person(self, name: str) -> BrowserUser:
        """Somebody of the cast who logs in through the proxy."""
        person = BrowserUser(self.url, CAST[name].id, name)
        person.log_in()
        return person

    def are_looking(self, *names: str) -> None:
        database = Database(self.settings.database_url.get_secret_value())
        now = datetime.now(UTC)
        today = now.astimezone(self.zone).date()
        with database.transaction() as session:
            players = text("SELECT player_id FROM website_users WHERE display_name = ANY(:names)")
            for player_id in session.scalars(players, {"names": list(names)}).all():
                availability.record_status(session, player_id, today, Status.LOOKING, today=today, now=now)
        database.close()

    def tell(self, topic: str) -> None:
        """Let every open page hear this."""
        database = Database(self.settings.database_url.get_secret_value())
        with database.transaction() as session:
            notify(session, LIVE_CHANNEL, topic)
        database.close()

    def process_at(self, web_port: int) -> str:
        """The name that the web process on this port gives itself in its marks."""

        def mark() -> "re.Match[str] | None":
            page = httpx2.get(f"http://127.0.0.1:{web_port}/", timeout=PATIENCE, verify=False)
            assert page.status_code == 200, f"{web_port}: {page.status_code}"
            return re.search(r'data-mark="([^"]+)"', page.text)

        found = until(mark, f"a page of {web_port} whose process hears of changes")
        assert found is not None
        return process_of(found[1])

    def restart(self, name: str) -> None:
        """Ask one process to end, and wait until the next is there."""
        before = self.pids()[name]
        os.kill(before, signal.SIGTERM)
        until(lambda: self.pids().get(name, before) != before, f"{name} to be started again")
        if name.startswith("web."):
            port = self.web_ports[int(name.removeprefix("web.")) - 1]
            until(lambda: _answers(port), f"{name} to answer")


def _answers(port: int) -> bool:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/", timeout=PATIENCE, verify=False).status_code == 200
    except httpx2.HTTPError:
        return False


def _free_ports(number: int) -> list[int]:
    """So many free ports in a row."""
    while True:
        first = free_pair()
        try:
            for port in range(first, first + number):
                with socket.socket() as one:
                    one.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            continue
        return list(range(first, first + number))


def _environment(database_url: str, servers: Servers, port: int, web_port: int) -> dict[str, str]:
    """What stands in /etc/slomix/slomix.env and release.env of this host; Discord and the others are the simulator."""
    url = f"https://127.0.0.1:{port}"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(NOT_OURS)}
    return (
        kept
        | environment(port)
        | {
            "DATABASE_URL": database_url,
            "DATABASE_OWNER_URL": beside(servers.owner_url, "deployment"),
            "REDIS_URL": servers.redis_url,
            "PORT": str(web_port),
            "PUBLIC_URL": url,
            "DISCORD_REDIRECT_URI": f"{url}/auth/callback",
            "DISCORD_REDIRECT_URI_ALLOWLIST": f"{url}/auth/callback",
            "TRUSTED_PROXIES": "127.0.0.1",
            "SESSION_SECRET": secrets.token_hex(32),
            "INTERNAL_API_SECRET": secrets.token_hex(32),
            "METRICS_TOKEN": secrets.token_hex(32),
            "CONTACT_DATA_ENCRYPTION_KEY": Fernet.generate_key().decode(),
            ZONE: evening().key,
            "AVAILABILITY_PROMOTION_VOICE_CHECK_DELAY_SECONDS": "20",
            # One message at a time and worker, so that there is a middle to be restarted in.
            "SLOMIX_WORKER_THREADS": "1",
            "SLOMIX_FORMATION": FORMATION,
        }
    )


@pytest.fixture(scope="package")
def database_of_its_own(servers: Servers) -> Iterator[str]:
    admin = create_engine(servers.owner_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("CREATE DATABASE deployment"))
    yield beside(servers.database_url, "deployment")
    with admin.connect() as connection:
        connection.execute(text("DROP DATABASE deployment WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(scope="package")
def deployment(
    servers: Servers,
    database_of_its_own: str,
    running_simulator: Simulator,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Deployment]:
    proxy.program()
    running_simulator.client().post("/control/reset").raise_for_status()
    port = running_simulator.port
    *web_ports, plain_port = _free_ports(3)
    given = _environment(database_of_its_own, servers, port, web_ports[0])
    folder, said = ROOT / "var" / str(web_ports[0]), tmp_path_factory.mktemp("deployment")
    with (said / "said.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "slomix", "up", "--prod", "--with-parent"],
            cwd=ROOT,
            env=given,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    with proxy.running(said, port=port, plain_port=plain_port, web_ports=web_ports):
        try:
            ready = "Slomix runs on"
            until(lambda: process.poll() is not None or ready in (said / "said.log").read_text(), "Slomix to be up")
            assert process.poll() is None, (said / "said.log").read_text()
            settings = make_settings(database_url=database_of_its_own, zone=ZoneInfo(given[ZONE]))
            load_demo(settings, SystemClock())
            yield Deployment(
                process,
                folder,
                f"https://127.0.0.1:{port}",
                f"http://127.0.0.1:{plain_port}",
                web_ports,
                running_simulator,
                settings,
            )
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)
            shutil.rmtree(folder, ignore_errors=True)
