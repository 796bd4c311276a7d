"""One row per player, event and channel, whoever plans it and however often; the database sees to it."""

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy.exc import IntegrityError

from slomix.contacts.rules import ChannelName
from slomix.database.session import Database
from slomix.deliveries import service as deliveries
from slomix.deliveries.models import Delivery
from slomix.deliveries.rules import DeliveryStatus, Skip
from slomix.deliveries.service import NoticePlan
from slomix.jobs.rules import JobStatus
from slomix.reasons.codes import Explanation, Reason
from tests.configuration import SUMMARY_ROOM
from tests.moments import at
from tests.world import World, build_world

from .racing import at_once
from .sending import KEY, Post


def test_planned_twice_is_one_row_and_one_job(post: Post) -> None:
    assert post.plan("alice", "erik", "alice") == 2
    assert post.plan("erik", "alice", "franka") == 1
    rows = post.rows()
    assert sorted(row.player_id or 0 for row in rows) == sorted(
        post.world.players[name] for name in ("alice", "erik", "franka")
    )
    assert {row.status for row in rows} == {DeliveryStatus.PENDING}
    assert [post.job(row).status for row in rows] == [JobStatus.PENDING] * 3


def test_nobody_to_tell_is_no_row(post: Post) -> None:
    assert post.plan() == 0
    assert post.rows() == []


def test_each_row_has_a_nonce_of_its_own_that_discord_takes(post: Post) -> None:
    post.plan("alice", "erik", "franka")
    nonces = {row.nonce for row in post.rows()}
    assert [len(nonce) for nonce in nonces] == [20, 20, 20]
    assert all(nonce.isascii() and nonce.isalnum() for nonce in nonces)


def test_another_event_is_another_row(post: Post) -> None:
    post.plan("alice")
    assert post.plan("alice", key="PROMOTE:FOLLOWUP:2026-11-20") == 1
    assert len(post.rows()) == 2


def test_campaigns_that_plan_at_once_write_one_row_each(committed: Database) -> None:
    world = build_world(committed)
    players = sorted(world.players.values())

    def plan(subject: str, ids: list[int]) -> int:
        with committed.transaction() as session:
            plan = NoticePlan("greeting", subject, KEY, at(20, 45), None)
            return deliveries.plan_for_players(session, plan, ids, settings=world.runtime.settings, now=at(20, 30))

    written = at_once([partial(plan, str(number), players) for number in range(6)])
    assert sorted(written) == [0, 0, 0, 0, 0, len(players)]


def skip(post: Post) -> None:
    post.greeting.unwanted = Skip(Reason.NOT_PLAYING)
    assert post.send("alice", subject="1").status is DeliveryStatus.SKIPPED
    post.greeting.unwanted = None


def test_a_later_campaign_opens_what_an_earlier_one_skipped(post: Post) -> None:
    skip(post)
    assert post.plan("alice", subject="2", deadline_at=at(21)) == 1
    row = post.row("alice")
    assert (row.status, row.subject, row.deadline_at) == (DeliveryStatus.PENDING, "2", at(21))
    assert (row.reason, row.text, row.settled_at) == (None, None, None)
    job = post.job(row)
    assert (job.status, job.attempts) == (JobStatus.PENDING, 0)
    assert post.carry(row) is JobStatus.SENT
    assert len(post.wire.sent) == 1


def test_the_same_campaign_does_not_open_its_own_rows_again(post: Post) -> None:
    skip(post)
    assert post.plan("alice", subject="1") == 0
    assert post.row("alice").status is DeliveryStatus.SKIPPED


@pytest.mark.parametrize("status", [DeliveryStatus.SENT, DeliveryStatus.UNKNOWN])
def test_a_later_campaign_never_opens_what_arrived_or_may_have(post: Post, status: DeliveryStatus) -> None:
    if status is DeliveryStatus.UNKNOWN:
        post.wire.cuts, post.wire.repeatable_for = 1, timedelta(0)
    assert post.send("alice", subject="1").status is status
    assert post.plan("alice", subject="2") == 0
    assert (post.row("alice").status, post.row("alice").subject) == (status, "1")
    with post.world.session() as session:
        told = deliveries.notification_states(session, KEY, list(post.world.players.values()))
    assert {(one.status, one.subject) for one in told.values()} == {(status, "1")}


