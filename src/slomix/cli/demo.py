"""The demo's data: profiles, links, preferences, and statuses for later days."""

from datetime import timedelta

from slomix.accounts import logins
from slomix.accounts import service as accounts
from slomix.accounts.players_csv import ProfileRow
from slomix.availability import service as availability
from slomix.availability.rules import Status
from slomix.clock import Clock, local_day
from slomix.config.settings import Settings
from slomix.contacts import preferences
from slomix.contacts import service as contacts
from slomix.contacts.preferences import Preferences
from slomix.contacts.rules import ChannelName, MessageKind
from slomix.database.session import Database
from slomix.dev.simulator.people import PEOPLE, UNCLAIMED_PLAYERS

# For later days, one letter a linked player: a plausible week. Today and tomorrow are left to the demo's visitor.
_LATER = ("LAMLN", "ALMAL", "LLANM", "MNLLA", "NALML")
_STATUS = {"L": Status.LOOKING, "A": Status.AVAILABLE, "M": Status.MAYBE, "N": Status.NOT_PLAYING}


def _ratings(profiles: list[ProfileRow]) -> dict[str, float | None]:
    """Make up ratings; every fourth player has none."""
    return {guid: None if number % 4 == 3 else 1 + number * 7 % 10 / 5 for number, (guid, _, _) in enumerate(profiles)}


def load_demo(settings: Settings, clock: Clock) -> None:
    """Load the demo into an empty database; existing data stays as it is."""
    now = clock.now()
    today = local_day(now, settings.zone, settings.day_starts_at)
    linked = [person for person in PEOPLE if person.role != "unlinked"]
    profiles = [(person.player_guid, person.player_name, list(person.aliases)) for person in linked]
    profiles += [(player.guid, player.name, list(player.aliases)) for player in UNCLAIMED_PLAYERS]
    database = Database(settings.database_url.get_secret_value())
    with database.transaction() as session:
        accounts.import_players(session, profiles, ratings=_ratings(profiles), now=now)
        for number, person in enumerate(linked):
            user = logins.log_in(
                session, discord_id=person.id, username=person.username, display_name=person.name, now=now
            )
            if user.player_id is not None:
                continue
            player = accounts.link_player(session, user, person.player_guid, now=now)
            contacts.add_discord(session, player.id, now=now)
            discord = contacts.contacts_of(session, player.id)[ChannelName.DISCORD]
            contacts.apply_update(session, contacts.after_opening(discord.route, person.dm_channel))
            preferences.save_preferences(
                session, player.id, Preferences(settings.zone, ticked=frozenset({MessageKind.CAMPAIGNS})), now=now
            )
            for distance, letters in enumerate(_LATER, start=2):
                if number % 3 != distance % 3:
                    status = _STATUS[letters[number % len(letters)]]
                    day = today + timedelta(days=distance)
                    availability.record_status(session, player.id, day, status, today=today, now=now)
    database.close()
