"""DM channels are opened when messages are switched on, or half an hour ahead; at 20:45 there is nothing to open."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
import redis
from hypothesis import settings
from sqlalchemy import func, select, update

from slomix.accounts import logins
from slomix.accounts import service as accounts
from slomix.accounts.models import User
from slomix.availability.rules import Status
from slomix.channels import opening_pace
from slomix.channels.base import RateLimited, SendError
from slomix.channels.discord import Discord
from slomix.channels.opening_pace import SharedOpeningPace
from slomix.channels.rate_limit import SharedRateLimiter
from slomix.clock import wall_now
from slomix.contacts import service as contacts
from slomix.contacts.models import Contact
from slomix.contacts.rules import ChannelName
from slomix.deliveries import openings
from slomix.deliveries.models import Delivery
from slomix.deliveries.openings import OPEN_DMS
from slomix.deliveries.rules import DeliveryStatus
from slomix.dev.embedded import Servers
from slomix.dev.simulator.people import BOT_TOKEN, GUILD_ID, LOAD_TEST_USERS
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus
from slomix.jobs.runner import execute
from slomix.privacy.unlinking import link_profile, unlink_profile
from slomix.processes import dispatch
from slomix.reasons.codes import Explanation, Reason
from tests.moments import TODAY, at
from tests.simulators import Simulator
from tests.steps import call
from tests.waiting import until
from tests.world import CAST, World

TOMORROW = TODAY + timedelta(days=1)


@dataclass
class Opener:
    """Opens channels in memory; raises what a test puts there."""

    opened: list[str] = field(default_factory=list)
    error: SendError | None = None

    def open_dm(self, account: str) -> str:
        self.opened.append(account)
        if self.error is not None:
            raise self.error
        return f"7{account}"


@pytest.fixture
def opener() -> Opener:
    return Opener()


@pytest.fixture
def ahead(world: World, opener: Opener) -> World:
    """Alice, Bob and Erik are looking and called for 21:00; their channels are not known. It is the afternoon."""
    here = replace(world, runtime=replace(world.runtime, dm_opener=opener))
    here.clock.move_to(at(16))
    with here.session() as session:
        openings.plan_openings(session, TODAY, now=at(0))
    for name in ("alice", "bob", "erik"):
        here.says(name, Status.LOOKING)
    call(here)
    return here


def job(world: World, kind: str = OPEN_DMS) -> Job:
    with world.session() as session:
        return session.scalars(select(Job).where(Job.kind == kind).execution_options(populate_existing=True)).one()


def open_next(world: World) -> JobStatus | None:
    """The scheduler wakes the job if it is ready, and a worker does it; what it was told to wait is over."""
    with world.session() as session:
        impatient = update(Job).where(Job.kind == OPEN_DMS, Job.wait_until < wall_now() + timedelta(days=1))
        session.execute(impatient.values(wait_until=None, nudge_again_at=None))
    due = [one for one in dispatch.release_jobs(world.runtime) if one.kind == OPEN_DMS]
    return execute(world.runtime, dispatch.HANDLERS[OPEN_DMS], due[0].id) if due else None


def open_all(world: World) -> None:
    for _ in range(20):
        if open_next(world) is None:
            return
    raise AssertionError("it never ends")


def contact(world: World, name: str) -> Contact | None:
    with world.session() as session:
        session.expire_all()
        return contacts.contacts_of(session, world.players[name]).get(ChannelName.DISCORD)


def learned(world: World) -> set[str]:
    found = {name: contact(world, name) for name in world.players}
    return {name for name, it in found.items() if it is not None and it.learned is not None}


def test_channels_are_opened_from_half_an_hour_before_and_not_sooner(ahead: World, opener: Opener) -> None:
    ahead.clock.move_to(at(20, 14, 59))
    open_all(ahead)
    assert opener.opened == []
    ahead.clock.move_to(at(20, 15))
    open_all(ahead)
    assert sorted(opener.opened) == sorted(CAST[name] for name in ("alice", "bob", "erik"))
    assert learned(ahead) == {"alice", "bob", "erik"}
    assert ahead.discord.sent == [], "opening tells nobody anything"


def test_the_next_is_opened_a_second_later(ahead: World, opener: Opener) -> None:
    ahead.clock.move_to(at(20, 15))
    before = wall_now()
    assert open_next(ahead) is JobStatus.PENDING
    waits = job(ahead).wait_until
    assert waits is not None and waits >= before + timedelta(seconds=1)
    assert len(opener.opened) == 1


def test_who_switches_off_or_takes_it_back_or_prefers_another_channel_is_left_alone(
    ahead: World, opener: Opener
) -> None:
    ahead.prefers("alice", called=False)
    ahead.has("bob", ChannelName.TELEGRAM, "4242")
    with ahead.session() as session:
        unlink_profile(session, session.get_one(User, ahead.users["erik"]), today=TODAY, now=ahead.clock.now())
    ahead.clock.move_to(at(20, 15))
    open_all(ahead)
    assert opener.opened == []


def test_the_channel_of_an_account_that_was_exchanged_meanwhile_is_not_kept(ahead: World, opener: Opener) -> None:
    """Charlie takes over Erik's profile while his channel is being opened."""

    class Slow(Opener):
        def open_dm(self, account: str) -> str:
            if account == CAST["erik"]:
                now = ahead.clock.now()
                with ahead.session() as session:
                    unlink_profile(session, session.get_one(User, ahead.users["erik"]), today=TODAY, now=now)
                    charlie = session.get_one(User, ahead.users["charlie"])
                    link_profile(session, charlie, "guid-erik", today=TODAY, now=now)
            return super().open_dm(account)

    here = replace(ahead, runtime=replace(ahead.runtime, dm_opener=Slow()))
    here.clock.move_to(at(20, 15))
    open_all(here)
    of_charlie = contact(here, "erik")
    assert of_charlie is not None and of_charlie.learned is None
    assert learned(here) == {"alice", "bob"}


