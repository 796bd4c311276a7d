"""What became of a message whose answer was lost, asked of a real process that answers as Discord does."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from slomix.accounts.models import User
from slomix.channels.discord import Discord
from slomix.deliveries.handlers import SendDelivery
from slomix.deliveries.models import Delivery
from slomix.deliveries.rules import DeliveryStatus
from slomix.dev.simulator.people import BOT_TOKEN, GUILD_ID, TEXT_CHANNEL
from slomix.jobs import runner
from slomix.reasons.codes import Reason
from tests.moments import at
from tests.simulators import CAST, Simulator
from tests.world import CAST as IDS

from .sending import Post

ALICE = CAST["Alice"]
LATER = timedelta(seconds=61)
TO = pytest.mark.parametrize("name", ["alice", None], ids=["a DM", "the room"])


@dataclass
class Line:
    """A post office whose Discord is the simulator."""

    post: Post
    simulator: Simulator

    def breaks(self, fault: str, **parameters: Any) -> None:
        body = {"provider": "discord", "fault": fault, **parameters}
        self.simulator.client().post("/control/faults", json=body).raise_for_status()

    def mends(self) -> None:
        self.simulator.client().delete("/control/faults").raise_for_status()

    def plan(self, name: str | None) -> Delivery:
        if name is None:
            self.post.plan_room(TEXT_CHANNEL, deadline_at=at(21))
        else:
            self.post.plan(name, deadline_at=at(21))
        return self.post.row(name)

    def carry(self, name: str | None, after: timedelta = timedelta(0)) -> Delivery:
        row = self.post.row(name)
        self.post.pass_wall_time(after)
        self.post.carry(row)
        return self.post.row(name)

    def kill(self, name: str | None) -> None:
        """The worker dies when Discord has taken the message and before anything is written."""
        row, handler = self.post.row(name), SendDelivery({"greeting": self.post.greeting})
        self.post.world.clock.move_to(at(20, 45))
        begun = runner._begin(self.post.world.runtime, handler, self.post.job(row).id)
        assert isinstance(begun, runner._Begun)
        handler.act(self.post.world.runtime, begun.prepared)
        self.post.take_back(row)

    def texts(self) -> list[str]:
        return [str(message["text"]) for message in self.simulator.messages()]


@pytest.fixture
def line(post: Post, simulator: Simulator) -> Iterator[Line]:
    with post.world.session() as session:
        session.execute(update(User).where(User.discord_id == IDS["alice"]).values(discord_id=ALICE.id))
    discord = Discord(f"{simulator.url}/api/v10", BOT_TOKEN, GUILD_ID)
    runtime = replace(post.world.runtime, channels=dict(post.world.runtime.channels) | {"discord": discord})
    yield Line(replace(post, world=replace(post.world, runtime=runtime)), simulator)
    discord.close()


@TO
@pytest.mark.parametrize("html", [False, True])
def test_taken_and_then_504_within_a_minute_is_one_message_and_sent(line: Line, name: str | None, html: bool) -> None:
    line.breaks("error_after_accept", code=504, html=html, times=2)
    line.plan(name)
    assert [line.carry(name).status for _ in range(3)] == [*[DeliveryStatus.SENDING] * 2, DeliveryStatus.SENT]
    assert line.texts() == ["Hello at 20:45:00"]


@TO
def test_killed_and_found_more_than_a_minute_later_is_sent_with_its_number(line: Line, name: str | None) -> None:
    line.plan(name)
    line.kill(name)
    row = line.carry(name, LATER)
    assert (row.status, len(line.texts())) == (DeliveryStatus.SENT, 1)
    with line.simulator.bot() as bot:
        room = TEXT_CHANNEL if name is None else ALICE.dm_channel
        assert [one["id"] for one in bot.get(f"/channels/{room}/messages").json()] == [row.message_id]


@TO
def test_what_was_never_taken_leaves_once(line: Line, name: str | None) -> None:
    line.breaks("status", code=502)
    line.plan(name)
    row = line.carry(name)
    assert row.status is (DeliveryStatus.SENDING if name is None else DeliveryStatus.PENDING), "a DM was not opened yet"
    line.mends()
    for _ in range(2):
        row = line.carry(name, LATER)
    assert (row.status, len(line.texts())) == (DeliveryStatus.SENT, 1)


def test_two_pages_of_what_others_wrote_are_read(line: Line) -> None:
    line.plan(None)
    chatter = {"user_id": ALICE.id, "channel": TEXT_CHANNEL, "number": 130}
    line.kill(None)
    line.simulator.client().post("/control/chatter", json=chatter).raise_for_status()
    assert line.carry(None, LATER).status is DeliveryStatus.SENT
    assert len(line.texts()) == 1


@TO
def test_another_installations_message_by_the_same_bot_is_not_ours(line: Line, name: str | None) -> None:
    """It says the same words, at the same moment, in the same room."""
    line.plan(name)
    line.kill(name)
    room = TEXT_CHANNEL if name is None else ALICE.dm_channel
    [ours] = line.simulator.messages()
    with line.post.world.session() as session:  # as if the message had been the other one's
        session.execute(update(Delivery).values(nonce="another-nonce-of-ours"))
    with line.simulator.bot() as bot:
        bot.post(f"/channels/{room}/messages", json={"content": ours["text"], "nonce": "x"}).raise_for_status()
    assert line.carry(name, LATER).status is DeliveryStatus.PENDING


@pytest.mark.parametrize(
    ("fault", "code"), [("no_history", Reason.DISCORD_HIDES_ROOM), ("no_view", Reason.DISCORD_SAID)]
)
def test_in_a_room_that_we_may_not_read_it_is_unknown_at_its_deadline_and_says_why(
    line: Line, fault: str, code: Reason
) -> None:
    line.plan(None)
    line.kill(None)
    line.breaks(fault)
    for _ in range(3):
        row = line.carry(None, LATER)
        assert row.status is DeliveryStatus.SENDING
    line.post.world.clock.move_to(at(21))
    row = line.carry(None, LATER)
    assert (row.status, len(line.texts())) == (DeliveryStatus.UNKNOWN, 1)
    assert row.reason is not None
    assert row.reason.code is Reason.ANSWER_NOT_SEEN
    assert row.reason.then is not None
    assert row.reason.then.code is code


def test_a_room_that_we_may_read_again_before_the_deadline_settles_it(line: Line) -> None:
    line.plan(None)
    line.kill(None)
    line.breaks("no_history")
    assert line.carry(None, LATER).status is DeliveryStatus.SENDING
    line.mends()
    assert line.carry(None).status is DeliveryStatus.SENT
