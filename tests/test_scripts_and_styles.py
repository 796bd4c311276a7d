"""Scripts and styles are linted: every one of ours, none of others, and never silently not at all."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from slomix.dev.embedded.node import find_node

FOLDERS = ("static", "src", "docs", "templates")
BIOME = "node_modules/.bin/biome"
# Where the next ones may come to lie.
NEW = ("static/js/parts/new.js", "static/new.css", "src/slomix/admin/static/new.js", "src/slomix/admin/static/new.css")


def ours(root: Path) -> set[str]:
    found = [path for folder in FOLDERS for path in (root / folder).rglob("*") if path.suffix in {".js", ".css"}]
    return {str(path.relative_to(root)) for path in found} - made_at_set_up(root)


def made_at_set_up(root: Path) -> set[str]:
    found = [path for folder in ("vendor", "joined") for path in (root / "static" / folder).rglob("*")]
    return {str(path.relative_to(root)) for path in found}


def test_every_script_and_style_of_ours_is_looked_at_and_nothing_else(root: Path, tmp_path: Path) -> None:
    expected = ours(root) | set(NEW)
    assert len(ours(root)) >= 20
    assert len(made_at_set_up(root)) >= 4
    shutil.copy(root / "biome.jsonc", tmp_path)
    for name in expected | made_at_set_up(root):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("let   a=1" if name.endswith(".js") else "a{color:red}")
    done = subprocess.run(
        [find_node(root), root / BIOME, "check", "--error-on-warnings", "--reporter=github", "--max-diagnostics=none"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stderr
    named = re.findall(r"title=format,file=([^,]+),", done.stdout)
    assert {str(Path(name).relative_to(tmp_path)) for name in named} == expected


def lint(root: Path, folder: Path, python: str) -> "subprocess.CompletedProcess[str]":
    """Run `make lint` where all set-up is done, the other tools find nothing and Python does this."""
    shutil.copy(root / "Makefile", folder)
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("python", "ruff", "mypy", "lint-imports", "djlint"):
        (programs / name).write_text(f"#!/bin/sh\n{python if name == 'python' else 'true'}\n")
        (programs / name).chmod(0o755)
    there_already = [word for name in (".venv/slomix-testing", "node_modules/.complete") for word in ("-o", name)]
    return subprocess.run(["make", *there_already, "lint"], cwd=folder, capture_output=True, text=True)


@pytest.mark.parametrize("python", ["exit 127", "exit 1"])
def test_where_biome_does_not_run_lint_says_so_and_fails(root: Path, tmp_path: Path, python: str) -> None:
    done = lint(root, tmp_path, f'case "$*" in *catalogues*) exit 0;; esac; {python}')
    assert done.returncode == 2
    assert "Biome, which looks at scripts and styles, does not run here" in done.stderr


@pytest.mark.parametrize("found", [0, 1])
def test_what_biome_finds_fails_lint(root: Path, tmp_path: Path, found: int) -> None:
    done = lint(root, tmp_path, f'case "$*" in *"biome check --error-on-warnings"*) exit {found};; esac')
    assert (done.returncode, "does not run" in done.stderr) == (2 * found, False)
