"""What the planning room says."""

from typing import Final

NO_SUCH_ROOM = "There is no planning room for that day."
ROOM_NOT_READY_ONE = "The room opens when one more is looking."
# {missing} is a number of players, more than one.
ROOM_NOT_READY: Final = "The room opens when {missing} more are looking."
ROOM_NOT_TONIGHT = "Only tonight’s room can be changed."
SAID_NO = "You said that you are not playing tonight. If you are after all, say so first."
JOIN_FIRST = "This is for those who are in tonight. Join first."
ONLY_OWNERS = "Only the room’s owner and promoters can do that."
# {players} is a list of names.
NOT_COMMITTED: Final = "Not in for tonight, so in no team: {players}."
NOT_A_PARTICIPANT = "Teams are of players who are looking or available tonight."
NOT_IN_TONIGHT = "That player is not in tonight."
ON_BOTH_SIDES = "A player cannot be in both teams."
CAPTAIN_ELSEWHERE = "A captain has to be in the team."
NO_SUCH_SIDE = "There is no such team. Pick A or B."
NO_SUCH_SIZE: Final = "A team has 1 to {largest} players. Pick a number in between."
NO_SUCH_CLOCK: Final = "A pick can take {shortest} to {longest} seconds. Pick a number in between."
TEAMS_CHANGED = "Somebody changed the teams meanwhile, so nothing was saved. Look how they stand now."
NEEDS_CAPTAINS = "A draft needs two captains. Name them, or let them volunteer."
HAS_CAPTAIN = "That team has a captain already."
SIDE_IS_FULL = "That team is complete. Who runs the room can make you its captain."
NOT_YOUR_TURN = "It is not your pick."
ALREADY_PICKED = "Somebody was quicker: that player is in a team already."
NO_DRAFT = "There is no draft under way."
NOTHING_TO_UNDO = "There is nothing of yours to undo."
A_TEAM_NAME = "A team’s name"
TEAM_NAME_TAKEN = "That name was suggested already. Vote for it!"
TOO_MANY_NAMES: Final = "You have suggested {most} names already. Delete one to make room."
NO_SUCH_TEAM_NAME = "There is no such suggestion any more."
# {minutes} is a number.
ASKED_ALREADY: Final = "Others were asked a moment ago. Next in {minutes} min."
ENOUGH_PLAYERS = "There are enough of you."
NOWHERE_TO_ASK = "There is no room on Discord to ask in."
NO_SUCH_CHANGE = "The teams cannot be changed like that."
NOT_AN_ID = "There is no such player or name."
MUST_BE_AN_ID: Final = 'The field {field} must be an id as a text, such as "12".'
MUST_BE_IDS: Final = "The field {field} must be a list of ids, each a text."

# What was done.
ROOM_OPENED = "The room is open. Let us make two teams."
ROOM_IS_OPEN = "The room is open already."
JOINED = "You are in."
LEFT_TONIGHT = "You are not playing tonight. See you another time!"
DRAFT_BEGUN = "The captains pick."
DELETED = "Deleted."
HANDED_OVER: Final = "{player} runs the room now."
ASKED: Final = "Asked on Discord for {number} more."
# The teams, while no name has votes.
TEAMS = {"A": "Team A", "B": "Team B"}
# What can be undone, after "Undo".
CHANGES = {
    "pick": "the last pick",
    "place": "the last move",
    "captain": "the change of captain",
    "teams": "the new teams",
    "draft": "the last step",
}

# On Discord. {link} is an address.
MORE_NEEDED_ONE: Final = "One more and we can play tonight: {link}"
MORE_NEEDED: Final = "{number} more and we can play tonight: {link}"
THREAD_NAME: Final = "Game night {day}"

# The thread on Discord: its one message says the teams. ** makes bold there.
TEAMS_FOR: Final = "**Teams for {day}**"
# {players} is a list of names.
TEAM_IS: Final = "**{team}**: {players}"
WITH_CAPTAIN: Final = "{player} (captain)"
NO_PLAYERS_YET = "nobody yet"

# What is wrong with the thread for one player, for those who manage the room. {reason} is one of REASONS.
THREAD_LACKS: Final = "{name} is not let in ({reason})"
THREAD_KEEPS: Final = "{name} can still read it ({reason})"
SOMEBODY = "somebody"

# The teams of a room. {team} is a team's name, {player} a player's.
TO_PICK_FROM = "To pick from"
SUBSTITUTES = "Substitutes"
IN_NO_TEAM = "In, and in no team yet"
NONE_YET = "Nobody yet"
EMPTY_ROOM = "Nobody here yet"
ONE_PLAYER = "player"
MANY_PLAYERS = "players"
STEP_DOWN = "Step down"
STEP_DOWN_AS_CAPTAIN: Final = "Step down as captain of {team}"
BE_CAPTAIN = "Be captain"
BE_CAPTAIN_OF: Final = "Be captain of {team}"
YOUR_PICK = "It is your pick."
SOMEONE_PICKS: Final = "{player} picks."
DRAFT_WAITS = "The draft waits for a captain."
TEAMS_ARE_MADE = "Who runs the room makes the teams, or the captains draft them."
TEAMS_ARE_MADE_OR_VOLUNTEER = "Who runs the room makes the teams, or the captains draft them. You can volunteer."
