"""The last look at a recipient before a message leaves: everything about them and the evening, in one query."""

from dataclasses import dataclass

from sqlalchemy import BindParameter, bindparam, select
from sqlalchemy.orm import Session

from slomix.accounts.models import User
from slomix.availability.models import Entry
from slomix.availability.rules import Status
from slomix.campaigns import queries
from slomix.campaigns.models import Campaign, Recipient
from slomix.presence.models import Observation, VoiceState
from slomix.presence.rules import VoiceSnapshot
from slomix.presence.service import VOICE


@dataclass(frozen=True)
class LastLook:
    """What a recipient says of the day now, and where they are as far as anybody saw."""

    campaign: Campaign
    status: Status | None
    discord_id: str
    voice: VoiceSnapshot
    # Whether the voice check found them on the game server.
    on_server: bool


# Put together once, as it is taken for every recipient.
_PLAYER: BindParameter[int] = bindparam("player")
_LOOK = (
    select(
        Campaign,
        Entry.status,
        User.discord_id,
        Observation.observed_at,
        VoiceState.voice_channel_id,
        Recipient.on_server,
    )
    .outerjoin(Entry, (Entry.day == Campaign.day) & (Entry.player_id == _PLAYER))
    .outerjoin(User, User.player_id == _PLAYER)
    .outerjoin(VoiceState, VoiceState.discord_id == User.discord_id)
    .outerjoin(Observation, Observation.source == VOICE)
    .outerjoin(Recipient, (Recipient.campaign_id == Campaign.id) & (Recipient.player_id == _PLAYER))
    .where(Campaign.id == bindparam("campaign"))
    .execution_options(populate_existing=True)
)


def take(session: Session, campaign_id: int, player_id: int) -> LastLook:
    """Look, once a transaction: who asks again is told the same. Raise NoSuchCampaign."""
    taken: dict[tuple[int, int], LastLook] = session.info.setdefault(__name__, {})
    if (campaign_id, player_id) not in taken:
        taken[campaign_id, player_id] = _look(session, campaign_id, player_id)
    return taken[campaign_id, player_id]


def _look(session: Session, campaign_id: int, player_id: int) -> LastLook:
    row = session.execute(_LOOK, {"campaign": campaign_id, "player": player_id}).one_or_none()
    if row is None:
        raise queries.NoSuchCampaign
    discord_id = row.discord_id or ""
    rooms = {discord_id: row.voice_channel_id} if row.voice_channel_id is not None else {}
    return LastLook(
        row.Campaign, row.status, discord_id, VoiceSnapshot(row.observed_at, rooms), on_server=bool(row.on_server)
    )
