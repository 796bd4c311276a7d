"""A process to run: its command, the tie to its parent's life, and the signals that end it."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(death_signal: int = signal.SIGKILL, *, parent: int | None = None) -> None:
    """Ask the kernel to send this process `death_signal` when its parent ends, however it ends.

    Call it in the child, after any change of user, which would clear it. `parent`, as seen before the fork, covers the
    moment in which the parent may have gone already. Linux only; elsewhere the children of a killed parent live on.
    """
    if _LIBC is None:
        return
    _LIBC.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
    if parent is not None and os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def on_stop_signal(callback: Callable[[int], object]) -> None:
    """Call `callback` with the number of each SIGTERM, SIGINT and SIGHUP, in place of an earlier call's `callback`.

    Shells start background programs with SIGINT ignored, and other programs leave signals blocked; both are undone
    here. Only an ignored SIGHUP stays ignored, because that is what `nohup` is for.
    """
    numbers = [signal.SIGTERM, signal.SIGINT]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    for number in numbers:
        signal.signal(number, lambda received, _: callback(received))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)


def reset_signals() -> None:
    """Ignore and block no signal, so that the started program doesn't inherit our settings.

    Call it in the child. Exec resets handlers, but not ignored or blocked signals.
    """
    for number in signal.valid_signals():
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


@dataclass(frozen=True)
class ManagedProcess:
    """A program to keep alive. A string as a command goes through the shell, so it may use `$PORT`."""

    name: str
    command: str | Sequence[str]
    env: Mapping[str, str] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    # A killed runner cannot wait, so processes that keep promises must survive SIGKILL anyway.
    death_signal: signal.Signals = signal.SIGKILL
    drop_privileges: Callable[[], None] | None = None  # in the child: become another user
    before_start: Callable[[], None] | None = None  # in the runner: make room, also before a restart

    def spawn(self, output: int) -> "subprocess.Popen[bytes]":
        """Start the process in its own session, writing to the descriptor `output`."""
        parent = os.getpid()

        def in_child() -> None:
            if self.drop_privileges is not None:
                self.drop_privileges()
            die_with_parent(self.death_signal, parent=parent)
            reset_signals()

        if self.before_start is not None:
            self.before_start()
        return subprocess.Popen(
            ["/bin/sh", "-c", f"exec {self.command}"] if isinstance(self.command, str) else list(self.command),
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=in_child,
        )
