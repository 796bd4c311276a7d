"""Answers to slash commands and buttons in Discord, and what the commands say they do."""

from typing import Final

UNKNOWN_BUTTON = "This button is no longer known here. Type /avail instead."
NOT_THIS_SERVER = "Slomix answers in its own community's server only."
ANSWER_LATE = "This took too long. Please try again."

# What each command does, at most 100 characters.
COMMAND_TEXTS: Final = {
    "avail": "Say when you play",
    "avail set": "Set your status for a day",
    "avail late": "Say that you come to tonight's game, 15 minutes late",
    "avail clear": "Take your status back",
    "avail show": "See a day, or the week at a glance",
    "tonight": "Who plays tonight, when it starts, and who is in voice",
    "queue": "Who is looking to play tonight",
    "link": "Choose your player",
    "notify": "See or change what you are told",
    "promote": "Call tonight's players together (promoters)",
    "teams": "Tonight's teams",
}
OPTION_DAY = "Today, tomorrow, a weekday, or a date such as 2026-11-22"
OPTION_STATUS = "What you say"
OPTION_PLAYER = "Your name in the game"
OPTION_KIND = "What you are told about"
OPTION_SWITCH = "On or off"

# {day} is Today, Tomorrow or a date, {status} the asker's own status or NOT_SAID_YET.
MY_DAY: Final = "**{day}**: {status}"
NOT_SAID_YET = "you have not said yet"
# {said} is a status or a player's name, {time} when they come.
COMES_LATE: Final = "{said}, 15 min late (about {time})"
# Begins the line that a press adds below a message.
NOW_TRUE = "→ "
# On the buttons under calls.
IM_IN = "I'm in"
LATE = "15 min late"
CANT_TONIGHT = "Can't tonight"
JOIN_VOICE = "Join voice"
YOUR_WEEK = "Your week:"
BUTTONS_FOR_TODAY = "The buttons answer for today."
# {line} is MY_DAY, {count} how many may come.
WITH_COMING: Final = "{line} · {count} in"
NOTHING_YET = "nothing yet"
CLEAR = "Clear"

TONIGHT_MISSING: Final = "**Tonight**: {looking} of {threshold} are looking, {missing} more to go."
TONIGHT_ENOUGH: Final = "**Tonight**: {looking} are looking. That makes a session!"
TONIGHT_NAMED: Final = "{status}: {names}"
TONIGHT_STARTS: Final = "The start is at {time} ({countdown})."
# Of a start that has passed: whether a message told of it is another question.
TONIGHT_CALLED: Final = "It was called for {time}."
TONIGHT_IN_VOICE: Final = "In voice now: {names}"
TONIGHT_NONE_IN_VOICE = "In voice now: no player yet."
TONIGHT_VOICE_UNKNOWN = "We can't see right now who is in voice."
# Once the evening is over; {day} is a date, {count} a number of players.
EVENING_OVER: Final = "**{day}** is over. {count} were looking."
# Of a scheduled event.
EVENT_NAME: Final = "{community}: game night"
EVENT_DESCRIPTION: Final = "Say whether you play: {link}"
QUEUE_EMPTY_TONIGHT = "Queue is empty."
QUEUE_LINE: Final = "{place}. {name}"

CHOOSE_PLAYER = "First choose your player, then this is saved."
CHOOSE_PLAYER_ONLY = "First choose your player."
CHOOSE_MY_PLAYER = "Choose my player"
IS_IT_YOU = "Which of these is you? If none is, type /link and your name in the game."
FIND_YOURSELF = "Type /link and your name in the game."
LINKED_IN_CHAT: Final = "You are {player} now."
ALREADY_LINKED: Final = "You are {player}. To choose another player, open {link}"
LINK_IN_SERVER = "Players are chosen in our server: type /link there."

# {kind} is the title of a kind of messages, {state} ON or OFF.
NOTIFY_LINE: Final = "{kind}: **{state}**"
ON = "on"
OFF = "off"
NOTIFY_MORE: Final = "Channels, quiet hours and the rest: {link}"
NOTIFY_HOW = "Choose both: what, and on or off."

# The button under each message, and what its presses are answered. {what} is one of KIND_TEXTS, such as "the daily
# question", or ALL_MESSAGES; {kind} is its short name.
MUTE = "Mute"
MUTE_THIS: Final = "Mute this kind: {kind}"
ALL_MESSAGES = "all messages"
MUTE_ALL = "Mute all messages"
MUTE_ASKED: Final = "Mute {what}? Press once more. Everything else stays as it is."
MUTED: Final = "Muted: {what}. Changed your mind? Undo takes it back; later you switch it on again here: {link}"
MUTED_BEFORE: Final = "This is off already: {what}. You switch it on again here: {link}"
UNMUTED: Final = "On again: {what}."
UNDO = "Undo"
MUTE_NOT_LINKED = "You are not linked to a player, so nothing is sent to you."

# {count} is a number of players.
PROMOTE_PREVIEW: Final = "{count} would be asked. The start is at {time} ({countdown})."
PROMOTE_LEFT_OUT: Final = "{name} is left out: {reason}."
PROMOTE_EXISTS: Final = "{player} has called tonight together already."
SCHEDULE_CAMPAIGN = "Schedule campaign"
TRY_OUT = "Dry run"
CANCEL_CAMPAIGN = "Cancel campaign"
CAMPAIGN_CANCELLED_IN_CHAT = "Cancelled. What has not gone out stays here."
PROMOTE_OLD = "That was another evening. Type /promote again."
NO_TEAMS = "There are no teams for tonight yet."
TEAM_LINE: Final = "**{team}**: {names}"
