"""Keeps a room's private thread on Discord true: that it is there, who is in it, and what it says of the teams.

Each run compares what should be with what is known to be, and brings Discord nearer. Nothing in a room waits for it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from slomix import clock, words
from slomix.accounts.models import User
from slomix.accounts.rules import Membership
from slomix.channels.base import Address, Channel, Message, SendError, SlowDown, Threads
from slomix.channels.discord import ARCHIVED, UNKNOWN_CHANNEL, UNKNOWN_MESSAGE
from slomix.config.settings import Settings
from slomix.contacts.rules import ChannelName
from slomix.database import session as db
from slomix.deliveries import pausing
from slomix.deliveries.formatting import OnDiscord
from slomix.jobs import service as jobs
from slomix.jobs.models import Job
from slomix.jobs.rules import Done, JobStatus, Outcome, Snooze
from slomix.jobs.runner import Handler, Step
from slomix.jobs.service import NewJob
from slomix.planning import posts, queries
from slomix.planning.models import Room, Thread
from slomix.planning.queries import RoomView
from slomix.runtime.context import Runtime

KIND = "planning_thread"

LOOK_AGAIN = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(seconds=60)
# One request takes 20 s at most: what is begun within these is over before the lease is.
PATIENCE = timedelta(seconds=5)
# It ends with its day and not with a number of failures.
MOST_TRIES = 1_000_000


def promise(session: Session, room: Room, *, settings: Settings, now: datetime) -> None:
    """This room gets its thread, where threads are switched on; it is promised once, however often that is said."""
    if settings.planning_create_thread:
        job = NewJob(KIND, room.subject, now, max_attempts=MOST_TRIES, lane=ChannelName.DISCORD)
        jobs.schedule(session, [job], now=now)


@dataclass(frozen=True)
class Wanted:
    """What should be on Discord."""

    room_id: int
    parent: str
    name: str
    heading: str
    # Those who are in tonight.
    accounts: tuple[str, ...]
    # None while nobody is in a team, and nothing was said of any.
    text: str | None


@dataclass
class Reached:
    """What is known to be there, and what went wrong last."""

    thread: str | None = None
    members: list[str] = field(default_factory=list)
    message: str | None = None
    said: str | None = None
    trouble: str | None = None

    def is_all(self, wanted: Wanted) -> bool:
        has_said_it = wanted.text is None or (self.message is not None and self.said == wanted.text)
        is_there = self.thread is not None and set(self.members) == set(wanted.accounts)
        return is_there and has_said_it and self.trouble is None


@dataclass
class Talk:
    """One run's requests to Discord, one after the other, and how far they came."""

    threads: Threads
    channel: Channel
    wanted: Wanted
    reached: Reached
    # Which failure in a row this would be.
    number: int
    error: SendError | None = None
    is_cut_short: bool = False

    def hold(self) -> None:
        """Ask for all that is missing, until something goes wrong or it takes too long."""
        begun = clock.wall_now()
        try:
            for step in self._steps():
                if clock.wall_now() > begun + PATIENCE:
                    self.is_cut_short = True
                    return
                step()
        except SendError as error:
            self.error = self._reopen() if error.code == ARCHIVED else error
        if not isinstance(self.error, SlowDown):  # which is no trouble, and says nothing of an earlier one
            self.reached.trouble = self.error.reason if self.error else None
        if self.error is not None and self.error.code == UNKNOWN_CHANNEL:
            self.reached.thread = self.reached.message = self.reached.said = None

    def _steps(self) -> Iterator[Callable[[], None]]:
        """Each is looked for when the one before it has been taken."""
        wanted, reached = self.wanted, self.reached
        if reached.thread is None:
            yield self._find
        if reached.thread is None:
            yield self._create
        for account in wanted.accounts:
            if account not in reached.members:
                yield partial(self._add, account)
        for account in set(reached.members) - set(wanted.accounts):
            yield partial(self._remove, account)
        if wanted.text is None:
            return
        if reached.message is None:
            yield self._find_message
        if reached.message is None:
            yield partial(self._post, wanted.text)
        if reached.said != wanted.text:
            yield partial(self._edit, wanted.text)

    def _find(self) -> None:
        """One that was made and whose answer was lost is ours: a second one would split the evening."""
        self.reached.thread = self.threads.find(self.wanted.parent, self.wanted.name)

    def _create(self) -> None:
        self.reached.thread = self.threads.create(self.wanted.parent, self.wanted.name)

    def _add(self, account: str) -> None:
        """Somebody whom Discord lets into no such thread keeps nobody else out."""
        try:
            self.threads.add(self._thread, account)
        except SendError as error:
            if not error.permanent or error.code == UNKNOWN_CHANNEL:
                raise
            self.error = SendError(error.reason, code=error.code)
        else:
            self.reached.members.append(account)

    def _remove(self, account: str) -> None:
        self.threads.remove(self._thread, account)
        self.reached.members.remove(account)

    def _find_message(self) -> None:
        found = self.threads.find_message(self._thread, self.wanted.heading)
        if found is not None:
            self.reached.message, self.reached.said = found.message_id, found.text

    def _post(self, text: str) -> None:
        # The same words at the same place are the same message, should the first answer be lost.
        nonce = sha256(f"{self._thread}:{text}".encode()).hexdigest()[:20]
        receipt = self.channel.send(Address(self._thread, is_room=True), Message(text), nonce=nonce)
        self.reached.message, self.reached.said = receipt.message_id, text

    def _edit(self, text: str) -> None:
        try:
            self.threads.edit(self._thread, self.reached.message or "", Message(text))
            self.reached.said = text
        except SendError as error:
            if error.code != UNKNOWN_MESSAGE:
                raise
            # Somebody deleted it: the next run posts another one.
            self.reached.message = self.reached.said = None

    def _reopen(self) -> SendError | None:
        try:
            self.threads.reopen(self._thread)
        except SendError as error:
            return error
        return None

    @property
    def _thread(self) -> str:
        """Only after it was found or made."""
        return self.reached.thread or ""


