"""What the pages of admins say."""

from typing import Final

# Admins

# {person} is a Discord name, {player} the name of a profile, {role} one of ROLES.
CLAIM_GRANTED: Final = "{person} is {player} now."
CLAIM_REFUSED: Final = "Refused: {person} does not become {player}."
NO_SUCH_CLAIM = "There is no such claim."
NO_SUCH_ACCOUNT = "There is no such account."
CHANGED_SINCE = "This was changed since you looked. Look again, then decide."
UNLINKED_BY_ADMIN: Final = "{person} is not {player} any more."
SIGNED_OUT_BY_ADMIN: Final = "{person} is logged out everywhere."
LINKS_SEEN = "Nothing of this is new to you any more."
NO_SUCH_MOMENT = "That is not a moment. Open the page again and press the button there."
ROLE_GRANTED: Final = "{person} is {role} now, from the next page on."
ROLE_HELD: Final = "{person} is {role} already."
ROLE_REVOKED: Final = "{person} is not {role} any more."
ROLE_NOT_GRANTED = "This right was not granted here, or was taken back already."
PAUSED = "Nothing is sent any more, until an admin resumes sending."
PAUSED_ALREADY = "Sending was paused already."
RESUMED = "Messages go out again."
NOT_PAUSED = "Sending was not paused."
# {process} is the name of a process, with its machine's.
DISMISSED: Final = "{process} is not missed any more."
NOT_DISMISSED: Final = "{process} is not silent, or was dismissed already."
ROLES = {"promoter": "a promoter", "admin": "an admin"}
# What happened, by its name in the audit log.
# Who did something in the audit log and is no account.
ACTORS = {
    "command line": "an operator",
    "discord": "Discord, as we saw there",
    "deleted": "an account that was deleted",
}
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
    "moved_in": "moved in from the earlier site",
    "links_seen": "new links marked as seen",
    "sending_paused": "sending paused",
    "sending_resumed": "sending resumed",
    "job_retried": "job retried",
    "job_cancelled": "job cancelled",
    "campaign_retried": "another's campaign retried",
    "campaign_cancelled": "another's campaign cancelled",
    "process_dismissed": "a silent process dismissed",
}
# Why nothing is sent on a channel; the names of settings are never translated.
NO_BOT_TOKEN = "Nothing can be sent: DISCORD_BOT_TOKEN is not set."
CHANNEL_NOT_ENABLED: Final = "Switched off: {setting} is not on."
CHANNEL_HAS_NO_KEY = "Switched off: CONTACT_DATA_ENCRYPTION_KEY is not set."
# A file of player profiles. {line} is a number; guid, name, aliases and rating are column names, which stay.
NO_FILE = "Pick a file first."
CSV_NOT_UTF8 = "This file is not UTF-8. Save it as CSV in UTF-8 and try again."
CSV_NO_COLUMN: Final = (
    "The first line names the columns, and {columns} is missing in it. Separate them by commas or semicolons."
)
CSV_EMPTY = "There is no profile in this file."
CSV_EMPTY_FIELD: Final = "Line {line}: guid and name must both be there."
CSV_TWICE: Final = "Line {line}: the guid {guid} is there twice."
CSV_NO_RATING: Final = "Line {line}: the rating must be a number such as 1.25, not beyond a billion, or empty."
CSV_TOO_MANY_FIELDS: Final = "Line {line} has more fields than the first one. Put what has a comma in it in quotes."
CSV_BAD_GUID: Final = "Line {line}: a guid has at most {longest} characters that can be shown."
CSV_NAME: Final = "Line {line}: the name"
CSV_ALIAS: Final = "Line {line}: an alias"
NAME_UNCLEAN: Final = "{guid}: {name} has invisible characters or needless colours; an import takes them out."
NAME_REFUSED: Final = "{guid}: {error}"
SAME_GUID: Final = "{guid}: its guid was that of {other} in other letters; it may be the same player."
SAME_NAME: Final = "{guids}: all are called {name}, apart from case, accents and colours."
CSV_NOT_READABLE: Final = "This is not CSV, from about line {line} on ({error})."
IMPORTED: Final = "Imported: {added} added, {updated} updated."

METRICS_NOT_FOR_STRANGERS = "Metrics are for this machine itself, and for callers with the token."

# What helps against what may go wrong tonight, by its kind; commands and the names of files are never translated.
# When a provider is out.
_LEAVES_BY_ITSELF = (
    "What is due leaves by itself when it answers again; after three minutes whoever has another channel is told there."
    " If it refuses our token, set the right one and start the workers again."
)
REMEDIES = {
    "paused": "Switch sending on again on the overview.",
    "scheduler": "Start the scheduler process again and look into its log; nothing is lost meanwhile.",
    "worker": "Start a worker process again and look into its log; what was due leaves then.",
    "discord": "Start the Discord process again, and look whether Discord itself has trouble.",
    "discord_provider": _LEAVES_BY_ITSELF,
    "telegram_provider": _LEAVES_BY_ITSELF,
    "signal_provider": _LEAVES_BY_ITSELF,
    "redis": "Start Redis again; everything promised stands in the database and goes on by itself.",
    "database": "Start PostgreSQL again; everything else waits for it.",
    "part": "Start it again and look into its log.",
    "late": "Look at the jobs that are late, and whether workers are busy or stuck.",
    "channel": "Look at the last error of this channel below, and whether the provider has trouble.",
    "voice": "Look whether the Discord process is connected; without it Discord is asked person by person.",
    "unreachable": "Their contacts stopped working. Call them another way tonight; they are told when they look here.",
}

