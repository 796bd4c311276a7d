"""Signs and reads what a button of a message sends back when it is pressed.

A button works after any restart and in every process, as all that it means stands in it. It says what is chosen, not
who chooses: that is known from the press.
"""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass

from slomix.config.settings import Settings
from slomix.contacts.rules import ChannelName
from slomix.errors import Invalid
from slomix.i18n import N_

# Telegram takes at most 64 bytes, and Discord 100 characters.
LONGEST = 64
# 64 bits of an HMAC.
SIGNATURE_BYTES = 8
_PART = re.compile(r"[A-Za-z0-9_-]*")


def can_be_pressed(channel: ChannelName, settings: Settings) -> bool:
    """Check whether a message may have buttons that are sent back to us: on Discord only where it posts them to us."""
    return channel is not ChannelName.DISCORD or bool(settings.discord_public_key)


class UnknownChoice(Invalid):
    """The button is from another installation, or from before buttons were signed or the secret was changed."""

    sentence = N_("This button is no longer known here. Type /avail instead.")


@dataclass(frozen=True)
class Choice:
    """What a button means: a kind, what it is about (such as a day), and the answer that it stands for.

    `mark` tells the message that the button stands under from all others of ours; empty in answers to a press.
    """

    kind: str
    subject: str = ""
    answer: str = ""
    mark: str = ""


def sign(choice: Choice, settings: Settings) -> str:
    """Return the text that the button sends; at most 64 letters, digits and `.-_`."""
    parts = (choice.kind, choice.subject, choice.answer, choice.mark)
    assert all(_PART.fullmatch(part) for part in parts)
    text = ".".join(parts)
    signed = f"{text}.{_signature(text, settings)}"
    assert len(signed) <= LONGEST
    return signed


def read(signed: str, settings: Settings) -> Choice:
    """Return what a pressed button means. Raise UnknownChoice unless we have signed it."""
    text, _, signature = signed.rpartition(".")
    if not signed.isascii() or not hmac.compare_digest(signature, _signature(text, settings)):
        raise UnknownChoice
    return Choice(*text.split("."))


def _signature(text: str, settings: Settings) -> str:
    key = b"button:" + settings.session_secret.get_secret_value().encode()
    digest = hmac.digest(key, text.encode(), hashlib.sha256)[:SIGNATURE_BYTES]
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
