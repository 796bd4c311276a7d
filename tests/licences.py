"""Under which licences everything stands that Slomix is delivered with: `python -m tests.licences` writes the list."""

import json
import re
from collections.abc import Iterator
from importlib.metadata import metadata
from pathlib import Path

ROOT = Path(__file__).parents[1]
LIST = ROOT / "docs/operations/licences.md"

# What may be used unchanged by who runs Slomix for others, whatever Slomix's own licence is.
ALLOWED = frozenset(
    {"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "LGPL-3.0-only", "LGPL-3.0-or-later", "MIT", "MIT-0"}
    | {"Bitstream-Vera", "PSF-2.0", "ZPL-2.1"}
)
# Older ways of writing the same.
_SPDX = {
    "Apache Software License": "Apache-2.0",
    "BSD-0-Clause": "0BSD",
    "BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
    "Python Software Foundation License": "PSF-2.0",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
}
# Its metadata do not say, but the text that comes with it does; or only some Pythons or systems need it, so it may not
# be there to be asked.
ELSEWHERE = {
    "async-timeout": "Apache-2.0",
    "audioop-lts": "PSF-2.0",
    "backports-zstd": "PSF-2.0",
    "brotlicffi": "MIT",
    "dejavu-fonts-ttf": "Bitstream-Vera",
    "httpx2-jsfetch": "BSD-3-Clause",
    "resvg-py": "MIT",
}
# What the packages of npm are for that no page loads.
NPM = {"esbuild": "at set-up", "dejavu-fonts-ttf": "in pictures of evenings"}
HEAD = """# Licences

What Slomix is delivered with, by its lock files. A test compares; `python -m tests.licences`
writes it anew.

| | licence |
|---|---|
"""


def locked() -> list[str]:
    """The packages of production."""
    lines = (ROOT / "requirements/production.txt").read_text().splitlines()
    return [found[1] for line in lines if (found := re.match(r"([A-Za-z0-9_.-]+)(?:\[.*\])?==", line))]


def licence_of(package: str) -> str:
    """As its own metadata say, in SPDX's words."""
    if package in ELSEWHERE:
        return ELSEWHERE[package]
    said = metadata(package)
    classified = [
        line.rpartition(" :: ")[2] for line in said.get_all("Classifier", []) if line.startswith("License ::")
    ]
    by_name = said.get_all("License", [""])[0]
    found = " AND ".join(said.get_all("License-Expression", classified)) or by_name.splitlines()[0]
    return " AND ".join(_SPDX.get(part, part) for part in found.split(" AND "))


def licences() -> Iterator[tuple[str, str]]:
    """Each package with its licence, Python's first."""
    for package in dict.fromkeys(locked()):
        yield package, licence_of(package)
    for path, package in json.loads((ROOT / "package-lock.json").read_text())["packages"].items():
        if path.startswith("node_modules/") and not package.get("dev"):
            name = path.removeprefix("node_modules/")
            licence = ELSEWHERE.get(name, package["license"])
            # Its program for each platform is a package of its own.
            name = "esbuild" if "esbuild" in name else name
            yield f"{name} ({NPM.get(name, 'in the browser')})", _SPDX.get(licence, licence)


def as_text() -> str:
    return HEAD + "".join(f"| {package} | {licence} |\n" for package, licence in dict.fromkeys(licences()))


if __name__ == "__main__":
    LIST.write_text(as_text())
