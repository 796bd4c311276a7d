"""Puts the words of every notice together: plain data in, text out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from slomix import words
from slomix.accounts.rules import plain_name
from slomix.deliveries.writing import Style

LIMIT = 2000
NAMES_SHOWN = 20
# Names may be long and full of escapes: two such lists and all the rest stay below the limit.
LONGEST_LIST = 800

_MARKDOWN = re.compile(r"([\\*_~`|>\[\]()#<:-])")


@dataclass(frozen=True)
class Links:
    """Where a message leads: the board, the way to stop such messages, the voice room and the game server if any."""

    board: str
    stop: str
    voice_room: str | None
    game_server: str | None = None


def server_address(host: str, port: int) -> str | None:
    """What follows /connect in the game; None where no game server is configured."""
    if not host:
        return None
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def safe_name(name: str) -> str:
    """A name that mentions nobody and formats nothing, on one line, at most 32 characters long."""
    short = " ".join(plain_name(name).split())[:32]
    return _MARKDOWN.sub(r"\\\1", short).replace("@", "@\u200b")


def reminder(start_at: datetime, links: Links, style: Style) -> str:
    opening = words.GAME_NIGHT_STARTS_AT.format(time=style.time(start_at), countdown=style.countdown(start_at))
    return _with_footer(opening, links, style)


def start(start_at: datetime, now: datetime, links: Links, style: Style) -> str:
    late = now - start_at
    if late.total_seconds() >= 60:
        opening = words.GAME_NIGHT_HAS_BEGUN.format(time=style.time(start_at))
    else:
        opening = words.GAME_NIGHT_STARTS_NOW
    return _with_footer(opening, links, style, room=True, server=True)


def followup(links: Links, style: Style, *, is_on_server: bool = False) -> str:
    """Who is on the game server already needs only the way to voice."""
    opening = words.NOT_IN_VOICE_YET if is_on_server else words.STILL_COMING
    return _with_footer(opening, links, style, room=True, server=not is_on_server)


def presence_unknown(links: Links) -> str:
    return words.NOBODY_ASKED_AGAIN.format(link=links.board)


def dry_run(text: str) -> str:
    return words.DRY_RUN.format(message=text)


@dataclass(frozen=True)
class SummaryFacts:
    """What the voice check found."""

    here: int
    asked: int
    awaited: Sequence[str]
    followups_sent: int
    followups_tried: int
    presence_known: bool
    with_names: bool
    # Those of the awaited who are on the game server.
    on_server: Sequence[str] = ()


def summary(facts: SummaryFacts) -> str:
    """The post for the room: neutral, no mentions, always under Discord's 2,000 characters."""
    if not facts.presence_known:
        return words.ON_UNSEEN
    lines = [words.ON_WITH.format(here=facts.here, asked=facts.asked)]
    if not facts.awaited:
        is_full = 0 < facts.asked <= facts.here
        lines.append(words.EVERYBODY_IS_HERE if is_full else words.NOBODY_ELSE_AWAITED)
    else:
        lines.append(words.STILL_AWAITED.format(awaited=_listed(facts.awaited, facts)))
    if facts.on_server:
        lines.append(words.ON_SERVER.format(players=_listed(facts.on_server, facts)))
    if facts.followups_tried:
        lines.append(words.FOLLOWED_UP.format(sent=facts.followups_sent, tried=facts.followups_tried))
    return "\n".join(lines)


def _listed(names: Sequence[str], facts: SummaryFacts) -> str:
    """As many whole names as there is room for, and how many more; only how many where names are switched off."""
    if not facts.with_names:
        return str(len(names))
    shown: list[str] = []
    left = LONGEST_LIST
    for name in map(safe_name, names[:NAMES_SHOWN]):
        left -= _length(name) + 2
        if left < 0:
            break
        shown.append(name)
    more = len(names) - len(shown)
    return ", ".join(shown) + (words.AND_MORE.format(number=more) if more else "")


def _length(text: str) -> int:
    """As the strictest count them: a character beyond the first 65,536 is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _with_footer(opening: str, links: Links, style: Style, *, room: bool = False, server: bool = False) -> str:
    lines = [opening]
    if room and links.voice_room:
        lines.append(words.VOICE_ROOM.format(link=links.voice_room))
    if server and links.game_server:
        lines.append(words.GAME_SERVER.format(server=links.game_server))
    lines += [
        words.TONIGHT.format(link=links.board),
        words.HOW_TO_STOP.format(link=style.aside(links.stop)),
    ]
    return "\n".join(lines)
