"""What pages and answers of the JSON calls say."""

from typing import Final

# Any page: who may do what, and what went wrong

PLEASE_LOG_IN = "Please log in with Discord first."
PRESSED_WAITS = "Choose your player, and what you pressed is saved."
PLEASE_LINK = "Please link your player profile first."
YOU_LEFT = "You left our Discord server. Join it again, then press “I am back” on your profile."
ONLY_PROMOTERS = "Only promoters can call a game night together."
ONLY_ADMINS = "Only admins may look at this."
NOT_FROM_OUR_PAGE = "This did not come from a Slomix page, or you logged out since. Reload the page and try again."
LOGGED_OUT_SINCE = "You are not logged in any more, so nothing was changed. Log in and try again."
PAGE_OF_ANOTHER_VIEWER = (
    "This page was made for another login than yours now. Nothing was changed; open the page again."
)
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
    408: "That took too long to arrive. Nothing was changed; try again.",
    413: "That is more than we take at once. Nothing was changed.",
    429: "That was a little often. Wait a moment, then try again; nothing was changed.",
}
FRESH_LOGIN_NEEDED = "For this, log in once more: your login here is a while old. Then come back and try again."
LOGGED_OUT_THERE = "That browser is logged out."
TOO_MANY_STREAMS = "Too many pages are open from here. This one looks for news every few seconds instead."
ANY_OTHER_TITLE = "That did not work"

# JSON calls. {field} is the name of a JSON field, which is never translated.

SEND_AN_OBJECT = "Send a JSON object."
MUST_BE_TEXT: Final = "The field {field} must be a text."
MUST_BE_TRUE_OR_FALSE: Final = "The field {field} must be true or false."
# {sentence} is one of those about a value, wherever it was typed.
IN_FIELD: Final = "Field {field}: {sentence}"
AT_LABEL: Final = "{label}: {sentence}"

# Accounts: logging in and out, the player profile

LOGGED_OUT = "You are logged out."
LOGGED_IN_ALREADY = "You are logged in already."
LOGIN_DECLINED = "You did not log in, and nothing was shared. You can change your mind any time."
LOGIN_NOT_VALID = "This login is no longer valid. It may have taken too long, or been used already."
LOGIN_REFUSED = "Discord did not accept this login. Please start again."
LOGIN_SET_UP_WRONGLY = (
    "Discord refuses logins for this site: it is set up wrongly. That is not your fault; please tell an admin."
)
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
THE_NAME = "The name"
THE_NOTE = "The note"
THE_SEARCH = "The text to search for"
NAME_CONTROL: Final = "{what} has a character that cannot be shown, such as a line break. Type it anew without that."
NAME_UNSEEN: Final = "{what} needs a letter or a digit that can be seen; it has {shortest} to {longest} characters."
NAME_MARKS: Final = "{what} may have at most {most} accents or other marks on one letter. Take some away."
NAME_LENGTH: Final = "{what} has {shortest} to {longest} characters; this one has {number}."

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
UNDONE = "Undone."
TOO_LATE_TO_UNDO = "That can’t be undone any more: ten seconds are over, or it was changed again."
LATE_IS_FOR_TONIGHT = "You can be late for tonight only."
TOO_LATE_TO_BE_LATE = "It is too late to come later: nobody is waiting any more tonight."
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

NO_SUCH_CHANNEL = "There is no such channel. Pick Discord, Telegram or Signal."
NO_SUCH_THRESHOLD = "How many have to be looking is a number from 0 (off) to 99."
NO_SUCH_LIFETIME = "A code lives 5 to 120 minutes. Pick a number in between."
CHANNEL_OFF: Final = "{channel} is switched off here."
NO_KEY = "This installation keeps no addresses, so Telegram and Signal cannot be linked here."
CODE_TOO_SOON: Final = "You got a code a moment ago, and it still works. You can get another in {seconds} s."
CODE_NOT_VALID = "This code is not valid: it may be too old, or used already. Get a new one on your preferences page."
ADDRESS_TAKEN: Final = "This {channel} account belongs to another player here. They have to unlink it first."
NO_SUCH_CHAT = "That is not the id of a private Telegram chat."
WELCOME_SAVED = "Saved. You can change it any time under Preferences."
WELCOME_NOTHING = "All right, we stay silent. You can change it any time under Preferences."
NO_SUCH_NUMBER = (
    "That is neither the id of an account on Signal nor a phone number with its country code, such as +38640123456."
)
STOP_LINK_NOT_VALID = "This link is not valid any more: its player is not linked here now, and gets no messages."
NOTHING_LINKED: Final = "{channel} is not linked."
CONTACT_REMOVED: Final = "{channel} is unlinked. Nothing is sent there any more."
TEST_ON_ITS_WAY: Final = "A test message is on its way to {channel}."
TEST_TOO_SOON = "You asked for a test message a moment ago. Give it a little time."
BRIDGE_OFF = "No bridge may confirm links here: INTERNAL_API_SECRET is not set."
BRIDGE_UNKNOWN = "This is not the secret of the bridge."
CHANNELS = {"discord": "Discord", "telegram": "Telegram", "signal": "Signal"}

