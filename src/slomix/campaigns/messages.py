"""The words of every notice, as plain data in and text out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from slomix.accounts.rules import plain_name

LIMIT = 2000
NAMES_SHOWN = 20

_MARKDOWN = re.compile(r"([\\*_~`|>\[\]()#<:-])")


@dataclass(frozen=True)
class Links:
    """Where a message leads: the board, the preferences, and the voice room when there is just one."""

    board: str
    preferences: str
    voice_room: str | None


def timestamp(moment: datetime, style: str = "t") -> str:
    """A Discord timestamp, which every reader sees in their own zone."""
    return f"<t:{int(moment.timestamp())}:{style}>"


def safe_name(name: str) -> str:
    """A name that mentions nobody and formats nothing, at most 32 characters long."""
    short = plain_name(name)[:32]
    return _MARKDOWN.sub(r"\\\1", short).replace("@", "@\u200b")


def reminder(start_at: datetime, links: Links) -> str:
    return _with_footer(
        f"Game night starts at {timestamp(start_at)} ({timestamp(start_at, 'R')}). See you there?", links
    )


def start(start_at: datetime, now: datetime, links: Links) -> str:
    late = now - start_at
    if late.total_seconds() >= 60:
        opening = f"Game night has begun, at {timestamp(start_at)}. Come and join!"
    else:
        opening = "Game night starts now. Come and join!"
    return _with_footer(opening, links, room=True)


def followup(links: Links) -> str:
    return _with_footer("We are starting and would like to have you with us. Still coming?", links, room=True)


def presence_unknown(links: Links) -> str:
    return (
        "We could not see who is in voice tonight, so nobody was asked a second time. "
        f"The campaign card has the details: {links.board}"
    )


def dry_run(text: str) -> str:
    return f"[Dry run, only you see this]\n{text}"


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
        return "Game night is on. We could not see who is in voice, so nobody was asked a second time."
    lines = [f"Game night is on: {facts.here} of {facts.asked} in voice."]
    if not facts.awaited:
        is_full = 0 < facts.asked <= facts.here
        lines.append("Everybody is here. Have fun!" if is_full else "Nobody else is awaited.")
    elif facts.with_names:
        shown = ", ".join(safe_name(name) for name in facts.awaited[:NAMES_SHOWN])
        more = len(facts.awaited) - NAMES_SHOWN
        lines.append(f"Still awaited: {shown}" + (f" and {more} more" if more > 0 else ""))
    else:
        lines.append(f"Still awaited: {len(facts.awaited)}")
    if facts.followups_tried:
        lines.append(f"follow-up {facts.followups_sent}/{facts.followups_tried}")
    return "\n".join(lines)[:LIMIT]


def _with_footer(opening: str, links: Links, *, room: bool = False) -> str:
    lines = [opening]
    if room and links.voice_room:
        lines.append(f"Voice: {links.voice_room}")
    lines += [
        f"Tonight: {links.board}",
        f"You get this because you asked to be called to game nights. Stop it here: {links.preferences}",
    ]
    return "\n".join(lines)
