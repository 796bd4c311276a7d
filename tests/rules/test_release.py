"""A version that is named is whole, is in the changelog, and says what an operator has to do."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from slomix.cli import main
from slomix.database.session import ROOT
from slomix.dev import release

CHANGELOG = """# Changelog

## 2026-11-27

- More. Set `SLOMIX_NEW`.

## 2026-11-26

- Less.

## 1.0.0 (2026-11-01)

- All.
"""


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
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "1.1.0"\n')
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "1.1.0")
    (tmp_path / ".git/info/exclude").write_text("var/\n")
    (tmp_path / release.RECORDED).mkdir(parents=True)
    for number, statements in enumerate([["SELECT 2", "SELECT 1"], ["SELECT 2"]]):
        (tmp_path / release.RECORDED / f"{number}.json").write_text(json.dumps(statements))
    (tmp_path / release.STATEMENTS).parent.mkdir(parents=True)
    return tmp_path


def test_a_version_that_is_whole_is_named_and_says_what_to_do(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(release, "ROOT", checkout)
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "a")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "a@b")
    release.main()
    assert capsys.readouterr().out.splitlines()[2:5] == [
        "- migrations, since v1.0.0: 0002_more",
        "- new or changed settings: SLOMIX_NEW",
        "- - More. Set `SLOMIX_NEW`.",
    ]
    assert (checkout / "CHANGELOG.md").read_text() == CHANGELOG.replace("## 2026-11", "### 2026-11").replace(
        "### 2026-11-27", "## 1.1.0 (2026-11-27)\n\n### 2026-11-27"
    )
    kept = json.loads((checkout / release.STATEMENTS).read_text())
    assert kept == {"version": "1.1.0", "statements": ["SELECT 1", "SELECT 2"]}
    assert not subprocess.check_output(["git", "status", "--porcelain"], cwd=checkout)
    said = subprocess.check_output(["git", "show", "v1.1.0"], cwd=checkout, text=True)
    assert "migrations, since v1.0.0" in said
    assert "v1.1.0 is there already: raise the version in pyproject.toml." in release.find_objections(checkout)


def test_the_first_version_takes_all_days() -> None:
    text = "# Changelog\n\nBy version.\n\n## 2026-11-02\n\n- B.\n\n## 2026-11-01\n\n- A.\n"
    named = release.name_version(text, "0.1.0")
    assert named == text.replace("## ", "### ").replace("### ", "## 0.1.0 (2026-11-02)\n\n### ", 1)


@pytest.mark.parametrize(
    ("file", "text", "objection"),
    [
        ("CHANGELOG.md", "# Changelog\n\n## 1.0.0 (2026-11-01)\n", "CHANGELOG.md says nothing that is new"),
        (
            "CHANGELOG.md",
            CHANGELOG[: CHANGELOG.index("\n## 2026")] + "\n## 1.0.0 (2026-11-01)\n\n## 2026-10-01\n",
            "CHANGELOG.md",
        ),
        ("var/statements/0.json", "", "The tests wrote down no statements"),
        ("pyproject.toml", '[project]\nversion = "1.0.0"\n', "v1.0.0 is there already"),
    ],
)
def test_what_is_not_whole_is_not_named(checkout: Path, file: str, text: str, objection: str) -> None:
    if text:
        (checkout / file).write_text(text)
    else:
        shutil.rmtree((checkout / file).parent)
        (checkout / "untidy").touch()
    found = release.find_objections(checkout)
    assert "The checkout has changes that are not committed." in found
    assert [one for one in found if one.startswith(objection)]


def test_what_is_installed_says_its_version() -> None:
    said = CliRunner().invoke(main, ["--version"])
    assert (said.exit_code, said.output) == (0, f"slomix {release.version_of(ROOT)}\n")
