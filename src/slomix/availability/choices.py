"""The buttons by which a player says something about a day, under messages and answers."""

from datetime import date

from slomix.availability.rules import STATUS_NAMES, Status
from slomix.channels.base import Button
from slomix.config.settings import Settings
from slomix.deliveries import choices
from slomix.deliveries.choices import Choice
from slomix.deliveries.notices import Occasion
from slomix.i18n import _

# The kind of the buttons, and the answer of the one that clears.
STATUS, CLEAR = "status", "clear"
# The answer of the one that says LOOKING and late: only for tonight.
LATE = "late"


def status_button(label: str, day: date, answer: str, settings: Settings, *, mark: str = "") -> Button:
    """Return a button that sets a day's status, or clears it; `mark` is that of the message."""
    return Button(label, choices.sign(Choice(STATUS, day.isoformat(), answer, mark), settings))


def late_button(day: date, settings: Settings, *, mark: str = "") -> Button:
    """Return the button by which a player says that they come, late."""
    return status_button(_("15 min late"), day, LATE, settings, mark=mark)


def status_buttons(day: date, settings: Settings, *, mark: str = "") -> list[Button]:
    """Return the buttons of the four statuses."""
    return [status_button(STATUS_NAMES[status], day, status.key, settings, mark=mark) for status in Status]


def buttons_under(occasion: Occasion, day: date) -> tuple[Button, ...]:
    """Return the buttons of the four statuses under a message, where they can be pressed."""
    if not can_be_pressed(occasion):
        return ()
    return tuple(status_buttons(day, occasion.runtime.settings, mark=occasion.delivery.nonce))


def can_be_pressed(occasion: Occasion) -> bool:
    """Check whether a message may have buttons that are sent back to us."""
    return choices.can_be_pressed(occasion.channel, occasion.runtime.settings)
