"""The Promote modal, and the card of tonight's campaign."""

import secrets
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import Blueprint, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from slomix import live, web, words
from slomix.accounts import service as accounts
from slomix.campaigns import messages, notices, queries, rules, service
from slomix.campaigns.models import Campaign
from slomix.campaigns.rules import Audience, CampaignStatus
from slomix.campaigns.service import Options
from slomix.clock import moment_of, parse_time
from slomix.deliveries import service as deliveries
from slomix.deliveries.service import Tally
from slomix.deliveries.writing import OnDiscord
from slomix.errors import DomainError, Invalid
from slomix.jobs.models import Job

blueprint = Blueprint("campaigns", __name__)


MAX_KEY = 200


class KeyTooLong(Invalid):
    def __init__(self) -> None:
        super().__init__(words.KEY_TOO_LONG.format(length=MAX_KEY))


class NoSuchStart(Invalid):
    def __init__(self) -> None:
        super().__init__(words.NO_SUCH_START)


@dataclass(frozen=True)
class PhaseCard:
    """One line of the card: a job, and what became of its messages."""

    job: Job
    tally: Tally | None


@dataclass(frozen=True)
class CampaignCard:
    """Tonight's campaign, as aggregate; the promoter's name is for those who may see names."""

    campaign: Campaign
    status: CampaignStatus
    promoter: str
    recipient_count: int
    # How many of them the voice check found in voice; None before it, or when nobody knows.
    here: int | None
    phases: list[PhaseCard]
    summary: Tally | None
    warning: Tally | None
    is_open: bool

    @property
    def is_called(self) -> bool:
        return self.status is not CampaignStatus.CANCELLED


def card(session: Session, day: date) -> CampaignCard | None:
    """The card of `day`, or None when nobody called it together."""
    campaign = queries.of_day(session, day)
    return None if campaign is None else card_of(session, campaign)


def card_of(session: Session, campaign: Campaign) -> CampaignCard:
    """The card of one campaign."""
    so_far = queries.progress(session, campaign)
    return CampaignCard(
        campaign=campaign,
        status=so_far.status,
        promoter=accounts.names(session, [campaign.promoter_id])[campaign.promoter_id],
        recipient_count=queries.recipient_count(session, campaign),
        here=queries.came(session, campaign),
        phases=[PhaseCard(job, so_far.tallies.get(job.kind)) for job in so_far.jobs if job.kind in rules.JOB_KINDS],
        summary=so_far.tallies.get(rules.SUMMARY),
        warning=so_far.tallies.get(rules.PRESENCE_UNKNOWN),
        is_open=so_far.is_open,
    )


@dataclass(frozen=True)
class PromoteForm:
    """What the modal sends."""

    audience: Audience
    include_late_joiners: bool
    dry_run: bool
    start: str

    @classmethod
    def read(cls) -> "PromoteForm":
        values = request.values
        default = web.runtime().settings.start_time.strftime("%H:%M")
        return cls(
            audience=Audience(values.get("include_available") == "on", values.get("include_maybe") == "on"),
            include_late_joiners=values.get("include_late_joiners") == "on",
            dry_run=values.get("dry_run") == "on",
            start=values.get("start") or default,
        )

    def options(self, today: date) -> Options:
        return Options(self.audience, self.include_late_joiners, self.dry_run, start_moment(self.start, today))


def start_moment(text: str, today: date) -> datetime:
    """Tonight's moment at a time such as `21:00`."""
    try:
        at = parse_time(text)
    except ValueError:
        raise NoSuchStart from None
    settings = web.runtime().settings
    return moment_of(today, at, settings.zone, settings.day_starts_at)


def submit_key(given: str | None) -> str:
    """The key by which the same submit twice is known; a submit without one is like no other."""
    if given and len(given) > MAX_KEY:
        raise KeyTooLong
    return given or secrets.token_urlsafe(16)


@blueprint.get("/promote")
def promote() -> str:
    """The modal, also as a page of its own."""
    web.the_promoter()
    form = PromoteForm.read()
    if request.args.get("start") is None and web.runtime().settings.dry_run_default:
        form = PromoteForm(form.audience, form.include_late_joiners, dry_run=True, start=form.start)
    template = "campaigns/_promote.html" if web.is_htmx() else "campaigns/promote.html"
    return render_template(template, key=submit_key(request.args.get("key")), **_preview(form))