def test_what_has_not_gone_out_is_withdrawn_with_its_reason(post: Post) -> None:
    post.plan("alice", "erik")
    post.carry(post.row("erik"))
    with post.world.session() as session:
        deliveries.withdraw_pending(session, "1", ["greeting"], now=at(20, 50))
    alice, erik = post.row("alice"), post.row("erik")
    assert (alice.status, alice.reason, alice.settled_at) == (
        DeliveryStatus.SKIPPED,
        Explanation(Reason.WITHDRAWN),
        at(20, 50),
    )
    assert erik.status is DeliveryStatus.SENT
    assert post.carry(alice) is None
    assert len(post.wire.sent) == 1


def test_a_tally_counts_each_state_with_its_reasons(post: Post) -> None:
    post.plan("alice", "erik", "franka", "goran")
    post.carry(post.row("alice"))
    post.world.prefers("erik", called=False)
    post.carry(post.row("erik"))
    post.wire.cuts, post.wire.repeatable_for = 1, timedelta(0)
    post.carry(post.row("franka"))
    with post.world.session() as session:
        tally = deliveries.tally_by_notice(session, "1")["greeting"]
        assert deliveries.tally_by_notice(session, "2") == {}
    assert dict(tally.by_status) == {
        DeliveryStatus.SENT: 1,
        DeliveryStatus.SKIPPED: 1,
        DeliveryStatus.UNKNOWN: 1,
        DeliveryStatus.PENDING: 1,
    }
    assert tally.counts == {
        (DeliveryStatus.SENT, None): 1,
        (DeliveryStatus.SKIPPED, Explanation(Reason.NOT_OPTED_IN)): 1,
        (DeliveryStatus.UNKNOWN, Explanation(Reason.DISCORD_DID_NOT_ANSWER, "ReadError")): 1,
        (DeliveryStatus.PENDING, None): 1,
    }
    assert (tally.total, tally.open, tally.tried, tally[DeliveryStatus.FAILED]) == (4, 1, 2, 0)


def row(world: World, **changes: object) -> Delivery:
    values: dict[str, object] = {
        "player_id": world.players["alice"],
        "event_key": KEY,
        "channel": ChannelName.DISCORD,
        "notice": "greeting",
        "subject": "1",
        "status": DeliveryStatus.PENDING,
        "nonce": "n",
        "created_at": at(20, 30),
    }
    return Delivery(**(values | changes))


ROOM_ROW = {"player_id": None, "destination": SUMMARY_ROOM}


@pytest.mark.parametrize(
    ("first", "second", "constraint"),
    [
        ({}, {}, "uq_ledger_"),
        ({"status": DeliveryStatus.FAILED}, {}, "uq_ledger_player_event_channel"),
        (ROOM_ROW, ROOM_ROW, "uq_ledger_"),
        (ROOM_ROW | {"status": DeliveryStatus.FAILED}, ROOM_ROW, "uq_ledger_player_event_channel"),
        (ROOM_ROW, ROOM_ROW | {"destination": "900000000000000077"}, "uq_ledger_"),
    ],
)
def test_a_second_row_for_an_event_is_refused_by_the_database(
    world: World, first: dict[str, object], second: dict[str, object], constraint: str
) -> None:
    with pytest.raises(IntegrityError, match=constraint), world.session() as session:
        session.add(row(world, **first))
        session.flush()
        session.add(row(world, **second))


@pytest.mark.parametrize(
    ("first", "second", "taken"),
    [(one, "pending", True) for one in ("pending", "sending", "sent", "unknown")]
    + [("failed", "pending", False), ("skipped", "pending", False), ("sent", "failed", False)]
    + [("failed", "failed", False)],
)
def test_of_a_players_rows_for_an_event_one_may_be_live_whatever_its_channel(
    world: World, first: str, second: str, taken: bool
) -> None:
    with world.session() as session:
        session.add(row(world, status=DeliveryStatus(first), text="Hello", reason=Explanation(Reason.EXPIRED)))
        session.flush()
        session.add(row(world, status=DeliveryStatus(second), channel=ChannelName.TELEGRAM))
        if taken:
            with pytest.raises(IntegrityError, match="uq_ledger_live_player_event"):
                session.flush()
            session.rollback()
        else:
            session.flush()


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"destination": SUMMARY_ROOM}, "player_or_room"),
        ({"player_id": None}, "player_or_room"),
        ({"status": DeliveryStatus.SKIPPED}, "skipped_with_reason"),
        ({"status": DeliveryStatus.SENDING}, "words_before_sending"),
        ({"status": DeliveryStatus.SENT}, "words_before_sending"),
        ({"player_id": 4711}, "fk_notifications_ledger_player_id_players"),
    ],
)
def test_a_row_that_says_nothing_is_refused_by_the_database(
    world: World, values: dict[str, object], constraint: str
) -> None:
    with pytest.raises(IntegrityError, match=constraint), world.session() as session:
        session.add(row(world, **values))
