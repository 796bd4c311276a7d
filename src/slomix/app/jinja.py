"""What templates may use: words for days and times in the community's zone, names, addresses of assets."""

import re
from datetime import UTC, date, datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, request
from markupsafe import Markup

from slomix import words
from slomix.accounts.rules import own_path
from slomix.availability.rules import Status, heat, may_change
from slomix.presence.game_names import coloured_name, plain_name
from slomix.web import assets
from slomix.web import responses as web

_TIMESTAMP = re.compile(r"<t:(?P<seconds>\d+):(?P<style>[tR])>")


@cache
def icon(kind: str) -> Markup:
    """An icon from the page's sprite; it stands beside its word, never alone."""
    return Markup('<svg class="icon" aria-hidden="true" focusable="false"><use href="#i-{}"></use></svg>').format(kind)


def install(app: Flask) -> None:
    """Give the templates their filters and globals."""

    def local(moment: datetime) -> datetime:
        return moment.astimezone(web.runtime().settings.zone)

    def hour(moment: datetime) -> str:
        return f"{local(moment):%H:%M}"

    def since(moment: datetime, today: date) -> str:
        """The hour, and the day too when it is another one."""
        return hour(moment) if web.today(moment) == today else f"{local(moment):%a %H:%M}"

    def seconds(moment: datetime) -> str:
        return f"{local(moment):%H:%M:%S}"

    def day(value: date) -> str:
        year = "" if value.year == web.today(web.now()).year else f" {value.year}"
        return f"{value:%A} {value.day} {value:%B}{year}"

    def readable_times(text: str) -> str:
        """Discord's timestamps, which every reader there sees in their own zone, as hours of ours."""

        def shown(found: re.Match[str]) -> str:
            if found["style"] == "R":
                return words.COUNTDOWN
            return hour(datetime.fromtimestamp(int(found["seconds"]), UTC))

        return _TIMESTAMP.sub(shown, text)

    def short_day(value: date) -> str:
        return f"{value:%a} {value.day} {value:%b}"

    def month_key(first: date) -> str:
        return first.isoformat()[:7]

    def named_day(value: date, today: date) -> str:
        distance = (value - today).days
        return {-1: words.YESTERDAY, 0: words.TODAY, 1: words.TOMORROW}.get(distance, f"{value:%A}")

    def place(zone: str) -> str:
        return zone.rpartition("/")[2].replace("_", " ")

    app.jinja_env.filters.update(
        hour=hour,
        since=since,
        place=place,
        may_change=may_change,
        heat=lambda counts: heat(counts, web.runtime().settings.ready_threshold),
        seconds=seconds,
        day=day,
        readable_times=readable_times,
        short_day=short_day,
        month_key=month_key,
        named_day=named_day,
        plain_name=plain_name,
        coloured_name=coloured_name,
        status_word=words.STATUSES.__getitem__,
    )
    app.jinja_env.globals.update(
        icon=icon,
        words=words,
        asset=assets.address,
        Status=Status,
    )

    @app.context_processor
    def everywhere() -> dict[str, Any]:
        settings = web.runtime().settings
        return {
            "viewer": web.viewer(),
            "settings": settings,
            "way_back": _way_back(),
            "theme": web.theme(),
            "is_demo": settings.is_development and settings.discord_api_base_url.startswith("http://127.0.0.1:"),
            "simulator_url": f"http://127.0.0.1:{settings.port + 1}/",
        }


def _way_back() -> str:
    """Where a login leads back to: this page, or the one with the form that was refused."""
    if request.method == "GET" and not web.is_htmx():
        return request.full_path.rstrip("?") if request.query_string else request.path
    came_from = urlsplit(request.headers.get("HX-Current-URL") or request.referrer or "/")
    if (came_from.scheme, came_from.netloc) != urlsplit(request.host_url)[:2]:
        return "/"
    return own_path(came_from._replace(scheme="", netloc="").geturl())
