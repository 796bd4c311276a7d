"""Who came on a day, by what the voice checks of all its campaigns found."""

from collections.abc import Mapping
from datetime import timedelta

from slomix.availability.rules import Status
from slomix.campaigns import queries
from slomix.campaigns.models import Campaign, Recipient
from slomix.campaigns.rules import CampaignStatus
from slomix.presence.rules import VoiceStatus
from tests.moments import TODAY, at
from tests.world import World


def looked(
    world: World, found: Mapping[str, tuple[VoiceStatus, bool | None]], *, key: str, dry_run: bool = False
) -> None:
    """A campaign whose voice check found these people there, and these on the game server."""
    with world.session() as session:
        campaign = Campaign(
            day=TODAY,
            promoter_id=world.players["bob"],
            include_available=False,
            include_maybe=False,
            include_late_joiners=False,
            dry_run=dry_run,
            idempotency_key=key,
            status=CampaignStatus.CANCELLED,
            start_at=at(21),
            created_at=at(20),
        )
        session.add(campaign)
        session.flush()
        for name, (whereabouts, on_server) in found.items():
            session.add(
                Recipient(
                    campaign_id=campaign.id,
                    player_id=world.players[name],
                    status=Status.LOOKING,
                    added_at=at(20),
                    whereabouts=whereabouts,
                    on_server=on_server,
                )
            )


def came(world: World, *, days: int = 0) -> dict[str, bool]:
    names = {player_id: name for name, player_id in world.players.items()}
    with world.session() as session:
        return {
            names[one]: was for one, was in queries.attendance_of_day(session, TODAY + timedelta(days=days)).items()
        }


def test_whoever_one_of_them_found_came(world: World) -> None:
    here, missing, unknown = VoiceStatus.HERE, VoiceStatus.MISSING, VoiceStatus.UNKNOWN
    first = {"alice": (missing, None), "bob": (here, None), "erik": (missing, None), "franka": (unknown, None)}
    second = {"alice": (here, None), "bob": (missing, None), "erik": (missing, False), "goran": (unknown, True)}
    looked(world, first, key="first")
    looked(world, second, key="second")
    assert came(world) == {"alice": True, "bob": True, "erik": False, "goran": True}, "of Franka nobody knows"
    assert came(world, days=1) == {}


def test_a_rehearsal_for_oneself_says_nothing_of_who_came(world: World) -> None:
    looked(world, {"alice": (VoiceStatus.HERE, None)}, key="dry", dry_run=True)
    assert came(world) == {}
