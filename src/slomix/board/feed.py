"""A player's evenings as a calendar that phones and mail programs subscribe to (RFC 5545)."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit

from flask import Blueprint, flash, redirect, render_template, request
from flask import session as cookie
from icalendar import Calendar, Event
from werkzeug.wrappers import Response

from slomix import i18n
from slomix.accounts.acting import as_player
from slomix.availability import feeds, rules
from slomix.availability.models import Entry
from slomix.availability.rules import STATUS_NAMES, Status
from slomix.campaigns import queries as campaigns
from slomix.clock import moment_of
from slomix.config.settings import Settings
from slomix.errors import NotFound
from slomix.i18n import N_, _, looked_up
from slomix.web import current, gates, questions, rate_limits
from slomix.web.reading import reading

blueprint = Blueprint("feed", __name__)

# Evenings that are over stay for so long; an evening has no end of its own.
KEPT, LASTS = timedelta(days=60), timedelta(hours=3)
# How often a calendar should look.
REFRESH = timedelta(hours=1)
CONSEQUENCES = (N_("Calendars that read the old address get nothing any more."),)


class NoSuchFeed(NotFound):
    sentence = N_("There is no such page.")


# The new secret on its way to the page that shows it, in the cookie of the browser that asked for it.
NEW = "calendar"


@blueprint.get("/preferences/calendar")
def show() -> str:
    """Show how it stands, and a new address this once: only its hash is kept."""
    with reading() as session:
        since = feeds.open_since(session, gates.require_player())
    secret = cookie.pop(NEW, None)
    address = f"{current.runtime().settings.base_url}/calendar/{secret}.ics" if secret and since else ""
    return render_template("board/feed.html", since=since, address=address)


@blueprint.post("/preferences/calendar")
def renew() -> Response:
    """Make an address, in place of the one before."""
    with as_player() as (session, player_id):
        had_one = feeds.open_since(session, player_id) is not None
        secret = feeds.renew_feed(session, player_id, now=current.now())
        if had_one:
            _confirm(_("Make a new calendar address?"), do=_("Make a new address"))
    cookie[NEW] = secret
    return redirect("/preferences/calendar", code=303)


@blueprint.post("/preferences/calendar/remove")
def remove() -> Response:
    with as_player() as (session, player_id):
        if feeds.open_since(session, player_id) is not None:
            feeds.close_feed(session, player_id)
            _confirm(_("Remove the calendar address?"), do=_("Remove the address"))
    flash(_("The calendar address is gone."), "done")
    return redirect("/preferences/calendar", code=303)


def _confirm(title: str, *, do: str) -> None:
    questions.confirm(title, looked_up(CONSEQUENCES), do=do, back="/preferences/calendar")


@blueprint.get("/calendar/<secret>.ics")
@rate_limits.calendars
def feed(secret: str) -> Response:
    """Answer with the evenings of the player whose secret this is, and of nobody else. Raise NoSuchFeed."""
    settings, now = current.runtime().settings, current.now()
    today = current.today(now)
    with current.runtime().transaction() as session:
        reader = feeds.reader_of(session, secret)
        if reader is None:
            raise NoSuchFeed
        player_id, language = reader
        evenings = feeds.evenings_of(session, player_id, today - KEPT, today + rules.HORIZON)
        starts = campaigns.starts_of_days(session, [evening.day for evening in evenings])
    with i18n.speaking(settings.language_for(language)):
        body = calendar_of(evenings, starts, settings=settings)
    answer = Response(body, mimetype="text/calendar")
    answer.headers["Content-Disposition"] = 'inline; filename="game-nights.ics"'
    answer.headers["X-Robots-Tag"] = "noindex"
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["Cache-Control"] = "private, no-store"
    answer.add_etag()
    return answer.make_conditional(request)


def calendar_of(evenings: list[Entry], starts: Mapping[date, datetime], *, settings: Settings) -> bytes:
    """Write the evenings as iCalendar; each starts when it was called for, else when evenings do by default."""
    host = urlsplit(settings.base_url).hostname or "slomix"
    calendar = Calendar()
    calendar.add("prodid", "-//Slomix//Game nights//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    name = _("{community} game nights").format(community=settings.community_name)
    calendar.add("x-wr-calname", name)
    calendar.add("name", name)
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    for evening in evenings:
        usual = moment_of(evening.day, settings.start_time, settings.zone, settings.day_starts_at)
        start_at = starts.get(evening.day, usual).astimezone(UTC)
        event = Event()
        event.add("uid", f"evening-{evening.day.isoformat()}@{host}")
        event.add("dtstamp", evening.updated_at.astimezone(UTC))
        event.add("dtstart", start_at)
        event.add("dtend", start_at + LASTS)
        status = STATUS_NAMES[evening.status]
        event.add("summary", _("{game} game night ({status})").format(game=settings.game_name, status=status))
        event.add("status", "TENTATIVE" if evening.status is Status.MAYBE else "CONFIRMED")
        event.add("transp", "TRANSPARENT" if evening.status is Status.MAYBE else "OPAQUE")
        event.add("url", f"{settings.base_url}/day/{evening.day.isoformat()}")
        calendar.add_component(event)
    written: bytes = calendar.to_ical()
    return written
