"""Campaigns as JSON: calling an evening together."""

from collections import Counter
from typing import Annotated

from flask import Blueprint, request
from pydantic import Field

from slomix.accounts.acting import as_promoter
from slomix.campaigns import queries, retrying, schemas, service
from slomix.campaigns.preview import preview as preview_of
from slomix.campaigns.rules import Audience, CampaignStatus
from slomix.campaigns.service import CampaignChoices
from slomix.campaigns.view_models import card_of_campaign
from slomix.campaigns.views import start_moment, submit_key
from slomix.contacts import service as contacts
from slomix.presence.game_names import plain_name
from slomix.reasons.codes import REASON_TEXTS
from slomix.web import current, gates
from slomix.web.openapi.calls import PLAYERS, PROMOTERS, Calls
from slomix.web.openapi.shapes import Id

blueprint = Blueprint("campaigns_api", __name__, url_prefix="/api/availability/promotions")
calls = Calls("Campaigns")

Which = Annotated[Id, Field(description="Which.")]


@blueprint.get("/preview")
@calls.call("previewCampaign", PROMOTERS, "Nothing is sent.")
def preview(_promoter_id: int, query: schemas.PreviewQuery) -> schemas.CampaignPreview:
    """Show who would be asked now.

    For promoters.
    """
    now = current.now()
    today = current.today(now)
    settings = current.runtime().settings
    audience = Audience(query.include_available, query.include_maybe)
    start_at = start_moment(query.start or settings.start_time, today)
    with current.runtime().transaction() as session:
        ahead = preview_of(session, audience, day=today, start_at=start_at, settings=settings, now=now)
    return schemas.CampaignPreview(
        campaign_date=today,
        recipient_count=len(ahead.asked),
        channels_summary=Counter(ahead.channels.values()),
        recipients_preview=[
            schemas.PreviewRecipient(
                user_id=person.player_id,
                display_name=plain_name(ahead.names[person.player_id]),
                status=person.status,
                selected_channel=ahead.channels[person.player_id],
            )
            for person in ahead.asked
        ],
        left_out=[
            schemas.PreviewLeftOut(
                user_id=person.player_id,
                display_name=plain_name(ahead.names[person.player_id]),
                status=person.status,
                reason=REASON_TEXTS[person.reason],
            )
            for person in ahead.left_out
        ],
    )


@blueprint.post("/campaigns")
@calls.call(
    "createCampaign",
    PROMOTERS,
    {201: "A new one.", 200: "The first campaign of the same submit."},
    problems=(409, 429),
    parameters=(schemas.IDEMPOTENCY_KEY,),
)
def create(_promoter_id: int, body: schemas.CampaignOptions) -> tuple[schemas.NewCampaign, int]:
    """Call tonight together.

    For promoters.
    """
    now = current.now()
    today = current.today(now)
    settings = current.runtime().settings
    options = CampaignChoices(
        audience=Audience(body.include_available, body.include_maybe),
        include_late_joiners=body.include_late_joiners,
        dry_run=body.sent_fields().get("dry_run", settings.dry_run_default),
        start_at=start_moment(body.start or settings.start_time, today),
    )
    key = submit_key(request.headers.get("Idempotency-Key"))
    with as_promoter() as (session, promoter_id):
        campaign, is_new = service.create_campaign(
            session, promoter_id, options, day=today, idempotency_key=key, settings=settings, now=now
        )
        shown = card_of_campaign(session, campaign, settings=settings, now=now)
        answer = schemas.NewCampaign(
            campaign_id=campaign.id,
            status=shown.status,
            recipient_count=shown.asked.recipients,
            dry_run=campaign.dry_run,
            scheduled_times={schemas.JobType(phase.job.kind): phase.job.run_at for phase in shown.phases},
        )
    return answer, 201 if is_new else 200


@blueprint.get("/campaign")
@calls.call("readCampaign", PLAYERS, "The latest that is no dry run; a cancelled one only if there is no other.")
def read(_player_id: int, query: schemas.CampaignQuery) -> schemas.CampaignOfDay:
    """Read the campaign of a day, as aggregate.

    For linked players.
    """
    day = query.date or current.today(current.now())
    with current.runtime().transaction() as session:
        campaign = queries.campaign_of_day(session, day)
        if campaign is None:
            return schemas.CampaignOfDay(campaign=None)
        shown = card_of_campaign(session, campaign, settings=current.runtime().settings, now=current.now())
        asked = [recipient.player_id for recipient in queries.recipients_of(session, campaign)]
        reaches = contacts.reachability_of(session, asked, settings=current.runtime().settings)
    return schemas.CampaignOfDay(
        campaign=schemas.CampaignAnswer(
            id=campaign.id,
            status=shown.status,
            recipient_count=shown.asked.recipients,
            channels_summary=Counter(reach.first_channel for reach in reaches.values()),
            jobs=[
                schemas.CampaignJob(
                    job_type=schemas.JobType(phase.job.kind),
                    run_at=phase.job.run_at,
                    status=phase.job.status,
                    attempts=phase.job.attempts,
                    max_attempts=phase.job.max_attempts,
                )
                for phase in shown.phases
            ],
        )
    )


@blueprint.post("/campaigns/<id:campaign_id>/cancel")
@calls.call("cancelCampaign", PROMOTERS, "It is cancelled.", problems=(404, 409))
def cancel(_promoter_id: int, campaign_id: Which) -> schemas.Cancelled:
    """Stop what has not gone out.

    For its promoter, and for admins who promote. There is no body.
    """
    with as_promoter() as (session, promoter_id):
        service.cancel_campaign(
            session,
            campaign_id,
            player_id=promoter_id,
            is_admin=gates.viewer().is_admin,
            by=gates.actor(),
            now=current.now(),
        )
    return schemas.Cancelled(id=campaign_id, status=CampaignStatus.CANCELLED)


@blueprint.post("/campaigns/<id:campaign_id>/retry")
@calls.call("retryCampaign", PROMOTERS, "So many go out again.", problems=(404, 409))
def retry(_promoter_id: int, campaign_id: Which, body: schemas.RetryRequest) -> schemas.Retried:
    """Try once more what did not arrive.

    For its promoter, and for admins who promote. Only while the messages would still be true; who cannot be reached
    anywhere is left out.
    """
    with as_promoter() as (session, promoter_id):
        _, number = retrying.retry_campaign(
            session,
            campaign_id,
            player_id=promoter_id,
            is_admin=gates.viewer().is_admin,
            by=gates.actor(),
            unknown=body.unknown,
            settings=current.runtime().settings,
            now=current.now(),
        )
    return schemas.Retried(id=campaign_id, retried=number)
