"""`slomix` the console script, and `python -m slomix`."""

import os
import sys

from slomix.supervisor.process import on_stop_signal


def main() -> None:
    """Run the command line. `slomix up` hears from the first moment on that it is to stop."""
    if sys.argv[1:2] == ["up"]:
        # To read all our code takes seconds on a busy machine. Nothing runs yet that would have to be ended.
        on_stop_signal(lambda _: os._exit(0))
    from slomix.cli import main as commands

    commands()


if __name__ == "__main__":
    main()
