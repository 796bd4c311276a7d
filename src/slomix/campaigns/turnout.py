"""Who came: judges the recipients by the voice rooms, and gathers what the summary says."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from slomix import words
from slomix.accounts import service as accounts
from slomix.availability import service as availability
from slomix.campaigns import queries, rules, service
from slomix.campaigns.messages import SummaryFacts
from slomix.campaigns.models import Campaign, Recipient
from slomix.contacts import rules as contacts_rules
from slomix.contacts import service as contacts
from slomix.deliveries import service as deliveries
from slomix.deliveries.rules import DeliveryStatus
from slomix.presence import service as presence
from slomix.presence.rules import Rooms, Whereabouts
from slomix.settings import Settings

# Somebody whose DMs are closed did not withdraw.
NAMEABLE = {None, words.NO_WORKING_CONTACT}


def rooms_of(settings: Settings) -> Rooms:
    """Which voice rooms mean something here."""
    return Rooms(frozenset(settings.gaming_voice_channels), settings.afk_voice_channel)


def asked_by_start(session: Session, campaign: Campaign, player_ids: list[int]) -> list[int]:
    """Those of the recipients whom the start notice reached, or may have reached."""
    told = deliveries.told(session, queries.event_key(rules.START, campaign.day), player_ids)
    reached = {DeliveryStatus.SENT, DeliveryStatus.UNKNOWN}
    return [player_id for player_id in player_ids if player_id in told and told[player_id].status in reached]


def record(session: Session, campaign: Campaign, whereabouts: Mapping[int, Whereabouts], *, now: datetime) -> None:
    """Write down where the voice check found each recipient."""
    for where in Whereabouts:
        players = [player_id for player_id, found in whereabouts.items() if found is where]
        if players:
            session.execute(
                update(Recipient)
                .where(Recipient.campaign_id == campaign.id, Recipient.player_id.in_(players))
                .values(whereabouts=where)
                .execution_options(synchronize_session=False)
            )
    campaign.judged_at = now


def summary_facts(session: Session, campaign: Campaign, settings: Settings, now: datetime) -> SummaryFacts:
    """What the voice check found, and who came since. Awaited: asked by the start, still missing, nameable."""
    found = {one.player_id: one.whereabouts for one in queries.recipients(session, campaign)}
    missing = [player_id for player_id, where in found.items() if where is Whereabouts.MISSING]
    came_since = _in_voice_now(session, missing, settings, now)
    still_missing = [one for one in asked_by_start(session, campaign, missing) if one not in came_since]
    wanted = _still_wanted(session, campaign, list(found))
    here = {one for one, where in found.items() if where is not None and where.is_in_voice} | came_since
    followups = deliveries.tally(session, campaign.subject).get(rules.VOICE_CHECK)
    return SummaryFacts(
        here=len(here),
        asked=len(here | wanted),
        awaited=_may_be_named(session, campaign, still_missing, settings, now),
        followups_sent=followups[DeliveryStatus.SENT] if followups else 0,
        followups_tried=followups.tried if followups else 0,
        presence_known=campaign.judged_at is not None and Whereabouts.UNKNOWN not in found.values(),
        with_names=settings.summary_names,
    )


def _in_voice_now(session: Session, player_ids: list[int], settings: Settings, now: datetime) -> set[int]:
    """Those of the players who are in voice by a fresh picture; nobody when there is none."""
    snapshot = presence.voice(session)
    if not snapshot.is_fresh(now, settings.presence_max_age):
        return set()
    rooms = rooms_of(settings)
    ids = accounts.discord_ids(session, player_ids)
    return {one for one, discord_id in ids.items() if rooms.whereabouts(snapshot.rooms.get(discord_id)).is_in_voice}


def _still_wanted(session: Session, campaign: Campaign, player_ids: list[int]) -> set[int]:
    """Those who have not withdrawn."""
    statuses = availability.statuses(session, campaign.day, player_ids)
    return {one for one in player_ids if rules.why_unwanted(statuses.get(one)) is None}


def would_be(session: Session, campaign: Campaign, settings: Settings, now: datetime) -> SummaryFacts:
    """What the summary would say if the voice check came now, for a dry run."""
    ahead = service.preview(
        session, campaign.audience, day=campaign.day, start_at=campaign.start_at, settings=settings, now=now
    )
    players = [one.player_id for one in ahead.asked]
    snapshot = presence.voice(session)
    ids = accounts.discord_ids(session, players)
    rooms = rooms_of(settings)
    where = {player_id: rooms.whereabouts(snapshot.rooms.get(ids.get(player_id, ""))) for player_id in players}
    missing = rules.missing(where)
    return SummaryFacts(
        here=len(players) - len(missing),
        asked=len(players),
        awaited=_may_be_named(session, campaign, missing, settings, now),
        followups_sent=0,
        followups_tried=0,
        presence_known=snapshot.is_fresh(now, settings.presence_max_age),
        with_names=settings.summary_names,
    )


def _may_be_named(
    session: Session, campaign: Campaign, missing: list[int], settings: Settings, now: datetime
) -> list[str]:
    """The names of the missing, without those in quiet hours and those who withdrew in any way."""
    wanted = _still_wanted(session, campaign, missing)
    reaches = contacts.reach_of(session, missing, settings=settings)
    names = accounts.names(session, missing)
    return [
        names[one] for one in missing if one in wanted and contacts_rules.why_not(reaches.get(one), now) in NAMEABLE
    ]
