"""Whatever happens in whatever order, nobody is told twice, nobody without consent, nothing too late.

Hypothesis plays promoters, players, clocks, providers and dying workers against a real PostgreSQL. After every step the
provider's own count is compared with what was promised, and so is every change of a status.
"""

from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from hypothesis import settings
from hypothesis.stateful import (
    invariant,
    run_state_machine_as_test,
)
from sqlalchemy import select, text

from slomix.contacts.rules import ChannelName
from slomix.database import session as db
from slomix.deliveries.models import Attempt, Delivery
from slomix.deliveries.rules import DeliveryStatus
from tests.moments import at
from tests.properties.arrows import WATCHED, watching
from tests.properties.evening import PEOPLE, Evening


class Judged(Evening):
    """What is promised, asked after every step."""

    @invariant()
    def nothing_left_that_should_not(self) -> None:
        for wire in getattr(self, "wires", {}).values():
            assert wire.complaints == []

    @invariant()
    def nobody_is_told_twice(self) -> None:
        if not hasattr(self, "wires"):
            return
        told: Counter[tuple[int | None, str]] = Counter()
        for wire in self.wires.values():
            for nonce, times in wire.accepted.items():
                told[self.whose[nonce]] += times
        for (player_id, key), times in told.items():
            if (player_id, key) not in self.retried:
                assert times <= 1, f"{key} came {times} times"

    @invariant()
    def what_was_taken_is_not_said_to_have_failed(self) -> None:
        if not hasattr(self, "wires"):
            return
        accepted = sum((wire.accepted for wire in self.wires.values()), Counter[str]())
        with self.world.session() as session:
            for row in session.scalars(select(Delivery)):
                if accepted[row.nonce]:
                    assert row.status in {DeliveryStatus.SENDING, DeliveryStatus.SENT, DeliveryStatus.UNKNOWN}
                elif row.status is DeliveryStatus.SENT:
                    raise AssertionError(f"{row.event_key} is said to be sent, and nobody took it")

    @invariant()
    def what_discord_can_be_asked_about_is_not_unknown(self) -> None:
        if not hasattr(self, "world") or self.was_hidden:
            return
        with self.world.session() as session:
            asked = (Delivery.channel == ChannelName.DISCORD) & (Delivery.status == DeliveryStatus.UNKNOWN)
            assert session.scalars(select(Delivery).where(asked)).all() == []

    @invariant()
    def statuses_move_along_their_arrows(self) -> None:
        with self.database.transaction() as session:
            for table, before, after in session.execute(text("SELECT tablename, before, after FROM arrows")):
                assert after in WATCHED[table][before], f"{table}: {before} became {after}"
            session.execute(text("DELETE FROM arrows"))

    @invariant()
    def what_is_over_has_its_reason(self) -> None:
        if not hasattr(self, "world"):
            return
        with self.world.session() as session:
            over = (DeliveryStatus.SKIPPED, DeliveryStatus.FAILED, DeliveryStatus.UNKNOWN)
            for row in session.scalars(select(Delivery).where(Delivery.status.in_(over))):
                assert row.reason
            begun = select(Attempt.delivery_id).where(Attempt.event == "begun")
            sent = select(Delivery.id).where(Delivery.status == DeliveryStatus.SENT, Delivery.id.not_in(begun))
            assert session.scalars(sent).all() == []


@pytest.fixture
def watched(committed: db.Database, owner: db.Database) -> Iterator[None]:
    Judged.database, Judged.owner = committed, owner
    with watching(owner):
        yield


@pytest.mark.usefixtures("watched")
def test_in_any_order_the_promises_hold() -> None:
    brief = settings.get_current_profile_name() == "brief"
    run_state_machine_as_test(Judged, settings=settings(max_examples=8 if brief else 400, stateful_step_count=20))


Step = Callable[[Judged], None]


def cut(evening: Judged) -> None:
    evening.workers_work_in_trouble(["cut", "killed after"], "cut")


def killed(evening: Judged) -> None:
    evening.workers_work_in_trouble(["killed after", "killed before"], "killed after")


