"""The post to the room after the voice check: how many came, and who is still awaited."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from slomix.accounts import service as accounts
from slomix.availability import service as availability
from slomix.campaigns import queries, rules
from slomix.campaigns.models import Campaign
from slomix.campaigns.notices.calls import START
from slomix.campaigns.preview import preview
from slomix.campaigns.rules import CampaignStatus
from slomix.channels.base import Message
from slomix.config.settings import Settings
from slomix.contacts import rules as contacts_rules
from slomix.contacts import service as contacts
from slomix.deliveries import service as deliveries
from slomix.deliveries.formatting import DiscordStyle, fit_names, safe_name
from slomix.deliveries.notices import Notice, Occasion
from slomix.deliveries.rules import Budget, DeliveryStatus, Skip
from slomix.deliveries.service import NoticePlan
from slomix.i18n import _
from slomix.presence import places
from slomix.presence import service as presence
from slomix.presence.rules import VoiceStatus
from slomix.reasons.codes import Reason

NAMES_SHOWN = 20
# Names may be long and full of escapes: three such lists and all the rest stay below Discord's 2,000 characters.
LONGEST_LIST = 550


@dataclass(frozen=True)
class SummaryFacts:
    """What the voice check found."""

    here: int
    asked: int
    # When they were counted; None once that is final.
    as_of: datetime | None
    awaited: Sequence[str]
    followups_sent: int
    followups_tried: int
    presence_known: bool
    with_names: bool
    # Neither here nor awaited, as they have said that they come later.
    late: Sequence[str] = ()
    # Those of the awaited who are on the game server.
    on_server: Sequence[str] = ()
    # No player is left, as the start had none to tell; otherwise it reached none.
    is_called_off: bool = False


class Summary(Notice):
    """A campaign's summary, to the configured room."""

    name = rules.SUMMARY
    budget = Budget.FREE

    def plan(self, session: Session, campaign: Campaign, *, settings: Settings, now: datetime) -> None:
        """Plan it, once; without a room only the card shows it."""
        room = settings.summary_channel_id
        if room:
            key, until = f"SUMMARY:{campaign.id}", now + rules.FOLLOWUP_GRACE
            plan = NoticePlan(self.name, campaign.subject, key, now, until, is_urgent=True)
            deliveries.plan_for_room(session, plan, room, now=now)

    def compose(self, occasion: Occasion) -> Message | Skip:
        campaign = queries.campaign_of_subject(occasion.session, occasion.delivery.subject)
        if campaign.status is CampaignStatus.CANCELLED:
            return Skip(Reason.WITHDRAWN)
        return Message(text(_facts(occasion.session, campaign, occasion.runtime.settings, occasion.now)))


SUMMARY = Summary()


def text(facts: SummaryFacts) -> str:
    """Write the post: neutral, without mentions, always under Discord's 2,000 characters."""
    if not facts.presence_known:
        return _("Game night is on. We couldn’t see who’s in voice, so no second reminder went out.")
    if not facts.asked:
        return (
            _("Nobody is left for tonight.")
            if facts.is_called_off
            else _("None of tonight’s messages arrived, so nobody was notified.")
        )
    if facts.as_of is None:
        lines = [_("Game night: {here} of {asked} came to voice.").format(here=facts.here, asked=facts.asked)]
        return "\n".join([*lines, *_server_lines(facts)])
    at = DiscordStyle().time(facts.as_of)
    here = _("Game night is on – {here} of {asked} in voice at {time}.")
    lines = [here.format(here=facts.here, asked=facts.asked, time=at)]
    if not facts.awaited:
        is_full = 0 < facts.asked <= facts.here
        lines.append(_("Everybody is here. Have fun!") if is_full else _("Nobody else to wait for."))
    else:
        lines.append(_("Waiting for: {awaited}").format(awaited=_listed(facts.awaited, facts)))
    if facts.late:
        lines.append(_("15 min late: {players}").format(players=_listed(facts.late, facts)))
    lines += _server_lines(facts)
    if facts.followups_tried:
        lines.append(_("follow-up {sent}/{tried}").format(sent=facts.followups_sent, tried=facts.followups_tried))
    return "\n".join(lines)


def _server_lines(facts: SummaryFacts) -> list[str]:
    return (
        [_("On the server, not in voice: {players}").format(players=_listed(facts.on_server, facts))]
        if facts.on_server
        else []
    )


def final_message(session: Session, campaign: Campaign, settings: Settings, now: datetime) -> Message:
    """Write what the post says once it is final who came."""
    return Message(text(_facts(session, campaign, settings, now)))