# Jobs and deliveries, by hand. {status} is one word such as "sent".
NO_SUCH_JOB = "There is no such job."
NO_SUCH_DELIVERY = "There is no such message in the ledger."
JOB_IS_RUNNING = "A worker has this job in its hands right now, so it cannot be cancelled. Look again in a moment."
JOB_IS_OVER: Final = "This job is over ({status}), so there is nothing left to cancel."
JOB_NOT_FAILED: Final = "Only what has failed is tried again; this is {status}."
JOB_PAST_DEADLINE = "It is too late for this: its deadline has passed, and it is not true any more."
JOB_MAY_ARRIVE_TWICE = "This may have arrived already, and then it arrives twice. Say that you know."
VOICE_CHECK_HAS_SPOKEN = "This voice check has said already that nobody knows who came, so it is not repeated."
JOB_RETRIED = "It is tried again."
JOB_CANCELLED = "Cancelled. It will not happen, and the ledger says why."
JOB_CANCELLED_WITH: Final = "Cancelled, and with it its messages that had not left: {messages}. The ledger says why."
# What each kind of job does, by the name it is stored under.
JOB_KINDS = {
    "delivery": "sends one message",
    "send_reminder_2045": "sees a campaign’s reminders through",
    "send_start_2100": "sees a campaign’s start messages through",
    "voice_check_2100": "looks who is missing in voice, and calls them once more",
    "voice_summary": "posts the summary when the follow-ups are settled",
    "attendance": "counts who came, and puts it into the summary",
    "campaign_watch": "looks after a campaign, and warns its promoter",
    "dry_run": "tries a campaign out on its promoter",
    "session_ready": "tells players that a session is ready",
    "session_ready_edits": "edits what players were told when a session is ready no more, or again",
    "looking": "tells players that so many are looking",
    "daily_reminder": "asks players once a day",
    "planning_turn": "picks when a captain’s time is up",
    "planning_thread": "keeps the planning room’s thread on Discord",
    "evening_message": "keeps tonight’s message in the announcement room",
    "scheduled_event": "keeps tonight’s event on Discord like its campaign",
    "check_members": "looks who left the Discord server",
    "retention": "forgets messages that are kept no longer",
    "introduce": "introduces Slomix to a player on Discord",
    "open_dms": "opens direct messages ahead of a game night",
}

# What has to be true of every campaign, by its code.
PROMISES = {
    "one_job_each": "exactly one job of each type",
    "one_live_row": "at most one live row for each player and event",
    "not_after_sent": "nothing was tried again after it was sent",
    "not_after_deadline": "nothing left after its deadline",
    "reason_given": "what was not sent has its reason",
    "one_summary": "at most one summary",
    "unknown_unanswered": "unknown is only what got no answer",
    "tries_end": "every try has its end, but where a worker was lost",
}

# Tonight at a glance. {time} is an hour, {count} a number of players.
ALL_WELL_NOT_CALLED_YET = "All is well. Nobody has called tonight together yet."
ALL_WELL_CALLED: Final = "All is well: {count} will be told at {time}."
ALL_WELL_STARTING: Final = "All is well: the start of {time} is on its way."
ALL_WELL_BEGUN: Final = "All is well: tonight began at {time}."
# Nothing is wrong with the system, but some messages of today have not arrived, or may not have.
WELL_BUT_NOT_ALL: Final = "Everything runs, but {number} of today’s messages did not arrive, or may not have."
WRONG_TONIGHT: Final = "Tonight is at risk: {reason}."
# What has come of the campaign. {reason} is why most messages did not arrive.
NOBODY_WAS_TOLD: Final = "Nobody was told: {number} messages failed ({reason})."
CHECK_HAS_FAILED = "The voice check failed, so nobody was asked a second time."
# How long ago something was seen; {minutes} is a number.
JUST_NOW = "just now"
A_MOMENT_AGO = "less than a minute ago"
MINUTES_AGO: Final = "{minutes} min ago"
HOURS_AGO: Final = "{hours} h ago"
NOT_SEEN_YET = "never"

# What tonight rests on, line by line: {ago} is "a moment ago", {since} an hour, {by} who did it.
PART_IS_THERE = "There"
PART_WAS_SEEN: Final = "There, seen {ago}"
VOICE_ROOMS = "Voice rooms"
VOICE_NEVER_SEEN = "Never seen."
VOICE_SEEN: Final = "Seen {ago}"
VOICE_TOO_OLD: Final = "Last seen {ago}: too old to be used"
SENDING = "Sending"
MESSAGES_GO_OUT = "Messages go out"
PAUSED_BY: Final = "Paused since {since}, by {by}."
SEND_AGAIN = "Send again"
EVENING_MESSAGE = "Evening’s message"
# {number} is how many players have to be looking, {time} an hour.
NOT_POSTED_YET: Final = "Comes when {number} are looking, or a campaign is made"
STANDS_SINCE: Final = "Stands there since {time}"
SCHEDULED_EVENT = "Event on Discord"
NO_EVENT_YET = "Comes with a campaign"
EVENT_STANDS = "Stands in the server"
NO_EVENT = "Stands there no more"
NOT_UP_TO_DATE: Final = "Not up to date: {reason}."
TRIED_AGAIN_IN: Final = "Tried again in {minutes} min."
OVERDUE = "Late"
NOTHING_IS_LATE = "Nothing waits that should be done"
ONE_JOB_LATE: Final = "{number} job, the oldest due {since}."
JOBS_LATE: Final = "{number} jobs, the oldest due {since}."
LOOK_AT_LATE = "Look at them"
NEXT = "Next"
NOTHING_PLANNED = "Nothing is planned."
# Of a channel; {time} is a day and an hour, {error} what the provider said.
NONE_ARRIVED = "No message has arrived there yet."
LAST_ARRIVED: Final = "Last message that arrived: {time}."
LAST_DID_NOT_ARRIVE: Final = "Last one that did not: {time}, {error}."
