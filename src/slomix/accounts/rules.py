"""Rights and logins: roles, membership, what the log names, search terms, where a login may lead."""

import enum
from datetime import timedelta
from urllib.parse import urlsplit

# How long a browser stays logged in after a login.
SESSION_LIFETIME = timedelta(days=60)
# How old the answer to "is this a member of our server" may get before it is asked again.
MEMBERSHIP_VALID_FOR = timedelta(hours=20)


class Role(enum.StrEnum):
    """Rights that a user may have beside playing."""

    PROMOTER = "promoter"
    ADMIN = "admin"


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


def local_path(target: str | None) -> str:
    """Return `target` if it is a path of ours, else `/`: a login must not lead to another site, nor into itself."""
    if not target or not target.startswith("/") or target.startswith("//") or "\\" in target:
        return "/"
    parts = urlsplit(target)
    if parts.path.startswith("/auth/"):
        return "/"
    if parts.scheme or parts.netloc or not target.isprintable():
        return "/"
    return target
