"""Renders pages, and messages as safe HTML that reads as it would at the provider."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from slomix.dev.simulator.people import PEOPLE_BY_ID, TEXT_ROOMS, VOICE_ROOMS
from slomix.dev.simulator.wire import WORLD

HERE = Path(__file__).parent
ZONE = ZoneInfo("Europe/Ljubljana")

_STYLES = {
    "t": "%H:%M",
    "T": "%H:%M:%S",
    "d": "%d %b %Y",
    "D": "%d %B %Y",
    "f": "%d %B %Y, %H:%M",
    "F": "%A, %d %B %Y, %H:%M",
    "R": "%d %b %Y, %H:%M",
}
_LINK = re.compile(r"(?P<link>https?://[^\s<>]+)")
_SPECIAL = re.compile(
    r"\\(?P<escaped>[!-/:-@\[-`{-~])"
    r"|<t:(?P<time>-?\d{1,13})(?::(?P<style>[tTdDfFR]))?>"
    r"|<@!?(?P<person>\d+)>|<#(?P<room>\d+)>"
    r"|\*\*(?P<bold>(?:\\.|[^*\n\\])+)\*\*"
    rf"|<?{_LINK.pattern}>?"
)


def rich(text: str) -> Markup:
    """Render a message on Discord: times, names, bold words, links and escapes as it shows them, the rest escaped."""
    return _replaced(_SPECIAL, text, _special)


def plain(text: str) -> Markup:
    """Render a message on Telegram or Signal: as it was written, with its links."""
    return _replaced(_LINK, text, _linked)


def _replaced(pattern: re.Pattern[str], text: str, shown: Callable[[re.Match[str]], Markup]) -> Markup:
    parts, end = [], 0
    for found in pattern.finditer(text):
        parts += [escape(text[end : found.start()]), shown(found)]
        end = found.end()
    return Markup().join([*parts, escape(text[end:])])


def _special(found: re.Match[str]) -> Markup:
    if found["escaped"]:
        return escape(found["escaped"])
    if found["time"]:
        return _moment(found)
    if found["person"] in PEOPLE_BY_ID:
        return Markup("<b>@{}</b>").format(PEOPLE_BY_ID[found["person"]].name)
    if found["room"] in TEXT_ROOMS or found["room"] in VOICE_ROOMS:
        return Markup("<b>#{}</b>").format((TEXT_ROOMS | VOICE_ROOMS)[found["room"]])
    if found["bold"]:
        return Markup("<b>{}</b>").format(rich(found["bold"]))
    return _linked(found) if found["link"] else escape(found[0])


def _linked(found: re.Match[str]) -> Markup:
    # A full stop or a bracket after an address belongs to the sentence.
    address = found["link"].rstrip(".,;:!?)'\"")
    after = found[0].removeprefix("<").removesuffix(">").removeprefix(address)
    return link(address, address) + escape(after)


def _moment(found: re.Match[str]) -> Markup:
    try:
        moment = datetime.fromtimestamp(int(found["time"]), UTC).astimezone(ZONE)
    except (ValueError, OverflowError, OSError):
        return escape(found[0])
    said = moment.strftime(_STYLES[found["style"] or "f"])
    return Markup('<time datetime="{}" title="{}">{}</time>').format(moment.isoformat(), found[0], said)


def link(address: str, words: str) -> Markup:
    """Render a link to a web address; of any other address only the words."""
    if not address.startswith(("http://", "https://")):
        return escape(words)
    return Markup('<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>').format(address, words)


def local_time(moment: datetime, style: str = "%H:%M:%S") -> str:
    return moment.astimezone(ZONE).strftime(style)


_templates = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters.update(rich=rich, plain=plain, local_time=local_time)
_templates.globals.update(link=link)


def page(request: web.Request, template: str, *, status: int = 200, **context: Any) -> web.Response:
    web_url = f"http://127.0.0.1:{request.app[WORLD].port}"
    text = _templates.get_template(template).render(slomix_url=web_url, **context)
    headers = {
        "Content-Security-Policy": "default-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return web.Response(text=text, status=status, content_type="text/html", headers=headers)