def _listed(names: Sequence[str], facts: SummaryFacts) -> str:
    """List as many whole names as there is room for; only their number where names are switched off."""
    if not facts.with_names:
        return str(len(names))
    return fit_names([safe_name(name) for name in names], most=NAMES_SHOWN, longest=LONGEST_LIST)


def _facts(session: Session, campaign: Campaign, settings: Settings, now: datetime) -> SummaryFacts:
    """Gather what was counted. Awaited, unless they are late: told by the start, missing, not seen since, nameable."""
    recipients = queries.recipients_of(session, campaign)
    missing = [row.player_id for row in recipients if row.whereabouts is VoiceStatus.MISSING and row.seen_at is None]
    came_since = _in_voice_now(session, missing, settings, now) or set()
    still_missing = [player for player in START.reached(session, campaign, missing) if player not in came_since]
    tallies = deliveries.tally_by_notice(session, campaign.subject)
    followups, start = tallies.get(rules.VOICE_CHECK), tallies.get(rules.START)
    late, awaited = _divide(session, campaign, still_missing, settings, now)
    on_server = [recipient.player_id for recipient in recipients if recipient.on_server]
    return SummaryFacts(
        here=campaign.came or 0,
        asked=campaign.counted or 0,
        as_of=campaign.judged_at if campaign.counted_at is None else None,
        awaited=list(awaited.values()),
        late=list(late.values()),
        followups_sent=followups[DeliveryStatus.SENT] if followups else 0,
        followups_tried=followups.tried if followups else 0,
        presence_known=campaign.counted is not None,
        with_names=settings.summary_names,
        on_server=[awaited[player_id] for player_id in on_server if player_id in awaited],
        is_called_off=start is None or not start.tried,
    )


def would_be(session: Session, campaign: Campaign, settings: Settings, now: datetime) -> SummaryFacts:
    """Gather what the summary would say if the voice check came now, for a dry run."""
    ahead = preview(
        session, campaign.audience, day=campaign.day, start_at=campaign.start_at, settings=settings, now=now
    )
    players = [asked.player_id for asked in ahead.asked]
    in_voice = _in_voice_now(session, players, settings, now)
    missing = [player_id for player_id in players if player_id not in (in_voice or ())]
    late, awaited = _divide(session, campaign, missing, settings, now)
    return SummaryFacts(
        here=len(players) - len(missing),
        asked=len(players),
        as_of=campaign.start_at,
        awaited=list(awaited.values()),
        late=list(late.values()),
        followups_sent=0,
        followups_tried=0,
        presence_known=in_voice is not None,
        with_names=settings.summary_names,
    )


def _in_voice_now(session: Session, player_ids: list[int], settings: Settings, now: datetime) -> set[int] | None:
    """Return which of these players are in voice; None without a fresh picture."""
    snapshot = presence.latest_snapshot(session)
    if not snapshot.is_fresh(now, settings.presence_max_age):
        return None
    rooms = places.rooms(settings)
    ids = accounts.discord_ids_of(session, player_ids)
    return {
        player_id
        for player_id, discord_id in ids.items()
        if rooms.voice_status(snapshot.rooms.get(discord_id)).is_in_voice
    }


def _still_wanted(session: Session, campaign: Campaign, player_ids: list[int]) -> set[int]:
    """Return the players who have not withdrawn."""
    statuses = availability.statuses_of_day(session, campaign.day, player_ids)
    return {player_id for player_id in player_ids if rules.withdrawal_reason(statuses.get(player_id)) is None}


def _divide(
    session: Session, campaign: Campaign, missing: list[int], settings: Settings, now: datetime
) -> tuple[dict[int, str], dict[int, str]]:
    """Return the names of the missing who are late, and of the others, as far as they may be named."""
    nameable = _may_be_named(session, campaign, missing, settings, now)
    late = availability.late_players(session, campaign.day, now=now)
    return (
        {player_id: name for player_id, name in nameable.items() if player_id in late},
        {player_id: name for player_id, name in nameable.items() if player_id not in late},
    )


def _may_be_named(
    session: Session, campaign: Campaign, missing: list[int], settings: Settings, now: datetime
) -> dict[int, str]:
    """Return the names of the missing, without players in quiet hours and those who withdrew in any way."""
    wanted = _still_wanted(session, campaign, missing)
    reaches = contacts.reachability_of(session, missing, settings=settings)
    names = accounts.player_names(session, missing)
    return {
        player_id: names[player_id]
        for player_id in missing
        if player_id in wanted and contacts_rules.may_be_named(reaches.get(player_id), now)
    }
