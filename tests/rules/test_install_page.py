"""What docs/operations/install.md tells an operator to type exists."""

import re
from pathlib import Path

import pytest

from slomix.config.settings import Settings


@pytest.fixture
def page(root: Path) -> str:
    return (root / "docs/operations/install.md").read_text()


def test_each_target_of_make_is_one(page: str, root: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(), re.MULTILINE))
    typed = set(re.findall(r"make ([a-z]+)$|`make ([a-z]+)`", page, re.MULTILINE))
    assert typed
    assert {one or other for one, other in typed} <= targets


def test_each_setting_is_one(page: str) -> None:
    known = {str(field.validation_alias) for field in Settings.model_fields.values()}
    named = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", page)) - {"CLIENT_ID", "DISCORD_ID"}
    assert "DISCORD_BOT_TOKEN" in named
    assert named - {"SKIP_INSTALL"} <= known, named - known


def test_the_permissions_of_the_invitation_are_those_that_it_lists(page: str) -> None:
    view, send, history, make_thread, send_in_thread = (1 << bit for bit in (10, 11, 16, 36, 38))
    assert f"permissions={view | send | history | make_thread | send_in_thread}`" in page
    assert f"`permissions={view | send | history}`" in page
    events = 1 << 44 | 1 << 33
    assert f"`permissions={view | send | history | make_thread | send_in_thread | events}`" in page
    assert f"`{view | send | history | events}`" in page


@pytest.mark.parametrize("name", ["nginx.conf", "Caddyfile"])
def test_both_proxies_are_for_the_same_settings(root: Path, name: str) -> None:
    text = (root / "docs/operations" / name).read_text()
    for said in ("SLOMIX_FORMATION=web=2,worker=2,scheduler=2", "127.0.0.1:7000", "127.0.0.1:7001", "TRUSTED_PROXIES="):
        assert said in text