def test_closed_dms_are_told_at_once_and_the_others_go_on(ahead: World, opener: Opener) -> None:
    ahead.clock.move_to(at(20, 15))
    opener.error = SendError(Reason.DMS_CLOSED, permanent=True, code=50007)
    assert open_next(ahead) is JobStatus.PENDING
    opener.error = None
    open_all(ahead)
    assert len(opener.opened) == 3 and len(learned(ahead)) == 2
    [closed] = {"alice", "bob", "erik"} - learned(ahead)
    it = contact(ahead, closed)
    assert it is not None and it.unusable_reason == Explanation(Reason.DMS_CLOSED)


def test_while_discord_finds_it_too_fast_nothing_is_opened(ahead: World, opener: Opener) -> None:
    ahead.clock.move_to(at(20, 15))
    opener.error = RateLimited(Reason.DISCORD_ANSWERED, "403", retry_after=opening_pace.PAUSE, code=40003)
    assert open_next(ahead) is JobStatus.PENDING
    waits = job(ahead).wait_until
    assert waits is not None and waits > wall_now() + timedelta(seconds=100)
    assert dispatch.release_jobs(ahead.runtime) == []


def test_when_discord_has_stopped_the_bot_an_operator_is_told_and_decides(ahead: World, opener: Opener) -> None:
    ahead.clock.move_to(at(20, 15))
    opener.error = RateLimited(
        Reason.DISCORD_ANSWERED, "403 Send messages has been temporarily disabled", retry_after=timedelta(1), code=40004
    )
    assert open_next(ahead) is JobStatus.FAILED
    assert str(job(ahead).reason) == "Discord answered 403 Send messages has been temporarily disabled"
    open_all(ahead)
    assert len(opener.opened) == 1


def test_a_discord_that_is_away_is_asked_again_and_no_contact_is_blamed(ahead: World, opener: Opener) -> None:
    ahead.clock.move_to(at(20, 15))
    opener.error = SendError(Reason.DISCORD_NOT_REACHED, "ConnectError")
    assert open_next(ahead) is JobStatus.PENDING
    assert all(it is None or it.last_error is None for it in (contact(ahead, name) for name in ahead.players))
    opener.error = None
    ahead.clock.move_to(at(20, 16))
    open_all(ahead)
    assert learned(ahead) == {"alice", "bob", "erik"}


def test_the_job_ends_with_its_day(ahead: World, opener: Opener) -> None:
    ahead.clock.move_to(at(23, 59))
    open_all(ahead)
    ahead.clock.move_to(at(0) + timedelta(days=1))
    assert open_next(ahead) is JobStatus.SENT


