"""Does what a pressed button stands for, the same on Discord, Telegram and Signal."""

from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from slomix.availability import choices as choices_of_days
from slomix.chat import linking, muting, statuses
from slomix.chat.replies import Reply
from slomix.chat.service import Asker
from slomix.config.settings import Settings
from slomix.deliveries.choices import Choice, UnknownChoice
from slomix.deliveries.mute import MUTE

# By the kind of the button. Who presses is the asker; the button says what is chosen.
PRESSES: Mapping[str, Callable[[Session, Asker, Choice, Settings, datetime], Reply]] = {
    choices_of_days.STATUS: statuses.press,
    linking.CONFIRM: linking.press,
    MUTE: muting.press,
}


def press(session: Session, asker: Asker, choice: Choice, settings: Settings, now: datetime) -> Reply:
    """Do it and return the answer. Raise UnknownChoice, or what the same act raises on the page."""
    if choice.kind not in PRESSES:
        raise UnknownChoice
    return PRESSES[choice.kind](session, asker, choice, settings, now)
