"""The button Mute under a message to a player, which switches off messages of its kind."""

from dataclasses import replace

from slomix.channels.base import Button, Message
from slomix.config.settings import Settings
from slomix.deliveries import choices
from slomix.deliveries.choices import Choice
from slomix.deliveries.notices import Notice, Occasion
from slomix.i18n import _

# The kind of the buttons.
MUTE = "mute"
# The answers: the first press asks, the second switches off. The one that takes it back has UNDO and what it was.
ASK, OFF, UNDO = "", "off", "undo"


def with_mute(message: Message, notice: Notice, occasion: Occasion) -> Message:
    """Add the button, after all answers, to a message to a player, where buttons can be pressed."""
    settings = occasion.runtime.settings
    is_to_player = occasion.delivery.player_id is not None
    if notice.mutes is None or not is_to_player or not choices.can_be_pressed(occasion.channel, settings):
        return message
    button = mute_button(_("Mute"), notice.mutes, ASK, settings, mark=occasion.delivery.nonce)
    return replace(message, buttons=(*message.buttons, button))


def mute_button(label: str, subject: str, answer: str, settings: Settings, *, mark: str = "") -> Button:
    """Return a button about a kind of messages, or all kinds; `mark` is that of the message."""
    return Button(label, choices.sign(Choice(MUTE, subject, answer, mark), settings))
