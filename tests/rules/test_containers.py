"""The recipe for containers runs what the Procfile runs, from an image that has all it needs; also on 64-bit ARM."""

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.markers import Marker
from packaging.utils import canonicalize_name, parse_wheel_filename

from slomix.cli import formation
from slomix.config.settings import secret_variables, variable_names
from slomix.database.session import ROOT

FOLDER = ROOT / "docs/operations/container"
# The last is what production runs on: CPython 3.11 of Debian 12 on 64-bit ARM.
ARM = {
    "implementation_name": "cpython",
    "platform_python_implementation": "CPython",
    "python_full_version": "3.11.2",
    "python_version": "3.11",
    "sys_platform": "linux",
    "platform_machine": "aarch64",
    "platform_system": "Linux",
    "os_name": "posix",
}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return dict(yaml.safe_load((FOLDER / "compose.yml").read_text())["services"])


@pytest.mark.parametrize(("profile", "wanted"), [("full", ""), ("small", formation.SMALL)])
def test_each_profile_runs_what_that_formation_runs(services: dict[str, Any], profile: str, wanted: str) -> None:
    commands = formation.commands_of(ROOT / "Procfile")
    expected = {
        one.kind: shlex.split(one.command) for one in formation.instances(commands.processes, wanted, port=7000)
    }
    image = re.search(r"^CMD (\[.*\])$", (FOLDER / "Containerfile").read_text(), re.MULTILINE)
    assert image is not None
    ours = {name: one for name, one in services.items() if one["image"] == "slomix" and name != "release"}
    chosen = {name: one for name, one in ours.items() if profile in one.get("profiles", [profile])}
    assert {name: one.get("command", yaml.safe_load(image[1])) for name, one in chosen.items()} == expected
    assert services["release"]["command"] == shlex.split(commands.release or "")


def test_only_the_release_knows_the_owner_and_all_of_ours_can_write_nothing(services: dict[str, Any]) -> None:
    ours = {name: one for name, one in services.items() if one["image"] == "slomix"}
    assert [name for name, one in ours.items() if "release.env" in one["env_file"]] == ["release"]
    for one in ours.values():
        assert (one["read_only"], one["cap_drop"]) == (True, ["ALL"])
    named = [one["environment"]["SLOMIX_PROCESS"] for name, one in ours.items() if name != "release"]
    assert len(set(named)) == len(named) == len(ours) - 1


def test_what_a_process_needs_of_the_checkout_is_copied_into_the_image() -> None:
    copied = {
        word
        for line in re.findall(r"^COPY (?!--)(.*)$", (FOLDER / "Containerfile").read_text(), re.MULTILINE)
        for word in line.split()[:-1]
    }
    assert copied == {name for name in copied if (ROOT / name).exists()}
    there = subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines()
    top = {name.partition("/")[0] for name in there}
    # For developers, for readers, and what Git has for itself.
    beside = {
        ".ci",
        ".gitignore",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "README.md",
        "SECURITY.md",
        "Procfile.dev",
        "biome.jsonc",
        "bench",
        "docs",
        "tests",
    }
    assert top - beside == copied


def test_each_setting_of_the_page_is_one() -> None:
    named = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", (ROOT / "docs/operations/containers.md").read_text()))
    others = {"COMPOSE_PROFILES", "POSTGRES_PASSWORD", "OWNER_PASSWORD", "APP_PASSWORD"}
    assert named - others - {f"{name}_FILE" for name in secret_variables()} <= set(variable_names())


def locked() -> dict[str, tuple[str, set[str]]]:
    """What the lock installs on ARM: each package's version and hashes."""
    found: dict[str, tuple[str, set[str]]] = {}
    for entry in re.split(r"\n(?=\S)", (ROOT / "requirements/production.txt").read_text()):
        pinned = re.match(r"([A-Za-z0-9._-]+)==(\S+)(?: ; ([^\\\n]+))?", entry)
        if pinned and (pinned[3] is None or Marker(pinned[3]).evaluate(ARM)):
            found[canonicalize_name(pinned[1])] = (pinned[2], set(re.findall(r"sha256:([0-9a-f]{64})", entry)))
    return found


def without_wheel(wheels: list[str]) -> dict[str, str]:
    """The packages that would have to be compiled on 64-bit ARM, with their versions."""
    there = set()
    for line in wheels:
        digest, name = line.split()
        package, version, _, tags = parse_wheel_filename(name)
        pinned, hashes = locked().get(package, ("", set()))
        if (
            str(version) == pinned
            and digest in hashes
            and any(re.search(r"any$|_aarch64$", tag.platform) for tag in tags)
        ):
            there.add(package)
    return {name: version for name, (version, _) in locked().items() if name not in there}


def wheels() -> list[str]:
    return Path(ROOT / "requirements/aarch64.wheels").read_text().splitlines()


def test_every_package_of_the_lock_has_a_wheel_for_arm() -> None:
    assert len(wheels()) > 50
    assert without_wheel(wheels()) == {}, (
        "`make lock` writes requirements/aarch64.wheels; else compilers are needed there"
    )


def test_a_package_without_one_is_named() -> None:
    [gevent] = [line for line in wheels() if "gevent" in line]
    others = [line for line in wheels() if line != gevent]
    version = locked()["gevent"][0]
    assert without_wheel(others) == {"gevent": version}
    assert without_wheel([*others, gevent.replace("aarch64", "x86_64")]) == {"gevent": version}
    assert without_wheel([*others, f"{'0' * 64} {gevent.split()[1]}"]) == {"gevent": version}
    assert without_wheel([*others, gevent.replace(version, "1.0")]) == {"gevent": version}
