"""Why a message did not go out, and what can go wrong with those who carry it."""

from typing import Final

# Why a message did not go out, or a part of the evening did not happen, by the code that is stored; shown after a word
# such as "skipped". {detail} is technical: what a provider or its library says, or a status such as "sent".
REASONS: Final = {
    "not_linked": "not linked",
    "left_our_server": "left our Discord server",
    "not_opted_in": "not opted in",
    "no_working_contact": "no working contact",
    "quiet_hours": "quiet hours",
    # As many messages as a person gets a day without asking for them.
    "enough_for_today": "enough for today",
    "has_answered": "has answered already",
    "status_cleared": "cleared their status",
    "not_playing": "not playing",
    "already_in_voice": "already in voice",
    "not_so_many_any_more": "not so many are looking any more",
    "enough_by_now": "there are enough by now",
    "picked_in_time": "picked in time",
    "nobody_picked": "nobody was picked",
    "no_members_known": "nobody knows who is in our Discord server",
    "voice_not_known": "nobody knows who is in voice",
    "voice_no_longer_known": "nobody knows any more who is in voice",
    "too_late": "too late",
    "expired": "expired",
    "switched_off": "switched off",
    "withdrawn": "cancelled",
    "cancelled_by_operator": "cancelled by an operator",
    "evening_is_over": "the evening is over",
    "danger_is_over": "the danger is over",
    "nobody_was_told": "nobody was told",
    "nobody_left_to_tell": "there is nobody left to tell",
    "told_there": "told by the earlier site",
    "already": "already {detail}",
    "no_try_left": "no try was left",
    "answer_not_seen": "the answer was not seen",
    "worker_did_not_come_back": "the worker did not come back",
    # An address was sealed with a key that we do not have any more.
    "unreadable": "we can no longer read this address; please link it again",
    "crashed": "{detail}",
    "discord_not_reached": "Discord cannot be reached ({detail})",
    "discord_did_not_answer": "Discord did not answer ({detail})",
    "discord_too_slow": "Discord takes too long to answer",
    "discord_hides_room": "Discord does not let us read that room (Read Message History)",
    "discord_is_busy": "Discord asks us to slow down (429)",
    "discord_blocks_us": "Discord blocks our address for a while",
    "discord_token_refused": "Discord refuses our bot's token, and an operator has to set another",
    "dms_closed": "this person's DMs are closed to the bot",
    "no_mutual_server": "this person shares no Discord server with the bot",
    "discord_said": "Discord: {detail}",
    "discord_answered": "Discord answered {detail}",
    "telegram_not_reached": "Telegram cannot be reached ({detail})",
    "telegram_did_not_answer": "Telegram did not answer ({detail})",
    "telegram_is_busy": "Telegram asks us to slow down (429)",
    "telegram_blocked": "the bot is blocked there",
    "telegram_chat_gone": "the Telegram chat is gone",
    "telegram_deactivated": "this Telegram account was deleted",
    "telegram_not_started": "this person has never written to the bot on Telegram",
    "telegram_is_a_bot": "this is a bot on Telegram, and bots get no messages from bots",
    "telegram_no_such_chat": "Telegram knows no such chat",
    "telegram_said": "Telegram: {detail}",
    "signal_not_reached": "Signal cannot be reached ({detail})",
    "signal_did_not_answer": "Signal did not answer ({detail})",
    "signal_is_busy": "Signal asks us to slow down",
    "signal_challenge": "Signal wants an operator to prove that we are no robot",
    "signal_unknown_number": "Signal does not know this account",
    "signal_said": "Signal: {detail}",
    "not_e164": "this is neither an account on Signal nor a phone number with its country code",
    "other": "{detail}",
}

# What the owner of an address can do about it, by the reason why it doesn't work; then a test message shows whether it
# does.

CONTACT_REMEDIES: Final = {
    "dms_closed": "In Discord, open the menu of our server, then Privacy Settings, and allow direct messages."
    " Then send yourself a test message.",
    "no_mutual_server": "Join our Discord server, then send yourself a test message.",
}

