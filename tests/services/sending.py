"""One tiny notice, planned for whoever a test names and carried by the real handler to a channel in memory."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select, update

from slomix import clock
from slomix.channels.base import Address, Message, Receipt, Unanswered
from slomix.contacts import service as contacts
from slomix.contacts.models import Contact
from slomix.contacts.rules import ChannelName, MessageKind
from slomix.deliveries import service as deliveries
from slomix.deliveries.handlers import SendDelivery
from slomix.deliveries.models import Attempt, Delivery
from slomix.deliveries.notices import Notice, Occasion
from slomix.deliveries.rules import Budget, Skip
from slomix.deliveries.service import JOB_KIND, NoticePlan
from slomix.jobs import service as jobs
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus
from slomix.jobs.runner import execute
from slomix.reasons.codes import Explanation, Reason
from tests.channel_doubles import MemoryChannel
from tests.moments import LJUBLJANA, TODAY, at
from tests.world import World

KEY = f"PROMOTE:T0:{TODAY}"
CHAT, NUMBER = "4242", "+38640123456"


@dataclass
class Greeting(Notice):
    """Says how late it is; wanted as long as the test says so."""

    kind: MessageKind | None = MessageKind.CAMPAIGNS
    budget: Budget = Budget.COUNTED
    heeds_quiet_hours: bool = True
    keeps_channel: bool = False
    unwanted: Skip | None = None
    broken: list[str] = field(default_factory=list)

    def compose(self, occasion: Occasion) -> Message | Skip:
        if self.unwanted is not None:
            return self.unwanted
        if self.broken:
            raise ValueError(self.broken.pop(0))
        return Message(f"Hello at {occasion.now.astimezone(LJUBLJANA):%H:%M:%S}")


def nothing() -> None:
    """What usually happens meanwhile."""


@dataclass
class Wire(MemoryChannel):
    """Also takes messages without saying so, tells the id of a DM channel, and lets a test look on."""

    cuts: int = 0
    learns: str | None = None
    meanwhile: Callable[[], None] = nothing
    afterwards: Callable[[], None] = nothing

    def send(self, to: Address, message: Message, *, nonce: str) -> Receipt:
        self.meanwhile()
        receipt = super().send(to, message, nonce=nonce)
        self.afterwards()
        if self.cuts:
            self.cuts -= 1
            raise Unanswered(Reason.DISCORD_DID_NOT_ANSWER, "ReadError")
        return Receipt(receipt.message_id, learned=self.learns)


@dataclass
class Post:
    """The post office of a test. `wire` leads to Discord."""

    world: World
    wire: Wire
    telegram: Wire
    signal: Wire
    greeting: Greeting = field(default_factory=Greeting)

    def plan(
        self,
        *names: str,
        key: str = KEY,
        subject: str = "1",
        deadline_at: datetime | None = None,
        channel: ChannelName | None = None,
    ) -> int:
        """Plan a greeting to these players for 20:45, and return how many were written or opened."""
        plan = NoticePlan("greeting", subject, key, at(20, 45), deadline_at, channel=channel)
        players = [self.world.players[name] for name in names]
        settings, now = self.world.runtime.settings, self.world.clock.now()
        with self.world.session() as session:
            return deliveries.plan_for_players(session, plan, players, settings=settings, now=now)

    def plan_room(self, room: str, *, key: str = KEY, deadline_at: datetime | None = None) -> int:
        plan = NoticePlan("greeting", "1", key, at(20, 45), deadline_at)
        with self.world.session() as session:
            return deliveries.plan_for_room(session, plan, room, now=self.world.clock.now())

    def carry(self, row: Delivery) -> JobStatus | None:
        """A worker tries this delivery's job once, as soon as it is due."""
        job = self.job(row)
        self.world.clock.move_to(max(self.world.clock.now(), job.run_at))
        with self.world.session() as session:  # what a provider asked for is over
            session.execute(update(Job).where(Job.id == job.id).values(wait_until=None))
        return self.execute(row)

    def execute(self, row: Delivery) -> JobStatus | None:
        """A worker looks at this delivery's job now."""
        return execute(self.world.runtime, SendDelivery({"greeting": self.greeting}), self.job(row).id)

    def send(self, name: str = "alice", **more: object) -> Delivery:
        """Plan one for somebody, try it once, and look at what became of it."""
        self.plan(name, **more)  # type: ignore[arg-type]
        self.carry(self.row(name))
        return self.row(name)

    def take_back(self, row: Delivery) -> None:
        """The scheduler, after this delivery's lease has run out."""
        lease = self.job(row).lease_until
        assert lease is not None
        with self.world.session() as session:
            wall = lease + timedelta(seconds=1)
            assert jobs.release_expired(session, now=self.world.clock.now(), wall=wall) == []

    def carry_all(self, name: str = "alice") -> list[tuple[str, str, Explanation | None, str | None]]:
        """Carry all of somebody's rows to their end: channel, status, reason and successor of each, in their order."""
        for _ in range(6):
            for row in self.rows_of(name):
                if not row.status.is_settled:
                    self.carry(row)
        return [(row.channel, row.status, row.reason, row.fell_back_to) for row in self.rows_of(name)]

    def arrived(self) -> dict[ChannelName, list[str]]:
        """To which addresses messages went."""
        wires = {ChannelName.DISCORD: self.wire, ChannelName.TELEGRAM: self.telegram, ChannelName.SIGNAL: self.signal}
        return {name: [to.value for to, _, _ in wire.sent] for name, wire in wires.items() if wire.sent}

    def rows(self) -> list[Delivery]:
        with self.world.session() as session:
            query = select(Delivery).order_by(Delivery.id).execution_options(populate_existing=True)
            return list(session.scalars(query))

    def rows_of(self, name: str | None) -> list[Delivery]:
        player_id = self.world.players[name] if name else None
        return [row for row in self.rows() if row.player_id == player_id]

    def row(self, name: str | None) -> Delivery:
        [row] = self.rows_of(name)
        return row

    def job(self, row: Delivery) -> Job:
        with self.world.session() as session:
            query = select(Job).where(Job.kind == JOB_KIND, Job.subject == str(row.id))
            return session.scalars(query.execution_options(populate_existing=True)).one()

    def attempts(self, row: Delivery) -> list[tuple[int, str, str, Explanation | None]]:
        """The attempts of a delivery: claim, event, status, error."""
        with self.world.session() as session:
            found: list[Attempt] = deliveries.attempts_of(session, [row.id]).get(row.id, [])
            return [(one.claim, one.event.value, one.status.value, one.error) for one in found]

    def contact(self, name: str, channel: ChannelName = ChannelName.DISCORD) -> Contact | None:
        with self.world.session() as session:
            session.expire_all()
            return contacts.contacts_of(session, self.world.players[name]).get(channel)

    def pass_wall_time(self, delta: timedelta) -> None:
        """Until the test ends all of this process sees the wall clock further on."""
        clock._compared = clock.Comparison(clock.offset() + delta, time.monotonic())
