"""`slomix --help` says what the commands say of themselves, without reading their code and all it needs."""

import subprocess
import sys

import click
from click.testing import CliRunner

from slomix.cli import COMMANDS, main
from tests.waiting import PATIENCE

ASKED = """
import sys
from slomix.cli import main
main(["--help"], standalone_mode=False)
print(*sorted(name for name in sys.modules if name.split(".")[0] in {"slomix", "sqlalchemy", "pydantic", "discord"}))
"""


def test_help_imports_no_command() -> None:
    done = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert done.stdout.splitlines()[-1].split() == ["slomix", "slomix.cli"]


def test_help_says_of_each_command_what_the_command_says() -> None:
    listed = CliRunner().invoke(main, ["--help"]).output
    group = click.Group(commands={name: main.get_command(click.Context(main), name) for name in COMMANDS})  # type: ignore[misc]
    by_click = CliRunner().invoke(group, ["--help"]).output
    assert listed.partition("Commands:")[2] == by_click.partition("Commands:")[2]
