"""The example of an `.env` names every setting with the default of the code, and no secret (W69, W71)."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from slomix.cli.configuration import masked_value
from slomix.config.checks import all_problems
from slomix.config.environment import Environment
from slomix.config.settings import Settings, secret_variables, variable_names
from tests.rules.operator import PRODUCTION, bare_machine

__all__ = ["bare_machine"]


@pytest.fixture
def example(root: Path) -> Path:
    return root / "docs/operations/env.example"


def lines_of(example: Path) -> list[tuple[str, str]]:
    """Every variable of it, with what stands behind the =, commented out or not."""
    return re.findall(r"^#?([A-Z][A-Z_]*)=(.*)$", example.read_text(), flags=re.MULTILINE)


def test_it_names_every_setting_once_and_no_other(example: Path) -> None:
    assert sorted(name for name, _ in lines_of(example)) == sorted(variable_names())


def test_its_defaults_are_those_of_the_code(example: Path) -> None:
    defaults = Settings.model_validate({}).by_name()
    assert dict(lines_of(example)) == {name: masked_value(name, value) for name, value in defaults.items()}


def test_no_secret_in_it_has_a_value_and_every_secret_is_said_to_fit_into_a_file(example: Path) -> None:
    assert {value for name, value in lines_of(example) if name in secret_variables()} == {""}
    explained = example.read_text().partition("may stand in a file")[2].partition("# - ")[0]
    assert {name for name in secret_variables() if re.search(rf"\b{name}\b", explained)} == secret_variables()


def test_a_default_is_no_secret() -> None:
    defaults = Settings.model_validate({}).by_name().values()
    assert {value.get_secret_value() for value in defaults if isinstance(value, SecretStr)} == {""}


def test_a_copy_of_it_lacks_what_it_leaves_open_and_nothing_else(example: Path, tmp_path: Path) -> None:
    copy = tmp_path / ".env"
    copy.write_text(example.read_text())
    _, problems = all_problems(Environment.read(copy, secrets=secret_variables()))
    assert problems == [f"{name}: is not set" for name in PRODUCTION]
    # What `make run` says, which fills in the rest itself.
    copy.write_text("SLOMIX_ENV=development\n" + example.read_text())
    assert Settings.from_env(copy).is_development


def test_a_copy_with_that_filled_in_starts(example: Path, tmp_path: Path, root: Path) -> None:
    text = example.read_text()
    for name, value in PRODUCTION.items():
        text = text.replace(f"\n{name}=\n", f"\n{name}={value}\n")
    for change in ("BOT_STARTUP_VALIDATE_ONLY=true", "PORT=7310  # not the usual one"):
        text = re.sub(rf"^#{change.partition('=')[0]}=.*$", change, text, flags=re.MULTILINE)
    (tmp_path / ".env").write_text(text)
    bot = subprocess.run([sys.executable, root / "workers/bot.py"], cwd=tmp_path, capture_output=True, text=True)
    assert (bot.returncode, "process.valid" in bot.stdout + bot.stderr) == (0, True), bot.stderr
