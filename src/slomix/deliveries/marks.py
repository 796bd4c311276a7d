"""Marks messages so that each can be told from all others of the same bot, where its provider can be asked for it."""

from dataclasses import replace

from slomix.channels.base import Button, History, Message, is_public
from slomix.contacts.rules import ChannelName
from slomix.i18n import _
from slomix.runtime.context import Runtime


def history_of(runtime: Runtime, name: ChannelName) -> History | None:
    """Return what can be asked for messages on this channel, if anything and if they carry marks."""
    channel = runtime.channels.get(name)
    return channel.history if channel is not None and is_public(runtime.settings.base_url) else None


def with_mark(runtime: Runtime, message: Message, nonce: str, name: ChannelName) -> Message:
    """Add a message's mark: its nonce, in the link of a button, unless one that is pressed carries it already.

    A page ignores what stands behind the `#`.
    """
    if history_of(runtime, name) is None or any(nonce in button.value for button in message.buttons):
        return message
    button = Button(_("Open Slomix"), link=f"{runtime.settings.base_url}/#{nonce}")
    return replace(message, buttons=(*message.buttons, button))
