"""What the bot answers, on any channel."""

from collections.abc import Sequence
from dataclasses import dataclass

from slomix.channels.base import Button


@dataclass(frozen=True)
class Reply:
    """An answer to the asker alone, with rows of buttons; None leaves those that stand there.

    `replaces` puts it in place of the message whose button was pressed, where the channel can do that.
    """

    text: str
    buttons: Sequence[Sequence[Button]] | None = ()
    replaces: bool = False
