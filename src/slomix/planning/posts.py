"""What a room's thread on Discord says."""

from collections.abc import Mapping

from slomix import words
from slomix.channels.markup import escaped
from slomix.deliveries.formatting import listed, safe_name
from slomix.planning.queries import Team
from slomix.planning.rules import Side

# In characters, with their escapes: two such lists and all the rest stay below the 2,000 of a message.
LONGEST_LIST = 700


def teams(heading: str, sides: Mapping[Side, Team], link: str) -> str:
    """The two teams: names in it call nobody, and it is never too long to be sent."""
    lines = [
        words.TEAM_IS.format(team=escaped(sides[side].name or words.TEAMS[side]), players=_players(sides[side]))
        for side in Side
    ]
    return "\n".join([heading, *lines, link])


def _players(team: Team) -> str:
    """The captain first, then in the order of their picks."""
    names = [
        words.WITH_CAPTAIN.format(player=safe_name(one.name))
        if one.player_id == team.captain_id
        else safe_name(one.name)
        for one in sorted(team.members, key=lambda one: one.player_id != team.captain_id)
    ]
    return listed(names, longest=LONGEST_LIST) or words.NO_PLAYERS_YET
