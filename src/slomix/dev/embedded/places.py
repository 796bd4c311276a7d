"""Short private folders for sockets, and the processes that carry their name."""

import hashlib
import os
import signal
import stat
import tempfile
import time
from pathlib import Path

# The kernel takes 107 characters for the path of a socket, some systems 103; its name comes on top of the folder's.
_LONGEST_FOLDER = 80


class EmbeddedError(RuntimeError):
    """Raised when a server cannot be had; the text is a sentence for the developer."""


def server_tag(home: Path, server: str) -> str:
    """Return a short name that no other server on this machine has."""
    return f"slomix-{hashlib.sha256(os.fsencode(home.resolve())).hexdigest()[:12]}-{server}"


def private_folder(name: str, owner: int) -> Path:
    """Return a folder in the machine's temporary one that only `owner` may enter; create it if missing."""
    for base in dict.fromkeys([Path(tempfile.gettempdir()), Path("/tmp")]):
        folder = base.resolve() / name
        if len(os.fsencode(folder)) > _LONGEST_FOLDER or not base.is_dir():
            continue
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            pass
        except OSError:
            continue
        else:
            if owner != os.geteuid():
                os.chown(folder, owner, owner)
        found = folder.lstat()
        # Another user who created it first could listen in our server's place.
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or stat.S_IMODE(found.st_mode) & 0o077:
            raise EmbeddedError(f"{folder} is not ours: another user made it. Remove it and start again.")
        return folder
    raise EmbeddedError("There is no temporary folder with a short name that we may write to; set TMPDIR.")


def take_ownership(folder: Path, owner: int) -> None:
    """Make `folder` and its content belong to `owner`, closed to others."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_uid != owner:
            for parent, folders, files in os.walk(folder):
                for entry in [*folders, *files]:
                    os.chown(Path(parent, entry), owner, owner, follow_symlinks=False)
            os.chown(folder, owner, owner)
        folder.chmod(0o700)
    except PermissionError as error:
        raise EmbeddedError(
            f"{folder} belongs to another user, perhaps because Slomix ran as root before. "
            "Start it as that user again, or remove the folder."
        ) from error


def pids_of(name: str, programs: tuple[str, ...]) -> list[int]:
    """Return the pids of running `programs` that carry `name` (see `server_tag`) in their command line or title."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        program = Path(os.fsdecode(words.split(b"\0")[0])).name
        if name.encode() in words and program.startswith(programs):
            found.append(int(folder.name))
    return found


def end_orphans(name: str, programs: tuple[str, ...], polite: signal.Signals, seconds: float = 10) -> None:
    """End processes that an earlier run left behind, so that no two servers ever share their data.

    A server is asked politely and ends its own children: if its children were signalled too, some would end in a way
    that it takes for a crash.
    """
    for number in (polite, signal.SIGKILL):
        found = pids_of(name, programs)
        for pid in found if number == signal.SIGKILL else [pid for pid in found if _parent(pid) not in found]:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue
            except PermissionError as error:
                raise EmbeddedError(f"Process {pid} of another user still uses our data; end it first.") from error
        until = time.monotonic() + seconds
        while pids_of(name, programs):
            if time.monotonic() > until:
                break
            time.sleep(0.05)
        else:
            return


def _parent(pid: int) -> int:
    """Return the pid of a process's parent; 0 if the process has ended."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    except OSError:
        return 0


def is_alive(pid: int) -> bool:
    """Check whether any process has this pid."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
