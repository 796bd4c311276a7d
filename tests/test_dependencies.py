"""What we are delivered with: locked with hashes, under licences that may be, and found on no particular server."""

import re
from pathlib import Path

import pytest

from tests import licences
from tests.licences import ROOT

LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


@pytest.mark.parametrize("lock", [one for one in LOCKS if one.name != "node.txt"], ids=lambda lock: lock.name)
def test_every_package_of_a_lock_has_its_hashes(lock: Path) -> None:
    entries = re.split(r"\n(?=\S)", lock.read_text())
    packages = [entry for entry in entries if "==" in entry and not entry.startswith("#")]
    assert len(packages) > 40
    assert [entry.splitlines()[0] for entry in packages if "--hash=sha256:" not in entry] == []


def test_no_lock_says_where_a_package_comes_from() -> None:
    said = [lock.read_text() for lock in (*LOCKS, ROOT / "package-lock.json")]
    assert [line for text in said for line in text.splitlines() if re.search(r"https?://|--(extra-)?index", line)] == []


def test_the_list_of_licences_is_that_of_the_locks() -> None:
    assert licences.LIST.read_text() == licences.as_text(), "python -m tests.licences writes it anew"


def test_every_licence_is_one_that_may_be() -> None:
    for package, licence in licences.licences():
        choices = [one.split(" AND ") for one in licence.split(" OR ")]
        assert any(set(parts) <= licences.ALLOWED for parts in choices), f"{package}: {licence}"
