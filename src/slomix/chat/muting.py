"""Mutes a kind of messages from the button under one: asks once, switches off, and takes that back at a press."""

from datetime import datetime

from sqlalchemy.orm import Session

from slomix.chat.replies import Reply
from slomix.chat.service import Asker, ChatNotLinked, as_owner, as_player
from slomix.config.settings import Settings
from slomix.contacts import preferences
from slomix.contacts.kinds import KIND_TEXTS
from slomix.contacts.rules import MessageKind
from slomix.deliveries.choices import Choice
from slomix.deliveries.mute import ASK, OFF, UNDO, mute_button
from slomix.i18n import _


def press(session: Session, asker: Asker, choice: Choice, settings: Settings, now: datetime) -> Reply:
    """Do what a button about muting stands for. Whose player is unlinked, is sent nothing anyway."""
    try:
        if choice.answer.startswith(UNDO):
            return _undo(session, as_player(session, asker, settings=settings), choice, settings=settings, now=now)
        player_id = as_owner(session, asker, settings=settings)
    except ChatNotLinked:
        return Reply(_("You are not linked to a player, so nothing is sent to you."))
    return _mute(session, player_id, choice, settings=settings, now=now)


def _mute(session: Session, player_id: int, choice: Choice, *, settings: Settings, now: datetime) -> Reply:
    """Ask whether to switch it off, or do that; what is off already is only said."""
    wishes = preferences.preferences_of(session, player_id, zone=settings.zone)
    before = {kind: wishes.value_of(kind) for kind in _kinds(choice)}
    link = settings.base_url + "/preferences"
    if not any(before.values()):
        return Reply(
            _("This is off already: {what}. You switch it on again here: {link}").format(what=_what(choice), link=link),
            replaces=choice.answer != ASK,
        )
    if choice.answer == ASK:
        kind = _kind(choice)
        label = (
            _("Mute this kind: {kind}").format(kind=KIND_TEXTS[kind].name)
            if kind is not None
            else _("Mute all messages")
        )
        button = mute_button(label, choice.subject, OFF, settings)
        return Reply(
            _("Mute {what}? Press once more. Everything else stays as it is.").format(what=_what(choice)), [[button]]
        )
    off = preferences.values_for_off(_kind(choice))
    preferences.switch_kinds(session, player_id, off, zone=settings.zone, now=now)
    was = "-".join(str(int(value)) for value in before.values())
    undo = mute_button(_("Undo"), choice.subject, f"{UNDO}-{was}", settings)
    return Reply(
        _("Muted: {what}. Changed your mind? Undo takes it back; later you switch it on again here: {link}").format(
            what=_what(choice), link=link
        ),
        [[undo]],
        replaces=True,
    )


def _undo(session: Session, player_id: int, choice: Choice, *, settings: Settings, now: datetime) -> Reply:
    """Switch on again what the muting switched off, and nothing else."""
    was = dict(zip(_kinds(choice), map(int, choice.answer.split("-")[1:]), strict=True))
    values = {kind: value if kind is MessageKind.LOOKING else True for kind, value in was.items() if value}
    preferences.switch_kinds(session, player_id, values, zone=settings.zone, now=now)
    return Reply(_("On again: {what}.").format(what=_what(choice)), replaces=True)


def _kind(choice: Choice) -> MessageKind | None:
    return None if choice.subject == preferences.ALL_KINDS else MessageKind(choice.subject)


def _kinds(choice: Choice) -> list[MessageKind]:
    kind = _kind(choice)
    return [kind] if kind is not None else list(MessageKind)


def _what(choice: Choice) -> str:
    kind = _kind(choice)
    return KIND_TEXTS[kind].stopped if kind is not None else _("all messages")
