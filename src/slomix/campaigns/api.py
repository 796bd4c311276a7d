"""Campaigns as JSON."""

from collections import Counter
from typing import Any

from flask import Blueprint, jsonify, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from slomix import web, words
from slomix.accounts.rules import plain_name
from slomix.availability.rules import parse_day
from slomix.campaigns import queries, retrying, service
from slomix.campaigns.cards import card_of
from slomix.campaigns.models import Campaign
from slomix.campaigns.rules import Audience
from slomix.campaigns.service import Options
from slomix.campaigns.views import start_moment, submit_key
from slomix.contacts import service as contacts
from slomix.contacts.rules import ChannelName
from slomix.errors import Invalid

blueprint = Blueprint("campaigns_api", __name__, url_prefix="/api/availability/promotions")


@blueprint.get("/preview")
def preview() -> dict[str, Any]:
    """Who would be asked now."""
    web.the_promoter()
    now = web.now()
    today = web.today(now)
    settings = web.runtime().settings
    audience = Audience(_is_on("include_available"), _is_on("include_maybe"))
    start_at = start_moment(request.args.get("start") or settings.start_time.strftime("%H:%M"), today)
    with web.runtime().transaction() as session:
        ahead = service.preview(session, audience, day=today, start_at=start_at, settings=settings, now=now)
    return {
        "campaign_date": today.isoformat(),
        "recipient_count": len(ahead.asked),
        "channels_summary": Counter(ahead.channels.values()),
        "recipients_preview": [
            {
                "user_id": str(one.player_id),
                "display_name": plain_name(ahead.names[one.player_id]),
                "status": one.status.value,
                "selected_channel": ahead.channels[one.player_id],
            }
            for one in ahead.asked
        ],
        "left_out": [
            {
                "user_id": str(one.player_id),
                "display_name": plain_name(ahead.names[one.player_id]),
                "status": one.status.value,
                "reason": one.reason,
            }
            for one in ahead.left_out
        ],
    }


@blueprint.post("/campaigns")
@web.api_write
def create() -> tuple[Response, int]:
    """Call tonight together: 201, or 200 for a repeat of the same submit."""
    promoter_id = web.the_promoter()
    body = web.json_object()
    now = web.now()
    today = web.today(now)
    settings = web.runtime().settings
    start = body.get("start", settings.start_time.strftime("%H:%M"))
    if not isinstance(start, str):
        raise Invalid(words.MUST_BE_A_START)
    options = Options(
        audience=Audience(web.json_flag(body, "include_available"), web.json_flag(body, "include_maybe")),
        include_late_joiners=web.json_flag(body, "include_late_joiners"),
        dry_run=web.json_flag(body, "dry_run", default=settings.dry_run_default),
        start_at=start_moment(start, today),
    )
    key = submit_key(request.headers.get("Idempotency-Key"))
    with web.runtime().transaction() as session:
        campaign, is_new = service.create(
            session, promoter_id, options, day=today, idempotency_key=key, settings=settings, now=now
        )
        shown = card_of(session, campaign, settings=settings, now=now)
        body = {
            "campaign_id": str(campaign.id),
            "status": shown.status.value,
            "recipient_count": shown.recipient_count,
            "dry_run": campaign.dry_run,
            "scheduled_times": {phase.job.kind: phase.job.run_at.isoformat() for phase in shown.phases},
        }
    return jsonify(body), 201 if is_new else 200


@blueprint.get("/campaign")
def read() -> dict[str, Any]:
    """The campaign of a day, as aggregate."""
    web.the_player()
    day = parse_day(request.args["date"]) if "date" in request.args else web.today(web.now())
    with web.runtime().transaction() as session:
        campaign = queries.of_day(session, day)
        if campaign is None:
            return {"campaign": None}
        shown = card_of(session, campaign, settings=web.runtime().settings, now=web.now())
        channels = _first_channels(session, [one.player_id for one in queries.recipients(session, campaign)])
    return {
        "campaign": {
            "id": str(campaign.id),
            "status": shown.status.value,
            "recipient_count": shown.recipient_count,
            "channels_summary": Counter(channels.values()),
            "jobs": [
                {
                    "job_type": phase.job.kind,
                    "run_at": phase.job.run_at.isoformat(),
                    "status": phase.job.status.value,
                    "attempts": phase.job.attempts,
                    "max_attempts": phase.job.max_attempts,
                }
                for phase in shown.phases
            ],
        }
    }


@blueprint.post("/campaigns/<id:campaign_id>/cancel")
@web.api_write
def cancel(campaign_id: int) -> dict[str, str]:
    """Stop what has not gone out."""
    promoter_id = web.the_promoter()
    with web.runtime().transaction() as session:
        campaign: Campaign = service.cancel(
            session, campaign_id, player_id=promoter_id, is_admin=web.viewer().is_admin, now=web.now()
        )
    return {"id": str(campaign.id), "status": campaign.status.value}


@blueprint.post("/campaigns/<id:campaign_id>/retry")
@web.api_write
def retry(campaign_id: int) -> dict[str, Any]:
    """Try once more what failed or, when its promoter says so, what may have arrived already."""
    promoter_id = web.the_promoter()
    unknown = web.json_flag(web.json_object(), "unknown")
    with web.runtime().transaction() as session:
        campaign, number = retrying.retry(
            session,
            campaign_id,
            player_id=promoter_id,
            is_admin=web.viewer().is_admin,
            unknown=unknown,
            settings=web.runtime().settings,
            now=web.now(),
        )
    return {"id": str(campaign.id), "retried": number}


def _is_on(name: str) -> bool:
    return request.args.get(name, "").lower() in {"1", "true", "yes", "on"}


def _first_channels(session: Session, player_ids: list[int]) -> dict[int, ChannelName]:
    """On which channel each of them would be told now."""
    reaches = contacts.reach_of(session, player_ids, settings=web.runtime().settings)
    return {player_id: reach.first_channel for player_id, reach in reaches.items()}
