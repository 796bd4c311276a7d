"""Names and rights: colour codes, search terms, who may promote, where a login may lead."""

import enum
import re
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache
from urllib.parse import urlsplit

from slomix import words

# How long a browser stays logged in after a login.
SESSION_LASTS = timedelta(days=60)
# How old the answer to "is this a member of our server" may get before it is asked again.
MEMBERSHIP_HOLDS = timedelta(hours=20)


class Role(enum.StrEnum):
    """What somebody may do beside playing."""

    PROMOTER = "promoter"
    ADMIN = "admin"


class Membership(enum.StrEnum):
    """Whether somebody is in our Discord server, as Discord last said."""

    UNKNOWN = "unknown"
    MEMBER = "member"
    LEFT = "left"


class LinkAction(enum.StrEnum):
    """What happened to an account, a link or a right."""

    DISCORD_LINKED = "discord_linked"
    DISCORD_UNLINKED = "discord_unlinked"
    PLAYER_LINKED = "player_linked"
    PLAYER_CHANGED = "player_changed"
    PLAYER_UNLINKED = "player_unlinked"
    PLAYER_CLAIMED = "player_claimed"
    CLAIM_REFUSED = "claim_refused"
    ROLE_GRANTED = "role_granted"
    ROLE_REVOKED = "role_revoked"
    SIGNED_OUT = "signed_out_everywhere"
    LEFT_GUILD = "left_guild"
    CAME_BACK = "came_back"
    PLAYERS_IMPORTED = "players_imported"
    MOVED_IN = "moved_in"


# Whoever looks for when somebody got their profile looks for these.
LINKING = (LinkAction.PLAYER_LINKED, LinkAction.PLAYER_CHANGED)

_COLOUR_CODE = re.compile(r"\^[^\^\s]?")
# They would turn the text around a name.
_DIRECTION = dict.fromkeys([0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])


@lru_cache(maxsize=4096)
def plain_name(name: str) -> str:
    """A player's name without ET colour codes (`^1Bad^7Boy` is `BadBoy`) and marks of direction; never empty."""
    name = name.translate(_DIRECTION).strip()
    return _COLOUR_CODE.sub("", name).strip() or name or words.UNNAMED


def is_discord_id(text: str) -> bool:
    """Whether this can be the id of a Discord account."""
    return text.isascii() and text.isdigit() and 1 <= len(text) <= 20


@dataclass(frozen=True)
class Letters:
    """A piece of a name in one colour; `colour` is the character after the `^`, in lower case."""

    colour: str
    text: str


@lru_cache(maxsize=4096)
def coloured_name(name: str) -> tuple[Letters, ...]:
    """A player's name in pieces of one colour each; together they are `plain_name`."""
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
    """Without blanks before and after the whole, and without pieces that have nothing."""
    while pieces and not pieces[0].text.strip():
        pieces = pieces[1:]
    while pieces and not pieces[-1].text.strip():
        pieces = pieces[:-1]
    if pieces:
        pieces[0] = replace(pieces[0], text=pieces[0].text.lstrip())
        pieces[-1] = replace(pieces[-1], text=pieces[-1].text.rstrip())
    return [piece for piece in pieces if piece.text]


def like_pattern(text: str) -> str:
    """A pattern for ILIKE that finds `text` anywhere and takes its wildcards literally."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def own_path(target: str | None) -> str:
    """`target` if it is a path of ours, else `/`: a login must not lead to somebody else's page, nor into itself."""
    if not target or not target.startswith("/") or target.startswith("//") or "\\" in target:
        return "/"
    parts = urlsplit(target)
    if parts.path.startswith("/auth/"):
        return "/"
    if parts.scheme or parts.netloc or not target.isprintable():
        return "/"
    return target
