"""While sending is paused nothing leaves; what is due waits until its deadline, and goes out when the switch is off."""

import pytest

from slomix.deliveries import pausing
from slomix.deliveries.rules import DeliveryStatus
from slomix.jobs import service as jobs
from slomix.jobs.rules import JobStatus
from slomix.processes import dispatch
from slomix.reasons.codes import Explanation, Reason
from tests.moments import at

from .sending import Post


def switch(post: Post, *, on: bool) -> None:
    with post.world.session() as session:
        if on:
            pausing.pause(session, by="the tests", now=post.world.clock.now())
        else:
            pausing.resume(session, by="command line", now=post.world.clock.now())


def released(post: Post) -> list[str]:
    return [job.kind for job in dispatch.release_jobs(post.world.runtime)]


def next_look(post: Post) -> object:
    with post.world.session() as session:
        held = dispatch.paused_kinds(session)
        return jobs.next_check(session, now=post.world.clock.now(), paused_kinds=held)[0]


@pytest.fixture
def planned(post: Post) -> Post:
    post.plan("alice", deadline_at=at(21))
    post.world.clock.move_to(at(20, 45))
    return post


def test_a_worker_that_was_nudged_already_sends_nothing_and_loses_no_attempt(planned: Post) -> None:
    switch(planned, on=True)
    row = planned.row("alice")
    assert planned.carry(row) is JobStatus.PENDING
    assert (planned.row("alice").status, planned.job(row).attempts) == (DeliveryStatus.PENDING, 0)
    assert planned.wire.sent == []
    switch(planned, on=False)
    assert planned.carry(row) is JobStatus.SENT


def test_nobody_is_nudged_and_the_scheduler_sleeps_until_the_deadline(planned: Post) -> None:
    switch(planned, on=True)
    assert released(planned) == []
    assert next_look(planned) == at(21)
    switch(planned, on=False)
    assert released(planned) == ["delivery"]


def test_what_waited_past_its_deadline_expires_also_while_paused(planned: Post) -> None:
    switch(planned, on=True)
    planned.world.clock.move_to(at(21))
    assert released(planned) == ["delivery"]
    planned.carry(planned.row("alice"))
    row = planned.row("alice")
    assert (row.status, row.reason) == (DeliveryStatus.SKIPPED, Explanation(Reason.EXPIRED))
    assert planned.wire.sent == []


def test_the_switch_says_whether_it_changed_anything(post: Post) -> None:
    with post.world.session() as session:
        assert pausing.pause(session, by="dora", now=at(20, 31))
        assert not pausing.pause(session, by="bob", now=at(20, 32))
        pause = pausing.current_pause(session)
        assert pause is not None
        assert (pause.by, pause.since) == ("dora", at(20, 31))
        assert pausing.resume(session, by="command line", now=post.world.clock.now())
        assert not pausing.resume(session, by="command line", now=post.world.clock.now())
        assert pausing.current_pause(session) is None
