"""`make release`: checks that a version may be named, tags it, and says what an operator has to do to get there."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import click

from slomix.database.session import ROOT

_HEADING = re.compile(r"^## (\S+) \(\d{4}-\d{2}-\d{2}\)$", re.MULTILINE)
MIGRATIONS, EXAMPLE = "alembic/versions", "docs/operations/env.example"


def _git(root: Path, *words: str) -> str:
    return subprocess.run(
        [shutil.which("git") or "git", *words], cwd=root, check=True, capture_output=True, text=True
    ).stdout.strip()


def find_objections(root: Path) -> list[str]:
    """Return why this checkout cannot be released."""
    version, changelog = version_of(root), (root / "CHANGELOG.md").read_text()
    newest = _HEADING.search(changelog)
    found = []
    if _git(root, "status", "--porcelain"):
        found.append("The checkout has changes that are not committed.")
    if _git(root, "tag", "--list", f"v{version}"):
        found.append(f"v{version} is there already: raise the version in pyproject.toml.")
    if newest is None or newest[1] != version or changelog.index("\n## ") + 1 != newest.start():
        found.append(f"The first heading of CHANGELOG.md is not that of this version: ## {version} (YYYY-MM-DD)")
    return found


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
    section = (root / "CHANGELOG.md").read_text().split("\n## ")[1]
    steps += [line.strip() for line in section.splitlines() if re.search(r"stop everything|[Ss]et `|[Rr]un `", line)]
    return steps


def main() -> None:
    objections = find_objections(ROOT)
    if objections:
        sys.exit("\n".join(objections))
    version = version_of(ROOT)
    steps = "\n".join(f"- {step}" for step in steps_for_operators(ROOT))
    _git(ROOT, "tag", "--annotate", f"v{version}", "--message", f"Slomix {version}\n\n{steps}")
    click.echo(f"Tagged v{version}. What an operator has to do:\n{steps}\nThen: git push origin v{version}")


if __name__ == "__main__":
    main()
