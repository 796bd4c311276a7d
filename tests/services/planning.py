"""Tonight's planning room as its buttons are pressed: six are in, Alice has opened it, Bob promotes."""

from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import func, select

from slomix.accounts import service as accounts
from slomix.availability import service as availability
from slomix.availability.rules import Status
from slomix.database.session import Base
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus
from slomix.jobs.runner import execute
from slomix.planning import queries, service, teams
from slomix.planning.handlers import HANDLERS
from slomix.planning.layout import Layout
from slomix.planning.queries import RoomView
from slomix.planning.rules import Actor, Side
from slomix.reasons.codes import Explanation
from tests.moments import TODAY
from tests.world import LINKED, World

A, B = Side.A, Side.B
PLACE_TO_ANNOUNCE = "900000000000000007"


@dataclass(frozen=True)
class Tonight:
    """Who does what, by name."""

    world: World

    def actor(self, name: str) -> Actor:
        return Actor(self.world.players[name], is_promoter=name == "bob")

    def opens(self, name: str) -> bool:
        """Somebody presses Open planning room; whether it is new."""
        with self.world.session() as session:
            settings, now = self.world.runtime.settings, self.world.clock.now()
            return service.open_room(session, TODAY, self.actor(name), settings=settings, now=now)[1]

    def joins(self, name: str, *, is_sure: bool = False) -> Status:
        with self.world.session() as session:
            settings, now = self.world.runtime.settings, self.world.clock.now()
            player = self.world.players[name]
            return service.join_room(session, TODAY, player, is_sure=is_sure, settings=settings, now=now)

    def leaves(self, name: str) -> None:
        with self.world.session() as session:
            settings, now = self.world.runtime.settings, self.world.clock.now()
            service.leave_room(session, TODAY, self.world.players[name], settings=settings, now=now)

    def suggests(self, name: str, text: str) -> int:
        with self.world.session() as session:
            return service.suggest_name(session, TODAY, self.world.players[name], text, now=self.world.clock.now()).id

    def deletes(self, name: str, name_id: int) -> None:
        with self.world.session() as session:
            service.take_back_name(session, TODAY, self.actor(name), name_id)

    def votes(self, name: str, name_id: int | None) -> None:
        with self.world.session() as session:
            service.vote_for_name(session, TODAY, self.world.players[name], name_id)

    def hands_over(self, name: str, to: str) -> None:
        with self.world.session() as session:
            service.hand_over(session, TODAY, self.actor(name), self.world.players[to])

    def asks(self, name: str) -> int:
        with self.world.session() as session:
            settings, now = self.world.runtime.settings, self.world.clock.now()
            return service.ask_for_more(session, TODAY, self.actor(name), settings=settings, now=now)

    def places(self, name: str, player: str, side: Side | None) -> None:
        with self.world.session() as session:
            who, now = self.world.players[player], self.world.clock.now()
            teams.place_player(session, TODAY, self.actor(name), who, side, now=now)

    def leads(self, name: str, side: Side, player: str | None) -> None:
        """Somebody makes a player the captain of a side; None for nobody."""
        with self.world.session() as session:
            who = self.world.players[player] if player is not None else None
            teams.set_captain(session, TODAY, self.actor(name), side, who, now=self.world.clock.now())

    def drafts(self, name: str, first: Side = A, *, size: int | None = None, seconds: int | None = None) -> None:
        """Somebody lets the captains begin."""
        with self.world.session() as session:
            now = self.world.clock.now()
            teams.begin_draft(session, TODAY, self.actor(name), first, size=size, turn_seconds=seconds, now=now)

    def ends_draft(self, name: str) -> None:
        with self.world.session() as session:
            teams.end_draft(session, TODAY, self.actor(name), now=self.world.clock.now())

    def undoes(self, name: str, version: int | None = None) -> None:
        """Somebody undoes the last change as they see it: that of now, or of an older page."""
        seen = self.version if version is None else version
        with self.world.session() as session:
            teams.undo_change(session, TODAY, self.actor(name), version=seen, now=self.world.clock.now())

    def saves(self, name: str, a: str, b: str, *captains: str, version: int | None = None) -> None:
        """Somebody saves both teams; each is a row of names, captains are of A and of B."""
        ids = self.world.players
        wanted = Layout.from_teams(
            [ids[one] for one in a.split()], [ids[one] for one in b.split()], *(ids[c] for c in captains)
        )
        with self.world.session() as session:
            now = self.world.clock.now()
            teams.save_teams(session, TODAY, self.actor(name), wanted, version=version, now=now)

    def view(self) -> RoomView:
        with self.world.session() as session:
            room = queries.room_of(session, TODAY)
            assert room is not None
            session.refresh(room)
            return queries.view_room(session, room)

    @property
    def version(self) -> int:
        return self.view().room.version

    def sides(self) -> tuple[str, str]:
        """Who is in A and who in B, in their order; a captain in capitals."""
        view = self.view()
        names = {player: name for name, player in self.world.players.items()}
        rows = (
            [names[one].upper() if one == team.captain_id else names[one] for one in team.ids]
            for team in (view.teams[A], view.teams[B])
        )
        a, b = (" ".join(row) for row in rows)
        return a, b

    def pool(self) -> str:
        names = {player: name for name, player in self.world.players.items()}
        return " ".join(names[one.player_id] for one in self.view().pool)

    def turn(self) -> Side | None:
        turn = self.view().turn
        return turn.side if turn is not None else None

    def clocks(self) -> list[Job]:
        """The turns' jobs, the newest last."""
        with self.world.session() as session:
            query = select(Job).where(Job.kind == teams.TURN).order_by(Job.id)
            return list(session.scalars(query.execution_options(populate_existing=True)))

    def time_is_up(self, number: int = -1) -> tuple[JobStatus | None, Explanation | None]:
        """A turn's job, the newest unless said otherwise, runs at its moment: what came of it, and why."""
        job = self.clocks()[number]
        self.world.clock.move_to(max(job.run_at, self.world.clock.now()))
        status = execute(self.world.runtime, HANDLERS[teams.TURN], job.id)
        return status, next(one.reason for one in self.clocks() if one.id == job.id)

    def stored(self) -> dict[str, int]:
        """How many rows each table of planning has."""
        with self.world.session() as session:
            tables = [one for one in Base.metadata.sorted_tables if one.name.startswith("planning_")]
            return {one.name: session.scalar(select(func.count()).select_from(one)) or 0 for one in tables}


def everybody_says(world: World, status: Status) -> None:
    """The six, one second after the other."""
    for name in LINKED:
        world.clock.forward(timedelta(seconds=1))
        world.says(name, status)


def opened(world: World) -> Tonight:
    """Six are looking and Alice has opened the room."""
    everybody_says(world, Status.LOOKING)
    tonight = Tonight(world)
    assert tonight.opens("alice")
    return tonight


def with_spare(world: World) -> World:
    """Somebody who never logged in on the web is looking too."""
    with world.session() as session:
        world.players["spare"] = accounts.get_profile(session, "guid-spare").id
        now = world.clock.now()
        availability.record_status(session, world.players["spare"], TODAY, Status.LOOKING, today=TODAY, now=now)
    return world


def under(world: World, **settings: object) -> World:
    """The same people under other settings."""
    changed = world.runtime.settings.model_copy(update=settings)
    return replace(world, runtime=replace(world.runtime, settings=changed))