NO_SUCH_TIME = "That is not a time of day. A time looks like 22:30."
HALF_QUIET_HOURS = "Quiet hours need both a beginning and an end, or neither."
EMPTY_QUIET_HOURS = "Quiet hours that begin and end at the same time would mean never or always. Pick two times."
# What the form of the preferences calls its fields.
PREFERENCE_FIELDS = {
    "zone": "Your time zone",
    "looking_threshold": "Tell me when so many are looking",
    "preferred_channel": "First on",
    "quiet_hours": "Quiet hours",
    "sound_cooldown": "Ready sound",
}
NO_SUCH_ZONE = "That is not a time zone. One looks like Europe/Ljubljana."
SOUND_TOO_OFTEN = "The ready sound can wait 30 to 3600 seconds before it plays again. Pick a number in between."

# Campaigns: calling an evening together
DRY_RUN_UNDER_WAY: Final = "Your last dry run is still on its way. Wait until its messages have arrived."
# {number} dry runs in {minutes} minutes.
DRY_RUNS_USED_UP: Final = "You have tried it out {number} times in {minutes} minutes. Wait a little before the next."
START_TOO_LONG_AGO: Final = "That start was more than {minutes} minutes ago. Pick a later start, or call tomorrow."
NO_RECIPIENTS = "Nobody to ask yet: no opted-in player of this audience is looking. Nothing was used up."
PROMOTING_SWITCHED_OFF = "Promoting is switched off here."
NO_SUCH_START = "That is not a time to start at. A time looks like 21:00."
# The key is a code by which a form that was sent twice is known; {length} is a number of characters.
KEY_TOO_LONG: Final = "The key of a submit has at most {length} characters."
# Such a code was used before, for something else. {day} is a date.
SUBMIT_WAS_CANCELLED = "This was sent before, and its campaign was cancelled. Nothing was changed; you can call again."
SUBMIT_OF_ANOTHER_DAY: Final = "This was sent before, for {day}. Nothing was changed; you can call tonight together."
SUBMIT_CHOSE_OTHERWISE = "This was sent before, with other choices. Nothing was changed; look at them and call again."
# {promoter} is a player's name, {status} one word such as "scheduled".
ALREADY_CALLED: Final = "Tonight has been called together already, by {promoter} ({status})."
# The states of campaigns, phases and messages: in {status} above and on badges.
STATES = {
    "pending": "planned",
    "scheduled": "scheduled",
    "running": "under way",
    "sending": "on its way",
    "sent": "sent",
    "followup_sent": "called together",
    # A campaign of which nothing went wrong, tonight and afterwards.
    "called": "called together",
    "over": "over",
    # Some did not go well, by what it was.
    "partial": "not everybody reached",
    "unreached": "nobody reached",
    "check_failed": "voice check failed",
    "summary_failed": "summary not posted",
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
# The same form once more: what it made stands. {state} is one of the STATES, {asked} how many were or will be asked.
CALLED_BEFORE: Final = "You called tonight together already: {state}, {asked}."
TRIED_OUT_BEFORE: Final = "You tried this out already: {state}."
CANCELLED = "Cancelled."
# {number} is a number of messages, more than one.
TRIED_AGAIN: Final = "{number} messages go out again."
TRIED_AGAIN_ONE = "One message goes out again."
NOTHING_TO_RETRY = (
    "There is nothing to try again: it is on its way, it is too late for it, or there is no working contact."
)
CANCELLED_STAYS_SO = "This campaign is cancelled, so nothing of it goes out again."
# The messages of an evening, by what stores them.
NOTICE_TITLES = {
    "send_reminder_2045": "Reminder",
    "send_start_2100": "Start",
    "voice_check_2100": "Follow-up",
    "summary": "Summary",
    "presence_unknown": "Warning",
    "at_risk": "Early warning",
    # Messages about a day, with or without a promoter.
    "session_ready": "Session ready",
    "looking": "So many looking",
    "daily_reminder": "Daily reminder",
    "planning_ask": "More needed",
    "test": "Test message",
    "introduction": "Introduction",
    "dry_run.send_reminder_2045": "Dry run: Reminder",
    "dry_run.send_start_2100": "Dry run: Start",
    "dry_run.voice_check_2100": "Dry run: Follow-up",
    "dry_run.summary": "Dry run: Summary",
}

# The site as an app on a phone's home screen

APP_NAME: Final = "{community} game nights"
APP_DESCRIPTION = "Say when you will play, and game night gets started."

# The picture of an evening, which a pasted link shows

PICTURE_EMPTY: Final = "It takes {threshold}. Be the first to say so."
PICTURE_GATHERING: Final = "{looking} of {threshold} looking to play, {missing} to go."
PICTURE_READY: Final = "{looking} looking to play. It’s on."
PICTURE_OVER: Final = "The evening is over."
PICTURE_ALT: Final = "{day}, {start}: {looking} of {threshold} looking to play"
