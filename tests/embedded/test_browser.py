"""An installed browser comes first, then one from npm; where neither can be had, a sentence says so."""

import io
import json
import platform
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import brotli
import pytest

from slomix.database.session import ROOT
from slomix.dev.embedded import browser
from slomix.dev.embedded.browser import NoBrowser, ensure_browser, find_browser

Program = Callable[..., Path]
VERSION = json.loads((ROOT / "requirements/chromium/package.json").read_text())["dependencies"]["@sparticuz/chromium"]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Install a program on a machine that has nothing else and a virtual environment without a browser."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (tmp_path / "venv").mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))
    monkeypatch.delenv("SLOMIX_NO_BROWSER", raising=False)

    def install(name: str, script: str) -> Path:
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
        return folder / name

    return install


@pytest.fixture
def shell() -> str:
    """A headless shell that says where its libraries and fonts are."""
    return '#!/bin/sh\necho "Chromium 7 $LD_LIBRARY_PATH $FONTCONFIG_FILE"\n'


@pytest.fixture
def npm(program: Program, shell: str, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """An npm that brings a package of the browser's shape; the folders that it worked in."""
    asked: list[Path] = []

    def bring(root: Path, *arguments: str, cwd: Path) -> None:
        assert root == ROOT and "ci" in arguments
        locked = (cwd / "package-lock.json").read_text()
        assert locked == (ROOT / "requirements/chromium/package-lock.json").read_text()
        asked.append(cwd)
        archives = cwd / "node_modules/@sparticuz/chromium/bin"
        archives.mkdir(parents=True)
        for name, entry in {"al2023": "lib/libnss3.so", "swiftshader": "libEGL.so", "fonts": "fonts/Open.ttf"}.items():
            tar = io.BytesIO()
            with tarfile.open(fileobj=tar, mode="w") as archive:
                archive.addfile(tarfile.TarInfo(entry))
            (archives / f"{name}.tar.br").write_bytes(brotli.compress(tar.getvalue()))
        (archives / "chromium.br").write_bytes(brotli.compress(shell.encode()))

    monkeypatch.setattr(browser, "run_npm", bring)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    return asked


def test_an_installed_browser_is_taken_and_nothing_is_fetched(program: Program, npm: list[Path]) -> None:
    installed = program("google-chrome", "echo Google Chrome 7")
    found = ensure_browser(ROOT)
    assert (found.program, found.arguments, found.has_windows) == (installed, (), True)
    assert found.version() == "Google Chrome 7"
    assert npm == []


def test_an_installed_browser_that_only_says_how_to_install_it_is_none(program: Program) -> None:
    program("chromium-browser", "echo 'requires the chromium snap' >&2; exit 1")
    assert find_browser(ROOT) is None


def test_one_from_npm_is_unpacked_once_with_its_libraries_and_fonts(npm: list[Path], tmp_path: Path) -> None:
    place = tmp_path / "venv" / f"chromium-{VERSION}"
    older = tmp_path / "venv" / "chromium-1.0.0"
    older.mkdir()
    for _ in range(2):
        found = ensure_browser(ROOT)
        assert found.program == place / "chromium"
        assert found.version() == f"Chromium 7 {place}/lib {place}/fonts.conf"
        assert not found.has_windows
        assert "--disable-gpu" in found.arguments
    assert len(npm) == 1
    assert (place / "lib/libnss3.so").exists() and (place / "libEGL.so").exists()
    assert f"<dir>{place}/fonts</dir>" in (place / "fonts.conf").read_text()
    assert list((tmp_path / "venv").iterdir()) == [place]


def test_what_was_fetched_by_half_is_fetched_anew(
    npm: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(Path, "write_bytes", lambda *_: (_ for _ in ()).throw(OSError("No space left on device")))
        with pytest.raises(NoBrowser, match="No space left on device"):
            ensure_browser(ROOT)
    assert find_browser(ROOT) is None
    assert ensure_browser(ROOT).version().startswith("Chromium 7")
    assert len(npm) == 2


def test_where_npm_has_no_browser_that_is_said_with_the_ways_out(
    npm: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    with pytest.raises(SystemExit) as refused:
        browser.main(ROOT)
    assert str(refused.value) == (
        "The journeys need a browser. For linux on aarch64 npm has none. Install chromium or google-chrome, "
        "or set SLOMIX_NO_BROWSER=1 to leave the journeys out."
    )
    assert npm == []


@pytest.mark.parametrize("shell", ["#!/bin/sh\necho 'libc.so.6: version not found' >&2; exit 1\n"])
def test_one_from_npm_that_does_not_run_here_is_refused_with_what_it_said(npm: list[Path]) -> None:
    with pytest.raises(SystemExit, match=r"does not run here: libc\.so\.6: version not found"):
        browser.main(ROOT)


def test_an_npm_that_fails_is_a_sentence(npm: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise subprocess.CalledProcessError(1, ["npm", "ci"])

    monkeypatch.setattr(browser, "run_npm", fail)
    with pytest.raises(SystemExit, match=r"need a browser\. Fetching one from npm failed: .* exit status 1"):
        browser.main(ROOT)


def test_the_journeys_can_be_left_out(
    npm: list[Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SLOMIX_NO_BROWSER", "1")
    browser.main(ROOT)
    assert "left out" in capsys.readouterr().out
    assert npm == []
