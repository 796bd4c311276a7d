"""Shows in a chat which messages a player gets, and switches a kind of them on or off."""

from datetime import datetime
from functools import partial

from sqlalchemy.orm import Session

from slomix.chat.days import all_keys
from slomix.chat.replies import Reply
from slomix.config.settings import Settings
from slomix.contacts import preferences
from slomix.contacts import service as contacts
from slomix.contacts.kinds import KIND_TEXTS
from slomix.contacts.rules import TICKS, MessageKind
from slomix.i18n import _, pgettext
from slomix.presence.game_names import name_key


def show(session: Session, player_id: int, *, settings: Settings) -> Reply:
    """Return which kinds are on, and where there is more to choose."""
    ticked = preferences.preferences_of(session, player_id, zone=settings.zone).ticked
    lines = [
        _("{kind}: **{state}**").format(kind=KIND_TEXTS[kind].title, state=_("on") if kind in ticked else _("off"))
        for kind in TICKS
    ]
    return Reply(
        "\n".join(
            [*lines, _("Channels, quiet hours and the rest: {link}").format(link=settings.base_url + "/preferences")]
        )
    )


def switch(
    session: Session, player_id: int, kind: MessageKind, *, is_on: bool, settings: Settings, now: datetime
) -> Reply:
    """Switch one kind on or off, and show them all as they are now."""
    preferences.switch_kinds(session, player_id, {kind: is_on}, zone=settings.zone, now=now)
    contacts.plan_introduction(session, player_id, now=now)
    return show(session, player_id, settings=settings)


def read_kind(name: str) -> MessageKind | None:
    """Read the name of a kind that is switched on or off, as messages call it: `daily reminder`, `calls`."""
    wanted = name_key(name.replace("_", " "))
    if not wanted:
        return None
    names = {kind: {kind.value.replace("_", " "), *all_keys(partial(_name, kind))} for kind in TICKS}
    found = [kind for kind, called in names.items() if any(each.startswith(wanted) for each in called)]
    return found[0] if len(found) == 1 else None


def read_switch(word: str) -> bool | None:
    """Read `on` or `off`, in any language."""
    states = {True: lambda: pgettext("typed", "on"), False: lambda: pgettext("typed", "off")}
    return next((state for state, say in states.items() if name_key(word) in all_keys(say)), None)


def _name(kind: MessageKind) -> str:
    return KIND_TEXTS[kind].name
