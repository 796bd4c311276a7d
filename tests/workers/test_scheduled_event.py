"""An evening's event on Discord: like its campaign from the call to the end, made once whatever dies."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from slomix.availability.rules import Status
from slomix.channels.base import EventStatus, ScheduledEvent, SendError, Unanswered
from slomix.clock import wall_now
from slomix.database.session import Database
from slomix.evening import event, failures, service
from slomix.evening.event import next_status, wanted_status
from slomix.evening.models import EveningEvent
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus
from slomix.jobs.runner import execute
from slomix.processes import dispatch
from slomix.reasons.codes import Reason
from tests.configuration import ROOM
from tests.moments import TODAY, at
from tests.services.racing import at_once
from tests.steps import call, cancel
from tests.workers.pump import pump
from tests.world import Peopled, World, build_world

SCHEDULED, ACTIVE, COMPLETED, CANCELLED = EventStatus
NO_RIGHT = SendError(Reason.DISCORD_SAID, "Missing Permissions (50013)", permanent=True, code=50013)
CUT = Unanswered(Reason.DISCORD_DID_NOT_ANSWER, "cut off")
TOMORROW = TODAY + timedelta(days=1)


def begun(database: Database, **settings: object) -> World:
    world = build_world(database, scheduled_event_enabled=True, **settings)
    world.clock.move_to(at(0))
    with world.session() as session:
        service.plan_evening(session, TODAY, settings=world.runtime.settings, now=world.clock.now())
    world.clock.move_to(at(20))
    for name in ("alice", "bob"):
        world.says(name, Status.LOOKING)
    return world


@pytest.fixture
def tonights(peopled: Peopled) -> World:
    return begun(peopled)


@pytest.fixture
def planned(tonights: World) -> World:
    """It was called together, and the event stands there."""
    call(tonights)
    later(tonights)
    assert states(tonights) == [SCHEDULED]
    return tonights


def later(world: World) -> None:
    """Something has changed, and ten seconds have passed."""
    with world.session() as session:
        service.wake(session, now=world.clock.now())
    world.clock.forward(timedelta(seconds=10))
    unheld(world)
    pump(world)


def unheld(world: World) -> None:
    with world.session() as session:
        session.execute(update(EveningEvent).values(held_until=None))


def go(world: World, hour: int, minute: int = 0, second: int = 0) -> None:
    world.clock.move_to(at(hour, minute, second))
    pump(world)


def states(world: World) -> list[EventStatus]:
    return [status for _, status in world.events.there.values()]


def the_one(world: World) -> ScheduledEvent:
    [(found, _)] = world.events.there.values()
    return found


def stored(world: World) -> EveningEvent:
    with world.session() as session:
        return session.scalars(select(EveningEvent).execution_options(populate_existing=True)).one()


def job(world: World) -> Job:
    with world.session() as session:
        wanted = select(Job).where(Job.kind == service.EVENT).execution_options(populate_existing=True)
        return session.scalars(wanted).one()


@pytest.mark.parametrize(
    ("stands", "wanted", "following"),
    [
        (SCHEDULED, SCHEDULED, None),
        (SCHEDULED, ACTIVE, ACTIVE),
        (SCHEDULED, COMPLETED, ACTIVE),
        (SCHEDULED, CANCELLED, CANCELLED),
        (ACTIVE, ACTIVE, None),
        (ACTIVE, SCHEDULED, COMPLETED),
        (ACTIVE, COMPLETED, COMPLETED),
        (ACTIVE, CANCELLED, COMPLETED),
        *((over, wanted, None) for over in (COMPLETED, CANCELLED) for wanted in EventStatus),
    ],
)
def test_how_an_event_goes_on(stands: EventStatus, wanted: EventStatus, following: EventStatus | None) -> None:
    assert next_status(stands, wanted) is following


def test_how_far_a_campaign_has_come() -> None:
    start, end = at(21), at(21) + event.LASTS
    moments = (start - timedelta(seconds=1), start, end - timedelta(seconds=1), end)
    assert [wanted_status(start, now) for now in moments] == [SCHEDULED, ACTIVE, ACTIVE, COMPLETED]
    assert wanted_status(None, start) is CANCELLED


def test_a_campaign_makes_an_event_in_the_first_gaming_room(tonights: World) -> None:
    later(tonights)
    assert tonights.events.asked == [], "nobody has called"
    call(tonights)
    later(tonights)
    made = the_one(tonights)
    assert (made.name, made.voice_channel, made.starts_at) == ("Slomix: game night", ROOM, at(21))
    assert made.description == f"Say whether you play: http://127.0.0.1:7000/#{stored(tonights).mark}"
    for _ in range(3):
        later(tonights)
    assert tonights.events.asked == ["find", "create"]


def test_without_a_gaming_room_it_has_a_place_and_an_end(peopled: Peopled) -> None:
    world = begun(peopled, gaming_voice_channels=(), game_server_host="play.slomix.test")
    call(world)
    later(world)
    made = the_one(world)
    assert (made.voice_channel, made.ends_at) == ("", at(21) + timedelta(hours=3))
    assert "play.slomix.test" in made.place


def test_it_begins_and_ends_with_the_evening(planned: World) -> None:
    go(planned, 20, 59, 59)
    assert states(planned) == [SCHEDULED]
    go(planned, 21)
    assert states(planned) == [ACTIVE]
    planned.clock.move_to(at(0, day=TOMORROW))
    pump(planned)
    assert states(planned) == [COMPLETED]
    planned.clock.move_to(at(6, day=TOMORROW))
    pump(planned)
    assert job(planned).status is JobStatus.SENT


def test_a_worker_that_was_away_all_evening_ends_it_all_the_same(planned: World) -> None:
    planned.clock.move_to(at(1, day=TOMORROW))
    pump(planned)
    assert states(planned) == [COMPLETED]
    assert planned.events.asked[-2:] == ["set_status", "set_status"]


def test_cancelled_before_the_start_it_is_cancelled_and_another_call_makes_another(planned: World) -> None:
    cancel(planned, stored(planned).campaign_id)
    later(planned)
    assert states(planned) == [CANCELLED]
    call(planned, key="k2")
    later(planned)
    assert states(planned) == [CANCELLED, SCHEDULED]


def test_cancelled_after_the_start_it_is_over(planned: World) -> None:
    go(planned, 21)
    cancel(planned, stored(planned).campaign_id)
    later(planned)
    assert states(planned) == [COMPLETED]


def test_called_anew_for_another_hour_it_is_moved(planned: World) -> None:
    cancel(planned, stored(planned).campaign_id)
    campaign, _ = call(planned, key="k2", start_at=at(21, 30))
    later(planned)
    assert (the_one(planned).starts_at, states(planned)) == (at(21, 30), [SCHEDULED])
    assert stored(planned).campaign_id == campaign


def test_of_an_evening_that_has_begun_none_is_made(tonights: World) -> None:
    tonights.clock.move_to(at(21, 5))
    call(tonights)
    later(tonights)
    assert tonights.events.asked == []


@pytest.mark.parametrize("is_over", [False, True])
def test_one_that_somebody_deleted_or_ended_is_not_made_again(planned: World, is_over: bool) -> None:
    if is_over:
        code = SendError(Reason.DISCORD_SAID, "over", permanent=True, code=180000)
        planned.events.answers = [code]
    else:
        planned.events.there.clear()
    go(planned, 21)
    later(planned)
    assert planned.events.asked.count("create") == 1
    assert (stored(planned).event_id, stored(planned).problem) == (None, None)


# In trouble


def test_workers_at_once_make_one(committed: Database) -> None:
    world = begun(committed)
    call(world)
    later_at = at(20, 0, 10)
    with world.session() as session:
        service.wake(session, now=world.clock.now())
        [job_id] = session.scalars(select(Job.id).where(Job.kind == service.EVENT))
    world.clock.move_to(later_at)
    at_once([lambda: execute(world.runtime, dispatch.HANDLERS[service.EVENT], job_id)] * 4)
    pump(world)
    assert states(world) == [SCHEDULED]


def test_one_whose_answer_was_lost_is_found_and_not_made_twice(tonights: World) -> None:
    tonights.events.loses_next_answer = True
    call(tonights)
    with tonights.session() as session:
        session.execute(update(Job).where(Job.kind == service.EVENT).values(run_at=tonights.clock.now()))
    [job_id] = [job(tonights).id]
    execute(tonights.runtime, dispatch.HANDLERS[service.EVENT], job_id)
    row, waiting = stored(tonights), job(tonights).wait_until
    assert (row.event_id, row.problem) == (None, CUT.reason)
    assert waiting is not None and waiting - wall_now() > timedelta(seconds=9), "it may still come"
    later(tonights)
    assert (states(tonights), stored(tonights).event_id) == ([SCHEDULED], "800")
    assert tonights.events.asked.count("create") == 1


def test_one_whose_answer_was_lost_is_cancelled_with_its_campaign(tonights: World) -> None:
    tonights.events.loses_next_answer = True
    campaign, _ = call(tonights)
    tonights.events.answers = []
    with tonights.session() as session:
        session.execute(update(Job).where(Job.kind == service.EVENT).values(run_at=tonights.clock.now()))
    execute(tonights.runtime, dispatch.HANDLERS[service.EVENT], job(tonights).id)
    cancel(tonights, campaign)
    later(tonights)
    assert states(tonights) == [CANCELLED]


def test_without_the_right_it_is_quiet_and_says_why(tonights: World) -> None:
    tonights.events.answers = [None, NO_RIGHT]
    call(tonights)
    with tonights.session() as session:
        session.execute(update(Job).where(Job.kind == service.EVENT).values(run_at=tonights.clock.now()))
    execute(tonights.runtime, dispatch.HANDLERS[service.EVENT], job(tonights).id)
    waiting = job(tonights).wait_until
    assert stored(tonights).problem == NO_RIGHT.reason
    assert waiting is not None and waiting - wall_now() > timedelta(minutes=9)
    later(tonights)
    assert (states(tonights), stored(tonights).problem) == ([SCHEDULED], None), "it was given back"


def test_a_worker_beyond_its_lease_makes_none(tonights: World, monkeypatch: pytest.MonkeyPatch) -> None:
    now = wall_now()
    monkeypatch.setattr(failures, "wall_now", lambda: now + timedelta(minutes=1))
    call(tonights)
    with tonights.session() as session:
        session.execute(update(Job).where(Job.kind == service.EVENT).values(run_at=tonights.clock.now()))
    execute(tonights.runtime, dispatch.HANDLERS[service.EVENT], job(tonights).id)
    assert tonights.events.asked == []
