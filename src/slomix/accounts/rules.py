"""Rights and logins: roles, membership, what the log names, search terms, where a login may lead."""

import enum
import posixpath
from datetime import timedelta
from urllib.parse import unquote, urlsplit

from slomix.i18n import N_, Texts, _

# How long a browser stays logged in after a login.
SESSION_LIFETIME = timedelta(days=60)
# A login unused for so long ends, an admin's sooner.
IDLE_LIFETIME, ADMIN_IDLE_LIFETIME = timedelta(days=30), timedelta(days=7)
# How often its use is written down.
USE_NOTED_EVERY = timedelta(days=1)
# What cannot be undone, or shows all at once, asks for a login that is not older.
FRESH_FOR = timedelta(minutes=15)
# How old the answer to "is this a member of our server" may get before it is asked again.
MEMBERSHIP_VALID_FOR = timedelta(minutes=15)


class Role(enum.StrEnum):
    """Rights that a user may have beside playing."""

    PROMOTER = "promoter"
    ADMIN = "admin"


ROLE_NAMES = Texts(
    {
        "promoter": N_("a promoter"),
        "admin": N_("an admin"),
    }
)


class Membership(enum.StrEnum):
    """Whether a user is in our Discord server, as Discord last said."""

    UNKNOWN = "unknown"
    MEMBER = "member"
    LEFT = "left"


class LinkAction(enum.StrEnum):
    """What happened to an account, a link or a right."""

    DISCORD_LINKED = "discord_linked"
    DISCORD_UNLINKED = "discord_unlinked"
    PLAYER_LINKED = "player_linked"
    PLAYER_CHANGED = "player_changed"
    PLAYER_UNLINKED = "player_unlinked"
    PLAYER_CLAIMED = "player_claimed"
    CLAIM_REFUSED = "claim_refused"
    ROLE_GRANTED = "role_granted"
    ROLE_REVOKED = "role_revoked"
    SIGNED_OUT = "signed_out_everywhere"
    LEFT_GUILD = "left_guild"
    CAME_BACK = "came_back"
    PLAYERS_IMPORTED = "players_imported"
    MOVED_IN = "moved_in"
    LINKS_SEEN = "links_seen"
    SENDING_PAUSED = "sending_paused"
    SENDING_RESUMED = "sending_resumed"
    JOB_RETRIED = "job_retried"
    JOB_CANCELLED = "job_cancelled"
    CAMPAIGN_RETRIED = "campaign_retried"
    CAMPAIGN_CANCELLED = "campaign_cancelled"
    PROCESS_DISMISSED = "process_dismissed"


# The actor where Discord told us; the others are ids of users, or the command line.
SEEN_AT_DISCORD = "discord"
# How many profiles a user may take in a day before an admin has to confirm the next.
MOST_LINKS_A_DAY = 3

# The actions by which a user gets a profile.
LINK_ACTIONS = (LinkAction.PLAYER_LINKED, LinkAction.PLAYER_CHANGED)


def canonical_guid(text: str) -> str:
    """Return a guid in the one case in which it is stored and compared."""
    return text.lower()


def is_discord_id(text: str) -> bool:
    """Tell whether this can be the id of a Discord account."""
    return text.isascii() and text.isdigit() and 1 <= len(text) <= 20


def like_pattern(text: str) -> str:
    """Make a pattern for ILIKE that finds `text` anywhere and takes its wildcards literally."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


# Beneath these an address is a permission, or a step of a login.
_NOWHERE_TO_COME_BACK_TO = ("/auth/", "/stop/", "/calendar/")


def local_path(target: str | None) -> str:
    """Return `target` if it is a path of ours, else `/`.

    A login must not lead to another site, nor into itself, nor is it told an address that is a permission.
    """
    if not target or not target.startswith("/") or "\\" in target or not target.isprintable():
        return "/"
    try:
        parts = urlsplit(target)
    except ValueError:
        return "/"
    walked = posixpath.normpath(unquote(parts.path))
    if parts.scheme or parts.netloc or target.startswith("//") or walked.startswith("//"):
        return "/"
    return "/" if f"{walked}/".startswith(_NOWHERE_TO_COME_BACK_TO) and walked != "/calendar" else target


_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (
    *(("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "macOS")),
    *(("CrOS", "ChromeOS"), ("Linux", "Linux")),
)


def name_browser(agent: str) -> str:
    """Name a browser and its system as people do, from what it calls itself; empty for any other program."""
    browser = next((name for sign, name in _BROWSERS if sign in agent), "")
    system = next((name for sign, name in _SYSTEMS if sign in agent), "")
    return " on ".join(filter(None, (browser, system)))


def browser_name(stored: str) -> str:
    """Write what `name_browser` made in the reader's language."""
    browser, on, system = stored.partition(" on ")
    if on:
        # i18n: such as Firefox on Linux
        return _("{browser} on {system}").format(browser=browser, system=system)
    return stored or _("Another program")
