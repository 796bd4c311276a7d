"""Whether tonight will work: one sentence, and its reasons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, render_template
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from slomix import words
from slomix.admin import queries, search
from slomix.admin.search import DeliveryFilter
from slomix.campaigns import queries as campaigns
from slomix.campaigns import risk, risk_facts
from slomix.campaigns.models import Campaign
from slomix.campaigns.risk import Risk
from slomix.campaigns.view_models import CampaignCard, card_of
from slomix.clock import wall_now
from slomix.deliveries import pausing
from slomix.deliveries.rules import DeliveryStatus
from slomix.health.rules import PartHealth
from slomix.health.service import needed_tonight
from slomix.health.views import check, probes
from slomix.jobs.late import late, next_due
from slomix.planning import queries as planning
from slomix.web import live
from slomix.web import responses as web
from slomix.web.reading import end, reading

blueprint = Blueprint("tonight", __name__, url_prefix="/tonight")

NOT_ARRIVED = (DeliveryStatus.FAILED, DeliveryStatus.UNKNOWN)


@dataclass(frozen=True)
class Part:
    """A part of the system, whether it is up, and the age of its last heartbeat."""

    name: str
    is_there: bool
    age: timedelta | None
    trouble: str | None


@blueprint.get("")
def show() -> str:
    mark = live.hub().mark()
    return render_template("admin/tonight.html", mark=mark, **_tonight())


@blueprint.get("/live")
def show_live() -> Response:
    """Show the part of the page that changes, which is all of it."""
    return web.live_part(render_template("admin/_tonight.html", **_tonight()))


def verdict(
    risks: Sequence[Risk],
    counts: Mapping[DeliveryStatus, int],
    called: CampaignCard | None,
    *,
    now: datetime,
    start: str = "",
) -> str:
    """Say in one sentence whether tonight works; with several problems, the worst."""
    if risks:
        return words.WRONG_TONIGHT.format(reason=risks[0].reason)
    missed = sum(counts.get(status, 0) for status in NOT_ARRIVED)
    if missed:
        return words.WELL_BUT_NOT_ALL.format(number=missed)
    if called is None:
        return words.ALL_WELL_NOBODY_CALLED
    if now >= called.campaign.start_at:
        return words.ALL_WELL_BEGUN.format(time=start)
    return words.ALL_WELL_CALLED.format(count=called.recipient_count, time=start)


def _tonight() -> dict[str, Any]:
    end()  # how all parts do may take two seconds to be known, and nothing is held meanwhile
    runtime, now, wall = web.runtime(), web.now(), wall_now()
    settings, today = runtime.settings, web.today(web.now())
    health = check(runtime, probes())
    with reading() as session:
        cards = _cards(session, today, now)
        called = next((card for card in reversed(cards) if card.is_called), None)
        risks = risk_facts.look(
            session,
            called.campaign if called is not None and _is_near(called, now) else None,
            parts=needed_tonight(health),
            settings=settings,
            now=now,
            wall=wall,
        )
        counts = search.counts(session, DeliveryFilter(day=today), settings=settings)
        pause, seen_at = pausing.paused(session), risk_facts.seen_at(session)
        start = called.campaign.start_at.astimezone(settings.zone) if called is not None else None
        return {
            "verdict": verdict(risks, counts, called, now=now, start=f"{start:%H:%M}" if start else ""),
            "risks": risks,
            "parts": [_part(part) for part in health],
            "pause": pause,
            "people": queries.accounts_of(session, [pause.by]) if pause else {},
            "campaigns": cards,
            "counts": counts,
            "not_arrived": NOT_ARRIVED,
            "late": late(session, now=now, wall=wall, after=risk.LATE_AFTER),
            "next_due": next_due(session, now=now),
            "channels": queries.channels(session, settings),
            "presence_age": now - seen_at if seen_at is not None else None,
            "is_presence_fresh": seen_at is not None and now - seen_at <= settings.presence_max_age,
            "room": planning.room_of(session, today),
            "today": today,
        }


def _part(health: PartHealth) -> Part:
    age = timedelta(seconds=health.age_seconds) if health.age_seconds is not None else None
    return Part(health.part, health.ok, age, health.trouble)


def _cards(session: Session, today: date, now: datetime) -> list[CampaignCard]:
    """Return today's campaigns, cancelled ones too; dry runs belong to their promoters alone."""
    theirs = select(Campaign).where(Campaign.day == today, ~Campaign.dry_run).order_by(Campaign.id)
    return [
        card_of(session, campaign, settings=web.runtime().settings, now=now) for campaign in session.scalars(theirs)
    ]


def _is_near(card: CampaignCard, now: datetime) -> bool:
    """Check whether the campaign is being watched now."""
    return card.is_open and campaigns.is_near(card.campaign, [phase.job for phase in card.phases], now)
