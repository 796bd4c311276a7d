"""What we are delivered with: locked with hashes, under licences that may be, and found on no particular server."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests import licences
from tests.licences import ROOT

LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
NPM_LOCKS = [ROOT / "package-lock.json", ROOT / "requirements/chromium/package-lock.json"]


@pytest.mark.parametrize("lock", [one for one in LOCKS if one.name != "node.txt"], ids=lambda lock: lock.name)
def test_every_package_of_a_lock_has_its_hashes(lock: Path) -> None:
    entries = re.split(r"\n(?=\S)", lock.read_text())
    packages = [entry for entry in entries if "==" in entry and not entry.startswith("#")]
    assert len(packages) > 40
    assert [entry.splitlines()[0] for entry in packages if "--hash=sha256:" not in entry] == []


def test_no_lock_says_where_a_package_comes_from() -> None:
    npm = [re.sub(r'"funding": \{[^}]*\}', "", lock.read_text()) for lock in NPM_LOCKS]
    said = [*(lock.read_text() for lock in LOCKS), *npm]
    assert [line for text in said for line in text.splitlines() if re.search(r"https?://|--(extra-)?index", line)] == []


@pytest.mark.parametrize("lock", NPM_LOCKS, ids=lambda lock: lock.parent.name)
def test_every_package_of_npm_has_its_hash(lock: Path) -> None:
    packages = {path: package for path, package in json.loads(lock.read_text())["packages"].items() if path}
    assert packages
    assert [path for path, package in packages.items() if "integrity" not in package] == []


def test_the_tools_of_lint_are_locked_for_every_platform() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    programs = {path.rpartition("/cli-")[2] for path, package in packages.items() if package.get("optional")}
    linux = {"linux-x64", "linux-x64-musl", "linux-arm64", "linux-arm64-musl"}
    assert linux | {"darwin-x64", "darwin-arm64", "win32-x64", "win32-arm64"} <= programs


def test_what_joins_scripts_and_styles_is_locked_for_every_platform_and_fetched_in_production_too() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    programs = {path for path, package in packages.items() if package.get("optional") and not package.get("dev")}
    needed = {f"{system}-{machine}" for system in ("linux", "darwin") for machine in ("x64", "arm64")}
    assert {f"node_modules/@esbuild/{name}" for name in needed} <= programs


@pytest.mark.parametrize("target", ["install", "prod", "setup"])
def test_every_set_up_joins_scripts_and_styles(target: str) -> None:
    steps = subprocess.check_output(["make", "--always-make", "--dry-run", target], cwd=ROOT, text=True)
    assert steps.index("slomix.dev.embedded.assets") < steps.index("slomix.web.assets")


@pytest.mark.parametrize("target", ["install", "prod", "setup"])
def test_who_does_not_lint_does_not_fetch_the_tools_of_lint(target: str) -> None:
    def steps(goal: str) -> str:
        return subprocess.check_output(["make", "--always-make", "--dry-run", goal], cwd=ROOT, text=True)

    assert "slomix.dev.embedded.assets --tools" in steps("node_modules/.complete")
    assert "slomix.dev.embedded.assets" in steps(target)
    assert "--tools" not in steps(target)


def test_the_list_of_licences_is_that_of_the_locks() -> None:
    assert licences.LIST.read_text() == licences.as_text(), "python -m tests.licences writes it anew"


def test_every_licence_is_one_that_may_be() -> None:
    for package, licence in licences.licences():
        choices = [one.split(" AND ") for one in licence.split(" OR ")]
        assert any(set(parts) <= licences.ALLOWED for parts in choices), f"{package}: {licence}"
