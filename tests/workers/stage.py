"""What the evenings of these tests share: who is called, who is in voice, who was told what."""

import re
from datetime import date, datetime

from sqlalchemy import select

from slomix.availability import triggers
from slomix.availability.rules import Status
from slomix.availability.triggers import UNDO_FOR
from slomix.campaigns import attendance, queries
from slomix.campaigns.models import Campaign
from slomix.campaigns.rules import CampaignStatus
from slomix.contacts.rules import ChannelName
from slomix.deliveries.models import Delivery
from slomix.deliveries.rules import DeliveryStatus
from slomix.deliveries.service import new_nonce
from slomix.presence import service as presence
from slomix.reasons.codes import Explanation, Reason
from tests.moments import LJUBLJANA, TODAY, at
from tests.services.days import SIX, says
from tests.workers.pump import pump
from tests.world import World

EVERYBODY = ("alice", "bob", "erik", "franka")


def in_voice(world: World, **rooms: str) -> None:
    """The Discord process has just looked: these are in these rooms."""
    with world.session() as session:
        states = {world.discord_ids[name]: room for name, room in rooms.items()}
        presence.record_voice(session, states, now=world.clock.now())
        attendance.record_arrivals(session, states, settings=world.runtime.settings, now=world.clock.now())


def told(world: World, name: str) -> list[str]:
    """What somebody got, by its first words."""
    sent = [message.text for to, message, _ in world.discord.sent if to.value == world.discord_ids[name]]
    return [text.splitlines()[0].split("<")[0].strip() for text in sent]


def rows(world: World, phase: str) -> dict[str, tuple[DeliveryStatus, Explanation | None]]:
    by_player = {player_id: name for name, player_id in world.players.items()}
    with world.session() as session:
        found = session.scalars(select(Delivery).where(Delivery.event_key == f"PROMOTE:{phase}:{TODAY}"))
        return {by_player[row.player_id or 0]: (row.status, row.reason) for row in found}


def status(world: World) -> CampaignStatus:
    with world.session() as session:
        campaign = session.scalars(select(Campaign).order_by(Campaign.id.desc())).first()
        assert campaign is not None
        assert queries.read_progress(session, campaign).status is campaign.status
        return campaign.status


def go(world: World, hour: int, minute: int = 0, second: int = 0, *, watching: bool = False) -> None:
    """Move the clock there, and run what is due then."""
    world.clock.move_to(at(hour, minute, second))
    pump(world, watching=watching)


READY = f"SESSION_READY:{TODAY}:threshold=6"
ON_SERVER = "We are starting. We see you on the server, not in voice: will you join us there?"
REMINDER, START, FOLLOW_UP = (
    "Game night starts at",
    "Game night starts now. Come and join!",
    "We’re starting – still coming?",
)


def summary(world: World) -> list[str]:
    to, message, _ = world.discord.sent[-1]
    assert to.is_room
    return readable(message.text).splitlines()


def readable(text: str) -> str:
    """Return the text with Discord's timestamps as hours in Ljubljana."""
    return re.sub(r"<t:(\d+):t>", lambda found: f"{datetime.fromtimestamp(int(found[1]), LJUBLJANA):%H:%M}", text)


def outcomes(world: World) -> dict[str, tuple[str, str, Explanation | None]]:
    """Who was to hear what, what became of it, and why not."""
    by_player = {player_id: name for name, player_id in world.players.items()}
    with world.session() as session:
        rows = session.scalars(select(Delivery).order_by(Delivery.id))
        return {
            by_player[row.player_id] if row.player_id else "room": (row.event_key, row.status.value, row.reason)
            for row in rows
        }


def ready(world: World) -> None:
    """Six are looking, and none of them can undo it any more."""
    for name in SIX:
        says(world, name, Status.LOOKING)
    world.clock.forward(UNDO_FOR)


def got(
    world: World, name: str, number: int, *, day: date = TODAY, status: DeliveryStatus = DeliveryStatus.SENT
) -> None:
    """Somebody got so many messages today already."""
    with world.session() as session:
        for serial in range(number):
            row = Delivery(
                player_id=world.players[name],
                event_key=f"EARLIER:{day}:{status}:{serial}",
                channel=ChannelName.DISCORD,
                notice=triggers.LOOKING,
                subject=f"{day}:n=1",
                status=status,
                reason=Explanation(Reason.EXPIRED) if status is DeliveryStatus.SKIPPED else None,
                nonce=new_nonce(),
                text="earlier",
                budget_day=day,
                created_at=world.clock.now(),
            )
            session.add(row)
