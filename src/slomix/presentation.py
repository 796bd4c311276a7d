"""What templates may use: words for days and times in the community's zone, names, addresses of assets."""

import hashlib
import re
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, request, url_for

from slomix import web
from slomix.accounts.rules import plain_name
from slomix.availability.rules import Status

_TIMESTAMP = re.compile(r"<t:(?P<seconds>\d+):(?P<style>[tR])>")

STATUS_WORDS = {
    Status.LOOKING: "Looking",
    Status.AVAILABLE: "Available",
    Status.MAYBE: "Maybe",
    Status.NOT_PLAYING: "Not playing",
}


@lru_cache(maxsize=64)
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:10]


def install(app: Flask) -> None:
    """Give the templates their filters and globals."""
    static = Path(app.static_folder or "")

    def asset(name: str) -> str:
        """The address of an asset, which changes with its content so that browsers may keep it for ever."""
        path = static / name
        version = _digest(path) if path.exists() else "missing"
        return url_for("static", filename=name, v=version)

    def local(moment: datetime) -> datetime:
        return moment.astimezone(web.runtime().settings.zone)

    def hour(moment: datetime) -> str:
        return f"{local(moment):%H:%M}"

    def seconds(moment: datetime) -> str:
        return f"{local(moment):%H:%M:%S}"

    def day(value: date) -> str:
        year = "" if value.year == web.today(web.now()).year else f" {value.year}"
        return f"{value:%A} {value.day} {value:%B}{year}"

    def readable_times(text: str) -> str:
        """Discord's timestamps, which every reader there sees in their own zone, as hours of ours."""

        def shown(found: re.Match[str]) -> str:
            if found["style"] == "R":
                return "a countdown to it"
            return hour(datetime.fromtimestamp(int(found["seconds"]), UTC))

        return _TIMESTAMP.sub(shown, text)

    def short_day(value: date) -> str:
        return f"{value:%a} {value.day} {value:%b}"

    def named_day(value: date, today: date) -> str:
        distance = (value - today).days
        return {-1: "Yesterday", 0: "Today", 1: "Tomorrow"}.get(distance, f"{value:%A}")

    app.jinja_env.filters.update(
        hour=hour,
        seconds=seconds,
        day=day,
        readable_times=readable_times,
        short_day=short_day,
        named_day=named_day,
        plain_name=plain_name,
        status_word=STATUS_WORDS.__getitem__,
    )
    app.jinja_env.globals.update(asset=asset, Status=Status)

    @app.context_processor
    def everywhere() -> dict[str, Any]:
        settings = web.runtime().settings
        return {
            "viewer": web.viewer(),
            "settings": settings,
            # Where a login leads back to; a form that was refused has no page of its own.
            "way_back": request.path if request.method == "GET" else "/",
            "is_demo": settings.is_development and settings.discord_api_base_url.startswith("http://127.0.0.1:"),
            "simulator_url": f"http://127.0.0.1:{settings.port + 1}/",
        }
