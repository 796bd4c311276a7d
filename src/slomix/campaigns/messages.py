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

_MARKDOWN = re.compile(r"([\\*_~`|>\[\]()#<:-])")


@dataclass(frozen=True)
class Links:
    """Where a message leads: the board, the way to stop such messages, and the voice room when there is just one."""

    board: str
    stop: str
    voice_room: str | None


def safe_name(name: str) -> str:
    """A name that mentions nobody and formats nothing, at most 32 characters long."""
    short = plain_name(name)[:32]
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
    return _with_footer(opening, links, style, room=True)


def followup(links: Links, style: Style) -> str:
    return _with_footer(words.STILL_COMING, links, style, room=True)


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


def summary(facts: SummaryFacts) -> str:
    """The post for the room: neutral, no mentions, always under Discord's 2,000 characters."""
    if not facts.presence_known:
        return words.ON_UNSEEN
    lines = [words.ON_WITH.format(here=facts.here, asked=facts.asked)]
    if not facts.awaited:
        is_full = 0 < facts.asked <= facts.here
        lines.append(words.EVERYBODY_IS_HERE if is_full else words.NOBODY_ELSE_AWAITED)
    elif facts.with_names:
        shown = ", ".join(safe_name(name) for name in facts.awaited[:NAMES_SHOWN])
        more = len(facts.awaited) - NAMES_SHOWN
        awaited = shown + (words.AND_MORE.format(number=more) if more > 0 else "")
        lines.append(words.STILL_AWAITED.format(awaited=awaited))
    else:
        lines.append(words.STILL_AWAITED.format(awaited=len(facts.awaited)))
    if facts.followups_tried:
        lines.append(words.FOLLOWED_UP.format(sent=facts.followups_sent, tried=facts.followups_tried))
    return "\n".join(lines)[:LIMIT]


def _with_footer(opening: str, links: Links, style: Style, *, room: bool = False) -> str:
    lines = [opening]
    if room and links.voice_room:
        lines.append(words.VOICE_ROOM.format(link=links.voice_room))
    lines += [
        words.TONIGHT.format(link=links.board),
        words.HOW_TO_STOP.format(link=style.aside(links.stop)),
    ]
    return "\n".join(lines)
