"""The runtime of the current request, the time, and the community's day."""

from datetime import date, datetime
from typing import cast

from flask import current_app

from slomix.clock import local_day
from slomix.runtime.context import Runtime


def runtime() -> Runtime:
    """Return the runtime of the app that answers this request."""
    return cast(Runtime, current_app.extensions["slomix"])


def now() -> datetime:
    """Return the time, for a view to read once and pass on."""
    return runtime().clock.now()


def today(moment: datetime) -> date:
    """Return the community's day at `moment`."""
    settings = runtime().settings
    return local_day(moment, settings.zone, settings.day_starts_at)
