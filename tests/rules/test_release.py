"""A version that is named is whole, is in the changelog, and says what an operator has to do."""

import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from slomix.cli import main
from slomix.database.session import ROOT
from slomix.dev import release


def git(root: Path, *words: str) -> None:
    alone = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *alone, *words], cwd=root, check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """One commit of version 1.1.0, ready to be named; 1.0.0 came before."""
    git(tmp_path, "init")
    for name in (release.MIGRATIONS, "docs/operations"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / release.EXAMPLE).write_text("# PORT=7000\n")
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## 1.0.0 (2026-11-01)\n\n- All.\n")
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "1.0.0"\n')
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "1.0.0")
    git(tmp_path, "tag", "v1.0.0")
    (tmp_path / release.MIGRATIONS / "0002_more.py").write_text("")
    (tmp_path / release.EXAMPLE).write_text("# PORT=7000\n# SLOMIX_NEW=on\n")
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## 1.1.0 (2026-11-27)\n\n- More. Set `SLOMIX_NEW`.\n")
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "1.1.0"\n')
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "1.1.0")
    return tmp_path


def test_a_version_that_is_whole_may_be_named_and_says_what_to_do(checkout: Path) -> None:
    assert release.find_objections(checkout) == []
    assert release.steps_for_operators(checkout)[1:] == [
        "migrations, since v1.0.0: 0002_more",
        "new or changed settings: SLOMIX_NEW",
        "- More. Set `SLOMIX_NEW`.",
    ]


@pytest.mark.parametrize(
    ("file", "text", "objection"),
    [
        (
            "CHANGELOG.md",
            "# Changelog\n\n## 2026-11-27\n\n## 1.1.0 (2026-11-26)\n",
            "The first heading of CHANGELOG.md",
        ),
        ("CHANGELOG.md", "# Changelog\n\n## 1.2.0 (2026-11-27)\n", "The first heading of CHANGELOG.md"),
        ("pyproject.toml", '[project]\nversion = "1.0.0"\n', "v1.0.0 is there already"),
    ],
)
def test_what_is_not_whole_is_not_named(checkout: Path, file: str, text: str, objection: str) -> None:
    (checkout / file).write_text(text)
    found = release.find_objections(checkout)
    assert "The checkout has changes that are not committed." in found
    assert [one for one in found if one.startswith(objection)]


def test_what_is_installed_says_its_version() -> None:
    said = CliRunner().invoke(main, ["--version"])
    assert (said.exit_code, said.output) == (0, f"slomix {release.version_of(ROOT)}\n")
