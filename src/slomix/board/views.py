"""The board: today and tomorrow, the queue, what is upcoming, the calendar, and tonight's campaign."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, cast

from flask import Blueprint, current_app, render_template, request
from flask import session as cookie
from flask_wtf.csrf import generate_csrf
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from slomix import i18n
from slomix.availability import rules, service
from slomix.availability.calendar import CalendarMonth, build_month
from slomix.availability.picture import KEPT_SECONDS, draw, picture_of
from slomix.availability.service import DayView
from slomix.availability.views import queue
from slomix.board.tonight import judge_evening, may_come
from slomix.campaigns import late
from slomix.campaigns import queries as campaigns
from slomix.campaigns.card import seen_by
from slomix.campaigns.rules import EveningHours
from slomix.campaigns.view_models import CampaignCard
from slomix.campaigns.view_models import card_of_day as campaign_card
from slomix.database import session as db
from slomix.deliveries import pausing
from slomix.deliveries.models import Pause
from slomix.planning import queries as planning
from slomix.planning.queries import RoomView
from slomix.runtime.context import Runtime
from slomix.web import current, gates, languages, live, rate_limits, responses
from slomix.web.gates import Anonymous, Viewer
from slomix.web.reading import look_as, reading
from slomix.web.singleflight import Singleflight

blueprint = Blueprint("board", __name__)

# Stands for the form token in a page that is kept; no page has this character otherwise.
TOKEN = "\0"
KEPT_FOR = timedelta(seconds=1)


@dataclass
class BoardState:
    """What the board shows to every viewer, read once for all requests at the same time."""

    day: date
    days: list[DayView]
    campaign: CampaignCard | None
    # Since when all sending is paused; None while messages go out.
    pause: Pause | None
    # The planning room, once it is open.
    room: RoomView | None
    hours: EveningHours
    # What all strangers see, by its template, path and theme; rendered by the first of their requests.
    for_strangers: dict[tuple[str, str, str], str] = field(default_factory=dict)


class Asked(NamedTuple):
    """The evening that a viewer asks for, and their login cookie."""

    day: date
    session_key: str | None
    # Until it is known which language its viewer has chosen.
    language: str


class Seen(NamedTuple):
    """The evening and its viewer; None is a stranger."""

    tonight: BoardState
    viewer: Viewer | None


@blueprint.get("/")
def board() -> str:
    mark = live.hub().mark()
    tonight = read_shared()
    return render_once("board/page.html", lambda: _board(tonight) | {"mark": mark}, tonight)


def render_once(template: str, read: Callable[[], dict[str, Any]], tonight: BoardState | None = None) -> str:
    """Render a page. For strangers it is the same, but for the form token of their own: it is kept with the evening."""
    if not gates.is_stranger() or "_flashes" in cookie or request.query_string:
        return render_template(template, **read())
    kept = (tonight or read_shared()).for_strangers
    name = (template, request.path, responses.theme())
    if name not in kept:
        kept[name] = render_template(template, **read()).replace(generate_csrf(), TOKEN)
    return kept[name].replace(TOKEN, generate_csrf())


@blueprint.get("/og/<day>.png")
@rate_limits.pictures
def picture(day: str) -> Response:
    """Draw an evening as it is now, whatever state the address names."""
    shown = rules.parse_day(day)
    with reading() as session:
        [seen] = service.list_days(session, shown, shown, viewer=None)
        called = campaigns.called_campaign(session, shown)
    start_at = called.start_at if called is not None else None
    with languages.of_the_community():
        drawn = draw(picture_of(shown, seen.counts.looking, start_at))
    answer = Response(drawn, mimetype="image/png")
    answer.cache_control.public, answer.cache_control.max_age = True, KEPT_SECONDS
    return answer


@blueprint.get("/calendar")
def calendar() -> str:
    """Show the board with its calendar open at a month."""
    mark = live.hub().mark()
    now = current.now()
    first = _asked_month(current.today(now))
    with reading() as session:
        tonight = read_tonight(session, current.today(now), current.runtime(), now=now)
        opened = build_month(session, first, viewer=gates.viewer().player_id)
    return render_template("board/page.html", mark=mark, **_board(tonight, opened))


@blueprint.get("/board")
def fragment() -> Response:
    """Render the part of the board that changes, for a page that is open; with a month when its calendar is open."""
    tonight = read_shared()
    if "month" in request.args:
        first = _asked_month(tonight.day)
        with current.runtime().transaction() as session:
            opened = build_month(session, first, viewer=gates.viewer().player_id)
        return responses.live_part(render_template("board/_board.html", **_board(tonight, opened)))
    return responses.live_part(render_once("board/_board.html", lambda: _board(tonight), tonight))


def _asked_month(today: date) -> date:
    return rules.month_of(request.args.get("month", ""), today)


def _board(tonight: BoardState, opened: CalendarMonth | None = None) -> dict[str, Any]:
    viewer = gates.viewer().player_id
    shown = [day.for_viewer(viewer) for day in tonight.days]
    card = seen_by(gates.viewer(), tonight.campaign, tonight.day)
    start_at = tonight.campaign.campaign.start_at if tonight.campaign and tonight.campaign.is_called else None
    return {
        "today": tonight.day,
        "evening_picture": picture_of(tonight.day, shown[0].counts.looking, start_at),
        "hero": shown[:2],
        "upcoming": shown[2:],
        "queue": queue(shown[0]),
        "evening": judge_evening(
            shown[0].counts,
            current.runtime().settings.ready_threshold,
            start_at,
            current.now(),
            has_begun=tonight.campaign is not None and tonight.campaign.has_begun,
        ),
        "campaign": tonight.campaign,
        "campaign_card": card,
        "pause": None if card.is_empty else tonight.pause,
        "room": tonight.room,
        "may_be_late": may_come(shown[0]) and tonight.hours.offers_late(current.now()),
        "calendar": opened,
    }


def read_shared() -> BoardState:
    """Read tonight and the viewer, in one transaction for all requests at the same time."""
    shared = cast("Singleflight[Asked, Seen]", current_app.extensions["slomix_tonight"])
    seen = shared.get(Asked(current.today(current.now()), cookie.get("_user_id"), i18n.language()))
    assert seen is not None  # a day is always there
    look_as(seen.viewer or Anonymous())
    return seen.tonight


def shared_board(
    runtime: Runtime, read_viewers: Callable[[Session, Collection[str]], Mapping[str, Viewer]]
) -> "Singleflight[Asked, Seen]":
    """Make the reading that all boards of this process share.

    The evening is kept until anything was committed to the database, or `KEPT_FOR`, as some of it depends on the time.
    """
    kept: dict[tuple[date, str], tuple[datetime, str | None, BoardState]] = {}

    def evening(session: Session, day: date, language: str, shown: str | None, now: datetime) -> BoardState:
        read_at, name, state = kept.get((day, language), (None, None, None))
        if state is None or read_at is None or name is None or name != shown or abs(now - read_at) >= KEPT_FOR:
            with i18n.speaking(language):
                state = read_tonight(session, day, runtime, now=now)
            for other in [key for key in kept if key[0] != day]:
                del kept[other]
            kept[day, language] = now, shown, state
        return state

    def read(asked: set[Asked]) -> dict[Asked, Seen]:
        now = runtime.clock.now()
        with runtime.transaction() as session:
            shown = db.snapshot(session)
            viewers = read_viewers(session, {question.session_key for question in asked if question.session_key})
            seen = {question: viewers.get(question.session_key or "") for question in asked}
            wanted = {
                question: (question.day, languages.chosen_by(seen[question]) or question.language) for question in asked
            }
            evenings = {key: evening(session, *key, shown, now) for key in set(wanted.values())}
        return {question: Seen(evenings[wanted[question]], seen[question]) for question in asked}

    return Singleflight(read)


def read_tonight(session: Session, day: date, runtime: Runtime, *, now: datetime) -> BoardState:
    """Read what the board of `day` shows to every viewer."""
    room = planning.room_of(session, day)
    return BoardState(
        day,
        days=service.list_days_with_names(session, day, day + timedelta(days=1 + rules.UPCOMING)),
        campaign=campaign_card(session, day, settings=runtime.settings, now=now),
        pause=pausing.current_pause(session),
        room=planning.view_room(session, room) if room is not None else None,
        hours=late.hours_of_day(session, day, settings=runtime.settings),
    )