@blueprint.get("/promote/preview")
def preview() -> str:
    """The preview alone, as the ticks change."""
    web.the_promoter()
    return render_template("campaigns/_preview.html", **_preview(PromoteForm.read()))


def _preview(form: PromoteForm) -> dict[str, Any]:
    now = web.now()
    today = web.today(now)
    runtime = web.runtime()
    shown: dict[str, Any] = {"form": form, "ahead": None, "problem": None, "existing": None}
    with runtime.transaction() as session:
        try:
            options = form.options(today)
            shown["ahead"] = service.preview(
                session, form.audience, day=today, start_at=options.start_at, settings=runtime.settings, now=now
            )
            shown["counts"] = Counter(shown["ahead"].channels.values())
            shown["texts"] = _texts(
                options.start_at, now, with_reminder=shown["ahead"].timeline.reminder.skipped is None
            )
        except DomainError as error:
            shown["problem"] = str(error)
        existing = queries.of_day(session, today)
        if existing is not None and existing.status is not CampaignStatus.CANCELLED:
            shown["existing"] = card_of(session, existing)
    return shown


def _texts(start_at: datetime, now: datetime, *, with_reminder: bool) -> list[str]:
    """What would be said, in its order."""
    links = notices.links_of(web.runtime().settings)
    style = OnDiscord()
    later = [messages.start(start_at, max(now, start_at), links, style), messages.followup(links, style)]
    return [messages.reminder(start_at, links, style), *later] if with_reminder else later


@blueprint.post("/campaigns")
def create() -> Response:
    """Schedule the campaign, or try it out on its promoter alone."""
    promoter_id = web.the_promoter()
    form, now = PromoteForm.read(), web.now()
    today = web.today(now)
    # Trying it out and then meaning it, from one form, are two submits.
    key = submit_key(request.form.get("key"))
    with web.runtime().transaction() as session:
        campaign, _ = service.create(
            session,
            promoter_id,
            form.options(today),
            day=today,
            idempotency_key=f"dry:{key}" if form.dry_run else key,
            settings=web.runtime().settings,
            now=now,
        )
        count = queries.recipient_count(session, campaign)
    done = words.TRIED_OUT if campaign.dry_run else words.CALLED.format(count=count)
    return web.respond("campaigns/_created.html", otherwise="/#campaign", done=done, sentence=done)


@blueprint.get("/campaigns/<id:campaign_id>")
def show(campaign_id: int) -> str:
    """One campaign: aggregate for players, names for promoters."""
    mark = live.hub().mark()
    return render_template("campaigns/page.html", mark=mark, **_campaign(campaign_id))


@blueprint.get("/campaigns/<id:campaign_id>/live")
def show_live(campaign_id: int) -> Response:
    """The part of a campaign's page that changes."""
    return web.live_part(render_template("campaigns/_campaign.html", **_campaign(campaign_id)))


def _campaign(campaign_id: int) -> dict[str, Any]:
    who = web.viewer()
    web.the_player()
    with web.runtime().transaction() as session:
        campaign = queries.get(session, campaign_id)
        if campaign.dry_run and campaign.promoter_id != who.player_id:
            raise queries.NoSuchCampaign
        rows = deliveries.ledger(session, campaign.subject) if who.can_promote else []
        names = accounts.names(session, [row.player_id for row in rows if row.player_id is not None])
        return {"campaign": card_of(session, campaign), "rows": rows, "names": names}


@blueprint.post("/campaigns/<id:campaign_id>/cancel")
def cancel(campaign_id: int) -> Response:
    """Stop what has not gone out."""
    promoter_id = web.the_promoter()
    now = web.now()
    with web.runtime().transaction() as session:
        campaign = service.cancel(session, campaign_id, player_id=promoter_id, is_admin=web.viewer().is_admin, now=now)
        shown = card_of(session, campaign)
    return web.respond("campaigns/_card.html", otherwise="/#campaign", done=words.CANCELLED, campaign=shown, now=now)
