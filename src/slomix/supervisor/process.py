"""One process to run: its command, what ties its life to that of whoever started it, and the signals that end it."""

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
    moment in which the parent may have gone already. Linux only; elsewhere a killed parent leaves its children.
    """
    if _LIBC is None:
        return
    _LIBC.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
    if parent is not None and os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def on_stop_signal(do: Callable[[int], object]) -> None:
    """Call `do` with the number of each SIGTERM, SIGINT and SIGHUP from now on, in place of what an earlier call named.

    A shell starts what a script puts in the background with SIGINT ignored, and other programs leave signals blocked:
    none of that keeps us from being told. Only a SIGHUP that is ignored stays so, because that is what `nohup` is for.
    """
    numbers = [signal.SIGTERM, signal.SIGINT]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    for number in numbers:
        signal.signal(number, lambda received, _: do(received))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)


def reset_signals() -> None:
    """Ignore and block no signal: what we do with them ourselves is no business of the program that we start.

    Call it in the child. A handler ends with exec, but what is ignored or blocked would be inherited.
    """
    for number in signal.valid_signals():
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


@dataclass(frozen=True)
class Process:
    """Something to keep alive. A command that is a string goes through the shell, so it may say `$PORT`."""

    name: str
    command: str | Sequence[str]
    env: Mapping[str, str] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    # A killed runner cannot wait for anybody, so what promises things to people must survive SIGKILL anyway.
    death_signal: signal.Signals = signal.SIGKILL
    assume: Callable[[], None] | None = None  # in the child: become somebody else
    before_start: Callable[[], None] | None = None  # in the runner: make room, also before a restart

    def spawn(self, output: int) -> "subprocess.Popen[bytes]":
        """Start it in a session of its own, writing to the descriptor `output`."""
        parent = os.getpid()

        def in_child() -> None:
            if self.assume is not None:
                self.assume()
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
