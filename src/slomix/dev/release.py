"""`make release`: checks that a version may be named, tags it, and says what an operator has to do to get there.

What a version asks of the database was written down by its tests (`tests/recording.py`) and is kept, so that the next
version is tried with it: during an update both run on the new schema.
"""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import click

from slomix.database.session import ROOT

_VERSION = re.compile(r"^## (\S+) \(\d{4}-\d{2}-\d{2}\)$", re.MULTILINE)
_DAY = re.compile(r"^## (?P<day>\d{4}-\d{2}-\d{2})$", re.MULTILINE)
MIGRATIONS, EXAMPLE, CHANGELOG = "alembic/versions", "docs/operations/env.example", "CHANGELOG.md"
RECORDED, STATEMENTS = "var/statements", "tests/deployment/version_before.json"


def _git(root: Path, *words: str) -> str:
    return subprocess.run(
        [shutil.which("git") or "git", *words], cwd=root, check=True, capture_output=True, text=True
    ).stdout.strip()


def find_objections(root: Path) -> list[str]:
    """Return why this checkout cannot be released."""
    version, changelog = version_of(root), (root / CHANGELOG).read_text()
    newest = _VERSION.search(changelog)
    found = []
    if _git(root, "status", "--porcelain"):
        found.append("The checkout has changes that are not committed.")
    if _git(root, "tag", "--list", f"v{version}"):
        found.append(f"v{version} is there already: raise the version in pyproject.toml.")
    if _DAY.search(changelog, 0, newest.start() if newest else len(changelog)) is None:
        found.append(f"{CHANGELOG} says nothing that is new in this version: under `## YYYY-MM-DD`, above the others.")
    if not [*(root / RECORDED).glob("*.json")]:
        found.append("The tests wrote down no statements: `make release` runs them so that they do.")
    return found


def name_version(changelog: str, version: str) -> str:
    """Put what was said by day since the version before under the name of this one, with the newest of these days."""
    named = _VERSION.search(changelog)
    new, old = (changelog[: named.start()], changelog[named.start() :]) if named else (changelog, "")
    newest = _DAY.search(new)
    assert newest is not None
    by_day = _DAY.sub(r"### \g<day>", new[newest.start() :])
    return f"{new[: newest.start()]}## {version} ({newest['day']})\n\n{by_day}{old}"


def keep_statements(root: Path) -> None:
    """Put together what the tests wrote down."""
    found = {statement for file in (root / RECORDED).glob("*.json") for statement in json.loads(file.read_text())}
    kept = {"version": version_of(root), "statements": sorted(found)}
    (root / STATEMENTS).write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")


def version_of(root: Path) -> str:
    """Return the version that this checkout calls itself."""
    return str(tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"])


def steps_for_operators(root: Path) -> list[str]:
    """Return what has to be done to come here from the version before."""
    before = next(iter(_git(root, "tag", "--list", "v*", "--sort=-version:refname").splitlines()), None)
    steps = [f"git checkout v{version_of(root)}, as docs/operations/install.md says under Updating"]
    if before is None:
        return steps
    migrations = _git(root, "diff", "--name-only", "--diff-filter=A", before, "--", MIGRATIONS).splitlines()
    if migrations:
        steps.append(f"migrations, since {before}: {', '.join(Path(name).stem for name in migrations)}")
    added = _git(root, "diff", "--unified=0", before, "--", EXAMPLE)
    settings = sorted(set(re.findall(r"^\+#? ?([A-Z][A-Z_]+)=", added, re.MULTILINE)))
    if settings:
        steps.append(f"new or changed settings: {', '.join(settings)}")
    section = (root / CHANGELOG).read_text().split("\n## ")[1]
    steps += [line.strip() for line in section.splitlines() if re.search(r"stop everything|[Ss]et `|[Rr]un `", line)]
    return steps


def main() -> None:
    objections = find_objections(ROOT)
    if objections:
        sys.exit("\n".join(objections))
    version = version_of(ROOT)
    changelog = ROOT / CHANGELOG
    changelog.write_text(name_version(changelog.read_text(), version))
    keep_statements(ROOT)
    _git(ROOT, "add", CHANGELOG, STATEMENTS)
    _git(ROOT, "commit", "--message", f"Slomix {version}")
    steps = "\n".join(f"- {step}" for step in steps_for_operators(ROOT))
    _git(ROOT, "tag", "--annotate", f"v{version}", "--message", f"Slomix {version}\n\n{steps}")
    click.echo(f"Tagged v{version}. What an operator has to do:\n{steps}\nThen: git push origin HEAD v{version}")


if __name__ == "__main__":
    main()
