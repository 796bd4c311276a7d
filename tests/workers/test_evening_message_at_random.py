"""Whatever goes wrong in whichever order, an evening has one message, and in the end it says what is true."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from slomix.availability.rules import Status
from slomix.channels.base import Address, Message, ProviderDown, RateLimited, Receipt, SendError, Unanswered
from slomix.clock import wall_now
from slomix.evening import service, tonight
from slomix.evening.message import KeepMessage
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus
from slomix.jobs.runner import execute
from slomix.processes import dispatch
from slomix.reasons.codes import Reason
from tests.moments import TODAY, at
from tests.workers.evenings import evening_world, later, posts, stored, unpaced
from tests.world import Peopled, World

NAMES = ("alice", "bob", "erik", "franka", "goran")
REFUSALS: tuple[SendError, ...] = (
    Unanswered(Reason.DISCORD_DID_NOT_ANSWER, "cut off"),
    ProviderDown(Reason.DISCORD_NOT_REACHED, "ConnectError"),
    RateLimited(Reason.DISCORD_IS_BUSY, retry_after=timedelta(seconds=3)),
    SendError(Reason.DISCORD_SAID, "Missing Permissions (50013)", permanent=True, code=50013),
)


class Killed(BaseException):
    """The worker is gone, between what it asked of Discord and what it would have written."""


class Evening:
    """An evening on which things go wrong, and what may go wrong."""

    def __init__(self, world: World, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world, self.random, self.patch = world, random.Random(seed), monkeypatch
        self.cuts, self.deletions = 0, 0
        self._send = world.discord.send
        monkeypatch.setattr(world.discord, "send", self._sent)

    def _sent(self, to: Address, message: Message, *, nonce: str) -> Receipt:
        receipt = self._send(to, message, nonce=nonce)
        if self.cuts:
            self.cuts -= 1
            raise REFUSALS[0]
        return receipt

    def somebody_changes_their_mind(self) -> None:
        self.world.says(self.random.choice(NAMES), self.random.choice([*Status, None]))

    def an_answer_is_lost(self) -> None:
        self.cuts += 1

    def a_post_is_refused(self) -> None:
        self.world.discord.answers.append(self.random.choice(REFUSALS))

    def an_edit_is_refused(self) -> None:
        self.world.discord.edit_answers.append(self.random.choice(REFUSALS))

    def a_minute_passes(self) -> None:
        with self.world.session() as session:
            row = service.message_of(session, TODAY)
            if row is not None and row.tried_at is not None:
                row.tried_at = wall_now() - timedelta(minutes=2)

    def a_worker_is_killed(self) -> None:
        def dies(*_: Any) -> None:
            raise Killed

        with self.world.session() as session:
            session.execute(update(Job).values(wait_until=None, run_at=self.world.clock.now()))
            [job_id] = session.scalars(select(Job.id).where(Job.kind == service.MESSAGE))
        unpaced(self.world)
        with self.patch.context() as dying:
            dying.setattr(KeepMessage, "finish", dies)
            try:
                execute(self.world.runtime, dispatch.HANDLERS[service.MESSAGE], job_id)
            except Killed:
                with self.world.session() as session:
                    session.execute(update(Job).values(lease_until=wall_now() - timedelta(seconds=1)))

    def somebody_deletes_it(self) -> None:
        if self.deletions == 0 and posts(self.world):
            self.deletions = 1
            self.world.discord.deleted |= {str(number) for number in range(len(self.world.discord.sent))}

    def goes_on(self) -> None:
        deeds: list[Callable[[], None]] = [
            *[self.somebody_changes_their_mind] * 4,
            *(self.an_answer_is_lost, self.a_post_is_refused, self.an_edit_is_refused),
            *(self.a_minute_passes, self.a_worker_is_killed, self.somebody_deletes_it),
        ]
        self.random.choice(deeds)()
        later(self.world, 11)

    def calms_down(self) -> None:
        """All is well again, and three are looking at least."""
        self.cuts = 0
        self.world.discord.answers.clear()
        self.world.discord.edit_answers.clear()
        for name in NAMES:
            self.world.says(name, Status.LOOKING)
        self.a_minute_passes()
        for _ in range(5):
            later(self.world, 11)


@pytest.mark.parametrize("seed", range(12))
def test_it_is_made_once_and_says_what_is_true(peopled: Peopled, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    world = evening_world(peopled, ready_threshold=200)
    world.clock.move_to(at(12))
    evening = Evening(world, seed, monkeypatch)
    for _ in range(25):
        evening.goes_on()
        assert len(world.discord.sent) <= 1 + evening.deletions, "never a second one"
    evening.calms_down()
    assert len(world.discord.sent) <= 1 + evening.deletions
    [message] = posts(world)
    with world.session() as session:
        now = world.clock.now()
        wanted = tonight.text(tonight.read(session, TODAY, settings=world.runtime.settings, now=now), now=now)
    assert message.text == wanted
    assert (stored(world).problem, stored(world).tried_at) == (None, None)
    with world.session() as session:
        assert session.scalars(select(Job.status).where(Job.kind == service.MESSAGE)).one() is JobStatus.PENDING