# Details of what Signal said, in place of its own words, which name numbers.

SIGNAL_UNTRUSTED_KEY = "this phone is new, and our operator has to trust its key first"
SIGNAL_NOT_REGISTERED = "our own number is not registered there"
SIGNAL_NO_LISTENING: Final = "does not let us listen ({code})"

# Why our Signal service is of no use.

SIGNAL_MODE: Final = "the service runs in mode {mode}; it has to be json-rpc or json-rpc-native"
SIGNAL_VERSION: Final = "the service has version {version}; it has to be 0.85 or newer"
SIGNAL_NOT_OURS = "AVAILABILITY_SIGNAL_SENDER: the service has no such number"

# What is wrong with a part of the system, as /health says it to operators after the part's name.

# {reason} is the provider's.
CANNOT_HEAR: Final = "{channel} has not been heard for {seconds} s: {reason}"
# {since} is a moment, {reason} in the provider's own words.
PROVIDER_OUT: Final = "takes no messages since {since}: {reason}"
NEVER_SEEN = "was never seen"
NOT_SEEN_FOR: Final = "has given no sign for {seconds} s; it does so every {every} s"
COPIES_MISSING: Final = "{missing} of {copies} processes silent"
CLOCK_BEHIND: Final = "its machine's clock is {seconds} s behind the database's, and is corrected"
CLOCK_AHEAD: Final = "its machine's clock is {seconds} s ahead of the database's, and is corrected"
DATABASE_CLOCK_OFF: Final = (
    "the database's clock says {ours}, Discord's says {theirs}: messages leave at the wrong time"
)
CLOCKS_DIFFER: Final = "its clock is {seconds} s ahead of ours"
NOT_KNOWN_WITHOUT_DATABASE = "not known while the database is away"
DOES_NOT_ANSWER = "does not answer"
# {error} is technical, as the database's library says it.
REFUSES_TO_ANSWER: Final = "refuses to answer ({error})"
# Redis; {error} and {policy} are its own words.
TAKES_NO_NUDGES: Final = "answers, and takes no nudges: {error}"
LOSES_NUDGES = "answers, and loses the nudges it took"
MAY_FORGET_NUDGES: Final = "may throw nudges away when its memory is full: maxmemory-policy is {policy}, not noeviction"
HANGS: Final = "does not answer within {seconds} s"
# Put after the one before.
ALL_CONNECTIONS_IN_USE: Final = "; all {most} connections of this process are in use"
DATABASE_NOT_READY: Final = "the database {reason}"
NO_SCHEMA: Final = "the database has no schema yet; this version needs {needed}"
OLD_SCHEMA: Final = "the schema is at {found}; this version needs {needed}"

# What an installation needs; {url} is PUBLIC_URL, {reason} technical.
NOT_TRIED_YET = "not tried yet"
NOT_PROVEN_FOR: Final = "could not be tried for {seconds} s"
DISK_NEARLY_FULL: Final = "{place} has {megabytes} MB left"
DATABASE_DISK_FULL = "the database's disk is full"
NO_BACKUP = "there is none yet"
BACKUP_OLD: Final = "the last one is {hours} hours old"
PUBLIC_URL_NOT_REACHED: Final = "{url} cannot be reached: {reason}"
PUBLIC_URL_STATUS: Final = "{url} answers with status {status}"
PUBLIC_URL_IS_ANOTHER: Final = "somebody else than this installation answers at {url}"
CERTIFICATE_REFUSED: Final = "{url} has a certificate that browsers refuse: {reason}"
CERTIFICATE_ENDS: Final = "its last day is in {days} days"

# What may go wrong with an evening: reasons as well, for its promoter and for admins.

# What was wrong a moment ago and is not any more.
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
    "discord_provider": "Discord takes no messages",
    "telegram_provider": "Telegram takes no messages",
    "signal_provider": "Signal takes no messages",
    "redis": "Redis carries no nudges, so messages leave some seconds late",
    "database": "the database does not answer",
    "disk": "a disk is full, so nothing new can be stored",
}
