"""Names and rights: colour codes, search terms, who may promote, where a login may lead."""

import re
from functools import lru_cache
from urllib.parse import urlsplit

from slomix import words

_COLOUR_CODE = re.compile(r"\^[^\^\s]?")
# They would turn the text around a name.
_DIRECTION = dict.fromkeys([0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])


@lru_cache(maxsize=4096)
def plain_name(name: str) -> str:
    """A player's name without ET colour codes (`^1Bad^7Boy` is `BadBoy`) and marks of direction; never empty."""
    name = name.translate(_DIRECTION).strip()
    return _COLOUR_CODE.sub("", name).strip() or name or words.UNNAMED


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
