"""One evening that hypothesis plays in any order: people, promoters, time, providers and workers."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
)
from sqlalchemy import select, text, update

from slomix.availability import service as availability
from slomix.availability.rules import Status
from slomix.campaigns import queries, retrying, rules, service
from slomix.campaigns.rules import Audience, CampaignStatus
from slomix.campaigns.service import CampaignChoices
from slomix.channels.base import ProviderDown
from slomix.clock import wall_now
from slomix.contacts.rules import ChannelName
from slomix.database import session as db
from slomix.deliveries import pausing
from slomix.deliveries.models import Attempt, Delivery
from slomix.deliveries.rules import DeliveryStatus
from slomix.errors import DomainError
from slomix.health import outages
from slomix.jobs import runner
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus
from slomix.jobs.runner import execute
from slomix.jobs.service import JobLost
from slomix.presence import service as presence
from slomix.processes import dispatch
from slomix.reasons.codes import Reason
from slomix.runtime import logs
from tests.configuration import ROOM
from tests.databases import empty
from tests.moments import TODAY, at
from tests.properties.wire import MOODS, SECOND, Killed, Wire
from tests.steps import is_late
from tests.world import World, build_world

PEOPLE = ("alice", "bob", "erik", "franka")


class Evening(RuleBasedStateMachine):
    """One evening in any order."""

    database: db.Database
    owner: db.Database

    @initialize()
    def open(self) -> None:
        empty(self.owner)
        with self.database.transaction() as session:
            session.execute(text("DELETE FROM arrows"))
        self.world: World = build_world(self.database)
        wires = {
            "discord": Wire(60 * SECOND, self.why_not),
            "telegram": Wire(timedelta(0), self.why_not),
        }
        object.__setattr__(self.world.runtime, "channels", wires | {"signal": self.world.signal})
        self.wires = wires
        self.world.has("erik", ChannelName.TELEGRAM, "4242")
        self.opted_out: set[str] = set()
        self.said: dict[str, Status | None] = {}
        self.keys = 0
        self.was_hidden = False
        self.whose: dict[str, tuple[int | None, str]] = {}
        # What a promoter sent again, knowing that it may arrive twice.
        self.retried: set[tuple[int | None, str]] = set()
        self.stuck: list[tuple[Any, Any, Any]] = []
        for name in PEOPLE:
            self.say(name, Status.LOOKING)
        self.a_promoter_calls("bob", late_joiners=True)
        self.world.clock.move_to(at(20, 45))

    # What people do

    def say(self, name: str, status: Status | None) -> None:
        self.said[name] = status
        self.world.says(name, status)

    @rule(name=st.sampled_from(PEOPLE), status=st.sampled_from([*Status, None]))
    def somebody_says(self, name: str, status: Status | None) -> None:
        self.say(name, status)

    @rule(name=st.sampled_from(PEOPLE))
    def somebody_comes_late(self, name: str) -> None:
        with suppress(DomainError):
            is_late(self.world, name)
            self.said[name] = Status.LOOKING

    @rule(name=st.sampled_from(PEOPLE), called=st.booleans())
    def somebody_opts(self, name: str, called: bool) -> None:
        self.world.prefers(name, called=called)
        (self.opted_out.discard if called else self.opted_out.add)(name)

    @rule(names=st.sets(st.sampled_from(PEOPLE)))
    def the_voice_room_is_seen(self, names: set[str]) -> None:
        with self.world.session() as session:
            rooms = {self.world.discord_ids[name]: ROOM for name in names}
            presence.record_voice(session, rooms, now=self.world.clock.now())

    @rule(name=st.sampled_from(["bob", "dora"]), late_joiners=st.booleans())
    def a_promoter_calls(self, name: str, late_joiners: bool) -> None:
        self.keys += 1
        options = CampaignChoices(Audience(True, True), late_joiners, dry_run=False, start_at=at(21))
        with suppress(DomainError), self.world.session() as session:
            service.create_campaign(
                session,
                self.world.players[name],
                options,
                day=TODAY,
                idempotency_key=f"key-{self.keys}",
                settings=self.world.runtime.settings,
                now=self.world.clock.now(),
            )

    @rule()
    def the_promoter_cancels(self) -> None:
        with suppress(DomainError), self.world.session() as session:
            campaign = queries.campaign_of_day(session, TODAY)
            if campaign is not None:
                now = self.world.clock.now()
                service.cancel_campaign(session, campaign.id, player_id=campaign.promoter_id, is_admin=False, now=now)

    @rule(unknown=st.booleans())
    def the_promoter_tries_again(self, unknown: bool) -> None:
        now, own = self.world.clock.now(), self.world.runtime.settings
        with suppress(DomainError), self.world.session() as session:
            campaign = queries.campaign_of_day(session, TODAY)
            if campaign is None:
                return
            if unknown:
                chosen = retrying.retry_choices(session, campaign, settings=own, now=now).unknown
                rows = session.scalars(select(Delivery).where(Delivery.id.in_(chosen)))
                self.retried |= {(row.player_id, row.event_key) for row in rows}
            promoter = campaign.promoter_id
            retrying.retry_campaign(
                session, campaign.id, player_id=promoter, is_admin=False, unknown=unknown, settings=own, now=now
            )

    @rule(is_on=st.booleans())
    def the_switch_is_thrown(self, is_on: bool) -> None:
        with self.world.session() as session:
            if is_on:
                pausing.pause(session, by="dora", now=self.world.clock.now())
            else:
                pausing.resume(session, by="command line", now=self.world.clock.now())

    # What time does

    @rule(
        moment=st.sampled_from(
            [at(20, 45), at(20, 59), at(21), at(21, 0, 30), at(21, 3), at(21, 14), at(21, 15), at(21, 21)]
        )
    )
    def the_clock_moves_on(self, moment: datetime) -> None:
        self.world.clock.move_to(max(moment, self.world.clock.now()))

    @rule(minutes=st.sampled_from([-1, 1]))
    def the_clock_steps(self, minutes: int) -> None:
        self.world.clock.forward(timedelta(minutes=minutes))

    @rule(minutes=st.integers(1, 3))
    def minutes_pass_on_the_wall(self, minutes: int) -> None:
        """Leases run out, and Discord forgets a nonce, but not before we stop to count on it."""
        passed = minutes * 61 * SECOND
        with self.world.session() as session:
            session.execute(update(Job).values(wait_until=None, nudge_again_at=None))
            session.execute(update(Job).where(Job.lease_until.is_not(None)).values(lease_until=wall_now() - SECOND))
            session.execute(update(Delivery).values(first_tried_at=Delivery.first_tried_at - passed))
        with self.owner.transaction() as session:  # who runs may only add to them
            session.execute(update(Attempt).values(wall_at=Attempt.wall_at - passed))
        wire = self.wires["discord"]
        wire.taken = {nonce: then - passed for nonce, then in wire.taken.items()}
        wire.taken = {nonce: then for nonce, then in wire.taken.items() if wall_now() - then < 120 * SECOND}
        wire.there = [(then - passed, nonce, links) for then, nonce, links in wire.there]

    @rule(is_hidden=st.booleans())
    def discord_shows_what_is_there(self, is_hidden: bool) -> None:
        self.wires["discord"].is_hidden = is_hidden
        self.was_hidden |= is_hidden

    @rule()
    def leases_run_out(self) -> None:
        with self.world.session() as session:
            session.execute(update(Job).where(Job.lease_until.is_not(None)).values(lease_until=wall_now() - SECOND))

    # What workers do

    @rule(discord=st.lists(MOODS, min_size=1, max_size=3), telegram=MOODS)
    def workers_work_in_trouble(self, discord: list[str], telegram: str) -> None:
        self.wires["discord"].mood, self.wires["telegram"].mood = discord, [telegram]
        self.nothing_waits()
        self.due(self.carry)
        for wire in self.wires.values():
            wire.mood = []

    @rule()
    def workers_work_well(self) -> None:
        for _ in range(2):
            self.nothing_waits()
            self.due(self.carry)

    @rule(channel=st.sampled_from(["discord", "telegram"]), answers=st.booleans())
    def a_worker_probes(self, channel: str, answers: bool) -> None:
        with self.world.session() as session:
            if answers:
                outages.record_probe_answer(session, channel, wall=wall_now())
            else:
                outages.record_probe_failure(session, channel, ProviderDown(Reason.OTHER, "no answer"), wall=wall_now())

    @rule()
    def a_worker_is_stopped_in_the_middle(self) -> None:
        """Not killed: what it found out is still in its hands."""
        self.due(self.stop_in_the_middle, most=1)

    @precondition(lambda self: self.stuck)
    @rule()
    def a_stopped_worker_goes_on(self) -> None:
        handler, job, result = self.stuck.pop()
        try:
            runner._finish(self.world.runtime, handler, job, result)
        except JobLost:
            runner._too_late(self.world.runtime, handler, job, result)

    def nothing_waits(self) -> None:
        """What was asked to wait has waited, and what was to back off has done so."""
        with self.world.session() as session:
            waiting = (Job.status == JobStatus.PENDING) & (Job.last_error.is_not(None))
            session.execute(update(Job).values(wait_until=None, nudge_again_at=None))
            session.execute(update(Job).where(waiting).values(run_at=self.world.clock.now()))

    def due(self, do: Callable[[int, str], None], most: int = 100) -> None:
        for job in dispatch.release_jobs(self.world.runtime)[:most]:
            do(job.id, job.kind)

    def carry(self, job_id: int, kind: str) -> None:
        with suppress(Killed):
            execute(self.world.runtime, dispatch.HANDLERS[kind], job_id)

    def stop_in_the_middle(self, job_id: int, kind: str) -> None:
        handler = dispatch.HANDLERS[kind]
        with logs.log_context(job=job_id):
            begun = runner._begin(self.world.runtime, handler, job_id)
            if isinstance(begun, runner._Begun):
                self.stuck.append((handler, begun.job, handler.act(self.world.runtime, begun.prepared)))

    def why_not(self, nonce: str, words: str) -> str | None:
        """Why a message under this nonce must not come now; asked by the provider at the very moment."""
        with self.world.session() as session:
            row = session.scalars(select(Delivery).where(Delivery.nonce == nonce)).one()
            self.whose[nonce] = row.player_id, row.event_key  # a row that is tried again by hand has another nonce
            if row.status is not DeliveryStatus.SENDING:
                return f"{row.event_key} left while it was {row.status}"
            if row.deadline_at is not None and self.world.clock.now() >= row.deadline_at:
                return f"{row.event_key} left after its deadline"
            if pausing.current_pause(session) is not None:
                return f"{row.event_key} left while sending was paused"
            if row.player_id is None or not row.event_key.startswith("PROMOTE:"):
                return None
            name = next(name for name, player_id in self.world.players.items() if player_id == row.player_id)
            if name in self.opted_out:
                return f"{name} opted out and got {row.event_key}"
            if self.said.get(name) in {None, Status.NOT_PLAYING}:
                return f"{name} does not play and got {row.event_key}"
            late = availability.late_players(session, TODAY, now=self.world.clock.now())
            if row.player_id in late and row.notice == rules.VOICE_CHECK:
                return f"{name} is late and got {row.event_key}"
            campaign = queries.campaign_of_subject(session, row.subject)
            if campaign.status is CampaignStatus.CANCELLED:
                return f"{row.event_key} left after the cancel"
        return None
