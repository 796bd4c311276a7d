"""Calls the evening together from Discord: preview, schedule, dry run, cancel."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from slomix.accounts import roles
from slomix.accounts import service as accounts
from slomix.accounts.models import User
from slomix.accounts.rules import Role
from slomix.campaigns import queries, service
from slomix.campaigns.card import created_text
from slomix.campaigns.preview import preview as preview_of
from slomix.campaigns.rules import Audience
from slomix.campaigns.service import CampaignChoices
from slomix.campaigns.view_models import card_of_campaign
from slomix.channels.base import Button
from slomix.chat.replies import Reply
from slomix.chat.service import as_player
from slomix.clock import local_day, moment_of
from slomix.config.settings import Settings
from slomix.deliveries import choices
from slomix.deliveries.choices import Choice
from slomix.deliveries.formatting import discord_timestamp, safe_name
from slomix.errors import NotAllowed
from slomix.i18n import N_, _, ngettext
from slomix.interactions.wire import Interaction
from slomix.parsing import parse_int
from slomix.reasons.codes import Explanation

# The kind of the buttons, and their answers.
PROMOTE = "promote"
SCHEDULE, TRY, CANCEL = "schedule", "try", "cancel"
MOST_LEFT_OUT = 10


class PromotersOnly(NotAllowed):
    sentence = N_("Only promoters can call a game night together.")


def preview(session: Session, asked: Interaction, settings: Settings, now: datetime) -> Reply:
    """Return whom a campaign would ask, and who is left out; or the campaign that there is.

    Raise PromotersOnly, ChatNotLinked or TooLate.
    """
    promoter_id = _as_promoter(session, asked, settings)
    today = local_day(now, settings.zone, settings.day_starts_at)
    existing = queries.blocking_campaign(session, today, promoter_id, one_a_day=settings.global_cooldown)
    if existing is not None:
        promoter = accounts.player_names(session, [existing.promoter_id])[existing.promoter_id]
        return Reply(
            _("{player} has called tonight together already.").format(player=safe_name(promoter)),
            [[_button(_("Cancel campaign"), Choice(PROMOTE, str(existing.id), CANCEL), settings)]],
        )
    options = _options(settings, now, dry_run=False)
    ahead = preview_of(session, options.audience, day=today, start_at=options.start_at, settings=settings, now=now)
    start = ahead.timeline.began_at
    lines = [
        ngettext(
            "{number} player would be notified. The start is at {time} ({countdown}).",
            "{number} players would be notified. The start is at {time} ({countdown}).",
            len(ahead.asked),
        ).format(time=discord_timestamp(start), countdown=discord_timestamp(start, "R"))
    ]
    lines += [
        _("{name} won’t be notified: {reason}.").format(
            name=safe_name(ahead.names[left.player_id]), reason=Explanation(left.reason)
        )
        for left in ahead.left_out[:MOST_LEFT_OUT]
    ]
    # The interaction's id makes two presses of one button one submit.
    buttons = [
        _button(_("Schedule campaign"), Choice(PROMOTE, today.isoformat(), SCHEDULE, asked.id), settings),
        _button(_("Dry run"), Choice(PROMOTE, today.isoformat(), TRY, asked.id), settings),
    ]
    return Reply("\n".join(lines), [buttons])


def press(session: Session, asked: Interaction, choice: Choice, settings: Settings, now: datetime) -> Reply:
    """Do what a button under a preview stands for. Raise what the same button on the page raises."""
    promoter_id = _as_promoter(session, asked, settings)
    if choice.answer == CANCEL:
        service.cancel_campaign(
            session,
            parse_int(choice.subject, 0, 2**31 - 1) or 0,
            player_id=promoter_id,
            is_admin=roles.has_role(session, asked.user_id, Role.ADMIN, settings),
            by=str(session.scalar(select(User.id).where(User.discord_id == asked.user_id))),
            now=now,
        )
        return Reply(_("Cancelled. What has not gone out stays here."), replaces=True)
    today = local_day(now, settings.zone, settings.day_starts_at)
    if choice.subject != today.isoformat():
        return Reply(_("That was another evening. Type /promote again."), replaces=True)
    campaign, is_new = service.create_campaign(
        session,
        promoter_id,
        _options(settings, now, dry_run=choice.answer == TRY),
        day=today,
        idempotency_key=f"{choice.answer}:{choice.mark}",
        settings=settings,
        now=now,
    )
    done = created_text(
        card_of_campaign(session, campaign, settings=settings, now=now), is_new=is_new, zone=settings.zone
    )
    if campaign.dry_run:
        return Reply(done)
    cancel = _button(_("Cancel campaign"), Choice(PROMOTE, str(campaign.id), CANCEL), settings)
    return Reply(done, [[cancel]], replaces=True)


def _as_promoter(session: Session, asked: Interaction, settings: Settings) -> int:
    if not any(roles.has_role(session, asked.user_id, role, settings) for role in (Role.PROMOTER, Role.ADMIN)):
        raise PromotersOnly
    return as_player(session, asked.asker, settings=settings)


def _options(settings: Settings, now: datetime, *, dry_run: bool) -> CampaignChoices:
    today = local_day(now, settings.zone, settings.day_starts_at)
    start_at = moment_of(today, settings.start_time, settings.zone, settings.day_starts_at)
    return CampaignChoices(Audience(), include_late_joiners=False, dry_run=dry_run, start_at=start_at)


def _button(label: str, choice: Choice, settings: Settings) -> Button:
    return Button(label, choices.sign(choice, settings))