# 200 of them


def switch_on(world: World, number: int) -> None:
    """So many people of the simulator link a player and switch messages on, all in one minute."""
    now = world.clock.now()
    people = LOAD_TEST_USERS[:number]
    with world.session() as session:
        accounts.import_players(session, [(person.player_guid, person.player_name, []) for person in people], now=now)
        for person in people:
            user = logins.log_in(
                session, discord_id=person.id, username=person.username, display_name=person.name, now=now
            )
            world.players[person.name] = accounts.link_player(session, user, person.player_guid, now=now).id
            contacts.add_discord(session, world.players[person.name], now=now)
    for person in people:
        world.prefers(person.name)
        with world.session() as session:
            contacts.plan_introduction(session, world.players[person.name], now=now)


def settled(world: World, event_key: str) -> int:
    with world.session() as session:
        is_sent = (Delivery.event_key.like(event_key)) & (Delivery.status == DeliveryStatus.SENT)
        return session.scalar(select(func.count()).select_from(Delivery).where(is_sent)) or 0


def work_until(world: World, event_key: str, number: int) -> None:
    """Scheduler and worker go on, and wait as long as each job is told to, until so many have arrived."""

    def step() -> bool:
        for due in dispatch.release_jobs(world.runtime):
            execute(world.runtime, dispatch.HANDLERS[due.kind], due.id)
        return settled(world, event_key) == number

    until(step, f"{number} messages")


@pytest.fixture
def real(world: World, simulator: Simulator, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Discord is the simulator, and time passes five times as fast in the openings, on both sides."""
    redis.Redis.from_url(servers.redis_url).flushall()
    monkeypatch.setattr(opening_pace, "INTERVAL", timedelta(seconds=1) / 5)
    monkeypatch.setattr(openings, "PAUSE_BETWEEN", timedelta(seconds=1) / 5)
    simulator.client().post("/control/dm-openings", json={"limit": 10, "seconds": 10 / 5}).raise_for_status()
    discord = Discord(
        f"{simulator.url}/api/v10",
        BOT_TOKEN,
        GUILD_ID,
        rate_limiter=SharedRateLimiter(servers.redis_url),
        opening_pace=SharedOpeningPace(servers.redis_url),
    )
    yield replace(world, runtime=replace(world.runtime, channels={"discord": discord}, dm_opener=discord))
    discord.close()


def many() -> int:
    """200 in `make test-all`, which takes a minute."""
    return 40 if settings.get_current_profile_name() == "brief" else 200


def test_two_hundred_who_switched_on_today_are_told_tomorrow_with_nothing_opened_then(
    real: World, simulator: Simulator
) -> None:
    number = many()
    real.clock.move_to(at(18))
    switch_on(real, number)
    work_until(real, "TEST:%", number)
    assert simulator.client().get("/control/dm-openings").json() == {"opened": number, "refused": 0}
    introduced = simulator.messages()
    assert {message["to"] for message in introduced} == {person.id for person in LOAD_TEST_USERS[:number]}
    assert {message["text"] for message in introduced} == {
        (
            "This is how I will call you: it works! You get it because you switched messages on. "
            "Which ones, and how to stop them: {link}"
        ).format(link=real.runtime.settings.base_url + "/preferences")
    }
    real.clock.move_to(at(18) + timedelta(days=1))
    for person in LOAD_TEST_USERS[:number]:
        real.says(person.name, Status.LOOKING, TOMORROW)
    call(real, day=TOMORROW)
    simulator.client().post("/control/dm-openings", json={"limit": 0, "seconds": 1}).raise_for_status()
    real.clock.move_to(at(20, 45) + timedelta(days=1))
    work_until(real, f"PROMOTE:T-15:{TOMORROW}", number)
    assert simulator.client().get("/control/dm-openings").json() == {"opened": number, "refused": 0}


def test_without_a_pace_the_simulator_refuses_as_discord_does(simulator: Simulator) -> None:
    unpaced = Discord(f"{simulator.url}/api/v10", BOT_TOKEN, GUILD_ID)
    with pytest.raises(RateLimited) as refused:
        for person in LOAD_TEST_USERS[:20]:
            unpaced.open_dm(person.id)
    assert refused.value.code == 40003
    unpaced.close()