class PlanningThread(Step):
    """One for a room, until its day is over."""

    def begin(self, runtime: Runtime, session: Session, job: Job, now: datetime) -> Talk | Outcome:
        """What should be and what is known to be; nothing to act on while both are the same."""
        settings = runtime.settings
        room = session.get(Room, queries.id_of(job.subject))
        if room is None or clock.local_day(now, settings.zone, settings.day_starts_at) != room.day:
            return Done()
        if runtime.threads is None:
            return Done(JobStatus.SKIPPED, words.SWITCHED_OFF)
        if pausing.paused(session) is not None:
            return Snooze(LOOK_AGAIN)
        reached, row = Reached(), session.get(Thread, room.id)
        if row is not None:
            reached = Reached(row.thread_id, list(row.members), row.message_id, row.said, row.error)
        wanted = _wanted(session, room, was_said=reached.message is not None, settings=settings)
        if reached.is_all(wanted):
            return Snooze(LOOK_AGAIN)
        return Talk(runtime.threads, runtime.channels[ChannelName.DISCORD], wanted, reached, job.attempts)

    def act(self, runtime: Runtime, prepared: Talk) -> Talk:
        prepared.hold()
        return prepared

    def finish(self, runtime: Runtime, session: Session, job: Job, result: Talk, now: datetime) -> Outcome:
        """Write how far it came, and when to look again; what will never work ends it, with the reason kept."""
        _write(session, result.wanted.room_id, result.reached)
        error = result.error
        # A snooze takes back its own claim, so the attempts that stay count the failures in a row.
        job.attempts = 1
        if error is None:
            return Snooze(timedelta(0) if result.is_cut_short else LOOK_AGAIN)
        if error.permanent:
            return Done(JobStatus.FAILED, error.reason)
        is_failure = not isinstance(error, SlowDown)
        job.attempts = result.number + is_failure
        growing = min(LOOK_AGAIN * 2 ** min(result.number - 1, 10), LONGEST_PAUSE) if is_failure else LOOK_AGAIN
        return Snooze(error.retry_after or growing)


def _wanted(session: Session, room: Room, *, was_said: bool, settings: Settings) -> Wanted:
    view = queries.view(session, room)
    heading = words.TEAMS_FOR.format(day=f"{room.day:%A} {room.day.day} {room.day:%B}")
    link = OnDiscord().aside(f"{settings.base_url}/planning/{room.day}")
    return Wanted(
        room.id,
        parent=settings.planning_thread_parent,
        name=words.THREAD_NAME.format(day=room.day.isoformat()),
        heading=heading,
        accounts=_accounts(session, view),
        text=posts.teams(heading, view.teams, link) if view.placed or was_said else None,
    )


def _accounts(session: Session, view: RoomView) -> tuple[str, ...]:
    """The Discord accounts of all who are in, as far as they are in our server."""
    players = [one.player_id for one in view.participants]
    ours = User.player_id.in_(players) & (User.membership != Membership.LEFT)
    found = {
        row.player_id: row.discord_id for row in session.execute(select(User.player_id, User.discord_id).where(ours))
    }
    return tuple(found[one] for one in players if one in found)


def _write(session: Session, room_id: int, reached: Reached) -> None:
    values = {
        "thread_id": reached.thread,
        "members": reached.members,
        "message_id": reached.message,
        "said": reached.said,
        "error": reached.trouble,
    }
    row = insert(Thread).values(session_id=room_id, **values)
    session.execute(row.on_conflict_do_update(index_elements=[Thread.session_id], set_=values))
    db.notify(session, db.LIVE, "planning")


HANDLERS: dict[str, Handler] = {KIND: PlanningThread()}
