"""The user that an embedded server runs as: PostgreSQL refuses root, but must reach its files in root's folders."""

import ctypes
import os
import struct
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

UNPRIVILEGED = 65534

# Numbers of linux/prctl.h, linux/securebits.h and linux/capability.h.
_PR_SET_SECUREBITS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 28, 47, 2
_NO_SETUID_FIXUP = 1 << 2
_CAPABILITY_VERSION_3 = 0x20080522
DAC_OVERRIDE, DAC_READ_SEARCH = 1, 2

_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Identity:
    """The user that a child becomes before it runs a server: ourselves (no `uid`), or one without rights.

    With a `capability` that user may enter folders that are closed to others, and nothing more; so no permission of a
    folder has to change.
    """

    uid: int | None = None
    capability: int | None = None

    def drop_privileges(self) -> None:
        """Become this user; for the child, between fork and exec."""
        if self.uid is None:
            return
        if self.capability is not None:
            # Otherwise access(2), with which initdb looks for its own files, ignores the capability.
            _call("prctl", _PR_SET_SECUREBITS, _NO_SETUID_FIXUP, 0, 0, 0)
        os.setgroups([])
        os.setgid(self.uid)
        os.setuid(self.uid)
        if self.capability is not None:
            keep = 1 << self.capability
            header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
            _call("capset", header, struct.pack("=6I", keep, keep, keep, 0, 0, 0))
            _call("prctl", _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, self.capability, 0, 0)

    def can_run(self, program: Path, folders: Sequence[Path]) -> bool:
        """Check, by trying, that this user can start `program` and enter the `folders`."""

        def in_child() -> None:
            self.drop_privileges()
            for folder in folders:
                os.chdir(folder)
            if not os.access(program, os.X_OK):
                raise PermissionError

        try:
            done = subprocess.run(
                [program, "--version"],
                preexec_fn=in_child,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=20,
            )
        except (OSError, subprocess.SubprocessError):
            return False
        return done.returncode == 0


def candidate_identities() -> list[Identity]:
    """Return the identities to try for PostgreSQL, the one with the fewest rights first."""
    if os.geteuid() != 0:
        return [Identity()]
    return [Identity(UNPRIVILEGED), Identity(UNPRIVILEGED, DAC_READ_SEARCH), Identity(UNPRIVILEGED, DAC_OVERRIDE)]


def _call(function: str, *arguments: object) -> None:
    if _LIBC is None or getattr(_LIBC, function)(*arguments) != 0:
        raise PermissionError(function)
