"""Player profiles, website users with their Discord account and sessions, roles, claims, and the log of all this."""

import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Dialect, ForeignKey, Identity, Index, Text, event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.types import TypeDecorator

from slomix.accounts.rules import LinkAction, Membership, Role, canonical_guid
from slomix.database.session import Base
from slomix.presence.game_names import name_keys
from slomix.presence.name_column import Name, NameKeys, Names


class GuidType(TypeDecorator[str]):
    """A guid, in one case wherever it is written or compared."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: Dialect) -> str | None:
        return value if value is None else canonical_guid(value)


def _keys_of(names: Callable[[dict[str, Any]], list[str]]) -> Callable[[Any], list[str]]:
    """Return the default of a column: the keys of the names in the row that is inserted."""
    return lambda context: name_keys(names(context.get_current_parameters()))


def new_salt() -> str:
    """Return a random text that nothing else has."""
    return secrets.token_urlsafe(16)


class Player(Base):
    """A profile of the community's stats, filled by an operator; it plays, is asked and gets messages."""

    __tablename__ = "players"
    __table_args__ = (CheckConstraint("guid = lower(guid)", name="guid_in_one_case"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    guid: Mapped[str] = mapped_column(GuidType, unique=True)
    name: Mapped[Name]
    aliases: Mapped[Names]
    # That of the name comes first.
    name_keys: Mapped[NameKeys] = mapped_column(default=_keys_of(lambda row: [row["name"], *row["aliases"]]))
    # How strong they play, on the operator's own scale; None if unknown.
    rating: Mapped[float | None]
    created_at: Mapped[datetime]


@event.listens_for(Player, "before_update")
def _renew_keys(_mapper: object, _connection: object, player: Player) -> None:
    player.name_keys = name_keys([player.name, *player.aliases])


class User(Base):
    """A person who logged in: one Discord account, at most one player."""

    __tablename__ = "website_users"
    __table_args__ = (CheckConstraint("discord_id ~ '^[0-9]{1,20}$'", name="discord_id_is_snowflake"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    discord_id: Mapped[str] = mapped_column(unique=True)
    discord_username: Mapped[str]
    display_name: Mapped[str]
    name_keys: Mapped[NameKeys] = mapped_column(
        default=_keys_of(lambda row: [row["display_name"], row["discord_username"]])
    )
    player_id: Mapped[int | None] = mapped_column(ForeignKey("players.id", ondelete="SET NULL"), unique=True)
    created_at: Mapped[datetime]
    last_login_at: Mapped[datetime]
    membership: Mapped[Membership] = mapped_column(default=Membership.UNKNOWN)
    membership_seen_at: Mapped[datetime | None]
    # An admin has looked at the links made until then.
    links_seen_at: Mapped[datetime | None]
    # Since when an admin has to confirm each link of this user, after one unlinked them.
    must_ask_since: Mapped[datetime | None]
    # Part of what the unsubscribe links of the player are signed with, new with every link: so they end with it.
    unsubscribe_salt: Mapped[str] = mapped_column(default=new_salt)
    # Of their pages and messages; None until they chose one.
    language: Mapped[str | None]

    player: Mapped[Player | None] = relationship(lazy="joined")


class LoginSession(Base):
    """One browser that is logged in. The cookie holds the key, the row its hash; without the row the cookie is void."""

    __tablename__ = "website_sessions"

    key_hash: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("website_users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    # To the day, so that looking at pages writes nothing.
    last_used_at: Mapped[datetime]
    # What the browser called itself at the login, in two words.
    browser: Mapped[str] = mapped_column(default="")


class GrantedRole(Base):
    """A right granted here, beside those from the settings, to a Discord account that may not have logged in yet."""

    __tablename__ = "granted_roles"

    discord_id: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[Role] = mapped_column(primary_key=True)
    # How the audit log names it, also before that account has logged in.
    number: Mapped[int] = mapped_column(Identity(), unique=True)
    granted_at: Mapped[datetime]


class ProfileRequest(Base):
    """A user says that a profile is theirs, and an admin decides: it is taken, or all links are confirmed here."""

    __tablename__ = "player_claims"
    __table_args__ = (
        Index("uq_player_claims_open_user", "user_id", unique=True, postgresql_where="settled_at IS NULL"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("website_users.id", ondelete="CASCADE"))
    player_id: Mapped[int] = mapped_column(ForeignKey("players.id", ondelete="CASCADE"))
    note: Mapped[str]
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    was_granted: Mapped[bool | None]

    user: Mapped[User] = relationship(lazy="joined")
    player: Mapped[Player] = relationship(lazy="joined")


class LoginAttempt(Base):
    """A login that was sent to Discord and has not come back; deleted when it does, so it is accepted once."""

    __tablename__ = "login_attempts"

    state_hash: Mapped[str] = mapped_column(primary_key=True)
    browser_hash: Mapped[str]
    code_verifier: Mapped[str]
    next_path: Mapped[str]
    # The day and status whose button began the login; empty if another did.
    pressed: Mapped[str] = mapped_column(server_default="")
    expires_at: Mapped[datetime]


class LinkEvent(Base):
    """The audit log of links, rights and what admins do: rows are only ever added, and hold old and new values.

    It knows accounts by their ids alone, which outlive them and are never given again, so that no user takes themselves
    out of it: `user_id` is whom it concerns, `actor` who did it, None themselves, or a word such as `command line`.
    """

    __tablename__ = "account_link_audit_log"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int | None]
    actor: Mapped[str | None]
    action: Mapped[LinkAction]
    details: Mapped[dict[str, Any]] = mapped_column(JSONB)
    at: Mapped[datetime]
