"""What the pages for operators tell somebody to type can be typed, by the account that the line names."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from slomix.cli import main
from slomix.database.session import ROOT

PAGES = sorted([*(ROOT / "docs").glob("*.md"), *(ROOT / "docs/operations").glob("*.md"), ROOT / "README.md"])
FOR_OPERATORS = [
    page for page in PAGES if page.parent.name == "operations" or page.name in {"runbook.md", "operations.md"}
]
# These read what the owner of the tables alone may read, or the folder of the backups, which is root's.
OF_THE_OWNER = {"db", "backup", "restore"}


def blocks(page: Path) -> Iterator[str]:
    """Every line of every block of code that is a command."""
    text = page.read_text()
    for block in re.findall(r"^```(?:sh|bash)?\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        yield from block.splitlines()
    yield from (line.strip() for line in re.findall(r"^ {7,}(\S.*)$", text, re.MULTILINE))


def commands(page: Path) -> Iterator[list[str]]:
    """Every command of ours that the page names, as words."""
    text = page.read_text()
    for line in [*re.findall(r"`(?:\.venv/bin/)?slomix ([a-z][^`\n]*)`", text), *_typed(page)]:
        words = shlex.split(re.split(r" [<>|;&]|\.$|\)$", line.replace("…", ""))[0].replace("'", ""))
        yield [word for name in words for word in [name.partition("|")[0]]]


def _typed(page: Path) -> Iterator[str]:
    for line in blocks(page):
        yield from re.findall(r"\.venv/bin/slomix ([a-z][^\n]*?)'?$", line)


def test_commands_are_found_on_the_pages() -> None:
    assert len([*commands(ROOT / "docs/operations/install.md")]) >= 6
    assert sum(".venv/bin/slomix" in line for page in FOR_OPERATORS for line in blocks(page)) > 10


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_command_of_ours_and_each_of_its_options_is_one(page: Path) -> None:
    for words in commands(page):
        found: click.Command = main
        context = click.Context(found)
        for word in words:
            if isinstance(found, click.Group) and not word.startswith("-"):
                assert word in found.list_commands(context), words
                named = found.get_command(context, word)
                assert named is not None
                found = named
            elif word.startswith("--"):
                known = {option for parameter in found.params for option in parameter.opts}
                assert word.partition("=")[0] in known | {"--help"}, words


@pytest.mark.parametrize("page", FOR_OPERATORS, ids=lambda page: page.name)
def test_each_line_names_the_account_that_types_it(page: Path) -> None:
    for line in blocks(page):
        assert not re.match(r"(sudo -s|sudo -i|exit|export .*)$", line), f"{line}: a block is pasted as one"
        assert not re.search(r"export .*sudo -u", line), f"{line}: sudo drops variables"
        called = re.search(r"\.venv/bin/slomix ([a-z][a-z-]+)", line)
        if called is None:
            continue
        if called[1] in OF_THE_OWNER:
            assert line.startswith("sudo sh -c 'set -a; . /etc/slomix/release.env; "), line
        else:
            assert line.startswith(("sudo -u slomix .venv/", "sudo .venv/")), line
        if line.startswith("sudo -u slomix"):
            assert not re.search(r"import [a-z]+\.csv", line), f"{line}: a file in a home is not the account's to read"
