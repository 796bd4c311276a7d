"""A run of the whole system: set-up, the processes in their order, and the end of all of them."""

import asyncio
import contextlib
import os
import signal
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from slomix.cli import dev_environment, formation, run_folder
from slomix.cli.formation import ProcessInstance
from slomix.cli.run_folder import Folder, Given
from slomix.clock import Anchor, set_anchor, wall_now
from slomix.config.settings import Settings, SettingsError
from slomix.supervisor.process import ManagedProcess, on_stop_signal
from slomix.supervisor.runner import Runner
from slomix.supervisor.terminal import TerminalOutput

SIMULATOR = "simulator"


class _Stopped(Exception):
    """Raised when a stop is requested during set-up."""


class _Failed(Exception):
    """Raised when the start fails; the text says why."""


class SystemStart:
    """A run of the system, from set-up to the last process's end."""

    def __init__(self, root: Path, settings: Settings, given: Given, folder: Folder, wanted: str = "") -> None:
        """Prepare a run; `wanted` is the formation: how many of each process."""
        self.root, self.settings, self.given, self.folder, self.wanted = root, settings, given, folder, wanted
        self.is_development = settings.is_development
        self.is_simulated = self.is_development and not given.has_credentials
        self.skips_health_check = given.is_on("SKIP_HEALTHCHECK")
        self.servers: list[Any] = []  # embedded ones, in development only

    def plan(self) -> None:
        """Decide which processes run. Raise SettingsError on an invalid formation."""
        commands = formation.commands_of(self.root / ("Procfile.dev" if self.is_simulated else "Procfile"))
        self.release = commands.release
        self.instances = formation.instances(commands.processes, self.wanted, port=self.settings.port)
        kinds = [instance.kind for instance in self.instances]
        if self.is_development and (kinds.count(formation.WEB) != 1 or kinds.count(SIMULATOR) > 1):
            raise SettingsError("SLOMIX_FORMATION: in development there is one web process, and one simulator")

    def ports(self) -> list[int]:
        """Return the ports that must be free."""
        simulator = [self.settings.port + 1] if self.is_simulated else []
        return formation.web_ports(self.instances) + simulator

    async def run(self) -> int:
        """Start everything, wait for a stop, end everything, and return the exit status."""
        width = max(10, *(len(instance.name) for instance in self.instances))
        self.output = TerminalOutput(self.folder.logs, quiet=frozenset({"postgres", "valkey"}), width=width)
        self.runner = Runner(output=self.output, pids_file=self.folder.pids, may_finish=self.settings.validate_only)
        loop = asyncio.get_running_loop()
        on_stop_signal(lambda number: loop.call_soon_threadsafe(self.runner.handle_signal, number))
        status = 0
        try:
            await (self._develop() if self.is_development else self._produce())
            await self.runner.run_forever()
        except _Stopped:
            pass
        except _Failed as failed:
            self.output.print_text(str(failed))
            status = 1
        finally:
            await self.runner.stop()
            for server in self.servers:
                server.clean_up()
            # Signals from here on must change nothing, not even the exit status.
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
        return status

    async def _produce(self) -> None:
        run_folder.put(run_folder.basic_environment(self.settings.port))
        if self.release is not None:
            code = await self._unless_stopped(self.runner.run_once(ManagedProcess("release", self.release)))
            if code != 0:
                raise _Failed(f"The release command failed with status {code}; nothing was started.")
        run_folder.forget_owner()
        self._start_processes(self.instances)
        await self._wait_until_healthy()
        self.output.print_text(f"Slomix runs on {self.settings.base_url}")

    async def _develop(self) -> None:
        environment = dev_environment.development_environment(self.folder, self.given)
        environment |= self._start_servers()
        if self.is_simulated:
            from slomix.dev.simulator import people

            environment |= people.environment(self.settings.port) | dev_environment.simulated_secrets(self.given)
            environment["SLOMIX_SIMULATOR_URL"] = f"http://127.0.0.1:{self.settings.port + 1}/"
        self.folder.publish(environment)
        run_folder.put(environment | run_folder.basic_environment(self.settings.port))
        self._set_clock()
        # The set-up registers our commands there; and who is answered is to end before who answers.
        self._start_processes([instance for instance in self.instances if instance.kind == SIMULATOR])
        await self._set_up()
        run_folder.forget_owner()
        # Set it again: the requested time is that of the processes' start, not of the set-up.
        self._set_clock()
        self._start_processes([instance for instance in self.instances if instance.kind != SIMULATOR])
        await self._wait_until_healthy()
        self.output.print_text(self._welcome())

    async def _set_up(self) -> None:
        arguments = [server.name for server in self.servers] + (["--demo"] if self.is_simulated else [])
        process = ManagedProcess("set-up", [sys.executable, "-m", "slomix.cli.set_up", *arguments])
        code = await self._unless_stopped(self.runner.run_once(process))
        if code != 0:
            raise _Failed(f"The set-up failed with status {code}; see {self.folder.logs}")

    def _start_processes(self, instances: Sequence[ProcessInstance]) -> None:
        self.runner.start([_process(instance) for instance in instances])

    def _start_servers(self) -> dict[str, str]:
        """Start the servers that DATABASE_URL and REDIS_URL do not name, and return their variables."""
        from slomix.dev import embedded
        from slomix.dev.embedded import postgres, valkey

        missing: dict[str, Callable[[Path], embedded.Server]] = {
            "DATABASE_URL": postgres.prepare_postgres,
            "REDIS_URL": valkey.prepare_valkey,
        }
        try:
            servers = {name: make(self.folder.path) for name, make in missing.items() if not self.given.has(name)}
        except embedded.EmbeddedError as error:
            raise _Failed(str(error)) from error
        self.servers = list(servers.values())
        for server in self.servers:
            if server.note:
                self.output.print_text(server.note)
        self.runner.start([embedded.as_process(server) for server in self.servers])
        environment = {name: server.url for name, server in servers.items()}
        database = servers.get("DATABASE_URL")
        if isinstance(database, postgres.PostgresServer):
            environment[run_folder.OWNER] = database.owner_url
        return environment

    def _set_clock(self) -> None:
        now, spec = wall_now(), self.settings.clock
        anchor = Anchor.parse(spec, wall=now) if spec else Anchor(wall=now, system=now, speed=1.0)
        set_anchor(self.folder.clock, anchor)

    async def _wait_until_healthy(self) -> None:
        if self.skips_health_check or self.settings.validate_only:
            return
        if not await self._wait_for(self._is_healthy, seconds=60):
            # Don't give up: what it needs may come back, and the processes wait for it.
            self.output.print_text(
                f"Slomix is not healthy after a minute and goes on trying: {self._last_problem}\n"
                f"The logs are in {self.folder.logs}"
            )

    def _is_healthy(self) -> bool:
        return all(self._is_port_healthy(port) for port in formation.web_ports(self.instances))

    def _is_port_healthy(self, port: int) -> bool:
        self._last_problem = "no answer"
        try:
            with urllib.request.urlopen(f"http://{self.settings.local_url}:{port}/health", timeout=3) as answer:
                return bool(answer.status == 200)
        except urllib.error.HTTPError as error:
            self._last_problem = error.read(2000).decode(errors="replace")
        except OSError as error:
            self._last_problem = str(error)
        return False

    async def _wait_for(self, condition: Callable[[], bool], *, seconds: float) -> bool:
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while not await self._unless_stopped(_on_thread(condition)):
            if loop.time() > until:
                return False
            await self._unless_stopped(asyncio.sleep(0.1))
        return True

    async def _unless_stopped(self, work: Coroutine[Any, Any, Any]) -> Any:
        task, stop = asyncio.ensure_future(work), asyncio.ensure_future(self.runner.wait_for_stop())
        await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if not task.done():
            task.cancel()
            raise _Stopped
        return task.result()

    def _welcome(self) -> str:
        lines = ["", f"  Slomix runs on  {self.settings.base_url}"]
        if self.is_simulated:
            from slomix.dev.simulator import people

            cast = ", ".join(f"{person.name} ({person.role})" for person in people.PEOPLE)
            lines += [
                f"  The simulator   http://127.0.0.1:{self.settings.port + 1}",
                "  It stands in for Discord, Telegram, Signal and the game server.",
                "",
                f"  The cast: {cast}",
                "",
                "  What to do now: open the first address, choose Log in and continue as one of the cast.",
                "  A promoter starts the evening with Promote; the simulator shows all messages.",
            ]
        return "\n".join([*lines, "  Ctrl-C ends everything.", ""])


def _process(instance: ProcessInstance) -> ManagedProcess:
    """Return the process for the runner, with its own part of the environment."""
    kept = {name: value for name, value in os.environ.items() if name not in run_folder.OWNERS}
    return ManagedProcess(instance.name, instance.command, env={**kept, **instance.environment})


async def _on_thread(work: Callable[[], Any]) -> Any:
    """Do `work` on a thread that a stop does not wait for: a migration may wait for a lock for hours."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Any] = loop.create_future()

    def settle(outcome: Callable[[], None]) -> None:
        if not done.done():
            outcome()

    def do() -> None:
        try:
            outcome = partial(done.set_result, work())
        except Exception as error:  # noqa: BLE001 - it is raised again where the work is awaited
            outcome = partial(done.set_exception, error)
        with contextlib.suppress(RuntimeError):  # the loop is closed: we have been stopped
            loop.call_soon_threadsafe(settle, outcome)

    threading.Thread(target=do, daemon=True, name="set-up").start()
    return await done
