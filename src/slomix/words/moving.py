"""What an operator reads who moves in from the earlier site: why a row was left or changed, and why nothing can be."""

from typing import Final

# The source

SOURCE_NO_ADDRESS = (
    "This is not a PostgreSQL address. Give one such as postgresql://user:password@host/database, as the argument or in"
    " PREDECESSOR_DATABASE_URL."
)
SOURCE_AWAY: Final = "The earlier site's database cannot be opened: {reason}."
SOURCE_UNREADABLE: Final = "The earlier site's database cannot be read: {reason}."
SOURCE_EMPTY = (
    "There is nothing of the earlier site in this database: neither the table user_player_links nor player_links."
)
IMPORT_AT_WORK = "Another import is at work. Wait until it is done, and look again."

# Reasons. They follow a word such as "left:".

NOT_THERE = "there is no such table there"
OTHER_SHAPE: Final = "the table has no {columns}"
NO_GUID = "no guid that can be shown"
NO_DISCORD_ID = "no Discord id"
TWO_DISCORD_IDS = "two Discord ids that differ"
NO_PROFILE_THERE = "no profile linked there; made anew at the first login"
NO_ACCOUNT_THERE = "no Discord account linked there any more"
PROFILE_HERE = "the profile is here and keeps its name"
PROFILE_NOT_MOVED = "its link was left"
NEWER_TABLE_WINS = "user_player_links names another profile for this account"
SAME_IN_BOTH = "stands in both link tables"
CLAIMED_BY_TWO = "two Discord accounts have this profile there"
MOVED_BEFORE = "moved in before"
RELEASED_HERE = "this profile was given up here since"
LINKED_HERE_TO_ANOTHER = "this Discord account has another profile here"
TAKEN_HERE = "another user has this profile here"
CLAIM_OPEN_HERE = "a claim of theirs waits for an admin here"
LINKED_HERE = "linked here already"
NOT_MOVING_IN = "not a person who moves in now"
STATUS_HERE = "a status for that day is here"
FAR_AWAY: Final = "more than {days} days ahead"
NO_DAY = "no day that can be shown"
NO_STATUS = "no status of ours"
CHOSEN_HERE = "they have chosen here"
ZONE_CHANGED: Final = "no time zone of that name: {zone} instead"
CHANNEL_CHANGED = "no channel of that name: any instead"
QUIET_UNREADABLE = "quiet hours that cannot be read held nowhere: none instead"
ALWAYS_QUIET = "quiet from a time to the same time was quiet all day: campaigns stay off until they choose"
DISCORD_SWITCHED_OFF = "Discord was switched off and no other address is proved here: campaigns stay off"
COOLDOWN_CHANGED = "a silence outside 30 to 3600 seconds: 480 instead"
ON_BY_DEFAULT = "was on by default, so nobody asked for it"
OFF_STAYS_OFF = "off there, off here"
THRESHOLD_DID_NOTHING = "it never did anything there; to be chosen here"
LINK_AGAIN = "its owner is not certain; to be linked again"
SEALED_THERE = "never proved, and sealed with a key of theirs; to be linked again"
DISCORD_OFF = "switched off, and nothing is sent"
DISCORD_BY_LOGIN = "comes with the account"
NOT_OUR_LEDGER = (
    "written before its messages were known to have arrived; ours is counted from the ledger, and would claim too much"
)
RIGHTS_ANEW = "given anew: slomix roles grant"
DAY_OVER = "for a day that is over"
NOT_DELIVERED = "not known to have arrived"
NO_EVENT_OF_OURS = "no message of ours"
NO_CHANNEL_OF_OURS = "no channel of ours"
NOT_TO_A_PLAYER = "not to a player here"
ROOM_OF_THEIRS = "to a room that ours writes its own to"
TOLD_HERE = "the ledger here knows it, or another way"

CAMPAIGNS_OPEN_THERE: Final = (
    "The earlier site has {number} from today on that may still send. Stop its bot before an evening is called together"
    " here, or people hear of it twice."
)
