"""Reads what an evening's message says, and writes it. Everybody reads it, so it names only whom it may."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from slomix.accounts.models import Player, User
from slomix.availability import service as availability
from slomix.availability.models import Entry
from slomix.availability.rules import STATUS_NAMES, Status
from slomix.availability.triggers import UNDO_FOR
from slomix.campaigns import queries as campaigns
from slomix.clock import moment_of
from slomix.config.settings import Settings
from slomix.contacts import service as contacts
from slomix.contacts.rules import may_be_named
from slomix.deliveries.formatting import discord_timestamp, fit_names, safe_name
from slomix.i18n import dated, gettext, ngettext
from slomix.planning import queries as planning
from slomix.planning.rules import TEAM_NAMES, Side
from slomix.presence import places
from slomix.presence import service as presence

# With escapes: three lists of statuses, those of late, of voice and of two teams stay below Discord's 2,000 characters.
LONGEST_LIST = 200
LISTED = (Status.LOOKING, Status.AVAILABLE, Status.MAYBE)


@dataclass(frozen=True)
class People:
    """Some players: how many, and the names of those who may be named."""

    number: int
    named: Sequence[str]

    def __str__(self) -> str:
        if not self.named:
            return str(self.number)
        names = [safe_name(name) for name in self.named]
        return fit_names(names, longest=LONGEST_LIST, unnamed=self.number - len(names))


@dataclass(frozen=True)
class Tonight:
    """An evening as everybody may see it."""

    day: date
    people: Mapping[Status, People]
    threshold: int
    # When the campaign's evening starts; None while nobody has called it together.
    start_at: datetime | None
    # The same, or when evenings start.
    expected_at: datetime
    # Who has said to come late, and is not in voice yet; and when the first of them no longer is late.
    late: People
    late_until: datetime | None
    in_voice: People
    teams: Sequence[tuple[str, People]]
    # How it turned out, once that is known.
    turnout: str
    # Until when a change of a status that is left out here can still be undone.
    unsettled_until: datetime | None

    @property
    def looking(self) -> int:
        return self.people[Status.LOOKING].number

    @property
    def missing(self) -> int:
        return max(0, self.threshold - self.looking)


def text(evening: Tonight, *, now: datetime) -> str:
    """Write the message."""
    lines = [headline(evening.looking, evening.threshold)]
    lines += [
        gettext("{status}: {names}").format(status=STATUS_NAMES[status], names=evening.people[status])
        for status in LISTED
        if evening.people[status].number
    ]
    if evening.start_at is not None:
        template = (
            gettext("The start is at {time} ({countdown}).")
            if evening.start_at > now
            else gettext("It was called for {time}.")
        )
        time, countdown = discord_timestamp(evening.start_at), discord_timestamp(evening.start_at, "R")
        lines.append(template.format(time=time, countdown=countdown))
    if evening.late.number:
        lines.append(gettext("15 min late: {players}").format(players=evening.late))
    if evening.in_voice.number:
        lines.append(gettext("In voice now: {names}").format(names=evening.in_voice))
    lines += [gettext("**{team}**: {names}").format(team=team, names=members) for team, members in evening.teams]
    return "\n".join(lines)


def headline(looking: int, threshold: int) -> str:
    """Say how many are looking, and how many more it takes."""
    if looking >= threshold:
        return ngettext(
            "**Tonight**: {number} player is looking. Game on!",
            "**Tonight**: {number} players are looking. Game on!",
            looking,
        )
    return ngettext(
        "**Tonight**: {looking} of {threshold} looking, {number} more to go.",
        "**Tonight**: {looking} of {threshold} looking, {number} more to go.",
        threshold - looking,
    ).format(looking=looking, threshold=threshold)


def closing_text(evening: Tonight) -> str:
    """Write what stands there once the evening is over: no name is left."""
    said = ngettext(
        "**{day}** is over. {number} player was looking.",
        "**{day}** is over. {number} players were looking.",
        evening.looking,
    ).format(day=dated(evening.day, gettext("EEEE d MMMM")))
    return f"{said} {evening.turnout}".strip()


def read(session: Session, day: date, *, settings: Settings, now: datetime) -> Tonight:
    """Read an evening as everybody may see it; a change of a status counts when it can no longer be undone."""
    since = func.coalesce(Entry.looking_since, Entry.updated_at)
    entries = session.execute(
        select(Entry.player_id, Entry.status, Entry.updated_at, Player.name)
        .join(Player, Player.id == Entry.player_id)
        .where(Entry.day == day)
        .order_by(since, Entry.player_id)
    ).all()
    settled = [row for row in entries if row.updated_at <= now - UNDO_FOR]
    unsettled = [row.updated_at + UNDO_FOR for row in entries if row.updated_at > now - UNDO_FOR]
    in_voice, teams = _in_voice(session, settings, now), _teams(session, day)
    late = {
        player_id: until
        for player_id, until in availability.late_players(session, day, now=now).items()
        if player_id not in in_voice
    }
    everybody = {row.player_id for row in entries} | set(in_voice) | {each for _, members in teams for each in members}
    nameable = _nameable(session, everybody, settings, now)
    campaign = campaigns.called_campaign(session, day)
    turnout = campaigns.attendance_of(campaign, settings.zone) if campaign is not None else None
    return Tonight(
        day,
        people={
            status: _people({row.player_id: row.name for row in settled if row.status is status}, nameable)
            for status in LISTED
        },
        threshold=settings.ready_threshold,
        start_at=campaign.start_at if campaign is not None else None,
        expected_at=campaign.start_at
        if campaign is not None
        else moment_of(day, settings.start_time, settings.zone, settings.day_starts_at),
        late=_people({row.player_id: row.name for row in settled if row.player_id in late}, nameable),
        late_until=min(late.values(), default=None),
        in_voice=_people(in_voice, nameable),
        teams=[(team, _people(members, nameable)) for team, members in teams],
        turnout=turnout.text if turnout is not None else "",
        unsettled_until=min(min(unsettled), now + UNDO_FOR) if unsettled else None,
    )


def _people(names: Mapping[int, str], nameable: Collection[int]) -> People:
    return People(len(names), [name for player_id, name in names.items() if player_id in nameable])


def _nameable(session: Session, players: Collection[int], settings: Settings, now: datetime) -> set[int]:
    if not settings.summary_names:
        return set()
    reaches = contacts.reachability_of(session, players, settings=settings)
    return {player_id for player_id in players if may_be_named(reaches.get(player_id), now)}


def _in_voice(session: Session, settings: Settings, now: datetime) -> dict[int, str]:
    """Return the players in voice, as far as a fresh picture shows them."""
    snapshot = presence.latest_snapshot(session)
    if not snapshot.is_fresh(now, settings.presence_max_age):
        return {}
    rooms = places.rooms(settings)
    there = [account for account, room in snapshot.rooms.items() if rooms.voice_status(room).is_in_voice]
    players = select(Player.id, Player.name).join(User, User.player_id == Player.id).where(User.discord_id.in_(there))
    return {row.id: row.name for row in session.execute(players.order_by(Player.name))}


def _teams(session: Session, day: date) -> list[tuple[str, dict[int, str]]]:
    """Return the teams that have players, with how they are called."""
    room = planning.room_of(session, day)
    if room is None:
        return []
    teams = planning.view_room(session, room).teams
    return [
        (
            safe_name(teams[side].name or TEAM_NAMES[side]),
            {member.player_id: member.name for member in teams[side].members},
        )
        for side in Side
        if teams[side].members
    ]
