"""The evening's message while Discord is slow, busy, forbids it, loses answers, and workers die or race."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update

from slomix.availability.rules import Status
from slomix.channels.base import Address, Message, RateLimited, Receipt, SendError, Unanswered
from slomix.channels.discord_answers import EDITED_TOO_OFTEN
from slomix.clock import wall_now
from slomix.database import session as db
from slomix.database.session import Database
from slomix.deliveries import pausing
from slomix.evening import failures, rules, service, tonight
from slomix.evening import message as evening_message
from slomix.evening.models import EveningMessage
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus
from slomix.jobs.runner import execute
from slomix.processes import dispatch
from slomix.processes.common import Waker
from slomix.reasons.codes import Explanation, Reason
from tests.moments import at
from tests.services.racing import at_once
from tests.waiting import until
from tests.workers.evenings import evening_world, job, later, posts, problem, said, stored, unpaced
from tests.workers.pump import pump
from tests.world import Peopled, World

CUT = Unanswered(Reason.DISCORD_DID_NOT_ANSWER, "cut off")
FORBIDDEN = SendError(Reason.DISCORD_SAID, "Missing Access (50001)", permanent=True, code=50001)
NO_RIGHT = SendError(Reason.DISCORD_SAID, "Missing Permissions (50013)", permanent=True, code=50013)
BUSY = RateLimited(Reason.DISCORD_IS_BUSY, retry_after=timedelta(seconds=33))
TOO_OFTEN = RateLimited(Reason.DISCORD_IS_BUSY, retry_after=timedelta(seconds=17), code=EDITED_TOO_OFTEN)


def gathered(database: Database, **settings: object) -> World:
    """Three have been looking for a while, and nothing was posted yet."""
    world = evening_world(database, **settings)
    world.clock.move_to(at(18))
    for name in ("alice", "bob", "erik"):
        world.says(name, Status.LOOKING)
    world.clock.forward(timedelta(seconds=10))
    return world


@pytest.fixture
def three(peopled: Peopled) -> World:
    return gathered(peopled)


@pytest.fixture
def posted(three: World) -> World:
    later(three)
    assert len(posts(three)) == 1
    return three


def runs(world: World, *, is_paced: bool = False) -> JobStatus | None:
    """Have a worker take the job once, whatever it waits for; `is_paced`: and keep to what it stored."""
    if not is_paced:
        unpaced(world)
    with world.session() as session:
        session.execute(update(Job).values(wait_until=None, run_at=world.clock.now()))
        [job_id] = session.scalars(select(Job.id).where(Job.kind == service.MESSAGE))
    return execute(world.runtime, dispatch.HANDLERS[service.MESSAGE], job_id)


def wait(world: World) -> float:
    """For how many seconds the job waits now."""
    wait_until = job(world).wait_until
    return (wait_until - wall_now()).total_seconds() if wait_until is not None else 0.0


def tried(world: World, ago: timedelta) -> None:
    """It is as long ago that it was first tried."""
    with world.session() as session:
        session.execute(update(EveningMessage).values(tried_at=wall_now() - ago))


def accepts_and_cuts(world: World, monkeypatch: pytest.MonkeyPatch, *, times: int = 1) -> None:
    """Discord takes the next messages, and their answers are lost."""
    send, left = world.discord.send, [times]

    def cut(to: Address, message: Message, *, nonce: str) -> Receipt:
        receipt = send(to, message, nonce=nonce)
        if left[0] > 0:
            left[0] -= 1
            raise CUT
        return receipt

    monkeypatch.setattr(world.discord, "send", cut)


# Made once


def test_two_workers_at_once_post_it_once(committed: Database) -> None:
    world = gathered(committed)
    with world.session() as session:
        [job_id] = session.scalars(select(Job.id).where(Job.kind == service.MESSAGE))
    at_once([lambda: execute(world.runtime, dispatch.HANDLERS[service.MESSAGE], job_id)] * 4)
    later(world)
    assert len(world.discord.sent) == 1


def test_two_schedulers_plan_one_job_a_day(three: World) -> None:
    for _ in range(3):
        with three.session() as session:
            service.plan_evening(session, at(18).date(), settings=three.runtime.settings, now=three.clock.now())
    assert job(three).subject == "2026-11-20"


def test_cut_after_acceptance_it_is_repeated_with_its_nonce(three: World, monkeypatch: pytest.MonkeyPatch) -> None:
    accepts_and_cuts(three, monkeypatch)
    runs(three)
    assert (stored(three).message_id, problem(three)) == (None, CUT.reason)
    assert wait(three) > 9
    three.says("franka", Status.MAYBE)
    three.clock.forward(timedelta(seconds=10))
    later(three)
    later(three)
    assert len(three.discord.sent) == 1
    assert (stored(three).message_id, problem(three)) == ("0", None)
    assert said(three)[-1] == "Maybe: Franka", "the words of the repeat are brought up to date"


def test_a_minute_later_it_is_found_by_its_mark(three: World, monkeypatch: pytest.MonkeyPatch) -> None:
    accepts_and_cuts(three, monkeypatch)
    runs(three)
    tried(three, timedelta(minutes=2))
    later(three)
    assert len(three.discord.sent) == len(three.discord.asked) == 1
    assert (stored(three).message_id, problem(three)) == ("0", None)


def test_where_it_does_not_stand_it_may_leave_anew(three: World) -> None:
    three.discord.answers = [CUT]
    runs(three)
    mark = stored(three).mark
    tried(three, timedelta(minutes=2))
    later(three)
    assert len(posts(three)) == 1
    assert stored(three).mark != mark


@pytest.mark.parametrize("hidden", [SendError(Reason.DISCORD_HIDES_ROOM), CUT, BUSY])
def test_what_cannot_be_read_is_no_absence(three: World, hidden: SendError) -> None:
    three.discord.answers = [CUT]
    runs(three)
    tried(three, timedelta(minutes=2))
    three.discord.hidden = hidden
    for _ in range(3):
        runs(three)
    assert (three.discord.sent, problem(three)) == ([], hidden.reason)


def test_what_carries_no_mark_is_not_repeated_after_a_minute(peopled: Peopled) -> None:
    world = gathered(peopled, public_url="http://localhost:7000")
    world.discord.answers = [CUT]
    runs(world)
    tried(world, timedelta(minutes=2))
    later(world)
    assert (world.discord.sent, job(world).status) == ([], JobStatus.FAILED)
    assert problem(world) == Explanation(Reason.ANSWER_NOT_SEEN)


def test_a_refused_repeat_says_nothing_of_the_first(three: World, monkeypatch: pytest.MonkeyPatch) -> None:
    accepts_and_cuts(three, monkeypatch)
    runs(three)
    send = three.discord.send
    with monkeypatch.context() as refusing:
        refusing.setattr(three.discord, "send", lambda *_, **__: (_ for _ in ()).throw(FORBIDDEN))
        runs(three)
    assert three.discord.send == send
    tried(three, timedelta(minutes=2))
    later(three)
    assert len(three.discord.sent) == 1


def test_a_worker_killed_after_acceptance_is_followed_by_one_that_finds_it(three: World) -> None:
    with three.session() as session:
        [job_id] = session.scalars(select(Job.id).where(Job.kind == service.MESSAGE))

    class Killed(BaseException):
        pass

    def dies(*_: Any, **__: Any) -> None:
        raise Killed

    finish = evening_message.KeepMessage.finish
    try:
        evening_message.KeepMessage.finish = dies  # type: ignore[method-assign, assignment]
        with pytest.raises(Killed):
            execute(three.runtime, dispatch.HANDLERS[service.MESSAGE], job_id)
    finally:
        evening_message.KeepMessage.finish = finish  # type: ignore[method-assign]
    assert len(three.discord.sent) == 1
    with three.session() as session:
        session.execute(update(Job).values(lease_until=wall_now() - timedelta(seconds=1)))
    tried(three, timedelta(minutes=2))
    later(three)
    assert len(three.discord.sent) == 1
    assert stored(three).message_id == "0"


def test_a_worker_beyond_its_lease_sends_nothing(three: World, monkeypatch: pytest.MonkeyPatch) -> None:
    now = wall_now()
    monkeypatch.setattr(failures, "wall_now", lambda: now + timedelta(minutes=1))
    runs(three)
    assert three.discord.sent == []


# Edited


def test_edits_keep_their_distance(posted: World, monkeypatch: pytest.MonkeyPatch) -> None:
    wall = wall_now()
    monkeypatch.setattr(evening_message, "wall_now", lambda: wall)
    for age, least in ((timedelta(0), rules.EDIT_INTERVAL), (timedelta(hours=1), rules.LATER_EDIT_INTERVAL)):
        posted.clock.forward(age)
        with posted.session() as session:
            session.execute(update(EveningMessage).values(edited_at=wall))
        posted.says("franka", Status.MAYBE if age else Status.AVAILABLE)
        posted.clock.forward(timedelta(seconds=10))
        edits = posted.discord.edits
        before = wall_now()
        runs(posted, is_paced=True)
        assert posted.discord.edits == edits
        waits_until = job(posted).wait_until
        assert waits_until is not None and before + least <= waits_until <= wall_now() + least
        unpaced(posted)
        pump(posted)
        assert posted.discord.edits == edits + 1


@pytest.mark.parametrize("error", [BUSY, TOO_OFTEN, CUT, SendError(Reason.DISCORD_ANSWERED, "500")])
def test_of_the_states_while_it_could_not_be_edited_the_newest_wins(posted: World, error: SendError) -> None:
    posted.discord.edit_answers = [error]
    posted.says("franka", Status.MAYBE)
    posted.clock.forward(timedelta(seconds=10))
    runs(posted)
    assert posted.discord.edits == 0
    assert wait(posted) > (error.retry_after or timedelta(seconds=5)).total_seconds() - 1
    assert problem(posted) == error.reason
    posted.says("franka", Status.AVAILABLE)
    posted.says("goran", Status.MAYBE)
    later(posted)
    assert said(posted)[2:] == ["Available: Franka", "Maybe: Goran"]
    assert (posted.discord.edits, len(posted.discord.sent), problem(posted)) == (1, 1, None)


def test_what_discord_holds_back_is_not_asked_again_before(posted: World) -> None:
    posted.discord.edit_answers = [TOO_OFTEN]
    posted.says("franka", Status.MAYBE)
    posted.clock.forward(timedelta(seconds=10))
    runs(posted)
    assert posted.discord.edit_answers == []
    runs(posted, is_paced=True)
    assert (posted.discord.edits, round(wait(posted))) == (0, 17)


def test_failures_in_a_row_are_tried_ever_more_rarely(posted: World) -> None:
    posted.says("franka", Status.MAYBE)
    posted.clock.forward(timedelta(seconds=10))
    posted.discord.edit_answers = [CUT] * 6
    waits = []
    for _ in range(6):
        runs(posted)
        waits.append(round(wait(posted)))
    assert waits == [5, 10, 20, 40, 60, 60]


def test_a_change_while_an_edit_is_under_way_is_not_lost(posted: World, monkeypatch: pytest.MonkeyPatch) -> None:
    edit = posted.discord.edit

    def meanwhile(*given: Any, **named: Any) -> None:
        edit(*given, **named)
        monkeypatch.setattr(posted.discord, "edit", edit)
        posted.says("goran", Status.MAYBE)
        with posted.session() as session:
            service.wake(session, now=posted.clock.now())

    monkeypatch.setattr(posted.discord, "edit", meanwhile)
    posted.says("franka", Status.MAYBE)
    later(posted)
    posted.clock.forward(timedelta(seconds=10))
    unpaced(posted)
    pump(posted)
    assert said(posted)[-1] == "Maybe: Franka, Goran"


def is_waited_for(world: World) -> bool:
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    with world.session() as session:
        return bool(session.scalar(waiting))


def test_a_change_while_it_is_looked_at_is_not_lost(committed: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The job's row is being claimed then, and looks as if it were due already."""
    world = gathered(committed)
    later(world)
    read = tonight.read
    waking: list[threading.Thread] = []

    def meanwhile(*given: Any, **named: Any) -> Any:
        found = read(*given, **named)
        if not waking:

            def wake() -> None:
                with world.session() as session:
                    service.wake(session, now=world.clock.now())

            waking.append(threading.Thread(target=wake))
            waking[0].start()
            until(lambda: is_waited_for(world), "the change to wait for the row, until the look is over")
        return found

    monkeypatch.setattr(tonight, "read", meanwhile)
    runs(world)
    waking[0].join()
    assert job(world).run_at == world.clock.now() + timedelta(seconds=10)


