"""A player's addresses on their preferences page: linking one by a code, seeing how it does, removing it."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlsplit

from flask import Blueprint, make_response, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from slomix.accounts.acting import as_player, as_profile
from slomix.channels.base import SendError
from slomix.channels.telegram import Telegram
from slomix.config.settings import Settings
from slomix.contacts import links, preferences, rules, service
from slomix.contacts.encryption import CannotDecrypt
from slomix.contacts.models import Contact
from slomix.contacts.rules import CHANNEL_NAMES, CODE_LIFETIME, ChannelName, PreferredChannel
from slomix.i18n import N_, _, looked_up
from slomix.web import current, gates, live, questions, responses
from slomix.web.reading import reading

blueprint = Blueprint("addresses", __name__)

# A code that takes longer may be lost: Signal stores nothing for an inbox that does not listen.
OVERDUE_AFTER = timedelta(minutes=1)


@dataclass(frozen=True)
class ContactView:
    """One channel as its owner sees it."""

    channel: ChannelName
    name: str
    is_on: bool
    contact: Contact | None
    # Enough of the address for its owner to recognise it; on Discord the name of the account.
    masked: str

    @property
    def can_be_removed(self) -> bool:
        return self.contact is not None and self.channel in rules.LINKED_BY_CODE


def contact_views(session: Session, player_id: int | None, preferred: PreferredChannel) -> dict[str, Any]:
    """Read what the page shows of this player's channels, the preferred one first."""
    settings = current.runtime().settings
    contacts = service.contacts_of(session, player_id) if player_id is not None else {}
    return {
        "channels": [
            ContactView(
                channel,
                CHANNEL_NAMES[channel],
                channel in settings.channels_on,
                contacts.get(channel),
                _masked(contacts.get(channel), settings),
            )
            for channel in rules.CHANNEL_ORDER[preferred]
        ],
        "has_key": bool(settings.contact_keys),
        "now": current.now(),
    }


def _masked(contact: Contact | None, settings: Settings) -> str:
    if contact is None:
        return ""
    if contact.sealed is None:
        return gates.require_user().display_name
    try:
        return rules.mask_address(service.address_of_route(contact.route, "", settings))
    except CannotDecrypt:
        return ""


REMOVE_CONSEQUENCES = (
    N_("No more messages are sent to you on {channel}."),
    N_("The address is deleted. To link it again you need a new code."),
)


@blueprint.get("/preferences/channels")
def channels() -> Response:
    """Show the part of the preferences that changes by itself."""
    with reading() as session:
        player_id = gates.require_user().profile_id
        wishes = preferences.preferences_of(session, player_id, zone=current.runtime().settings.zone)
        channels = contact_views(session, player_id, wishes.preferred_channel)
    return responses.live_part(render_template("contacts/_channels.html", **channels))


@blueprint.post("/contacts/<channel>/code")
def new_code(channel: str) -> Response:
    """Show a code, once; the page waits until it was sent. Asked again at once, it waits for the same code."""
    now, mark, settings = current.now(), live.hub().mark(), current.runtime().settings
    with as_player() as (session, player_id):
        to = rules.parse_linked_channel(channel)
        try:
            code, expires_at = links.new_code(
                session, player_id, to, lifetime=CODE_LIFETIME, settings=settings, now=now
            )
        except links.CodeTooSoon as error:
            shown_at = now + error.retry_after - timedelta(seconds=settings.link_code_interval_seconds)
            waiting = _waiting(session, player_id, to, now, since=shown_at.replace(microsecond=0))
            seconds = math.ceil(error.retry_after.total_seconds())
            return make_response(render_template("contacts/code.html", wait=seconds, mark=mark, **waiting))
        waiting = _waiting(session, player_id, to, now, since=now.replace(microsecond=0))
    answer = make_response(
        render_template(
            "contacts/code.html", code=code, expires_at=expires_at, where=_where(to, code), mark=mark, **waiting
        )
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.get("/contacts/<channel>/waiting")
def waiting(channel: str) -> Response:
    """Show whether the code has arrived."""
    to = rules.parse_linked_channel(channel)
    since = datetime.fromtimestamp(min(max(request.args.get("since", 0, type=int), 0), 2**33), UTC)
    with reading() as session:
        shown = _waiting(session, gates.require_player(), to, current.now(), since=since)
    return responses.live_part(render_template("contacts/_waiting.html", **shown))


def _waiting(
    session: Session, player_id: int, channel: ChannelName, now: datetime, *, since: datetime
) -> dict[str, Any]:
    """Read whether the code shown at `since` has been sent; an address from before says nothing of that."""
    contact = service.contacts_of(session, player_id).get(channel)
    was_sent = links.open_codes(session, player_id, now=now).get(channel)
    return {
        "channel": channel,
        "name": CHANNEL_NAMES[channel],
        "since": int(since.timestamp()),
        "is_linked": was_sent is None and contact is not None and contact.verified_at >= since,
        "is_waiting": was_sent is False,
        "is_asked": was_sent is True,
        "is_overdue": now - since >= OVERDUE_AFTER,
    }


@dataclass(frozen=True)
class CodeDestination:
    """The account to send a code to, and a link that opens the chat with it."""

    name: str
    link: str


def _where(channel: ChannelName, code: str) -> CodeDestination | None:
    """Return where to send a code, or None when the provider does not say; the code is good all the same."""
    if channel is ChannelName.SIGNAL:
        sender = current.runtime().settings.signal_sender
        return CodeDestination(sender, f"https://signal.me/#p/{quote(sender, safe='+')}")
    telegram = current.runtime().channels.get(channel)
    if not isinstance(telegram, Telegram):
        return None
    try:
        name = _bot_name(telegram)
    except SendError:
        return None
    return CodeDestination(f"@{name}", f"{_chats()}/{quote(name)}?start={code}")


def _chats() -> str:
    """Return the server that links to Telegram chats lead to, which may be the simulator."""
    base = current.runtime().settings.telegram_api_base_url
    return "https://t.me" if urlsplit(base).hostname == "api.telegram.org" else base


@lru_cache(maxsize=4)
def _bot_name(telegram: Telegram) -> str:
    return telegram.username()


@blueprint.post("/contacts/<channel>/remove")
def remove(channel: str) -> Response:
    """Forget this address, for all who are logged in."""
    with as_profile() as (session, profile_id):
        to = rules.parse_linked_channel(channel)
        name, is_gone = CHANNEL_NAMES[to], profile_id is not None and service.remove_contact(session, profile_id, to)
        if is_gone:
            questions.confirm(
                _("Unlink {channel}?").format(channel=name),
                [consequence.format(channel=name) for consequence in looked_up(REMOVE_CONSEQUENCES)],
                do=_("Unlink {channel}").format(channel=name),
                back="/preferences#channels",
            )
    done = _("{channel} is unlinked. Nothing is sent there any more.") if is_gone else _("{channel} is not linked.")
    return responses.redirected("/preferences", done=done.format(channel=name))
