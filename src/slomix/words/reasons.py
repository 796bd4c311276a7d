"""Why a message did not go out, and what can go wrong with those who carry it."""

from typing import Final

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
CANCELLED_BY_OPERATOR = "cancelled by an operator"
EVENING_IS_OVER = "the evening is over"
DANGER_IS_OVER = "the danger is over"
ANSWER_NOT_SEEN = "the answer was not seen"
WORKER_DID_NOT_COME_BACK = "the worker did not come back"

# What can go wrong with Discord: reasons too. {error}, {message}, {code} and {status} are technical, as Discord or its
# library says them.

DISCORD_NOT_REACHED: Final = "Discord cannot be reached ({error})"
DISCORD_DID_NOT_ANSWER: Final = "Discord did not answer ({error})"
DISCORD_TOO_SLOW = "Discord takes too long to answer"
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

# What is wrong with a part of the system, as /health says it to operators after the part's name.

NEVER_SEEN = "was never seen"
NOT_SEEN_FOR: Final = "has given no sign for {seconds} s; it does so every {every} s"
COPIES_MISSING: Final = "{missing} of {copies} processes silent"
CLOCKS_DIFFER: Final = "its clock is {seconds} s ahead of ours"
NOT_KNOWN_WITHOUT_DATABASE = "not known while the database is away"
DOES_NOT_ANSWER = "does not answer"
# {error} is technical, as the database's library says it.
REFUSES_TO_ANSWER: Final = "refuses to answer ({error})"
HANGS: Final = "does not answer within {seconds} s"
# Put after the one before.
ALL_CONNECTIONS_IN_USE: Final = "; all {most} connections of this process are in use"
DATABASE_NOT_READY: Final = "the database {reason}"
NO_SCHEMA: Final = "the database has no schema yet; this version needs {needed}"
OLD_SCHEMA: Final = "the schema is at {found}; this version needs {needed}"

# What may go wrong with an evening: reasons as well, for its promoter and for admins.

# What was wrong a moment ago and is not any more.
RISK_PASSING = "something did not answer for a while"
RISK_PAUSED = "sending is paused"
RISK_LATE = "messages are due and have not left for a minute"
# {channel} is one of CHANNELS, {some} and {all} are numbers of people, {part} is a part of the system by its own name.
RISK_CHANNEL: Final = "the last messages on {channel} did not get through"
RISK_VOICE = "nobody knows who is in voice"
RISK_UNREACHABLE: Final = "{some} of the {all} who are asked cannot be reached"
RISK_PART: Final = "{part} does not answer"
RISKS_OF_PARTS = {
    "scheduler": "the scheduler is silent, so nothing new is begun",
    "worker": "no worker is there to send messages",
    "discord": "the Discord process is silent, so nobody sees who is in voice",
    "redis": "Redis does not answer, so messages leave late or not at all",
    "database": "the database does not answer",
}
