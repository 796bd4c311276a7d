"""Texts, dates and lists in the language of whoever reads them.

English stands in the code; every other language has a gettext catalogue under `translations/`, compiled at set-up. A
text is looked up when it is shown or sent: `_("Saved.")` in a function, never at import, where `N_("Saved.")` marks a
text for the catalogues that is looked up later. Which language that is, is said once, at the entrance: by `speaking`
for a message and its reader, by `web.languages` for a request. Where nothing was said, as in logs and on the command
line, it is English.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from functools import cache
from pathlib import Path
from typing import TypeVar

from babel import dates, lists
from babel.support import NullTranslations, Translations

TRANSLATIONS = Path(__file__).with_name("translations")
# The language of the code.
SOURCE = "en"
# What Babel is to take for it: days before months, and hours up to 24.
_LOCALES = {SOURCE: "en_GB"}

_Code = TypeVar("_Code", bound=Hashable)

_language: ContextVar[str] = ContextVar("language", default=SOURCE)


def known_languages() -> frozenset[str]:
    """Return the languages there is a catalogue for, and English."""
    return frozenset({SOURCE, *(path.parts[-3] for path in TRANSLATIONS.glob("*/LC_MESSAGES/messages.po"))})


def language() -> str:
    """Return the language that is spoken here, such as `sl`."""
    return _language.get()


def speak(language: str) -> None:
    """Speak this language from here on, in this thread or greenlet."""
    _language.set(language)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak this language inside the block."""
    before = _language.set(language)
    try:
        yield
    finally:
        _language.reset(before)


def N_(text: str) -> str:  # noqa: N802 - as gettext itself calls it
    """Mark a text for the catalogues, and return it as it is."""
    return text


def gettext(text: str) -> str:
    """Return the text in the language that is spoken here; its {blanks} are filled in afterwards, by `str.format`."""
    return _catalogue(_language.get()).gettext(text) if text else ""


def ngettext(one: str, many: str, number: int) -> str:
    """Return the text that fits the number; the blank {number} is filled in, others are for `str.format`."""
    return _catalogue(_language.get()).ngettext(one, many, number).replace("{number}", str(number))


def pgettext(context: str, text: str) -> str:
    """Return the text, which other languages write differently in this context."""
    return str(_catalogue(_language.get()).pgettext(context, text))


_ = gettext


class Texts(Mapping[_Code, str]):
    """A table of marked texts; each is looked up when it is read."""

    def __init__(self, marked: Mapping[_Code, str]) -> None:
        self._marked = marked

    def __getitem__(self, code: _Code) -> str:
        return gettext(self._marked[code])

    def __iter__(self) -> Iterator[_Code]:
        return iter(self._marked)

    def __len__(self) -> int:
        return len(self._marked)


class Later(str):
    """A text in English that `spoken` looks up for its reader: for what is read once and shown to many."""

    marked: str
    values: Mapping[str, object]


def later(text: str, **values: object) -> Later:
    """Mark a text for the catalogues, with what fills its blanks, which may be looked up later too."""
    said = Later(text.format(**values))
    said.marked, said.values = text, values
    return said


def spoken(text: str) -> str:
    """Return the text in the language that is spoken here, if it is one to look up later."""
    if not isinstance(text, Later):
        return text
    return gettext(text.marked).format(
        **{name: spoken(value) if isinstance(value, str) else value for name, value in text.values.items()}
    )


def looked_up(marked: Iterable[str]) -> list[str]:
    """Return marked texts in the language that is spoken here."""
    return [gettext(text) for text in marked]


def in_all_languages(say: Callable[[], str]) -> set[str]:
    """Return what was, or may be, said in any language: what stands in a message, or what is typed."""
    said = set()
    for each in known_languages():
        with speaking(each):
            said.add(say())
    return said


def listed(items: Iterable[str]) -> str:
    """Join with commas and a last "and"."""
    return lists.format_list(list(items), locale=_locale())


def dated(day: date, pattern: str) -> str:
    """Write a day, or a moment, by a pattern of Unicode's such as `EEEE d MMMM`; each catalogue has its own order."""
    return dates.format_datetime(day, pattern, locale=_locale())


def _locale() -> str:
    spoken = _language.get()
    return _LOCALES.get(spoken, spoken)


@cache
def _catalogue(language: str) -> NullTranslations:
    if language == SOURCE:
        return NullTranslations()
    return Translations.load(TRANSLATIONS, [language])
