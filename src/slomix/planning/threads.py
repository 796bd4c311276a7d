"""Keeps a room's private thread on Discord up to date: the thread itself, its members and the teams' message.

Each run compares what should be with what is known to be, and asks Discord for the difference. No page waits for it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from slomix import clock
from slomix.accounts.models import User
from slomix.accounts.rules import Membership
from slomix.channels.base import Address, Channel, Message, MessageRefused, RateLimited, SendError, Threads, Unanswered
from slomix.channels.discord_answers import ARCHIVED, UNKNOWN_CHANNEL, UNKNOWN_MESSAGE
from slomix.config.settings import Settings
from slomix.contacts.rules import ChannelName
from slomix.database import session as db
from slomix.deliveries import pausing
from slomix.deliveries.formatting import DiscordStyle
from slomix.deliveries.rules import ASK_AFTER
from slomix.i18n import _, dated, in_all_languages
from slomix.jobs import service as jobs
from slomix.jobs.rules import UNLIMITED, Done, JobStatus, Outcome, Snooze
from slomix.jobs.runner import AnyHandler, Handler, JobContext
from slomix.jobs.service import NewJob
from slomix.planning import posts, queries
from slomix.planning.models import Room, RoomThread
from slomix.planning.queries import RoomView
from slomix.reasons.codes import Explanation, Reason
from slomix.runtime.context import Runtime

KIND = "planning_thread"

CHECK_INTERVAL = timedelta(seconds=5)
MAX_RETRY_DELAY = timedelta(seconds=60)
# A request takes 20 s at most, so requests that begin within this time end before the lease does.
TIME_LIMIT = timedelta(seconds=5)


def plan_thread(session: Session, room: Room, *, settings: Settings, now: datetime) -> None:
    """Schedule the room's thread once, if threads are switched on."""
    if settings.planning_create_thread:
        job = NewJob(KIND, room.subject, now, max_attempts=UNLIMITED, lane=ChannelName.DISCORD)
        jobs.schedule(session, [job], now=now)


@dataclass(frozen=True)
class ThreadTarget:
    """The thread as it should be on Discord."""

    room_id: int
    parent: str
    name: str
    # How it and its message may be called, if the community spoke another language then.
    names: frozenset[str]
    headings: tuple[str, ...]
    # Of tonight's participants.
    accounts: tuple[str, ...]
    # None while the teams are empty and no message about them exists.
    text: str | None


@dataclass
class ThreadState:
    """The thread as it is known to be on Discord, and the last error."""

    thread: str | None = None
    members: list[str] = field(default_factory=list)
    message: str | None = None
    posted_text: str | None = None
    problem: Explanation | None = None
    # Accounts that Discord refused to add or to remove, and what it said.
    refused: dict[str, Explanation] = field(default_factory=dict)

    def matches(self, target: ThreadTarget) -> bool:
        has_said_it = target.text is None or (self.message is not None and self.posted_text == target.text)
        is_there = self.thread is not None and set(self.members) == set(target.accounts)
        return is_there and has_said_it and self.problem is None and not self.refused


@dataclass
class ThreadSync:
    """The requests of one run to Discord, and their results."""

    threads: Threads
    channel: Channel
    target: ThreadTarget
    state: ThreadState
    # The number of failures in a row before this run.
    failures: int
    error: SendError | None = None
    is_cut_short: bool = False

    def run(self) -> None:
        """Send the requests that are missing, until one fails or the time is up."""
        begun = clock.wall_now()
        try:
            for step in self._steps():
                if clock.wall_now() > begun + TIME_LIMIT:
                    self.is_cut_short = True
                    return
                step()
        except SendError as error:
            self.error = self._reopen() if error.code == ARCHIVED else error
        if not isinstance(self.error, RateLimited):  # a rate limit is no failure, and leaves an earlier one standing
            self.state.problem = self.error.reason if self.error else None
        if self.error is not None and self.error.code == UNKNOWN_CHANNEL:
            self.state.thread = self.state.message = self.state.posted_text = None

    def _steps(self) -> Iterator[Callable[[], None]]:
        """Yield the requests that are missing, each decided after the one before it was sent."""
        wanted, reached = self.target, self.state
        if reached.thread is None:
            yield self._find
        if reached.thread is None:
            yield self._create
        surplus = [account for account in reached.members if account not in wanted.accounts]
        missing = [account for account in wanted.accounts if account not in reached.members]
        changes = [partial(self._remove, account) for account in surplus]
        changes += [partial(self._add, account) for account in missing]
        reached.refused = {account: why for account, why in reached.refused.items() if account in (*surplus, *missing)}
        # Removals first, as these must not read on; refused accounts last, so that they keep no other account waiting.
        yield from sorted(changes, key=lambda change: change.args[0] in reached.refused)
        if wanted.text is None:
            return
        if reached.message is None:
            yield self._find_message
        if reached.message is None:
            yield partial(self._post, wanted.text)
        if reached.posted_text != wanted.text:
            yield partial(self._edit, wanted.text)

    def _find(self) -> None:
        """Look for a thread whose creation succeeded but whose answer was lost, so that there are never two."""
        self.state.thread = self.threads.find(self.target.parent, self.target.names)

    def _create(self) -> None:
        self.state.thread = self.threads.create(self.target.parent, self.target.name)

    def _add(self, account: str) -> None:
        if self._does(self.threads.add, account):
            self.state.members.append(account)

    def _remove(self, account: str) -> None:
        if self._does(self.threads.remove, account):
            self.state.members.remove(account)

    def _does(self, change: Callable[[str, str], None], account: str) -> bool:
        """Change one account's membership. Keep an error that is about this account, and go on with the others."""
        try:
            change(self._thread, account)
        except SendError as error:
            if isinstance(error, RateLimited) or error.code in (UNKNOWN_CHANNEL, ARCHIVED):
                raise
            if error.code is None:  # Discord didn't answer, or not in its own words
                self.error = error
            else:
                self.state.refused[account] = error.reason
            return False
        self.state.refused.pop(account, None)
        return True

    def _find_message(self) -> None:
        found = self.threads.find_message(self._thread, self.target.headings)
        if found is not None:
            self.state.message, self.state.posted_text = found.message_id, found.text

    def _post(self, text: str) -> None:
        # The nonce is the same for the same text in the same thread, so a lost answer causes no second message.
        nonce = sha256(f"{self._thread}:{text}".encode()).hexdigest()[:20]
        receipt = self.channel.send(Address(self._thread, is_room=True), Message(text), nonce=nonce)
        self.state.message, self.state.posted_text = receipt.message_id, text

    def _edit(self, text: str) -> None:
        try:
            self.threads.edit(self._thread, self.state.message or "", Message(text))
            self.state.posted_text = text
        except SendError as error:
            if error.code != UNKNOWN_MESSAGE:
                raise
            # The message was deleted: the next run posts another.
            self.state.message = self.state.posted_text = None

    def _reopen(self) -> SendError | None:
        try:
            self.threads.reopen(self._thread)
        except SendError as error:
            return error
        return None

    @property
    def _thread(self) -> str:
        """Return the thread's id; valid once it was found or created."""
        return self.state.thread or ""


