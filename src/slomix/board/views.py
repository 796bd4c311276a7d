"""The board: today and tomorrow, the queue, what is upcoming, the calendar, and tonight's campaign."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, cast

from flask import Blueprint, current_app, render_template, request
from werkzeug.wrappers import Response

from slomix.availability import rules, service
from slomix.availability.calendar import month
from slomix.availability.service import DayView
from slomix.board.days import queue
from slomix.board.tonight import evening
from slomix.campaigns.view_models import CampaignCard
from slomix.campaigns.view_models import card as campaign_card
from slomix.deliveries import pausing
from slomix.deliveries.models import Pause
from slomix.planning import queries as planning
from slomix.planning.queries import RoomView
from slomix.runtime.context import Runtime
from slomix.web import live
from slomix.web import responses as web
from slomix.web.singleflight import SharedRead

blueprint = Blueprint("board", __name__)


@dataclass
class Tonight:
    """What the board shows to everybody, before it is somebody's: read once for all who ask at the same time."""

    day: date
    days: list[DayView]
    campaign: CampaignCard | None
    # Since when all sending is paused; None while messages go out.
    pause: Pause | None
    # The planning room, once it is open.
    room: RoomView | None
    # The board as strangers see it, all of them the same; made by the first who asks.
    for_strangers: str = ""


@blueprint.get("/")
def board() -> str:
    mark = live.hub().mark()
    return render_template("board/page.html", mark=mark, **_board(_tonight()))


@blueprint.get("/calendar")
def calendar() -> str:
    """The board with its calendar open at a month."""
    mark = live.hub().mark()
    tonight = _tonight()
    return render_template("board/page.html", mark=mark, **_board(tonight, month_of=_asked_month(tonight.day)))


@blueprint.get("/board")
def fragment() -> Response:
    """The part of the board that changes, for a page that is open; `month` when its calendar is."""
    tonight = _tonight()
    month_of = _asked_month(tonight.day) if "month" in request.args else None
    if web.viewer().is_authenticated or month_of is not None:
        return web.live_part(render_template("board/_board.html", **_board(tonight, month_of=month_of)))
    tonight.for_strangers = tonight.for_strangers or render_template("board/_board.html", **_board(tonight))
    return web.live_part(tonight.for_strangers)


def _asked_month(today: date) -> date:
    text = request.args.get("month", "")
    return rules.parse_month(text) if text else today.replace(day=1)


def _board(tonight: Tonight, *, month_of: date | None = None) -> dict[str, Any]:
    viewer = web.viewer().player_id
    shown = [day.seen_by(viewer) for day in tonight.days]
    opened = None
    if month_of is not None:
        with web.runtime().transaction() as session:
            opened = month(session, month_of, viewer=viewer)
    return {
        "today": tonight.day,
        "hero": shown[:2],
        "upcoming": shown[2:],
        "queue": queue(shown[0]),
        "evening": evening(
            shown[0].counts.looking,
            web.runtime().settings.ready_threshold,
            tonight.campaign.campaign.start_at if tonight.campaign and tonight.campaign.is_called else None,
            web.now(),
        ),
        "campaign": tonight.campaign,
        "pause": tonight.pause,
        "room": tonight.room,
        "calendar": opened,
    }


def _tonight() -> Tonight:
    shared = cast("SharedRead[date, Tonight]", current_app.extensions["slomix_tonight"])
    tonight = shared.get(web.today(web.now()))
    assert tonight is not None  # a day is always there
    return tonight


def shared_tonight(runtime: Runtime) -> "SharedRead[date, Tonight]":
    """What all boards of this process read together."""

    def read(days: set[date]) -> dict[date, Tonight]:
        now = runtime.clock.now()
        with runtime.transaction() as session:
            pause = pausing.paused(session)
            rooms = {day: planning.room_of(session, day) for day in days}
            return {
                day: Tonight(
                    day,
                    days=service.days_with_names(session, day, day + timedelta(days=1 + rules.UPCOMING)),
                    campaign=campaign_card(session, day, settings=runtime.settings, now=now),
                    pause=pause,
                    room=planning.view(session, room) if (room := rooms[day]) is not None else None,
                )
                for day in days
            }

    return SharedRead(read)
