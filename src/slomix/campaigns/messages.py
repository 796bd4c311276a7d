"""Puts the words of every notice together: plain data in, text out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from slomix import words
from slomix.deliveries.formatting import Style, listed, safe_name

LIMIT = 2000
NAMES_SHOWN = 20
# Names may be long and full of escapes: two such lists and all the rest stay below the limit.
LONGEST_LIST = 800


@dataclass(frozen=True)
class Links:
    """Where a message leads: the board, the way to stop such messages, the voice room and the game server if any."""

    board: str
    stop: str
    voice_room: str | None
    game_server: str | None = None


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


def at_risk(reasons: Sequence[str], link: str) -> str:
    return words.AT_RISK.format(reasons="; ".join(reasons), link=link)


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
    return listed([safe_name(name) for name in names], most=NAMES_SHOWN, longest=LONGEST_LIST)


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
