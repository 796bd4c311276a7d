"""A thousand players for the benchmarks, and campaigns that call some of them, each on a day of its own."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from slomix.accounts.models import Player, User
from slomix.availability.models import Entry
from slomix.availability.rules import Status
from slomix.campaigns import service as campaigns
from slomix.campaigns.rules import Audience
from slomix.campaigns.service import CampaignChoices
from slomix.config.settings import Settings
from slomix.contacts.models import Contact, StoredPreferences
from slomix.contacts.rules import ChannelName, PreferredChannel
from slomix.database.session import Database
from slomix.dev.rehearsal.people import SimulatorControl
from slomix.dev.rehearsal.system import RunningSystem, running
from slomix.dev.simulator.people import LOAD_TEST_USERS, SimulatedPerson

OPENING = "2026-03-27T18:00:00+01:00"
FIRST_DAY = date(2027, 1, 1)  # the demo has nothing to say about it
# The start alone: nothing but it is measured, and nothing else asks Discord for anything meanwhile.
ENVIRONMENT = {"AVAILABILITY_PROMOTION_VOICE_CHECK_ENABLED": "false"}


@dataclass(frozen=True)
class LoadTestSystem:
    """A running Slomix whose crowd is linked, opted in, and known to Discord by its DM channels."""

    system: RunningSystem
    control: SimulatorControl
    database: Database
    settings: Settings
    promoter: int
    players: Sequence[int]

    def create_campaign(self, session: Session, number: int, players: Sequence[int], *, start_at: datetime) -> None:
        """Call these players together on a day of their own, after its reminder: only the start goes out."""
        day, now = FIRST_DAY + timedelta(days=number), self.control.now()
        session.add_all(
            Entry(
                player_id=player, day=day, status=Status.LOOKING, looking_since=now, committed_since=now, updated_at=now
            )
            for player in players
        )
        session.flush()
        campaigns.create_campaign(
            session,
            self.promoter,
            CampaignChoices(Audience(), include_late_joiners=False, dry_run=False, start_at=start_at),
            day=day,
            idempotency_key=f"bench-{number}",
            settings=self.settings,
            now=now,
        )

    def accepted_starts(self) -> list[tuple[str, datetime]]:
        """Return each start notice's recipient, and when the provider took it by the system's clock."""
        return [
            (str(message["to"]), datetime.fromisoformat(str(message["accepted_at"])))
            for message in self.control.messages()
        ]


@contextmanager
def running_load_test_system() -> Iterator[LoadTestSystem]:
    """Run a Slomix of our own with a crowd in it."""
    with running(OPENING, **ENVIRONMENT) as system:
        control, database = system.control, system.database()
        now = control.now()
        with database.transaction() as session:
            players = [_join(session, person, now) for person in LOAD_TEST_USERS]
            session.flush()
            ids = [player.id for player in players]
            session.add_all(
                thing
                for player, person in zip(ids, LOAD_TEST_USERS, strict=True)
                for thing in _linked(player, person, now)
            )
            promoter = session.scalars(select(User.player_id).where(User.discord_username == "bob_the_medic")).one()
        try:
            yield LoadTestSystem(system, control, database, _settings(system), promoter or 0, ids)
        finally:
            database.close()


def _settings(system: RunningSystem) -> Settings:
    return Settings.model_validate(
        {"environment": "development", "database_url": system.environment["DATABASE_URL"], "voice_check_enabled": False}
    )


def _join(session: Session, person: SimulatedPerson, now: datetime) -> Player:
    player = Player(guid=person.player_guid, name=person.player_name, aliases=[], created_at=now)
    session.add(player)
    return player


def _linked(player: int, person: SimulatedPerson, now: datetime) -> list[object]:
    return [
        User(
            discord_id=person.id,
            discord_username=person.username,
            display_name=person.name,
            player_id=player,
            created_at=now,
            last_login_at=now,
            membership_seen_at=now,
        ),
        StoredPreferences(
            player_id=player,
            allow_promotions=True,
            session_ready=False,
            daily_reminder=False,
            looking_threshold=0,
            preferred_channel=PreferredChannel.ANY,
            timezone="Europe/Ljubljana",
            updated_at=now,
        ),
        Contact(player_id=player, channel=ChannelName.DISCORD, learned=person.dm_channel, verified_at=now),
    ]
