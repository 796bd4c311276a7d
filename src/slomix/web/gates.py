"""The viewer of a request, and the gates: each returns who passes it, or raises why they may not."""

from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

from flask import request, session
from flask_login import AnonymousUserMixin, UserMixin, current_user

from slomix.errors import NotAllowed
from slomix.i18n import N_
from slomix.web.reading import Frame


class LoginNeeded(NotAllowed):
    sentence = N_("Please log in with Discord first.")


class LinkNeeded(NotAllowed):
    sentence = N_("Please link your player profile first.")


class LeftGuild(LinkNeeded):
    """The viewer had a player, and left our server."""

    sentence = N_("You left our Discord server. Join it again, then press “I am back” on your profile.")


class PromoterNeeded(NotAllowed):
    sentence = N_("Only promoters can call a game night together.")


class AdminNeeded(NotAllowed):
    sentence = N_("Only admins may look at this.")


class ForeignWrite(NotAllowed):
    """A write that did not come from one of our pages."""

    sentence = N_("This did not come from a Slomix page, or you logged out since. Reload the page and try again.")


@dataclass(frozen=True)
class Viewer(UserMixin):
    """A logged-in viewer, with the rights that database and settings give at this request."""

    user_id: int
    session_key: str
    discord_id: str
    display_name: str
    # Also after they left our server, when they may do nothing with their profile but give it up.
    profile_id: int | None
    player_name: str | None
    has_left: bool = False
    # False also while Discord has not said whether they are in our server.
    is_member: bool = False
    is_admin: bool = False
    is_promoter: bool = False
    # What this account chose; None until it has.
    language: str | None = None
    frame: Frame = field(default_factory=Frame)

    def get_id(self) -> str:
        return self.session_key

    @property
    def player_id(self) -> int | None:
        """Return the player that the viewer may act as."""
        return None if self.has_left else self.profile_id

    @property
    def is_linked(self) -> bool:
        return self.player_id is not None

    @property
    def can_promote(self) -> bool:
        return self.is_linked and (self.is_promoter or self.is_admin)


class Anonymous(AnonymousUserMixin):
    """A viewer who is not logged in."""

    player_id = None
    profile_id = None
    player_name = None
    has_left = False
    is_linked = False
    is_admin = False
    can_promote = False
    frame = Frame()


def is_stranger() -> bool:
    """Check whether this browser shows no login at all, which takes no look at the database."""
    return "_user_id" not in session


def viewer() -> Viewer | Anonymous:
    """Return the viewer of this request."""
    return cast("Viewer | Anonymous", current_user._get_current_object())


def require_user() -> Viewer:
    """Return the viewer. Raise LoginNeeded."""
    who = viewer()
    if not isinstance(who, Viewer):
        raise LoginNeeded
    return who


def actor() -> str:
    """Return how the audit log names the viewer. Raise LoginNeeded."""
    return str(require_user().user_id)


def require_player() -> int:
    """Return the viewer's player. Raise LoginNeeded, LinkNeeded or LeftGuild."""
    player_id = require_user().player_id
    if player_id is None:
        raise LeftGuild if viewer().has_left and viewer().profile_id else LinkNeeded
    return player_id


def check_may_switch_on(before: frozenset[str], after: frozenset[str]) -> None:
    """Let linked players switch things on, and every viewer switch them off. Raise LinkNeeded."""
    if not viewer().is_linked and not after <= before:
        raise LinkNeeded


def require_promoter() -> int:
    """Return the viewer's player. Raise PromoterNeeded, or what `require_player` raises."""
    player_id = require_player()
    if not viewer().can_promote:
        raise PromoterNeeded
    return player_id


def require_admin() -> Viewer:
    """Return the viewer, linked or not. Raise LoginNeeded or AdminNeeded."""
    who = require_user()
    if not who.is_admin:
        raise AdminNeeded
    return who


def check_write() -> None:
    """Let a JSON write through that a script of ours sent for a logged-in viewer. Raise LoginNeeded or ForeignWrite.

    A stranger is refused before the body is read.
    """
    require_user()
    origin = request.headers.get("Origin") or request.headers.get("Referer")
    is_ours = origin is not None and urlsplit(origin)[:2] == urlsplit(request.host_url)[:2]
    if request.headers.get("X-Requested-With", "").lower() != "xmlhttprequest" or not is_ours:
        raise ForeignWrite
