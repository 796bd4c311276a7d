"""Names of players as ET: Legacy writes them, with codes for colours, and what we show and compare of them."""

import re
import unicodedata
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from slomix import words

# The game's own rule, also as PostgreSQL reads it: `^` and any one character but another `^`, be it a blank
# (`Q_IsColorString` in src/qcommon/q_shared.h of ET: Legacy). A `^` that begins no code is left out too: it stands for
# a code that was not finished.
COLOUR_CODE: Final = r"\^[^\^]?"
_COLOUR_CODE = re.compile(COLOUR_CODE)
# They would turn the text around a name.
_DIRECTION = dict.fromkeys([0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])


@lru_cache(maxsize=4096)
def plain_name(name: str) -> str:
    """Return the name without colour codes (`^1Bad^7Boy` is `BadBoy`) and marks of direction; never empty."""
    name = name.translate(_DIRECTION).strip()
    return _COLOUR_CODE.sub("", name).strip() or name or words.UNNAMED


def bare_name(name: str) -> str:
    """Reduce a name in the game to what identifies it: its letters without colours, case and Unicode form.

    Empty if no letter of it is visible.
    """
    seen = "".join(letter for letter in _COLOUR_CODE.sub("", name) if unicodedata.category(letter) != "Cf")
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFD", seen).casefold())
    return " ".join(folded.split())


@dataclass(frozen=True)
class Letters:
    """A piece of a name in one colour; `colour` is the character after the `^`, in lower case."""

    colour: str
    text: str


@lru_cache(maxsize=4096)
def coloured_name(name: str) -> tuple[Letters, ...]:
    """Split a name into pieces of one colour each; together they are `plain_name`."""
    pieces: list[Letters] = []
    colour, at = "7", 0
    bare = name.translate(_DIRECTION).strip()
    for code in _COLOUR_CODE.finditer(bare):
        pieces.append(Letters(colour, bare[at : code.start()]))
        colour, at = code[0][1:].lower() or colour, code.end()
    pieces.append(Letters(colour, bare[at:]))
    pieces = _without_edges(pieces)
    # Where nothing but codes is left, the name is what stands there.
    return tuple(pieces) or (Letters("7", plain_name(name)),)


def _without_edges(pieces: list[Letters]) -> list[Letters]:
    """Leave out blanks before and after the whole, and pieces that have nothing."""
    while pieces and not pieces[0].text.strip():
        pieces = pieces[1:]
    while pieces and not pieces[-1].text.strip():
        pieces = pieces[:-1]
    if pieces:
        pieces[0] = replace(pieces[0], text=pieces[0].text.lstrip())
        pieces[-1] = replace(pieces[-1], text=pieces[-1].text.rstrip())
    return [piece for piece in pieces if piece.text]
