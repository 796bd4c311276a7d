"""What the bot answers, on any channel."""

from collections.abc import Sequence
from dataclasses import dataclass

from slomix.channels.base import Button
from slomix.deliveries.formatting import ANSWERED


@dataclass(frozen=True)
class Reply:
    """An answer to the asker alone, with rows of buttons; None leaves those that stand there.

    `replaces` puts it in place of the message whose button was pressed, where the channel can do that.
    """

    text: str
    buttons: Sequence[Sequence[Button]] | None = ()
    replaces: bool = False
    # What a message that stays, such as a reminder, says from now on below its own words.
    line: str = ""

    def under(self, content: str) -> "Reply":
        """Return the reply as a line below what a message says, in place of the line of an earlier press."""
        if not self.line:
            return self
        kept = [line for line in content.splitlines() if not line.startswith(ANSWERED)]
        return Reply("\n".join([*kept, f"{ANSWERED}{self.line}"]), None, replaces=True)
