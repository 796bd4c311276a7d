"""Every word that the code itself says to a person, ready to be translated. The rest stands in the templates.

A sentence with {blanks} is filled in by `str.format`, and `Final`, so that mypy knows whether every blank is.
"""

from typing import Final

# Any page: who may do what, and what went wrong

PLEASE_LOG_IN = "Please log in with Discord first."
PLEASE_LINK = "Please link your player profile first."
YOU_LEFT = "You left our Discord server. Join it again, then press “I am back” on your profile."
ONLY_PROMOTERS = "Only promoters can call a game night together."
ONLY_ADMINS = "Only admins may look at this."
NOT_FROM_OUR_PAGE = "This did not come from a Slomix page, or you logged out since. Reload the page and try again."
LOGGED_OUT_SINCE = "You are not logged in any more, so nothing was changed. Log in and try again."
NO_SUCH_PAGE = "There is no such page."
CANNOT_BE_STORED = "Some of what you sent cannot be stored, such as a zero byte. Nothing was changed."
DATABASE_AWAY = "Our database does not answer right now. Nothing was changed; try again in a moment."
OUR_MISTAKE = "That is our mistake, not yours. Nothing was changed; please try again."
WRONG_HOST = "There is no Slomix at this address."
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
    429: "A moment, please",
    500: "Something broke on our side",
    503: "Not reachable",
}
# What went wrong when no code of ours was reached.
REFUSALS = {
    405: "This address does not work that way.",
    413: "That is more than we take at once. Nothing was changed.",
    429: "That was a little often. Wait a moment, then try again; nothing was changed.",
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
NOT_A_MEMBER = "Only members of our Discord server can have a player here. Join it, then try again."
SIGNED_OUT = "You are logged out everywhere, here too."
STILL_NOT_A_MEMBER = "Discord says that you are not in our server yet."
WELCOME_BACK = "Welcome back!"
CLAIMED: Final = "An admin will look whether {player} is you."
CLAIM_WITHDRAWN = "You do not ask for it any more."
CLAIM_OPEN = "You have asked for a profile already. Take that back first, or wait for an admin."
CLAIM_SETTLED = "That claim is settled already."
NOTE_TOO_LONG: Final = "Please tell it in at most {length} characters."
ACCOUNT_DELETED = "Your account is deleted. Nothing is sent to you any more. Thank you for playing!"
NO_SUCH_ROLE = "There is no such role. Pick promoter or admin."
NO_SUCH_DISCORD_ID = "That is not a Discord id. One is a number of about 18 digits."
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

# Contacts: what a player wants to hear, where, and when not

NO_SUCH_KIND = "There is no such kind of message."
NO_SUCH_CHANNEL = "There is no such channel. Pick Discord, Telegram or Signal."
NO_SUCH_THRESHOLD = "How many have to be looking is a number from 0 (off) to 99."
NO_SUCH_LIFETIME = "A code lives 5 to 120 minutes. Pick a number in between."
CHANNEL_OFF: Final = "{channel} is switched off here."
NO_KEY = "This installation keeps no addresses, so Telegram and Signal cannot be linked here."
CODE_TOO_SOON = "You got a code a moment ago. Wait a little before you ask for another."
CODE_NOT_VALID = "This code is not valid: it may be too old, or used already. Get a new one on your preferences page."
ADDRESS_TAKEN: Final = "This {channel} account belongs to another player here. They have to unlink it first."
NO_SUCH_CHAT = "That is not the id of a private Telegram chat."
WELCOME_SAVED = "Saved. You can change it any time under Preferences."
WELCOME_NOTHING = "All right, we stay silent. You can change it any time under Preferences."
NO_SUCH_NUMBER = "That is not a phone number with its country code, such as +38640123456."
STOP_LINK_NOT_VALID = (
    "This link is not valid any more: whoever it was for is not linked here now. Nothing is sent to them."
)
NOTHING_LINKED: Final = "{channel} is not linked."
CONTACT_REMOVED: Final = "{channel} is unlinked. Nothing is sent there any more."
TEST_ON_ITS_WAY: Final = "A test message is on its way to {channel}."
TEST_TOO_SOON = "You asked for a test message a moment ago. Give it a little time."
BRIDGE_OFF = "No bridge may confirm links here: INTERNAL_API_SECRET is not set."
BRIDGE_UNKNOWN = "This is not the secret of the bridge."
# An address was sealed with a key that we do not have any more.
UNREADABLE = "we can no longer read this address; please link it again"
CHANNELS = {"discord": "Discord", "telegram": "Telegram", "signal": "Signal"}

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

# Messages. {time} and {countdown} are an hour and how long until then, "21:00" and "in 15 minutes", in the reader's own
# zone; Discord writes them itself, in the reader's language. {link} is an address.

GAME_NIGHT_STARTS_AT: Final = "Game night starts at {time} ({countdown}). See you there?"
GAME_NIGHT_STARTS_NOW = "Game night starts now. Come and join!"
GAME_NIGHT_HAS_BEGUN: Final = "Game night has begun, at {time}. Come and join!"
# In place of Discord's countdown, where a channel knows only text.
IN_A_MINUTE = "in a minute"
IN_MINUTES: Final = "in {minutes} minutes"
STILL_COMING = "We are starting and would like to have you with us. Still coming?"
# How such a message ends: the voice room, the board, and how to get no more of them.
VOICE_ROOM: Final = "Voice: {link}"
TONIGHT: Final = "Tonight: {link}"
HOW_TO_STOP: Final = "You get this because you asked to be called to game nights. Why, and how to stop it: {link}"
# Of a day, whoever calls it together. {count} is a number of players.
SO_MANY_LOOKING: Final = "{count} are looking to play tonight. Join in: {link}"
ARE_YOU_IN: Final = "Are you in tonight? Say so here: {link}"
# How these end, by the kind of message.
WHY_OF_KIND: Final = {
    "session_ready": "You get this because you asked to hear when a session is ready. Why, and how to stop it: {link}",
    "looking": "You get this because you asked to hear when so many are looking. Why, and how to stop it: {link}",
    "daily_reminder": "You get this because you asked to be asked once a day. Why, and how to stop it: {link}",
}
# To whoever wants to see that messages arrive.
TEST_MESSAGE: Final = "This is the test message that you asked for. It works! {link}"
# Answers on Telegram and Signal to what somebody wrote.
INBOX_HELP: Final = (
    "Slomix gets game nights started: {link}\n"
    "/today, /tomorrow: how it looks\n"
    "/avail looking: what you say about today; available, maybe, not playing and clear work too\n"
    "/avail tomorrow maybe: the same for another day, such as 2026-11-22\n"
    "/link CODE: link this chat with a code from your preferences\n"
    "/unlink: nothing is sent here any more"
)
INBOX_LINK_HOW: Final = "Get a code under Preferences and send it here as /link CODE: {link}"
INBOX_LINKED: Final = "This chat is linked to {player}. What you hear of is decided under Preferences: {link}"
INBOX_NOT_LINKED: Final = "This chat is not linked to a player. Get a code under Preferences: {link}"
INBOX_UNLINKED = "Unlinked. Nothing is sent here any more."
INBOX_AVAIL_HOW = "Say for example: /avail looking, /avail tomorrow maybe, /avail 2026-11-22 not playing, /avail clear."
# {day} is Today, Tomorrow or a date, {status} one of the four statuses.
INBOX_SAID: Final = "{day}: {status}."
INBOX_NO_ANSWER = "no answer yet"
# {counts} is how many said what, {mine} the reader's own status.
INBOX_DAY: Final = "{day}: {counts}.\nYou: {mine}.\n{link}"
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
LEFT_OUR_SERVER = "left our Discord server"
NOT_OPTED_IN = "not opted in"
HAS_ANSWERED = "has answered already"
NOT_SO_MANY_ANY_MORE = "not so many are looking any more"
NO_WORKING_CONTACT = "no working contact"
QUIET_HOURS = "quiet hours"
STATUS_CLEARED = "cleared their status"
NOT_PLAYING = "not playing"
ALREADY_IN_VOICE = "already in voice"
NO_MEMBERS_KNOWN = "nobody knows who is in our Discord server"
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

# What can go wrong with Telegram and Signal: reasons too, with the same kind of blanks.

TELEGRAM_NOT_REACHED: Final = "Telegram cannot be reached ({error})"
TELEGRAM_DID_NOT_ANSWER: Final = "Telegram did not answer ({error})"
TELEGRAM_IS_BUSY = "Telegram asks us to slow down (429)"
TELEGRAM_BLOCKED = "the bot is blocked there"
TELEGRAM_CHAT_GONE = "the Telegram chat is gone"
TELEGRAM_SAID: Final = "Telegram: {message} ({code})"
SIGNAL_NOT_REACHED: Final = "Signal cannot be reached ({error})"
SIGNAL_DID_NOT_ANSWER: Final = "Signal did not answer ({error})"
SIGNAL_IS_BUSY = "Signal asks us to slow down"
SIGNAL_CHALLENGE = "Signal wants an operator to prove that we are no robot"
SIGNAL_UNKNOWN_NUMBER = "Signal does not know this number"
SIGNAL_SAID: Final = "Signal: {message} ({code})"
NOT_E164 = "this is not a phone number with its country code"

# Admins

# {person} is a Discord name, {player} the name of a profile, {role} one of ROLES.
CLAIM_GRANTED: Final = "{person} is {player} now."
CLAIM_REFUSED: Final = "Refused: {person} does not become {player}."
NO_SUCH_CLAIM = "There is no such claim."
NO_SUCH_ACCOUNT = "There is no such account."
CHANGED_SINCE = "Somebody changed this since you looked. Look again, then decide."
UNLINKED_BY_ADMIN: Final = "{person} is not {player} any more."
SIGNED_OUT_BY_ADMIN: Final = "{person} is logged out everywhere."
LINKS_SEEN = "Nothing of this is new to you any more."
NO_SUCH_MOMENT = "That is not a moment. Open the page again and press the button there."
ROLE_GRANTED: Final = "{person} is {role} now, from the next page on."
ROLE_HELD: Final = "{person} is {role} already."
ROLE_REVOKED: Final = "{person} is not {role} any more."
ROLE_NOT_GRANTED = "This right was not granted here, or somebody took it back already."
ROLES = {"promoter": "a promoter", "admin": "an admin"}
# What happened, by its name in the audit log.
LINK_ACTIONS = {
    "discord_linked": "first login",
    "discord_unlinked": "account deleted",
    "player_linked": "linked",
    "player_changed": "changed profile",
    "player_unlinked": "unlinked",
    "player_claimed": "claimed a profile",
    "claim_refused": "claim refused",
    "role_granted": "right granted",
    "role_revoked": "right revoked",
    "signed_out_everywhere": "logged out everywhere",
    "left_guild": "left the server",
    "came_back": "came back",
    "players_imported": "players imported",
}
# Why nothing is sent on a channel; the names of settings are never translated.
NO_BOT_TOKEN = "Nothing can be sent: DISCORD_BOT_TOKEN is not set."
CHANNEL_NOT_ENABLED: Final = "Switched off: {setting} is not on."
CHANNEL_HAS_NO_KEY = "Switched off: CONTACT_DATA_ENCRYPTION_KEY is not set."
# A file of player profiles. {line} is a number; guid, name and aliases are column names, which stay.
NO_FILE = "Pick a file first."
CSV_NOT_UTF8 = "This file is not UTF-8. Save it as CSV in UTF-8 and try again."
CSV_NO_COLUMN: Final = "The column {columns} is missing in the first line."
CSV_EMPTY = "There is no profile in this file."
CSV_EMPTY_FIELD: Final = "Line {line}: guid and name must both be there."
CSV_TWICE: Final = "Line {line}: the guid {guid} is there twice."
CSV_TOO_MANY_FIELDS: Final = "Line {line} has more fields than the first one. Put what has a comma in it in quotes."
CSV_CONTROL_CHARACTER: Final = "Line {line}: there is a character in it that cannot be shown, such as a line break."
CSV_NOT_READABLE: Final = "This is not CSV, from about line {line} on ({error})."
IMPORTED: Final = "Imported: {added} added, {updated} updated."