def down(evening: Judged) -> None:
    evening.workers_work_in_trouble(["down"] * 3, "down")


def probed(evening: Judged) -> None:
    evening.a_worker_probes("discord", True)


def minutes_later(evening: Judged) -> None:
    evening.minutes_pass_on_the_wall(3)


def hide(evening: Judged) -> None:
    evening.discord_shows_what_is_there(is_hidden=True)


def show(evening: Judged) -> None:
    evening.discord_shows_what_is_there(is_hidden=False)


def comes_late(evening: Judged) -> None:
    for name in PEOPLE:
        evening.somebody_comes_late(name)


def checked(evening: Judged) -> None:
    """The start has gone out, and the voice check finds nobody."""
    for moment in (at(21), at(21, 0, 30)):
        evening.the_clock_moves_on(moment)
        evening.the_voice_room_is_seen(set())
        evening.workers_work_well()


def begun(evening: Judged) -> None:
    evening.the_clock_moves_on(at(21))
    evening.workers_work_well()
    evening.the_clock_moves_on(at(21, 0, 30))
    evening.the_voice_room_is_seen(set())


def quarter_past(evening: Judged) -> None:
    evening.the_clock_moves_on(at(21, 15))
    evening.the_voice_room_is_seen(set())


def end_of_the_evening(evening: Judged) -> None:
    evening.the_clock_moves_on(at(21, 21))


stopped, goes_on = Judged.a_worker_is_stopped_in_the_middle, Judged.a_stopped_worker_goes_on
taken_back, well = Judged.leases_run_out, Judged.workers_work_well

PROMISES: list[Step] = [
    Judged.nothing_left_that_should_not,
    Judged.nobody_is_told_twice,
    Judged.what_was_taken_is_not_said_to_have_failed,
    Judged.what_discord_can_be_asked_about_is_not_unknown,
    Judged.statuses_move_along_their_arrows,
    Judged.what_is_over_has_its_reason,
]


@pytest.mark.usefixtures("watched")
@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([cut, well], id="cut, and repeated while the nonce is known"),
        pytest.param([cut, minutes_later, well, well], id="cut, and the nonce forgotten"),
        pytest.param([killed, taken_back, well], id="killed, and taken back"),
        pytest.param([killed, minutes_later, well, cut, minutes_later, well], id="killed, and taken back too late"),
        pytest.param([stopped, taken_back, well, goes_on], id="stopped, taken back, and the answer comes after all"),
        pytest.param([down, down, probed, well, cut, well], id="out, and a trial that goes well"),
        pytest.param([stopped, down, goes_on, probed, killed, taken_back, probed, well], id="out, and a trial killed"),
        pytest.param([stopped, minutes_later, well, goes_on, well], id="stopped for minutes"),
        pytest.param([cut, hide, minutes_later, well, show, well], id="cut, and for a while nobody can read"),
        pytest.param(
            [killed, minutes_later, hide, well, end_of_the_evening, well], id="killed, and nobody can ever read"
        ),
        pytest.param([killed, minutes_later, end_of_the_evening, well], id="killed, and only read after the deadline"),
        pytest.param([comes_late, checked, killed, taken_back, quarter_past, well, well], id="late, and called then"),
        pytest.param(
            [comes_late, checked, quarter_past, killed, taken_back, well, well], id="late, and killed at that moment"
        ),
        pytest.param([checked, comes_late, quarter_past, well, well], id="late after the follow-up"),
        pytest.param(
            [begun, cut, comes_late, minutes_later, well, quarter_past, well, well], id="late after one that was cut"
        ),
        pytest.param(
            [begun, killed, comes_late, taken_back, well, quarter_past, well, well], id="late after one killed"
        ),
        pytest.param(
            [comes_late, checked, quarter_past, stopped, comes_late, taken_back, well, goes_on, well],
            id="late again while it leaves",
        ),
    ],
)
def test_in_the_orders_that_hurt_most_the_promises_hold(steps: list[Step]) -> None:
    evening = Judged()
    evening.open()
    for step in steps:
        step(evening)
        for promise in PROMISES:
            promise(evening)
