"""The board: today and tomorrow, the queue, what is upcoming, the calendar, and tonight's campaign."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, render_template, request

from slomix import web
from slomix.availability import rules, service
from slomix.availability.service import DayView
from slomix.availability.views import queue
from slomix.campaigns.views import card as campaign_card

blueprint = Blueprint("board", __name__)


@dataclass(frozen=True)
class Month:
    """One month of the calendar, with the way to its neighbours."""

    first: date
    weeks: list[list[DayView]]
    before: date
    after: date


@blueprint.get("/")
def board() -> str:
    return render_template("board/page.html", **_board(month=None))


@blueprint.get("/calendar")
def calendar() -> str:
    """The board with its calendar open at a month."""
    return render_template("board/page.html", **_board(month=_asked_month()))


@blueprint.get("/board")
def fragment() -> str:
    """The part of the board that changes, for a page that is open; `month` when its calendar is."""
    return render_template("board/_board.html", **_board(month=_asked_month() if "month" in request.args else None))


@blueprint.get("/day/<day>")
def day_page(day: str) -> str:
    return render_template("board/day.html", **_day(rules.parse_day(day)))


@blueprint.get("/day/<day>/card")
def day_fragment(day: str) -> str:
    """The part of a day's page that changes."""
    return render_template("availability/_day_card.html", **_day(rules.parse_day(day)))


def _asked_month() -> date:
    text = request.args.get("month", "")
    return rules.parse_month(text) if text else web.today(web.now()).replace(day=1)


def _board(*, month: date | None) -> dict[str, Any]:
    now: datetime = web.now()
    today = web.today(now)
    viewer = web.viewer().player_id
    with web.runtime().transaction() as session:
        shown = service.days(
            session, today, today + timedelta(days=1 + rules.UPCOMING), viewer=viewer, with_names=viewer is not None
        )
        campaign = campaign_card(session, today, now)
        calendar = None
        if month is not None:
            weeks = rules.month_grid(month)
            days = service.days(session, weeks[0][0], weeks[-1][-1], viewer=viewer, with_names=False)
            calendar = Month(
                first=month,
                weeks=[days[start : start + 7] for start in range(0, len(days), 7)],
                before=(month - timedelta(days=1)).replace(day=1),
                after=(month + timedelta(days=31)).replace(day=1),
            )
    threshold = web.runtime().settings.ready_threshold
    return {
        "today": today,
        "now": now,
        "hero": shown[:2],
        "upcoming": shown[2:],
        "queue": queue(shown[0]),
        "threshold": threshold,
        "is_ready": shown[0].counts.looking >= threshold,
        "campaign": campaign,
        "calendar": calendar,
        "last_day": today + rules.HORIZON,
    }


def _day(day: date) -> dict[str, Any]:
    now = web.now()
    today = web.today(now)
    viewer = web.viewer().player_id
    with web.runtime().transaction() as session:
        shown = service.days(session, day, day, viewer=viewer, with_names=viewer is not None)[0]
    return {"card": shown, "today": today, "can_change": rules.may_change(day, today), "from_day": True}
