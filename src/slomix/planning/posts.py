"""Text of a room's thread on Discord."""

from collections.abc import Mapping

from slomix.channels.markup import escape_markdown
from slomix.deliveries.formatting import fit_names, safe_name
from slomix.i18n import _
from slomix.planning.queries import Team
from slomix.planning.rules import TEAM_NAMES, Side

# In characters, escapes included: two such lists and the rest stay below a message's limit of 2,000.
LONGEST_LIST = 700


def teams_post(heading: str, sides: Mapping[Side, Team], link: str) -> str:
    """Write the post with both teams; names in it mention no account, and it always fits one message."""
    lines = [
        _("**{team}**: {players}").format(
            team=escape_markdown(sides[side].name or TEAM_NAMES[side]), players=_players(sides[side])
        )
        for side in Side
    ]
    return "\n".join([heading, *lines, link])


def _players(team: Team) -> str:
    """List the captain first, then the others in the order of their picks."""
    names = [
        _("{player} (captain)").format(player=safe_name(member.name))
        if member.player_id == team.captain_id
        else safe_name(member.name)
        for member in sorted(team.members, key=lambda member: member.player_id != team.captain_id)
    ]
    return fit_names(names, longest=LONGEST_LIST) or _("nobody yet")
