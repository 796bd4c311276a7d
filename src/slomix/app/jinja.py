"""What templates may use: names, icons, addresses of assets, days and times."""

from collections.abc import Mapping
from functools import cache
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import segno
from flask import Flask, request
from markupsafe import Markup

from slomix import i18n
from slomix.accounts.rules import ROLE_NAMES, browser_name, local_path
from slomix.admin.names import ACTIONS, ACTORS, JOB_NAMES
from slomix.availability import rules as availability
from slomix.availability.picture import picture_url
from slomix.availability.rules import (
    MY_STATUS,
    STATUS_NAMES,
    STATUS_SENTENCES,
    Status,
    StatusCounts,
    is_day_open,
    said_by,
    who_comes,
)
from slomix.campaigns.states import STATE_NAMES
from slomix.config.settings import Settings
from slomix.contacts.kinds import KIND_TEXTS
from slomix.contacts.rules import CHANNEL_NAMES
from slomix.deliveries.names import NOTICE_NAMES
from slomix.planning.rules import TEAM_NAMES, UNDO_TEXTS
from slomix.presence.game_names import coloured_name, mixes_alphabets, plain_name
from slomix.reasons.codes import CONTACT_REMEDIES, REASON_TEXTS
from slomix.web import assets, current, gates, languages, page_owner, responses, times


@cache
def icon(kind: str) -> Markup:
    """Draw an icon from the page's sprite; it stands beside its word, never alone."""
    return Markup('<svg class="icon" aria-hidden="true" focusable="false"><use href="#i-{}"></use></svg>').format(kind)


def qr_code(link: str) -> Markup:
    """Draw a link for a phone's camera. It says what the link beside it says, so screen readers pass it over."""
    drawn = segno.make(link, "m", micro=False).svg_inline(scale=4, border=4, dark="#000", light="#fff")
    return Markup(drawn.replace("<svg ", '<svg aria-hidden="true" ', 1))  # noqa: S704 - a drawing of squares


def heat(counts: StatusCounts) -> int:
    """Say how close a day comes to a game night."""
    return availability.heat(counts, current.runtime().settings.ready_threshold)


def status_word(status: Status) -> str:
    """Name a status as its button does."""
    return STATUS_NAMES[status]


FILTERS = (
    *(times.hour, times.seconds, times.time_of_day, times.late, times.since, times.moment, times.ago, times.place),
    *(
        times.day,
        times.day_beside_name,
        times.short_day,
        times.named_day,
        times.month,
        times.month_name,
        times.month_key,
    ),
    *(times.capitalised, times.readable_times),
    *(
        heat,
        picture_url,
        qr_code,
        status_word,
        said_by,
        who_comes,
        is_day_open,
        browser_name,
        plain_name,
        coloured_name,
        mixes_alphabets,
    ),
)
# Tables of texts by code, as `TEXTS.STATE_NAMES`.
TEXTS: dict[str, Mapping[str, Any]] = {
    "ACTIONS": ACTIONS,
    "ACTORS": ACTORS,
    "CHANNEL_NAMES": CHANNEL_NAMES,
    "CONTACT_REMEDIES": CONTACT_REMEDIES,
    "JOB_NAMES": JOB_NAMES,
    "KIND_TEXTS": KIND_TEXTS,
    "MY_STATUS": MY_STATUS,
    "NOTICE_NAMES": NOTICE_NAMES,
    "REASON_TEXTS": REASON_TEXTS,
    "ROLE_NAMES": ROLE_NAMES,
    "STATE_NAMES": STATE_NAMES,
    "STATUS_SENTENCES": STATUS_SENTENCES,
    "TEAM_NAMES": TEAM_NAMES,
    "UNDO_TEXTS": UNDO_TEXTS,
}
GLOBALS = {
    "icon": icon,
    "TEXTS": SimpleNamespace(**TEXTS),
    "asset": assets.asset_url,
    "Status": Status,
    "page_owner": page_owner.page_owner,
    "weekdays": times.weekdays,
}


def install(app: Flask) -> None:
    """Give the templates their filters, globals and context."""
    app.jinja_env.filters.update({function.__name__: function for function in FILTERS})
    app.jinja_env.globals.update(GLOBALS)
    app.context_processor(context)


def context() -> dict[str, Any]:
    """Tell a template who is looking and where; a view has read the viewer before it renders."""
    settings = current.runtime().settings
    return {
        "viewer": gates.viewer(),
        "settings": settings,
        "way_back": _way_back(),
        "theme": responses.theme(),
        "language": i18n.language(),
        "languages": languages.offered(),
        "simulator_url": _simulator_url(settings),
    }


def _simulator_url(settings: Settings) -> str:
    """Return the simulator that plays Discord here; empty if none was started, or another Discord is asked."""
    url = settings.simulator_url
    return url if urlsplit(url).netloc == urlsplit(settings.discord_api_base_url).netloc else ""


def _way_back() -> str:
    """Return where a login leads back to: this page, or the one with the form that was refused.

    Never to an address that is a permission by itself: it would be stored, and stand in logs.
    """
    if request.method == "GET" and not responses.is_htmx():
        return local_path(request.full_path.rstrip("?") if request.query_string else request.path)
    came_from = urlsplit(request.headers.get("HX-Current-URL") or request.referrer or "/")
    if (came_from.scheme, came_from.netloc) != urlsplit(request.host_url)[:2]:
        return "/"
    return local_path(came_from._replace(scheme="", netloc="").geturl())
