"""Who came on a day, by what the campaigns of the day have counted."""

from collections.abc import Mapping
from datetime import timedelta

from slomix.availability.rules import Status
from slomix.campaigns import queries
from slomix.campaigns.models import Campaign, Recipient
from slomix.campaigns.rules import CampaignStatus
from tests.moments import LJUBLJANA, TODAY, at
from tests.world import World

Found = Mapping[str, tuple[bool | None, bool | None]]


def counted(world: World, found: Found, *, key: str, dry_run: bool = False, is_final: bool = True) -> None:
    """A campaign that counted these people as present or absent, and saw these on the game server."""
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
            judged_at=at(21, 0, 30),
            counted_at=at(21, 20) if is_final else None,
            created_at=at(20),
        )
        session.add(campaign)
        session.flush()
        for name, (came, on_server) in found.items():
            session.add(
                Recipient(
                    campaign_id=campaign.id,
                    player_id=world.players[name],
                    status=Status.LOOKING,
                    added_at=at(20),
                    came=came,
                    on_server=on_server,
                )
            )


def said(world: World, *, days: int = 0) -> dict[str, str]:
    names = {player_id: name for name, player_id in world.players.items()}
    with world.session() as session:
        found = queries.attendance_of_day(session, TODAY + timedelta(days=days), LJUBLJANA)
        return {names[player_id]: attended.text for player_id, attended in found.items()}


def test_a_player_whom_one_campaign_counted_came(world: World) -> None:
    first: Found = {"alice": (False, None), "bob": (True, None), "erik": (False, None), "franka": (None, None)}
    second: Found = {"alice": (True, None), "bob": (False, None), "erik": (False, False), "goran": (False, True)}
    counted(world, first, key="first")
    counted(world, second, key="second")
    assert said(world) == {
        "alice": "came",
        "bob": "came",
        "erik": "not in voice",
        "goran": "on the server, not in voice",
    }, "Franka was never told"
    assert said(world, days=1) == {}


def test_until_the_count_is_final_no_player_is_absent(world: World) -> None:
    found: Found = {"alice": (True, None), "erik": (False, None), "goran": (False, True)}
    counted(world, found, key="k", is_final=False)
    assert said(world) == {"alice": "in voice at 21:00", "goran": "on the server, not in voice"}


def test_a_dry_run_says_nothing_of_who_came(world: World) -> None:
    counted(world, {"alice": (True, None)}, key="dry", dry_run=True)
    assert said(world) == {}
