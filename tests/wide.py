"""A language that nobody speaks: its letters are wide ones, so whatever has others was not looked up."""

import re
from types import SimpleNamespace

import flask_babel
import pytest
from babel import dates, lists

from slomix import i18n

WIDE = {ord(letter): chr(ord(letter) + 0xFEE0) for letter in map(chr, range(0x21, 0x7F)) if letter.isalpha()}
# What stays in a text: blanks, tags, addresses and commands.
KEPT = re.compile(r"(%\(\w+\)s|%%|\{[^{}]*\}|<[^<>]*>|&\w+;|/\w+)")
PATTERN = re.compile(r"[EdMLyHm :.,]+")
WORD = re.compile(r"[A-Za-z]{2,}")


def widened(text: str) -> str:
    """The text in wide letters; a pattern for a date stays one, as what it makes is widened."""
    if PATTERN.fullmatch(text):
        return text
    parts = KEPT.split(text)
    return "".join(part if number % 2 else part.translate(WIDE) for number, part in enumerate(parts))


class Wide:
    """The catalogue of that language."""

    def gettext(self, text: str) -> str:
        return widened(text)

    def ngettext(self, one: str, many: str, number: int) -> str:
        return widened(one if number == 1 else many)

    def pgettext(self, _context: str, text: str) -> str:
        return widened(text)

    ugettext, ungettext, upgettext = gettext, ngettext, pgettext


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is looked up from here on, in code, in templates or by Babel, has wide letters."""
    monkeypatch.setattr(i18n, "_catalogue", lambda _language: Wide())
    monkeypatch.setattr(flask_babel, "get_translations", Wide)
    written, listed = dates.format_datetime, lists.format_list
    monkeypatch.setattr(
        i18n, "dates", SimpleNamespace(format_datetime=lambda *args, **how: written(*args, **how).translate(WIDE))
    )

    def joined(items: list[str], **how: str) -> str:
        return (
            listed([f"{{{number}}}" for number in range(len(items))], locale=how["locale"])
            .translate(WIDE)
            .format(*items)
        )

    monkeypatch.setattr(i18n, "lists", SimpleNamespace(format_list=joined))
