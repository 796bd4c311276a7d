"""Who came: judges the recipients by the voice rooms, and gathers what the summary says."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from slomix.accounts import service as accounts
from slomix.accounts.models import Player
from slomix.availability import service as availability
from slomix.campaigns import queries, rules, service
from slomix.campaigns.messages import SummaryFacts
from slomix.campaigns.models import Campaign, Recipient
from slomix.config.settings import Settings
from slomix.contacts import rules as contacts_rules
from slomix.contacts import service as contacts
from slomix.deliveries import service as deliveries
from slomix.deliveries.rules import DeliveryStatus
from slomix.presence import service as presence
from slomix.presence.rules import Rooms, Whereabouts
from slomix.reasons.codes import Reason

# Somebody whose DMs are closed did not withdraw.
NAMEABLE = {None, Reason.NO_WORKING_CONTACT}


def rooms_of(settings: Settings) -> Rooms:
    """Which voice rooms mean something here."""
    return Rooms(frozenset(settings.gaming_voice_channels), settings.afk_voice_channel)


def asked_by_start(session: Session, campaign: Campaign, player_ids: list[int]) -> list[int]:
    """Those of the recipients whom the start notice reached, or may have reached."""
    told = deliveries.told(session, queries.event_key(rules.START, campaign.day), player_ids)
    reached = {DeliveryStatus.SENT, DeliveryStatus.UNKNOWN}
    return [player_id for player_id in player_ids if player_id in told and told[player_id].status in reached]


def known_names(session: Session, player_ids: Iterable[int]) -> dict[int, tuple[str, ...]]:
    """Every name by which each of the players is known in the game."""
    rows = session.execute(select(Player.id, Player.name, Player.aliases).where(Player.id.in_(list(player_ids))))
    return {row.id: (row.name, *row.aliases) for row in rows}


@dataclass(frozen=True)
class Found:
    """Where the voice check found the recipients; `on_server` are those of the missing, None without telemetry."""

    whereabouts: Mapping[int, Whereabouts]
    on_server: Collection[int] | None = None

    @property
    def missing(self) -> list[int]:
        return rules.missing(self.whereabouts)


def record(session: Session, campaign: Campaign, found: Found, *, now: datetime) -> None:
    """Write down where the voice check found each recipient, and of the missing whether they are on the server."""
    for where in Whereabouts:
        _note(session, campaign, [one for one, there in found.whereabouts.items() if there is where], whereabouts=where)
    if found.on_server is not None:
        for is_there in (True, False):
            players = [one for one in found.missing if (one in found.on_server) is is_there]
            _note(session, campaign, players, on_server=is_there)
    campaign.judged_at = now


def _note(session: Session, campaign: Campaign, player_ids: list[int], **values: object) -> None:
    if player_ids:
        session.execute(
            update(Recipient)
            .where(Recipient.campaign_id == campaign.id, Recipient.player_id.in_(player_ids))
            .values(**values)
            .execution_options(synchronize_session=False)
        )


def may_still_be_said(campaign: Campaign, settings: Settings, now: datetime) -> bool:
    """Whether what the voice check saw is so fresh that somebody may be told; true as long as it has not looked."""
    return campaign.judged_at is None or now - campaign.judged_at <= settings.presence_max_age


def summary_facts(session: Session, campaign: Campaign, settings: Settings, now: datetime) -> SummaryFacts:
    """What the voice check found, and who came since. Awaited: asked by the start, still missing, nameable."""
    recipients = queries.recipients(session, campaign)
    found = {one.player_id: one.whereabouts for one in recipients}
    missing = [player_id for player_id, where in found.items() if where is Whereabouts.MISSING]
    came_since = _in_voice_now(session, missing, settings, now)
    still_missing = [one for one in asked_by_start(session, campaign, missing) if one not in came_since]
    wanted = _still_wanted(session, campaign, list(found))
    here = {one for one, where in found.items() if where is not None and where.is_in_voice} | came_since
    followups = deliveries.tally(session, campaign.subject).get(rules.VOICE_CHECK)
    awaited = _may_be_named(session, campaign, still_missing, settings, now)
    return SummaryFacts(
        here=len(here),
        asked=len(here | wanted),
        awaited=list(awaited.values()),
        followups_sent=followups[DeliveryStatus.SENT] if followups else 0,
        followups_tried=followups.tried if followups else 0,
        presence_known=campaign.judged_at is not None and Whereabouts.UNKNOWN not in found.values(),
        with_names=settings.summary_names,
        on_server=[awaited[one.player_id] for one in recipients if one.on_server and one.player_id in awaited],
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
        awaited=list(_may_be_named(session, campaign, missing, settings, now).values()),
        followups_sent=0,
        followups_tried=0,
        presence_known=snapshot.is_fresh(now, settings.presence_max_age),
        with_names=settings.summary_names,
    )


def _may_be_named(
    session: Session, campaign: Campaign, missing: list[int], settings: Settings, now: datetime
) -> dict[int, str]:
    """The names of the missing, without those in quiet hours and those who withdrew in any way."""
    wanted = _still_wanted(session, campaign, missing)
    reaches = contacts.reach_of(session, missing, settings=settings)
    names = accounts.names(session, missing)
    return {
        one: names[one]
        for one in missing
        if one in wanted and contacts_rules.why_not(reaches.get(one), now) in NAMEABLE
    }
