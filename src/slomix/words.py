"""Every word that the code itself says to a person, ready to be translated. The rest stands in the templates.

A sentence with {blanks} is filled in by `str.format`, and `Final`, so that mypy knows whether every blank is.
"""

from typing import Final

# Any page: who may do what, and what went wrong

PLEASE_LOG_IN = "Please log in with Discord first."
PLEASE_LINK = "Please link your player profile first."
ONLY_PROMOTERS = "Only promoters can call a game night together."
NOT_FROM_OUR_PAGE = "This did not come from a Slomix page, or you logged out since. Reload the page and try again."
LOGGED_OUT_SINCE = "You are not logged in any more, so nothing was changed. Log in and try again."
NO_SUCH_PAGE = "There is no such page."
CANNOT_BE_STORED = "Some of what you sent cannot be stored, such as a zero byte. Nothing was changed."
DATABASE_AWAY = "Our database does not answer right now. Nothing was changed; try again in a moment."
OUR_MISTAKE = "That is our mistake, not yours. Nothing was changed; please try again."
DID_NOT_WORK = "That did not work."

# What stands above the sentence on an error's page, by HTTP status.
TITLES = {
    400: "Not understood",
    401: "Log in first",
    403: "Not allowed",
    404: "Not found",
    405: "Not possible here",
    409: "Not now",
    413: "Too large",
    422: "That does not work",
    500: "Something broke on our side",
    503: "Not reachable",
}
# What went wrong when no code of ours was reached.
REFUSALS = {
    405: "This address does not work that way.",
    413: "That is more than we take at once. Nothing was changed.",
}
ANY_OTHER_TITLE = "That did not work"

# JSON calls. {field} is the name of a JSON field, which is never translated.

SEND_AN_OBJECT = "Send a JSON object."
MUST_BE_TEXT: Final = "The field {field} must be a text."
MUST_BE_TRUE_OR_FALSE: Final = "The field {field} must be true or false."
MUST_BE_A_START = "The field start must be a text such as 21:00."

# Accounts: logging in and out, the player profile

LOGGED_OUT = "You are logged out."
LOGIN_DECLINED = "You did not log in, and nothing was shared. You can change your mind any time."
LOGIN_NOT_VALID = "This login is no longer valid. It may have taken too long, or been used already."
LOGIN_REFUSED = "Discord did not accept this login. Please start again."
DISCORD_SILENT = "Discord does not answer right now. Nothing is lost; please try again in a moment."
NO_SUCH_PROFILE = "There is no such player profile."
# {player} is the name of the profile.
PROFILE_TAKEN: Final = "{player} is already linked to somebody else. If that is you, ask an admin to settle it."
LINKED: Final = "You are {player}. Have fun!"
UNLINKED = "Unlinked. You get no messages any more."
# Stands in for the name of a player whose name is empty.
UNNAMED = "unnamed"

# The appearance of the pages

NO_SUCH_APPEARANCE = "There is no such appearance. Pick System, Light or Dark."

# Availability: days and what players say about them

# The four statuses, by the names they have in the database.
STATUSES = {
    "LOOKING": "Looking",
    "AVAILABLE": "Available",
    "MAYBE": "Maybe",
    "NOT_PLAYING": "Not playing",
}
SAVED = "Saved."
CLEARED = "Cleared."
PAST_DAY = "That day is over, so it can be read but no longer changed."
FAR_DAY: Final = "That day is too far away. You can plan up to {days} days ahead."
NO_SUCH_DAY = "That is not a date. A date looks like 2026-11-22."
NO_SUCH_MONTH = "There is no calendar for that. A month looks like 2026-11."
NO_SUCH_STATUS = "That is not a status. Pick Looking, Available, Maybe or Not playing."
SPAN_TOO_LONG: Final = "Ask for at most {days} days, the first before the last."
YESTERDAY = "Yesterday"
TODAY = "Today"
TOMORROW = "Tomorrow"

# Contacts: quiet hours and the ready sound

NO_SUCH_TIME = "That is not a time of day. A time looks like 22:30."
HALF_QUIET_HOURS = "Quiet hours need both a beginning and an end, or neither."
EMPTY_QUIET_HOURS = "Quiet hours that begin and end at the same time would mean never or always. Pick two times."
NO_SUCH_ZONE = "That is not a time zone. One looks like Europe/Ljubljana."
SOUND_TOO_OFTEN = "The ready sound can wait 30 to 3600 seconds before it plays again. Pick a number in between."

# Campaigns: calling an evening together

