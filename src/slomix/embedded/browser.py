"""The browser that the journeys are played in. `python -m slomix.embedded.browser` gets one where that is possible."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find() -> Path | None:
    """An installed Chromium or Chrome."""
    return next((Path(found) for name in _NAMES if (found := shutil.which(name))), None)


def ensure() -> Path | None:
    """An installed browser; as root on a Debian one is installed when there is none."""
    found = find()
    apt = shutil.which("apt-get")
    if found or apt is None or os.geteuid() != 0:
        return found
    print("No browser here: installing Debian's chromium", flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", "chromium"]):
        done = subprocess.run([apt, *arguments], env=quiet, stdout=subprocess.DEVNULL)
        if done.returncode != 0:
            return None
    return find()


if __name__ == "__main__":
    if os.environ.get("SLOMIX_NO_BROWSER") != "1" and ensure() is None:
        sys.exit(
            "The journeys need a browser: install chromium or google-chrome, "
            "or set SLOMIX_NO_BROWSER=1 to leave the journeys out."
        )