class PlanningThread(Handler[ThreadSync, ThreadSync]):
    """The job that keeps a room's thread up to date until its day is over."""

    def begin(self, context: JobContext) -> ThreadSync | Outcome:
        """Compare the thread with what it should be; snooze if there is no difference."""
        runtime, session, job = context.runtime, context.session, context.job
        settings = runtime.settings
        room = session.get(Room, queries.room_id_of(job.subject))
        if room is None or clock.local_day(context.now, settings.zone, settings.day_starts_at) != room.day:
            return Done()
        if runtime.threads is None:
            return Done(JobStatus.SKIPPED, Explanation(Reason.SWITCHED_OFF))
        if pausing.current_pause(session) is not None:
            return Snooze(CHECK_INTERVAL)
        reached, row = ThreadState(), session.get(RoomThread, room.id)
        if row is not None:
            refused = {account: Explanation.of_json(why) for account, why in row.refused.items()}
            reached = ThreadState(row.thread_id, list(row.members), row.message_id, row.said, row.error, refused)
        wanted = _thread_target(session, room, was_posted=reached.message is not None, settings=settings)
        if reached.matches(wanted):
            return Snooze(CHECK_INTERVAL)
        return ThreadSync(runtime.threads, runtime.channels[ChannelName.DISCORD], wanted, reached, job.attempts - 1)

    def act(self, _runtime: Runtime, prepared: ThreadSync) -> ThreadSync:
        prepared.run()
        return prepared

    def finish(self, context: JobContext, result: ThreadSync) -> Outcome:
        """Store the results and decide when to run again; a permanent error ends the job."""
        _write(context.session, result.target.room_id, result.state)
        error, failures = result.error, result.failures
        if error is None and not result.state.refused:
            return Snooze(timedelta(0) if result.is_cut_short else CHECK_INTERVAL, failures=0)
        if error is not None and error.permanent and not isinstance(error, MessageRefused):
            return Done(JobStatus.FAILED, error.reason)
        if isinstance(error, RateLimited):
            return Snooze(error.retry_after or CHECK_INTERVAL, failures=failures)
        growing = min(CHECK_INTERVAL * 2 ** min(failures, 10), MAX_RETRY_DELAY)
        if isinstance(error, Unanswered):  # before, a thread or message that is not there may still come
            growing = max(growing, ASK_AFTER)
        return Snooze(growing, failures=failures + 1)


def _thread_target(session: Session, room: Room, *, was_posted: bool, settings: Settings) -> ThreadTarget:
    def name() -> str:
        return _("Game night {day}").format(day=room.day.isoformat())

    def heading() -> str:
        return _("**Teams for {day}**").format(day=dated(room.day, _("EEEE d MMMM")))

    view = queries.view_room(session, room)
    link = DiscordStyle().quiet_link(f"{settings.base_url}/planning/{room.day}")
    return ThreadTarget(
        room.id,
        parent=settings.planning_thread_parent,
        name=name(),
        names=frozenset(in_all_languages(name)),
        headings=tuple(in_all_languages(heading)),
        accounts=_accounts(session, view),
        text=posts.teams_post(heading(), view.teams, link) if view.placed or was_posted else None,
    )


def _accounts(session: Session, view: RoomView) -> tuple[str, ...]:
    """Return the Discord accounts of the participants who are in our server."""
    players = [participant.player_id for participant in view.participants]
    ours = User.player_id.in_(players) & (User.membership != Membership.LEFT)
    found = {
        row.player_id: row.discord_id for row in session.execute(select(User.player_id, User.discord_id).where(ours))
    }
    return tuple(found[player_id] for player_id in players if player_id in found)


def _write(session: Session, room_id: int, reached: ThreadState) -> None:
    values = {
        "thread_id": reached.thread,
        "members": reached.members,
        "message_id": reached.message,
        "said": reached.posted_text,
        "error": reached.problem,
        "refused": {account: why.as_json() for account, why in reached.refused.items()},
    }
    row = insert(RoomThread).values(session_id=room_id, **values)
    session.execute(row.on_conflict_do_update(index_elements=[RoomThread.session_id], set_=values))
    db.notify(session, db.LIVE_CHANNEL, "planning")


HANDLERS: dict[str, AnyHandler] = {KIND: PlanningThread()}
