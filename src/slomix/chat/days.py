"""Reads days as people write them, and names them."""

from datetime import date, timedelta

from slomix.availability.rules import HORIZON, NoSuchDay, parse_day
from slomix.i18n import _

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def read_day(text: str, today: date) -> date:
    """Read today, tomorrow, a weekday (the next one, today included) or a date. Raise NoSuchDay."""
    word = text.strip().lower()
    if word in {"today", "tomorrow"}:
        return today + timedelta(days=word == "tomorrow")
    weekday = next((number for number, name in enumerate(WEEKDAYS) if len(word) >= 3 and name.startswith(word)), None)
    if weekday is not None:
        return today + timedelta(days=(weekday - today.weekday()) % 7)
    return parse_day(word)


def suggest_days(text: str, today: date) -> list[date]:
    """Return the days that fit what was typed so far: by default the next seven."""
    word = text.strip().lower()
    week = [today + timedelta(days=number) for number in range(7)]
    fitting = [day for day in week if not word or word in _search_text(day, today)]
    if fitting:
        return fitting
    try:
        day = read_day(word, today)
    except NoSuchDay:
        return []
    return [day] if today <= day <= today + HORIZON else []


def name_day(day: date, today: date) -> str:
    """Return Today, Tomorrow, or the date with its weekday."""
    near = {0: _("Today"), 1: _("Tomorrow")}.get((day - today).days)
    return near or f"{day:%a} {day.day} {day:%b}"


def _search_text(day: date, today: date) -> str:
    return f"{name_day(day, today)} {day:%A} {day.isoformat()}".lower()