# Forbidden, paused


@pytest.mark.parametrize("error", [FORBIDDEN, NO_RIGHT])
def test_without_the_right_to_post_it_is_quiet_and_says_why(three: World, error: SendError) -> None:
    three.discord.answers = [error]
    runs(three)
    assert (three.discord.sent, problem(three), stored(three).tried_at) == ([], error.reason, None)
    assert wait(three) > 590
    with three.session() as session:
        service.wake(session, now=three.clock.now())
    assert wait(three) > 590, "a change makes it no sooner"
    later(three)
    assert (len(posts(three)), problem(three)) == (1, None), "the right was given back"


def test_without_the_right_to_edit_it_is_quiet_and_says_why(posted: World) -> None:
    posted.discord.edit_answers = [NO_RIGHT]
    posted.says("franka", Status.MAYBE)
    posted.clock.forward(timedelta(seconds=10))
    runs(posted)
    assert (problem(posted), len(posted.discord.sent)) == (NO_RIGHT.reason, 1)
    assert wait(posted) > 590


def test_while_sending_is_paused_nothing_leaves(three: World) -> None:
    with three.session() as session:
        pausing.pause(session, by="1", now=three.clock.now())
    later(three)
    runs(three)
    assert three.discord.sent == []
    with three.session() as session:
        pausing.resume(session, by="1", now=three.clock.now())
    later(three)
    assert len(posts(three)) == 1


def hears(waker: Waker) -> bool:
    waker.sleep(None, wall_now() + timedelta(seconds=0.3))
    return waker.take_change()


def test_the_scheduler_hears_what_changes_an_evening_and_nothing_else(committed: Database) -> None:
    world = gathered(committed)
    waker = Waker(world.runtime, threading.Event())
    waker.listen()
    assert (waker.take_change(), waker.take_change()) == (True, False), "of what was before, nothing is known"
    for topic, is_one in (("deliveries", False), ("board", True), ("evening", False), ("presence", True)):
        with world.session() as session:
            db.notify(session, db.LIVE_CHANNEL, topic)
        if is_one:
            until(lambda: hears(waker), f"a change of {topic}")
        else:
            assert not hears(waker), topic
