"""Puts the browser assets that package-lock.json names into static/vendor: `python -m slomix.dev.embedded.assets`.

With `--tools` it fetches the tools of `make lint` instead, which production doesn't need.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from slomix.dev.embedded.node import find_node, run_npm

# The files that pages load, and their names there; the version is part of it, so that browsers may cache them for ever.
ASSETS = {
    "htmx.org": {"dist/htmx.min.js": "htmx-{version}.min.js"},
    # For the picture of an evening: what a machine has may lack č, š and ž, or any font.
    "dejavu-fonts-ttf": {
        "ttf/DejaVuSans.ttf": "DejaVuSans-{version}.ttf",
        "ttf/DejaVuSans-Bold.ttf": "DejaVuSans-Bold-{version}.ttf",
    },
}


def install(root: Path) -> list[Path]:
    """Fetch the assets that the lock file names, check their hashes, and put them where pages load them from."""
    run_npm(root, "ci", "--ignore-scripts", "--silent", "--omit=dev", "--include=optional", cwd=root)
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


def install_tools(root: Path) -> None:
    """Fetch everything that the lock file names, with the tools of lint, and check its hashes."""
    run_npm(root, "ci", "--ignore-scripts", "--silent", "--include=dev", "--include=optional", cwd=root)
    biome = [str(find_node(root)), str(root / "node_modules" / ".bin" / "biome"), "--version"]
    if subprocess.run(biome, stdout=subprocess.DEVNULL).returncode != 0:
        raise OSError("Biome has no program for this machine, so lint cannot run.")


if __name__ == "__main__":
    try:
        if sys.argv[1:] == ["--tools"]:
            install_tools(Path.cwd())
        else:
            install(Path.cwd())
    except (OSError, subprocess.SubprocessError) as error:
        sys.exit(f"npm could not fetch what package-lock.json names: {error}")
