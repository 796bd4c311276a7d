"""The Promote modal, a campaign's page and what its promoter can do there, and the game nights so far."""

import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, ClassVar

from flask import Blueprint, make_response, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from slomix.accounts import service as accounts
from slomix.accounts.acting import as_promoter
from slomix.campaigns import history, queries, retrying, service
from slomix.campaigns.card import created_text, seen_by
from slomix.campaigns.models import Campaign
from slomix.campaigns.notices import calls
from slomix.campaigns.preview import preview as preview_of
from slomix.campaigns.rules import Audience
from slomix.campaigns.service import CampaignChoices, CampaignExists, SubmitKeySpent
from slomix.campaigns.states import CANCEL_CONSEQUENCES, REPEAT_CONSEQUENCES
from slomix.campaigns.view_models import CampaignCard, card_of_campaign
from slomix.clock import moment_of, parse_typed_time
from slomix.deliveries import pausing
from slomix.deliveries import service as deliveries
from slomix.deliveries.models import Attempt, Delivery, Pause
from slomix.deliveries.rules import AttemptEvent
from slomix.errors import Conflict, DomainError, Invalid, TooSoon
from slomix.i18n import N_, _, looked_up, ngettext
from slomix.web import current, gates, live, questions, responses
from slomix.web.reading import reading

blueprint = Blueprint("campaigns", __name__)


MAX_KEY = 200


class KeyTooLong(Invalid):
    sentence = N_("The key of a submit has at most {length} characters.")
    values: ClassVar[Mapping[str, object]] = {"length": MAX_KEY}


class NoSuchStart(Invalid):
    sentence = N_("That’s not a time. Type it like 21:00.")


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
        default = current.runtime().settings.start_time.strftime("%H:%M")
        return cls(
            audience=Audience(values.get("include_available") == "on", values.get("include_maybe") == "on"),
            include_late_joiners=values.get("include_late_joiners") == "on",
            dry_run=values.get("dry_run") == "on",
            start=values.get("start") or default,
        )

    def options(self, today: date) -> CampaignChoices:
        start_at = start_moment(parse_start(self.start), today)
        return CampaignChoices(self.audience, self.include_late_joiners, self.dry_run, start_at)


def parse_start(text: str) -> time:
    """Read a time such as `21:00`. Raise NoSuchStart."""
    try:
        return parse_typed_time(text)
    except ValueError:
        raise NoSuchStart from None


def start_moment(at: time, today: date) -> datetime:
    """Return the moment of a time tonight."""
    settings = current.runtime().settings
    return moment_of(today, at, settings.zone, settings.day_starts_at)


def submit_key(given: str | None) -> str:
    """Return the key that identifies a repeated submit; a submit without a key gets a new one."""
    if given and len(given) > MAX_KEY:
        raise KeyTooLong
    return given or secrets.token_urlsafe(16)


@blueprint.get("/promote")
def promote() -> str:
    """Show the modal, also as a page of its own."""
    form = PromoteForm.read()
    if request.args.get("start") is None and current.runtime().settings.dry_run_default:
        form = PromoteForm(form.audience, form.include_late_joiners, dry_run=True, start=form.start)
    return _promote_form(form, submit_key(request.args.get("key")))


def _promote_form(form: PromoteForm, key: str, refusal: str = "") -> str:
    template = "campaigns/_promote.html" if responses.is_htmx() else "campaigns/promote.html"
    shown = _preview(form)
    return render_template(template, key=key, refusal=refusal if refusal != shown["problem"] else "", **shown)


@blueprint.get("/promote/preview")
def preview() -> str:
    """Render the preview, and what can be pressed after it, as the ticks change."""
    return render_template("campaigns/_preview_and_submit.html", **_preview(PromoteForm.read()))


def _preview(form: PromoteForm) -> dict[str, Any]:
    now = current.now()
    today = current.today(now)
    settings = current.runtime().settings
    shown: dict[str, Any] = {"form": form, "ahead": None, "problem": None, "existing": None, "today": today}
    with reading() as session:
        promoter_id = gates.require_promoter()
        try:
            options = form.options(today)
            shown["ahead"] = preview_of(
                session, form.audience, day=today, start_at=options.start_at, settings=settings, now=now
            )
            shown["counts"] = Counter(shown["ahead"].channels.values())
            with_reminder = shown["ahead"].timeline.reminder.skipped is None
            shown["texts"] = calls.texts(options.start_at, now, with_reminder=with_reminder, settings=settings)
        except DomainError as error:
            shown["problem"] = str(error)
        shown["pause"] = pausing.current_pause(session)
        existing = queries.blocking_campaign(session, today, promoter_id, one_a_day=settings.global_cooldown)
        if existing is not None:
            shown["existing"] = existing
            shown["promoter"] = accounts.player_names(session, [existing.promoter_id])[existing.promoter_id]
    return shown


@blueprint.post("/campaigns")
def create() -> Response:
    """Schedule the campaign, or try it out on its promoter alone."""
    now = current.now()
    today = current.today(now)
    form, settings = PromoteForm.read(), current.runtime().settings
    key = submit_key(request.form.get("key"))
    try:
        with as_promoter() as (session, promoter_id):
            campaign, is_new = service.create_campaign(
                session,
                promoter_id,
                form.options(today),
                day=today,
                # A dry run and then the real thing, from the same form, are two submits.
                idempotency_key=f"dry:{key}" if form.dry_run else key,
                settings=settings,
                now=now,
            )
            done = created_text(
                card_of_campaign(session, campaign, settings=settings, now=now), is_new=is_new, zone=settings.zone
            )
    except (Conflict, Invalid, TooSoon) as error:
        # The form again, with what was chosen and, where its own is spent, another key. A page with scripts has it
        # still, and htmx puts only a success in its place.
        is_spent = isinstance(error, SubmitKeySpent)
        if isinstance(error, NoSuchStart) or (responses.is_htmx() and not is_spent):
            raise
        shown = _promote_form(form, submit_key(None) if is_spent else key, refusal=str(error))
        return make_response(shown, 200 if responses.is_htmx() else responses.http_status(error))
    return responses.respond("campaigns/_created.html", otherwise="/#campaign", done=done, sentence=done)


