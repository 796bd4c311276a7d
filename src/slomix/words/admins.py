"""What the pages of admins say."""

from typing import Final

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
PAUSED = "Nothing is sent any more, until somebody here says so."
PAUSED_ALREADY = "Sending was paused already."
RESUMED = "Messages go out again."
NOT_PAUSED = "Sending was not paused."
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
    "moved_in": "moved in from the earlier site",
}
# Why nothing is sent on a channel; the names of settings are never translated.
NO_BOT_TOKEN = "Nothing can be sent: DISCORD_BOT_TOKEN is not set."
CHANNEL_NOT_ENABLED: Final = "Switched off: {setting} is not on."
CHANNEL_HAS_NO_KEY = "Switched off: CONTACT_DATA_ENCRYPTION_KEY is not set."
# A file of player profiles. {line} is a number; guid, name, aliases and rating are column names, which stay.
NO_FILE = "Pick a file first."
CSV_NOT_UTF8 = "This file is not UTF-8. Save it as CSV in UTF-8 and try again."
CSV_NO_COLUMN: Final = "The column {columns} is missing in the first line."
CSV_EMPTY = "There is no profile in this file."
CSV_EMPTY_FIELD: Final = "Line {line}: guid and name must both be there."
CSV_TWICE: Final = "Line {line}: the guid {guid} is there twice."
CSV_NO_RATING: Final = "Line {line}: the rating must be a number such as 1.25, not beyond a billion, or empty."
CSV_TOO_MANY_FIELDS: Final = "Line {line} has more fields than the first one. Put what has a comma in it in quotes."
CSV_CONTROL_CHARACTER: Final = "Line {line}: there is a character in it that cannot be shown, such as a line break."
CSV_NOT_READABLE: Final = "This is not CSV, from about line {line} on ({error})."
IMPORTED: Final = "Imported: {added} added, {updated} updated."

METRICS_NOT_FOR_STRANGERS = "Metrics are for this machine itself, and for whoever shows the token."
