"""Names of players and teams: what can be seen of them, what is taken in, and when two are the same.

ET: Legacy writes names with codes for colours. All rules about a name stand here, wherever it comes from.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Final

from slomix.errors import Invalid
from slomix.i18n import N_, gettext

LONGEST_NAME = 64
MOST_MARKS = 4

_MARKS: Final = frozenset({"Mn", "Me"})
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co"})
# What shows nothing beside these categories: the Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties.txt,
# and in the last line letters and symbols that are drawn as blanks.
_EMPTY: Final = frozenset(
    (
        *(0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2065, 0x3164, 0xFFA0),
        *(*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xFFF0, 0xFFF9), *range(0xE0000, 0xE1000)),
        *(0x2800, 0x13441, 0x13442, 0x16FE4, 0x1D159),
    )
)
_JOINER, _AS_EMOJI = "\u200d", "\ufe0f"
_SKIN_TONES: Final = range(0x1F3FB, 0x1F400)
# Letters with a stroke or a bow, which Unicode does not take apart into a letter and an accent.
_STROKES: Final = str.maketrans(
    {"đ": "d", "ð": "d", "ħ": "h", "ı": "i", "ł": "l", "ø": "o", "ŧ": "t", "æ": "ae", "œ": "oe"}
)
# The alphabets in which a letter can be taken for one of another's, by their names in Unicode.
_ALIKE: Final = frozenset({"LATIN", "CYRILLIC", "GREEK", "COPTIC", "ARMENIAN", "CHEROKEE"})


class InvalidName(Invalid):
    """The name cannot be taken; the sentence says why, and what to do."""


@dataclass(frozen=True)
class Letters:
    """A piece of a name in one colour; `colour` is the character after the `^`, in lower case."""

    colour: str
    text: str


def clean_name(text: str, *, what: str = N_("The name"), shortest: int = 1, longest: int = LONGEST_NAME) -> str:
    """Return what can be seen of a name, with its colours. Raise InvalidName with a sentence about `what`."""
    if has_control(text):
        raise InvalidName(
            gettext(
                "{what} has a character that cannot be shown, such as a line break. Type it anew without that."
            ).format(what=what)
        )
    pieces = _pieces(text)
    seen = "".join(piece.text for piece in pieces)
    if not any(unicodedata.category(letter)[0] in "LN" for letter in seen):
        raise InvalidName(
            gettext(
                "{what} needs a letter or a digit that can be seen; it has {shortest} to {longest} characters."
            ).format(what=what, shortest=shortest, longest=longest)
        )
    if _most_marks(text) > MOST_MARKS:
        raise InvalidName(
            gettext("{what} may have at most {most} accents or other marks on one letter. Take some away.").format(
                what=what, most=MOST_MARKS
            )
        )
    if not shortest <= len(seen) <= longest:
        raise InvalidName(
            gettext("{what} has {shortest} to {longest} characters; this one has {number}.").format(
                what=what, shortest=shortest, longest=longest, number=len(seen)
            )
        )
    colours = ("" if index == 0 and piece.colour == "7" else f"^{piece.colour}" for index, piece in enumerate(pieces))
    return "".join(colour + piece.text for colour, piece in zip(colours, pieces, strict=True))


def has_control(text: str) -> bool:
    """Check whether a text has a control character, such as a line break, or half a character."""
    return not text.isprintable() and any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in text)


def mixes_alphabets(name: str) -> bool:
    """Check whether a word of a name has letters of two alphabets that look alike, as `Аlice` with a Cyrillic А."""
    return not name.isascii() and any(len(_alphabets(word)) > 1 for word in plain_name(name).split())


def _alphabets(word: str) -> frozenset[str]:
    letters = unicodedata.normalize("NFKD", word)
    return _ALIKE & {unicodedata.name(letter, "").partition(" ")[0] for letter in letters if letter.isalpha()}


def usable_name(text: str) -> str:
    """Return what `clean_name` does; empty where it refuses."""
    try:
        return clean_name(text)
    except InvalidName:
        return ""


def plain_name(name: str) -> str:
    """Return what can be seen of any name, without colour codes (`^1Bad^7Boy` is `BadBoy`); never empty."""
    return "".join(piece.text for piece in coloured_name(name))


def coloured_name(name: str) -> tuple[Letters, ...]:
    """Split what can be seen of any name into pieces of one colour each; together they are `plain_name`."""
    return _shown(name) or (Letters("7", gettext("unnamed")),)


@lru_cache(maxsize=4096)
def _shown(name: str) -> tuple[Letters, ...]:
    # Where nothing but codes is left, the name is what stands there.
    seen = _pieces(name) or _spell((letter, "7") for letter in name)
    shown: list[Letters] = []
    left = LONGEST_NAME
    for piece in seen:
        shown.append(Letters(piece.colour, piece.text[:left]))
        left -= len(piece.text)
        if left <= 0:
            break
    return tuple(shown)


def name_key(name: str) -> str:
    """Return the key of a name: names with one key are the same name, and a search looks for a part of one.

    It knows no colours, case, accents or forms of letters. Empty if nothing of the name can be seen.
    """
    key = "".join(piece.text for piece in _pieces(name))
    for _ in range(2):  # a letter in lower case may come apart once more
        key = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", key).casefold()).translate(_STROKES)
        key = "".join(letter for letter in key if unicodedata.category(letter) not in _MARKS | _UNSEEN)
    return " ".join(key.replace("^", "").split())


def name_keys(names: Iterable[str]) -> list[str]:
    """Return the keys of these names, each once."""
    return [key for key in dict.fromkeys(map(name_key, names)) if key]


def _pieces(name: str) -> tuple[Letters, ...]:
    if name.isascii() and name.isprintable() and "^" not in name:  # as most names are: only blanks are in question
        seen = " ".join(name.split())
        return (Letters("7", seen),) if seen else ()
    return _spell(_coloured_letters(name))


def _spell(letters: Iterable[tuple[str, str]]) -> tuple[Letters, ...]:
    """Put together what can be seen of letters with their colours."""
    return tuple(
        Letters(colour, unicodedata.normalize("NFC", "".join(letter for letter, _ in run)))
        for colour, run in groupby(_visible(letters), key=lambda pair: pair[1])
    )


def _coloured_letters(name: str) -> Iterator[tuple[str, str]]:
    """Return the letters of a name, each with its colour.

    The game's own rule: `^` and any one character but another `^`, be it a blank (`Q_IsColorString` in
    src/qcommon/q_shared.h of ET: Legacy). A `^` that begins no code is left out too: its code was not finished.
    """
    colour, begins_code = "7", False
    for letter in name:
        if letter == "^":
            begins_code = True
        elif begins_code:
            colour, begins_code = letter.lower() if " " <= letter <= "~" else colour, False
        else:
            for part in unicodedata.normalize("NFD", letter):
                yield part, colour


def _visible(letters: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Leave out what shows nothing, marks beyond the fourth of a letter, and blanks at the ends and beside others."""
    last, blank, joins, marks = "", "", False, 0
    for letter, colour in letters:
        if letter.isspace():
            blank = blank or (last and colour)
        elif letter in {_JOINER, _AS_EMOJI}:
            # Only inside an emoji; what joins two pictures waits for the second.
            joins = letter == _JOINER and _is_picture(last)
            if letter == _AS_EMOJI and _is_picture(last):
                yield letter, colour
        elif _is_mark(letter):
            marks += 1
            if last and not blank and marks <= MOST_MARKS:
                yield letter, colour
        elif not _shows_nothing(letter):
            if blank:
                yield " ", blank
            elif joins and _is_picture(letter):
                yield _JOINER, colour
            yield letter, colour
            last, blank, joins, marks = letter, "", False, 0


def _shows_nothing(letter: str) -> bool:
    return unicodedata.category(letter) in _UNSEEN or ord(letter) in _EMPTY


def _is_mark(letter: str) -> bool:
    return unicodedata.category(letter) in _MARKS and ord(letter) not in _EMPTY


def _is_picture(letter: str) -> bool:
    return bool(letter) and (unicodedata.category(letter) == "So" or ord(letter) in _SKIN_TONES)


def _most_marks(name: str) -> int:
    """Return how many marks the letter with most of them has."""
    if name.isascii():
        return 0
    seen = (letter for letter, _ in _coloured_letters(name) if not _shows_nothing(letter))
    return max((len(list(run)) for are_marks, run in groupby(seen, key=_is_mark) if are_marks), default=0)