@blueprint.errorhandler(CampaignExists)
def campaign_conflict(error: CampaignExists) -> Response:
    """Make an open modal reload, so that it stops offering what is no longer possible."""
    answer = responses.problem_response(responses.http_status(error), str(error))
    answer.headers["HX-Trigger"] = "campaign-exists"
    return answer


@blueprint.get("/campaigns")
def show_all() -> str:
    """Show the game nights so far."""
    with reading() as session:
        gates.require_player()
        nights, next_before = history.past_campaigns(
            session, current.runtime().settings.zone, before_id=responses.parse_id(request.args.get("before", ""))
        )
    today = current.today(current.now())
    return render_template("campaigns/history.html", nights=nights, next_before=next_before, today=today)


@blueprint.get("/campaigns/<id:campaign_id>")
def show(campaign_id: int) -> str:
    """Show one campaign: aggregate for players, names for promoters."""
    mark = live.hub().mark()
    return render_template("campaigns/page.html", mark=mark, **_campaign(campaign_id))


@blueprint.get("/campaigns/<id:campaign_id>/live")
def show_live(campaign_id: int) -> Response:
    """Render the part of a campaign's page that changes."""
    return responses.live_part(render_template("campaigns/_campaign.html", **_campaign(campaign_id)))


@dataclass(frozen=True)
class LedgerLine:
    """A message of a campaign, the number of its tries, and the last try that failed."""

    row: Delivery
    tries: int
    last_error: Attempt | None


def _line(row: Delivery, attempts: list[Attempt]) -> LedgerLine:
    errors = [attempt for attempt in attempts if attempt.error is not None]
    begun = sum(attempt.event is AttemptEvent.BEGUN for attempt in attempts)
    return LedgerLine(row, begun, errors[-1] if errors else None)


def _campaign(campaign_id: int) -> dict[str, Any]:
    now = current.now()
    with reading() as session:
        gates.require_player()
        who = gates.viewer()
        campaign = queries.get_campaign(session, campaign_id)
        if campaign.dry_run and campaign.promoter_id != who.player_id:
            raise queries.NoSuchCampaign
        card = card_of_campaign(session, campaign, settings=current.runtime().settings, now=now)
        shown = _shown(card, pausing.current_pause(session), now) | {"on_own_page": True}
        if not who.can_promote:
            return shown
        rows = deliveries.deliveries_about(session, campaign.subject)
        tries = deliveries.attempts_of(session, [row.id for row in rows])
        players = {row.player_id for row in rows if row.player_id is not None}
        return shown | {
            "lines": [_line(row, tries.get(row.id, [])) for row in rows],
            "players": accounts.player_names(session, players | {told.player_id for told in card.elsewhere}),
        }


@blueprint.post("/campaigns/<id:campaign_id>/cancel")
def cancel(campaign_id: int) -> Response:
    """Stop what has not gone out."""
    now = current.now()
    with as_promoter() as (session, promoter_id):
        campaign = service.cancel_campaign(
            session, campaign_id, player_id=promoter_id, is_admin=gates.viewer().is_admin, by=gates.actor(), now=now
        )
        questions.confirm(
            _("Cancel tonight’s campaign?"),
            looked_up(CANCEL_CONSEQUENCES),
            do=_("Cancel campaign"),
            back=f"/campaigns/{campaign_id}",
        )
        shown = _card(session, campaign, now)
    return responses.respond("campaigns/_card.html", otherwise="/#campaign", done=_("Cancelled."), **shown)


@blueprint.post("/campaigns/<id:campaign_id>/retry")
def retry(campaign_id: int) -> Response:
    """Retry what failed or, if its promoter says so, what may have arrived already."""
    now, may_repeat = current.now(), request.form.get("unknown") == "on"
    with as_promoter() as (session, promoter_id):
        campaign, number = retrying.retry_campaign(
            session,
            campaign_id,
            player_id=promoter_id,
            is_admin=gates.viewer().is_admin,
            by=gates.actor(),
            unknown=may_repeat,
            only=_chosen(),
            settings=current.runtime().settings,
            now=now,
        )
        if may_repeat:
            questions.confirm(
                _("Send it again?"),
                looked_up(REPEAT_CONSEQUENCES),
                do=_("Send again"),
                back=f"/campaigns/{campaign_id}",
            )
        shown = _card(session, campaign, now)
    done = ngettext("One message goes out again.", "{number} messages go out again.", number)
    return responses.respond("campaigns/_card.html", otherwise=f"/campaigns/{campaign_id}", done=done, **shown)


def _chosen() -> int | None:
    """Return the delivery whose button was pressed, if any; 0, which matches none, if the form has no valid id."""
    text = request.form.get("delivery", "")
    return (responses.parse_id(text) or 0) if text else None


def _card(session: Session, campaign: Campaign, now: datetime) -> dict[str, Any]:
    """Read the card alone, in answer to a button on it."""
    card = card_of_campaign(session, campaign, settings=current.runtime().settings, now=now)
    return _shown(card, pausing.current_pause(session), now)


def _shown(card: CampaignCard, pause: Pause | None, now: datetime) -> dict[str, Any]:
    today = current.today(now)
    return {"campaign": card, "campaign_card": seen_by(gates.viewer(), card, today), "pause": pause, "today": today}