START_TOO_LONG_AGO: Final = "That start was more than {minutes} minutes ago. Pick a later start, or call tomorrow."
NOBODY_TO_ASK = "Nobody to ask yet: no opted-in player of this audience is looking. Nothing was used up."
PROMOTING_SWITCHED_OFF = "Promoting is switched off here."
NO_SUCH_START = "That is not a time to start at. A time looks like 21:00."
# The key is a code by which a form that was sent twice is known; {length} is a number of characters.
KEY_TOO_LONG: Final = "The key of a submit has at most {length} characters."
# {promoter} is a player's name, {status} one word such as "scheduled".
ALREADY_CALLED: Final = "Tonight has been called together already, by {promoter} ({status})."
# The states of campaigns, phases and messages: in {status} above and on badges.
STATES = {
    "pending": "planned",
    "scheduled": "scheduled",
    "running": "under way",
    "sending": "on its way",
    "sent": "sent",
    "followup_sent": "follow-up sent",
    "partial": "not everybody reached",
    "failed": "failed",
    "skipped": "skipped",
    "unknown": "unknown",
    "cancelled": "cancelled",
}
NO_SUCH_CAMPAIGN = "There is no such campaign."
NOTHING_TO_CANCEL = "This campaign is over, so there is nothing left to cancel."
# {count} is a number of players.
CALLED: Final = "Called together: {count} will hear of it."
TRIED_OUT = "Dry run: four messages are on their way to you, and to nobody else."
CANCELLED = "Cancelled."

# Messages on Discord. {time} and {countdown} are written by Discord, in the reader's own zone and language: "21:00",
# "in 15 minutes". {link} is an address.

GAME_NIGHT_STARTS_AT: Final = "Game night starts at {time} ({countdown}). See you there?"
GAME_NIGHT_STARTS_NOW = "Game night starts now. Come and join!"
GAME_NIGHT_HAS_BEGUN: Final = "Game night has begun, at {time}. Come and join!"
STILL_COMING = "We are starting and would like to have you with us. Still coming?"
# How such a message ends: the voice room, the board, and how to get no more of them.
VOICE_ROOM: Final = "Voice: {link}"
TONIGHT: Final = "Tonight: {link}"
HOW_TO_STOP: Final = "You get this because you asked to be called to game nights. Stop it here: {link}"
# To the promoter alone.
NOBODY_ASKED_AGAIN: Final = (
    "We could not see who is in voice tonight, so nobody was asked a second time. "
    "The campaign card has the details: {link}"
)
# Above each message of a dry run.
DRY_RUN: Final = "[Dry run, only you see this]\n{message}"
# On our own pages, in place of Discord's countdown.
COUNTDOWN = "a countdown to it"

# The summary that the room reads: the first line, then who is still awaited, then the follow-ups.
ON_WITH: Final = "Game night is on: {here} of {asked} in voice."
ON_UNSEEN = "Game night is on. We could not see who is in voice, so nobody was asked a second time."
EVERYBODY_IS_HERE = "Everybody is here. Have fun!"
NOBODY_ELSE_AWAITED = "Nobody else is awaited."
# {awaited} is a list of names, or how many they are; after twenty names comes how many there are beside them.
STILL_AWAITED: Final = "Still awaited: {awaited}"
AND_MORE: Final = " and {number} more"
# How many of those asked a second time were reached.
FOLLOWED_UP: Final = "follow-up {sent}/{tried}"

# Reasons: why a message did not go out, or a part of the evening did not happen, as it is shown after a word such as
# "skipped". They are stored as they stand here: after a change, what is stored already stays in the old words.

NOT_LINKED = "not linked"
NOT_OPTED_IN = "not opted in"
NO_WORKING_CONTACT = "no working contact"
QUIET_HOURS = "quiet hours"
STATUS_CLEARED = "cleared their status"
NOT_PLAYING = "not playing"
ALREADY_IN_VOICE = "already in voice"
VOICE_NO_LONGER_KNOWN = "nobody knows any more who is in voice"
VOICE_NOT_KNOWN = "nobody knows who is in voice"
# {reason} is one of what can go wrong with Discord, below.
VOICE_NOT_KNOWN_BECAUSE: Final = "nobody knows who is in voice: {reason}"
TOO_LATE = "too late"
EXPIRED = "expired"
SWITCHED_OFF = "switched off"
WITHDRAWN = "cancelled"  # and looked for in what is stored, so a change of this one needs a migration
NOBODY_WAS_TOLD = "nobody was told"
NOBODY_LEFT_TO_TELL = "there is nobody left to tell"
# {status} is one word such as "sent".
ALREADY: Final = "already {status}"
NO_TRY_LEFT = "no try was left"
ANSWER_NOT_SEEN = "the answer was not seen"
WORKER_DID_NOT_COME_BACK = "the worker did not come back"

# What can go wrong with Discord: reasons too. {error}, {message}, {code} and {status} are technical, as Discord or its
# library says them.

DISCORD_NOT_REACHED: Final = "Discord cannot be reached ({error})"
DISCORD_DID_NOT_ANSWER: Final = "Discord did not answer ({error})"
DISCORD_IS_BUSY = "Discord asks us to slow down (429)"
DMS_CLOSED = "this person's DMs are closed to the bot"
DISCORD_SAID: Final = "Discord: {message} ({code})"
# In place of {message} when Discord gives none.
REFUSED = "refused"
DISCORD_ANSWERED: Final = "Discord answered {status} {message}"
