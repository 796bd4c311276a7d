"""Imports people in the caller's transaction: reads what is here, decides, and writes."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from slomix.accounts import logins, players_csv
from slomix.accounts import service as accounts
from slomix.accounts.models import LinkEvent, Player, ProfileRequest, User
from slomix.accounts.rules import LinkAction, canonical_guid
from slomix.availability import service as availability
from slomix.availability.models import Entry
from slomix.clock import local_day
from slomix.config.settings import Settings
from slomix.contacts import preferences
from slomix.contacts.models import StoredPreferences
from slomix.contacts.preferences import Preferences
from slomix.deliveries import imports
from slomix.errors import Conflict
from slomix.jobs import service as jobs
from slomix.jobs.service import NewJob
from slomix.legacy_import import contact_preferences as wishes
from slomix.legacy_import import days, people
from slomix.legacy_import.days import ImportedStatus, SentNotice
from slomix.legacy_import.people import CurrentState, LegacyAccount, PeopleToImport
from slomix.legacy_import.report import ImportReport
from slomix.legacy_import.source import SourceSnapshot
from slomix.privacy import unlinking
from slomix.privacy.membership import CHECK_MEMBERS

# The actor in the audit log when operators use the command line.
COMMAND_LINE = "command line"
# An arbitrary number that no other advisory lock has; those of days are small.
LOCK = 0x510_0000_0001


class ImportRunning(Conflict):
    sentence = "Another import is at work. Wait until it is done, and look again."


@dataclass(frozen=True)
class ImportPlan:
    """Everything that is to be written."""

    movers: PeopleToImport
    preferences: dict[str, Preferences]
    statuses: list[ImportedStatus]
    notices: list[SentNotice]


def plan_import(
    session: Session, snapshot: SourceSnapshot, *, settings: Settings, today: date, now: datetime
) -> tuple[ImportPlan, ImportReport]:
    """Decide row by row what an import would do; write nothing."""
    report = ImportReport()
    movers = people.decide_people(snapshot, _read_current_state(session), report)
    chosen = select(Player.guid).join(StoredPreferences, StoredPreferences.player_id == Player.id)
    kept = wishes.decide_preferences(snapshot, movers, set(session.scalars(chosen)), zone=settings.zone, report=report)
    said = days.decide_statuses(snapshot, movers, _days_set_here(session), today=today, now=now, report=report)
    told = _decide_messages(session, snapshot, movers, today=today, now=now, report=report)
    days.report_campaigns(snapshot, today=today, report=report)
    days.report_rights(snapshot, report)
    report.tables_missing.update(snapshot.missing)
    return ImportPlan(movers, kept, said, told), report


def run_import(session: Session, snapshot: SourceSnapshot, *, settings: Settings, now: datetime) -> ImportReport:
    """Write the import. Raise ImportRunning, or Conflict if the state here changed meanwhile; then roll back."""
    if not session.scalar(select(func.pg_try_advisory_xact_lock(LOCK))):
        raise ImportRunning
    today = local_day(now, settings.zone, settings.day_starts_at)
    decided, report = plan_import(session, snapshot, settings=settings, today=today, now=now)
    rows = [(profile.guid, profile.name, list(profile.aliases)) for profile in decided.movers.profiles]
    if rows:
        done = accounts.import_players(session, rows, now=now)
        players_csv.record_import(session, done, actor=COMMAND_LINE, now=now)
    players = _link(session, decided.movers, today=today, now=now)
    for discord_id, wanted in decided.preferences.items():
        preferences.import_preferences(session, players[discord_id], wanted, now=now)
    said = [(players[entry.discord_id], entry.day, entry.status, entry.since or now) for entry in decided.statuses]
    availability.import_statuses(session, said, now=now)
    _record_notices(session, decided.notices, now=now)
    if players:  # find out which of them are still members of the Discord server
        jobs.schedule(session, [NewJob(CHECK_MEMBERS, f"moved in {now.isoformat()}", run_at=now)], now=now)
    return report


def _link(session: Session, movers: PeopleToImport, *, today: date, now: datetime) -> dict[str, int]:
    """Link all people who move in, with an entry in the audit log, and return the player ids by Discord id."""
    players: dict[str, int] = {}
    for discord_id, person in movers.people.items():
        user = logins.create_expected_user(
            session,
            discord_id=discord_id,
            username=person.username,
            display_name=person.display_name,
            last_login_at=min(person.last_login_at or now, now),
            now=now,
        )
        if discord_id in movers.linked:
            players[discord_id] = accounts.get_profile(session, person.guid).id
            accounts.lock_link(session, user.id, players[discord_id], as_member=False)
        else:
            players[discord_id] = unlinking.link_profile(
                session, user, person.guid, today=today, now=now, actor=COMMAND_LINE
            ).id
        accounts.record_action(session, LinkAction.MOVED_IN, user=user, actor=COMMAND_LINE, now=now, guid=person.guid)
    return players


def _record_notices(session: Session, notices: list[SentNotice], *, now: datetime) -> None:
    guids = {message.guid for message in notices if message.guid is not None}
    ids = {row.guid: row.id for row in session.execute(select(Player.guid, Player.id).where(Player.guid.in_(guids)))}
    # Lock the ledger's rows in the order of the players, as every import does.
    for message in sorted(notices, key=lambda message: (ids.get(message.guid or "", 0), message.event_key)):
        row = imports.ImportedNotice(
            player_id=ids[message.guid] if message.guid is not None else None,
            room=message.room,
            event_key=message.event_key,
            notice=message.notice,
            channel=message.channel,
            message_id=message.message_id,
            at=message.at or now,
        )
        imports.record_imported(session, row, now=now)


def _decide_messages(
    session: Session,
    snapshot: SourceSnapshot,
    movers: PeopleToImport,
    *,
    today: date,
    now: datetime,
    report: ImportReport,
) -> list[SentNotice]:
    linked = select(User.discord_id, Player.guid, Player.id).join(Player, Player.id == User.player_id)
    here = session.execute(linked).all()
    guids = {row.id: row.guid for row in here}
    keys = {row["event_key"] for row in snapshot["notifications_ledger"] if row["event_key"]}
    known = {
        (guids.get(player_id) if player_id is not None else None, key)
        for player_id, key in imports.known_notices(session, keys)
        if player_id is None or player_id in guids
    }
    players = {row.discord_id: row.guid for row in here}
    players |= {discord_id: person.guid for discord_id, person in movers.people.items()}
    return days.decide_messages(snapshot, movers, players, known, today=today, now=now, report=report)


def _read_current_state(session: Session) -> CurrentState:
    """Read the accounts and profiles here, and what the audit log says of profiles."""
    claiming = set(session.scalars(select(ProfileRequest.user_id).where(ProfileRequest.settled_at.is_(None))))
    users = session.execute(
        select(User.id, User.discord_id, Player.guid).outerjoin(Player, Player.id == User.player_id)
    )
    moved = select(LinkEvent.details["guid"].astext).where(LinkEvent.action == LinkAction.MOVED_IN)
    released = select(LinkEvent.details["old_guid"].astext).where(LinkEvent.details.has_key("old_guid"))
    return CurrentState(
        accounts={row.discord_id: LegacyAccount(row.guid, row.id in claiming) for row in users},
        profiles=set(session.scalars(select(Player.guid))),
        moved=set(map(canonical_guid, session.scalars(moved))),
        released=set(map(canonical_guid, session.scalars(released))),
    )


def _days_set_here(session: Session) -> set[tuple[str, date]]:
    set_here = select(Player.guid, Entry.day).join(Player, Player.id == Entry.player_id)
    return {(row.guid, row.day) for row in session.execute(set_here)}
