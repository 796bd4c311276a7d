"""What we say on Discord, Telegram and Signal."""

from typing import Final

# Messages. {time} and {countdown} are an hour and how long until then, "21:00" and "in 15 minutes", in the reader's own
# zone; Discord writes them itself, in the reader's language. {link} is an address.

GAME_NIGHT_STARTS_AT: Final = "Game night starts at {time} ({countdown}). See you there?"
GAME_NIGHT_STARTS_NOW = "Game night starts now. Come and join!"
GAME_NIGHT_HAS_BEGUN: Final = "Game night has begun, at {time}. Come and join!"
# In place of Discord's countdown, where a channel knows only text.
IN_A_MINUTE = "in a minute"
IN_MINUTES: Final = "in {minutes} minutes"
STILL_COMING = "We are starting and would like to have you with us. Still coming?"
# Sent instead to players who are in the game already.
NOT_IN_VOICE_YET = "We are starting. We see you on the server, not in voice: will you join us there?"
# How such a message ends: the voice room, what to type in the game to be there, the board, how to get no more of them.
VOICE_ROOM: Final = "Voice: {link}"
# {server} is an address; /connect is the game's own word.
GAME_SERVER: Final = "Server: /connect {server}"
TONIGHT: Final = "Tonight: {link}"
HOW_TO_STOP: Final = "You get this because you asked to be called to game nights. Why, and how to stop it: {link}"
# About a day, with or without a promoter. {count} is a number of players.
SO_MANY_TONIGHT: Final = "{count} are looking to play tonight."
SO_MANY_LOOKING: Final = SO_MANY_TONIGHT + " Join in: {link}"
# What SO_MANY_LOOKING is edited into while it is not true: {number} is how many make a session.
NOT_SO_MANY_LOOKING: Final = "Not {number} any more: {count} are looking to play tonight. Join in: {link}"
ARE_YOU_IN: Final = "Are you in tonight? Say so here: {link}"
# The last line of a message, for those that were held back before it: {facts} are sentences such as SO_MANY_TONIGHT.
HELD_BACK_TODAY: Final = "Also, so as not to write to you again today: {facts}"
NOT_SAID_TONIGHT = "You have not said yet whether you are in tonight."
# The first message on Discord to players who want some: the answer shows whether they can be reached there.
INTRODUCTION: Final = (
    "This is how I will call you: it works! You get it because you switched messages on. "
    "Which ones, and how to stop them: {link}"
)
# To players who test that messages arrive.
TEST_MESSAGE: Final = "This is how I will call you: it works! You get it because you asked for a test message. {link}"
# On the button under a message.
OPEN_SLOMIX = "Open Slomix"
# Answers to chat messages on Telegram and Signal.
INBOX_HELP: Final = (
    "Slomix gets game nights started: {link}\n"
    "/today, /tomorrow, /avail friday: how it looks; /avail: your week\n"
    "/avail looking: what you say about today; available, maybe, not playing and clear work too\n"
    "/avail late: you come tonight, 15 minutes late\n"
    "/avail tomorrow maybe: the same for another day, such as friday or 2026-11-22\n"
    "/notify: which messages you get; /notify daily reminder off: one kind less\n"
    "/link CODE: link this chat with a code from your preferences\n"
    "/unlink: nothing is sent here any more"
)
INBOX_NOTIFY_HOW: Final = "Write /notify, a kind, and on or off. The kinds: {kinds}."
INBOX_LINK_HOW: Final = "Get a code under Preferences and send it here as /link CODE: {link}"
INBOX_LINK_ASKED: Final = (
    "Link this chat to the player “{player}” of {community}? Then their messages come here.\n"
    "/yes if that is you and you asked for it; /no if not. Without an answer nothing is linked."
)
INBOX_LINK_DECLINED = "Nothing was linked. Whoever gave you that code cannot use it any more."
INBOX_NOTHING_ASKED = (
    "There is no question open here: it may be too old, or answered. Get a new code under Preferences."
)
INBOX_LINKED: Final = "This chat is linked to {player}. What you hear of is decided under Preferences: {link}"
INBOX_NOT_LINKED: Final = "This chat is not linked to a player. Get a code under Preferences: {link}"
INBOX_UNLINKED = "Unlinked. Nothing is sent here any more."
INBOX_AVAIL_HOW = "Say for example: /avail looking, /avail friday maybe, /avail 2026-11-22 not playing, /avail clear."
# On the buttons under INBOX_LINK_ASKED.
YES = "Yes"
NO = "No"
# Where a channel has no buttons, each stands at the end of a text with the number that answers it.
NUMBERED: Final = "{number}: {label}"
NO_SUCH_CHOICE: Final = "There is no {number} to choose: send a number from 1 to {last}."
WHICH_QUESTION = "My last question may not have reached you. Please choose once more:"
# To the promoter alone.
SECOND_CALL_HELD_BACK: Final = (
    "We could not see who is in voice tonight, so nobody was asked a second time. "
    "The campaign card has the details: {link}"
)
# {reasons} are some of the RISKs among the reasons, with semicolons between them.
AT_RISK: Final = "Tonight may go wrong: {reasons}. The campaign card says more: {link}"
# Above each message of a dry run.
DRY_RUN: Final = "[Dry run, only you see this]\n{message}"
# On our own pages, in place of Discord's countdown.
COUNTDOWN = "a countdown to it"

# The summary that the room reads: the first line, then who is still awaited, then the follow-ups.
ON_WITH: Final = "Game night is on: {here} of {asked} in voice at {time}."
# The same post, once it is final who came.
CAME_TO_VOICE: Final = "Game night: {here} of {asked} came to voice."
# Nobody was told anything: all had taken back that they play, or no message arrived.
NO_PLAYER_LEFT = "Nobody is left for tonight."
NONE_REACHED = "None of tonight’s messages arrived, so nobody was called."
ON_UNSEEN = "Game night is on. We could not see who is in voice, so nobody was asked a second time."
EVERYBODY_IS_HERE = "Everybody is here. Have fun!"
NONE_AWAITED = "Nobody else is awaited."
# {awaited} is a list of names, or how many they are; after twenty names comes how many there are beside them.
STILL_AWAITED: Final = "Still awaited: {awaited}"
# {players} is the same, of those who have said that they come later.
COMING_LATE: Final = "15 min late: {players}"
# {players} is the same, of those among them who are in the game.
ON_SERVER: Final = "On the server, not in voice: {players}"
AND_MORE: Final = " and {number} more"
# How many of those asked a second time were reached.
FOLLOWED_UP: Final = "follow-up {sent}/{tried}"
