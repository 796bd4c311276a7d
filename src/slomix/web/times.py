"""Days and times as pages write them, in the community's zone."""

import re
from datetime import UTC, date, datetime, timedelta

from slomix import i18n
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
    # i18n: a weekday and an hour, such as Fri 18:10; the signs are Unicode's for dates
    return hour(moment) if current.today(moment) == today else i18n.dated(_local(moment), _("EEE HH:mm"))


def day(value: date) -> str:
    """Write a date in full, with its year unless it is this year."""
    # i18n: such as Friday 27 November
    pattern = _("EEEE d MMMM") if _is_this_year(value) else _("EEEE d MMMM y")
    return i18n.dated(value, pattern)


def day_beside_name(value: date, today: date) -> str:
    """Write a date beside what `named_day` calls it: in full, without a weekday that the name has."""
    if abs((value - today).days) <= 1:
        return day(value)
    # i18n: such as 27 November
    return i18n.dated(value, _("d MMMM") if _is_this_year(value) else _("d MMMM y"))


def short_day(value: date) -> str:
    """Write a date as short as it can be."""
    # i18n: such as Fri 27 Nov
    return i18n.dated(value, _("EEE d MMM"))


def month(first: date) -> str:
    """Write a month and its year, as a heading."""
    # i18n: such as November 2026
    return capitalised(i18n.dated(first, _("LLLL y")))


def month_name(value: date) -> str:
    """Write the month of a date, as it stands beside the number of the day."""
    return i18n.dated(value, "MMMM")


def weekdays() -> list[tuple[str, str]]:
    """Return the days of the week, Monday first, in full and short."""
    monday = date(2026, 11, 23)
    week = [monday + timedelta(days=number) for number in range(7)]
    return [(i18n.dated(one, "EEEE"), i18n.dated(one, "EEE")) for one in week]


def named_day(value: date, today: date) -> str:
    """Name a date near today, as a heading: yesterday, today, tomorrow or its weekday."""
    distance = (value - today).days
    names = {-1: _("Yesterday"), 0: _("Today"), 1: _("Tomorrow")}
    return names.get(distance) or capitalised(i18n.dated(value, "EEEE"))


def capitalised(sentence: str) -> str:
    """Begin with a capital letter, and leave the rest as it is."""
    return sentence[:1].upper() + sentence[1:]


def _is_this_year(value: date) -> bool:
    return value.year == current.today(current.now()).year


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
    # i18n: such as 28 Nov 2026, 21:04
    return i18n.dated(_local(value), _("d MMM y, HH:mm"))


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
