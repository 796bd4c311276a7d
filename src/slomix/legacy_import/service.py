"""Imports people in the caller's transaction: reads what is here, decides, and writes."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from slomix import words
from slomix.accounts import logins
from slomix.accounts import service as accounts
from slomix.accounts.models import Claim, LinkEvent, Player, User
from slomix.accounts.rules import LinkAction
from slomix.availability import service as availability
from slomix.availability.models import Entry
from slomix.clock import local_day
from slomix.config.settings import Settings
from slomix.contacts import preferences
from slomix.contacts.handlers import CHECK_MEMBERS
from slomix.contacts.models import Preferences
from slomix.contacts.preferences import Wishes
from slomix.deliveries import imports
from slomix.errors import Conflict
from slomix.jobs import service as jobs
from slomix.jobs.service import NewJob
from slomix.legacy_import import contact_preferences as wishes
from slomix.legacy_import import days, people
from slomix.legacy_import.days import Said, Told
from slomix.legacy_import.people import Account, Here, Movers
from slomix.legacy_import.report import Report
from slomix.legacy_import.source import Snapshot
from slomix.privacy import unlinking

# The actor in the audit log when operators use the command line.
COMMAND_LINE = "command line"
# An arbitrary number that no other advisory lock has; those of days are small.
LOCK = 0x510_0000_0001


class ImportAtWork(Conflict):
    def __init__(self) -> None:
        super().__init__(words.IMPORT_AT_WORK)


@dataclass(frozen=True)
class Decided:
    """Everything that is to be written."""

    movers: Movers
    wishes: dict[str, Wishes]
    said: list[Said]
    told: list[Told]


def decide(
    session: Session, theirs: Snapshot, *, settings: Settings, today: date, now: datetime
) -> tuple[Decided, Report]:
    """Decide row by row what an import would do; write nothing."""
    report = Report()
    movers = people.decide(theirs, _here(session), report)
    chosen = select(Player.guid).join(Preferences, Preferences.player_id == Player.id)
    kept = wishes.decide(theirs, movers, set(session.scalars(chosen)), zone=settings.zone, report=report)
    said = days.decide_statuses(theirs, movers, _days_set_here(session), today=today, now=now, report=report)
    told = _decide_messages(session, theirs, movers, today=today, now=now, report=report)
    days.report_campaigns(theirs, today=today, report=report)
    days.report_rights(theirs, report)
    report.tables_missing.update(theirs.missing)
    return Decided(movers, kept, said, told), report


def move_in(session: Session, theirs: Snapshot, *, settings: Settings, now: datetime) -> Report:
    """Write the import. Raise ImportAtWork, or Conflict if the state here changed meanwhile; then roll back."""
    if not session.scalar(select(func.pg_try_advisory_xact_lock(LOCK))):
        raise ImportAtWork
    today = local_day(now, settings.zone, settings.day_starts_at)
    decided, report = decide(session, theirs, settings=settings, today=today, now=now)
    rows = [(profile.guid, profile.name, list(profile.aliases)) for profile in decided.movers.profiles]
    if rows:
        added, updated = accounts.import_players(session, rows, now=now)
        imported = LinkAction.PLAYERS_IMPORTED
        accounts.record(session, imported, actor=COMMAND_LINE, now=now, added=str(added), updated=str(updated))
    players = _link(session, decided.movers, today=today, now=now)
    for discord_id, wanted in decided.wishes.items():
        preferences.adopt(session, players[discord_id], wanted, now=now)
    said = [(players[entry.discord_id], entry.day, entry.status, entry.since or now) for entry in decided.said]
    availability.adopt(session, said, now=now)
    _note_told(session, decided.told, now=now)
    if players:  # find out which of them are still members of the Discord server
        jobs.schedule(session, [NewJob(CHECK_MEMBERS, f"moved in {now.isoformat()}", run_at=now)], now=now)
    return report


def _link(session: Session, movers: Movers, *, today: date, now: datetime) -> dict[str, int]:
    """Link all people who move in, with an entry in the audit log, and return the player ids by Discord id."""
    players: dict[str, int] = {}
    for discord_id, person in movers.people.items():
        user = logins.expect(
            session,
            discord_id=discord_id,
            username=person.username,
            display_name=person.display_name,
            last_login_at=min(person.last_login_at or now, now),
            now=now,
        )
        if discord_id in movers.linked:
            players[discord_id] = accounts.profile(session, person.guid).id
            accounts.hold_link(session, user.id, players[discord_id])
        else:
            players[discord_id] = unlinking.link(
                session, user, person.guid, today=today, now=now, actor=COMMAND_LINE
            ).id
        accounts.record(session, LinkAction.MOVED_IN, user=user, actor=COMMAND_LINE, now=now, guid=person.guid)
    return players


def _note_told(session: Session, told: list[Told], *, now: datetime) -> None:
    guids = {message.guid for message in told if message.guid is not None}
    ids = {row.guid: row.id for row in session.execute(select(Player.guid, Player.id).where(Player.guid.in_(guids)))}
    # Lock the ledger's rows in the order of the players, as every import does.
    for message in sorted(told, key=lambda message: (ids.get(message.guid or "", 0), message.event_key)):
        row = imports.Told(
            player_id=ids[message.guid] if message.guid is not None else None,
            room=message.room,
            event_key=message.event_key,
            notice=message.notice,
            channel=message.channel,
            message_id=message.message_id,
            at=message.at or now,
        )
        imports.note_told(session, row, now=now)


def _decide_messages(
    session: Session, theirs: Snapshot, movers: Movers, *, today: date, now: datetime, report: Report
) -> list[Told]:
    linked = select(User.discord_id, Player.guid, Player.id).join(Player, Player.id == User.player_id)
    here = session.execute(linked).all()
    guids = {row.id: row.guid for row in here}
    keys = {row["event_key"] for row in theirs["notifications_ledger"] if row["event_key"]}
    known = {
        (guids.get(player_id) if player_id is not None else None, key)
        for player_id, key in imports.known(session, keys)
        if player_id is None or player_id in guids
    }
    players = {row.discord_id: row.guid for row in here}
    players |= {discord_id: person.guid for discord_id, person in movers.people.items()}
    return days.decide_messages(theirs, movers, players, known, today=today, now=now, report=report)


def _here(session: Session) -> Here:
    """Read the accounts and profiles here, and what the audit log says of profiles."""
    claiming = set(session.scalars(select(Claim.user_id).where(Claim.settled_at.is_(None))))
    users = session.execute(
        select(User.id, User.discord_id, Player.guid).outerjoin(Player, Player.id == User.player_id)
    )
    moved = select(LinkEvent.details["guid"].astext).where(LinkEvent.action == LinkAction.MOVED_IN)
    released = select(LinkEvent.details["old_guid"].astext).where(LinkEvent.details.has_key("old_guid"))
    return Here(
        accounts={row.discord_id: Account(row.guid, row.id in claiming) for row in users},
        profiles=set(session.scalars(select(Player.guid))),
        moved=set(session.scalars(moved)),
        released=set(session.scalars(released)),
    )


def _days_set_here(session: Session) -> set[tuple[str, date]]:
    set_here = select(Player.guid, Entry.day).join(Player, Player.id == Entry.player_id)
    return {(row.guid, row.day) for row in session.execute(set_here)}
