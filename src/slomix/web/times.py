"""Days and times as pages write them, in the community's zone."""

import re
from datetime import UTC, date, datetime, timedelta

from slomix.i18n import _
from slomix.web import current

_TIMESTAMP = re.compile(r"<t:(?P<seconds>\d+):(?P<style>[tR])>")


def _local(moment: datetime) -> datetime:
    return moment.astimezone(current.runtime().settings.zone)


def hour(moment: datetime) -> str:
    """Write a moment as hours and minutes."""
    return f"{_local(moment):%H:%M}"


def seconds(moment: datetime) -> str:
    """Write a moment to the second."""
    return f"{_local(moment):%H:%M:%S}"


def time_of_day(moment: datetime) -> str:
    """Write hours and minutes, and seconds where there are any."""
    return seconds(moment) if moment.second else hour(moment)


def late(moment: datetime | None) -> str:
    """Write the hour at which a late player comes; nothing for all who are not late any more."""
    return hour(moment) if moment is not None and current.now() < moment else ""


def since(moment: datetime, today: date) -> str:
    """Write the hour, and the weekday too when it is not today's."""
    return hour(moment) if current.today(moment) == today else f"{_local(moment):%a %H:%M}"


def day(value: date) -> str:
    """Write a date in full, with its year unless it is this year."""
    year = "" if value.year == current.today(current.now()).year else f" {value.year}"
    return f"{value:%A} {value.day} {value:%B}{year}"


def short_day(value: date) -> str:
    """Write a date as short as it can be."""
    return f"{value:%a} {value.day} {value:%b}"


def named_day(value: date, today: date) -> str:
    """Name a date near today: yesterday, today, tomorrow or its weekday."""
    distance = (value - today).days
    return {-1: _("Yesterday"), 0: _("Today"), 1: _("Tomorrow")}.get(distance, f"{value:%A}")


def month_key(first: date) -> str:
    """Write a month as addresses have it."""
    return first.isoformat()[:7]


def readable_times(text: str) -> str:
    """Write Discord's timestamps, which every reader there sees in their own zone, as hours of ours."""

    def shown(found: re.Match[str]) -> str:
        if found["style"] == "R":
            return _("a countdown to it")
        return hour(datetime.fromtimestamp(int(found["seconds"]), UTC))

    return _TIMESTAMP.sub(shown, text)


def place(zone: str) -> str:
    """Name the city of a time zone."""
    return zone.rpartition("/")[2].replace("_", " ")


def moment(value: datetime) -> str:
    """Write day and time, also of long ago."""
    local = _local(value)
    return f"{local.day} {local:%b %Y, %H:%M}"


def ago(age: timedelta | None) -> str:
    """Say how long ago, as coarsely as it may be: a page that says nothing new is not sent again."""
    if age is None:
        return _("never")
    seconds = age.total_seconds()
    if seconds < 60:
        return _("just now") if seconds < 20 else _("less than a minute ago")
    minutes = int(seconds // 60)
    return (
        _("{minutes} min ago").format(minutes=minutes)
        if minutes < 120
        else _("{hours} h ago").format(hours=minutes // 60)
    )
