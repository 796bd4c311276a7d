"""A backup as a file, written by pg_dump and read by pg_restore, of any version on this machine that can."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from slomix.database.grants import READ_ONLY, SCHEMA
from slomix.database.session import libpq_url

Connection = psycopg.Connection[tuple[object, ...]]
_MAGIC = b"PGDMP"
_COPY = re.compile(rb"COPY .* FROM stdin;\n")
_END = b"\\.\n"
# Commands of psql, which the server doesn't know.
_META = (b"\\restrict ", b"\\unrestrict ")
# Set by pg_restore since 17, unknown to older servers.
_SINCE_17 = b"SET transaction_timeout"


@dataclass(frozen=True)
class Program:
    """One of PostgreSQL's programs and its version."""

    path: Path
    version: str

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run([self.path, *arguments], capture_output=True)


def find_programs(name: str, *, beside: Path | None) -> list[Program]:
    """Find the programs of this name: the one on the PATH, and that of the folder `beside` it."""
    found = [Path(path)] if (path := shutil.which(name)) else []
    found += [beside / name] if beside is not None else []
    versions = [(path, _version(path)) for path in found]
    return [Program(path, version) for path, version in versions if version]


def _version(path: Path) -> str:
    """Return the version that a program reports; empty if it does not run."""
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=20).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
    found = re.search(r"\(PostgreSQL\) (\d+[\w.]*)", said)
    return found[1] if found else ""


def pg_dump(server: int, *, beside: Path | None) -> Program:
    """Find a pg_dump that is not older than the server. Raise ClickException."""
    found = find_programs("pg_dump", beside=beside)
    for program in found:
        if program.major >= server:
            return program
    if not found:
        raise click.ClickException(
            f"There is no pg_dump here: install PostgreSQL's client programs (postgresql-client-{server} on Debian)."
        )
    raise click.ClickException(
        f"{found[0].path} is of PostgreSQL {found[0].version} and the server of {server}: a pg_dump that is older than "
        f"the server cannot read it. Install postgresql-client-{server}."
    )


def dump(program: Program, url: str, snapshot: str, file: Path, *, say: Callable[[str], None]) -> None:
    """Write the whole schema, as seen in `snapshot`, to `file`; call `say` with each table."""
    values = conninfo_to_dict(libpq_url(url))
    # Every account on this machine could read a password on the command line.
    password = values.pop("password", None)
    command = [
        *(str(program.path), "--format=custom", f"--schema={SCHEMA}", f"--snapshot={snapshot}", f"--file={file}"),
        *("--no-owner", "--no-privileges", "--no-tablespaces", "--no-publications", "--no-subscriptions"),
        *("--no-password", "--lock-wait-timeout=10000", "--verbose", f"--dbname={make_conninfo('', **values)}"),
    ]
    environment = os.environ | ({"PGPASSWORD": str(password)} if password else {}) | {"LC_ALL": "C"}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, errors="replace")
    last = ""
    assert process.stderr is not None
    for line in process.stderr:
        last = line.strip()
        if table := re.search(r'dumping contents of table "?[^".]*\.([^"]+)"?', line):
            say(table[1].strip())
    if process.wait() != 0:
        raise click.ClickException(f"The backup was not written: {last or 'pg_dump ended without a word'}")


@dataclass(frozen=True)
class Archive:
    """A readable backup, and the migration at which it was made."""

    file: Path
    program: Program
    revision: str

    @classmethod
    def open(cls, file: Path, *, beside: Path | None) -> "Archive":
        """Open a backup. Raise ClickException if it is none, or not one of Slomix."""
        try:
            with file.open("rb") as content:
                is_dump = content.read(len(_MAGIC)) == _MAGIC
        except OSError as error:
            raise click.ClickException(f"{file} cannot be read: {error.strerror}.") from None
        if not is_dump:
            raise click.ClickException(f"{file} is no backup of Slomix.")
        found = find_programs("pg_restore", beside=beside)
        if not found:
            raise click.ClickException("There is no pg_restore here: install PostgreSQL's client programs.")
        reasons = []
        for program in found:
            read = program.run("--data-only", f"--table={READ_ONLY}", "--file=-", str(file))
            if read.returncode == 0:
                return cls(file, program, _revision(file, read.stdout))
            reasons.append(f"pg_restore {program.version}: {_last_line(read.stderr)}")
        raise click.ClickException(f"{file} cannot be read. {'; '.join(reasons)}")

    def write_into(self, connection: Connection, *, say: Callable[[str], None]) -> None:
        """Restore everything inside the open transaction. Raise ClickException if the file ends too early."""
        # Everything in the schema, but not the schema itself, which exists.
        rights = ("--no-owner", "--no-privileges")
        command = [str(self.program.path), f"--schema={SCHEMA}", *rights, "--file=-", str(self.file)]
        with tempfile.TemporaryFile() as errors:
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors) as process:
                assert process.stdout is not None
                is_whole = _write(connection, iter(process.stdout), say)
            if process.returncode != 0 or not is_whole:
                errors.seek(0)
                said = _last_line(errors.read())
                raise click.ClickException(f"{self.file} is damaged, and nothing was changed: {said}")
        connection.execute("RESET ALL")


def _write(connection: Connection, lines: Iterator[bytes], say: Callable[[str], None]) -> bool:
    """Run the script's statements and copy its rows; return False when the end of a COPY is missing."""
    statements: list[bytes] = []
    before_17 = connection.info.server_version < 170_000
    for line in lines:
        if not _COPY.fullmatch(line):
            if not line.startswith(_META) and not (before_17 and line.startswith(_SINCE_17)):
                statements.append(line)
            continue
        _execute(connection, statements)
        say(line.split()[1].decode().rpartition(".")[2].strip('"'))
        with connection.cursor().copy(line) as copy:
            for row in lines:
                if row == _END:
                    break
                copy.write(row)
            else:
                return False
    _execute(connection, statements)
    return True


def _execute(connection: Connection, statements: list[bytes]) -> None:
    if statements:
        connection.execute(b"".join(statements))
        statements.clear()


def _revision(file: Path, script: bytes) -> str:
    """Read the migration from the backup's only row of that table."""
    lines = iter(script.splitlines(keepends=True))
    for line in lines:
        if _COPY.fullmatch(line):
            return next(lines, b"").decode().strip()
    raise click.ClickException(f"{file} is a backup of something else than Slomix.")


def _last_line(said: bytes) -> str:
    lines = said.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it ends without a word"
