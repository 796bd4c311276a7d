"""What a campaign's card says."""

from typing import Final

# What the card is of; an hour or a day follows.
GAME_NIGHT_AT = "Game night at"
GAME_NIGHT = "Game night,"
DRY_RUN_OF = "Dry run for"

# The phases of an evening, by what stores them.
PHASES = {
    "send_reminder_2045": "Reminder",
    "send_start_2100": "Start",
    "voice_check_2100": "Voice check",
    "summary": "Summary",
}

# How many players were told something and, before that, how many will be. {number} is how many.
SO_MANY_ASKED: Final = "{number} asked"
SO_MANY_WILL_BE_ASKED: Final = "{number} will be asked"

# What became of a phase, where its messages say nothing yet. {reason} and {error} tell why, in a few words.
TRYING_AGAIN = "trying again"
PHASE_STATES = {"running": "under way", "sent": "done", "failed": "failed"}
SKIPPED_BECAUSE: Final = "skipped: {reason}"
FAILED_WITH: Final = "failed: {error}"
POSTED = "posted"
NO_REASON = "no reason given"

# What became of its messages. {number} is how many.
SO_MANY_TRIED_AGAIN: Final = "{number} being tried again"
SO_MANY_SENT: Final = "{number} sent"
FOLLOW_UPS_SENT: Final = "follow-up: {number} sent"
SO_MANY_PLANNED: Final = "{number} planned"
ON_THE_WAY: Final = "{number} on the way"
# Followed by one of the three below, and tonight by the last word.
TOLD_BY: Final = "{number} told by"
LEFT_TO_BE_TOLD_BY: Final = "{number} left to be told by"
THE_EARLIER_SITE = "the earlier site"
AN_EARLIER_CAMPAIGN = "an earlier campaign"
A_LATER_CAMPAIGN = "a later campaign"
ON_THIS_EVENING = "tonight"

# How the evening turned out: {here} of {asked} players. Until that is final, how it was at {time}, an hour.
OVER = "Over."
ALL_CAME: Final = "All {asked} came to voice."
SOME_CAME: Final = "{here} of {asked} came to voice."
SOME_IN_VOICE: Final = "{here} of {asked} in voice at {time}."
# Of one player.
CAME = "came"
IN_VOICE_AT: Final = "in voice at {time}"
ON_SERVER_ONLY = "on the server, not in voice"
NOT_IN_VOICE = "not in voice"
TURNOUT_UNKNOWN = "Nobody knows who came to voice."

# What can be pressed.
RETRY_SUMMARY = "Post the summary again"
RETRY_SOME_FAILED: Final = "Try {number} of the {total} that failed again"
RETRY_ONE_FAILED = "Try the one that failed again"
RETRY_FAILED: Final = "Try the {number} that failed again"
RETRY_ONE_UNKNOWN = "Send the unknown one again"
RETRY_UNKNOWN: Final = "Send the {number} unknown again"
ONE_MAY_ARRIVE_TWICE = "It may have arrived already, and then it arrives twice."
MAY_ARRIVE_TWICE = "They may have arrived already, and then they arrive twice."
NOT_CALLED_YET = "Nobody has called tonight together yet."
CALL_AGAIN = "It was cancelled. You can call again."
