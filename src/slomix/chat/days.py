"""Reads days as people write them, and names them."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial

from slomix.availability.rules import HORIZON, NoSuchDay, parse_day
from slomix.i18n import _, dated, in_all_languages
from slomix.presence.game_names import name_key


def read_day(text: str, today: date) -> date:
    """Read today, tomorrow, a weekday (the next one, today included) or a date. Raise NoSuchDay.

    They are read in every language, with or without accents; three letters of a weekday will do.
    """
    word = name_key(text)
    for day in (today + timedelta(days=number) for number in range(7)):
        near = {0: _today, 1: _tomorrow}.get((day - today).days)
        if near is not None and word in all_keys(near):
            return day
        if len(word) >= 3 and any(name.startswith(word) for name in all_keys(partial(_weekday, day))):
            return day
    return parse_day(text.strip())


def suggest_days(text: str, today: date) -> list[date]:
    """Return the days that fit what was typed so far: by default the next seven."""
    word = name_key(text)
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
    near = {0: _today, 1: _tomorrow}.get((day - today).days)
    return near() if near is not None else dated(day, _("EEE d MMM"))


def all_keys(say: Callable[[], str]) -> set[str]:
    """Return what a word is typed as in any language: in lower case and without accents."""
    return {name_key(word) for word in in_all_languages(say)}


def _today() -> str:
    return _("Today")


def _tomorrow() -> str:
    return _("Tomorrow")


def _weekday(day: date) -> str:
    return dated(day, "EEEE")


def _search_text(day: date, today: date) -> str:
    names = all_keys(partial(name_day, day, today)) | all_keys(partial(_weekday, day))
    return " ".join([*sorted(names), day.isoformat()])
