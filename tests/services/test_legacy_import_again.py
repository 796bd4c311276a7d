"""Who moved in is somebody of here: what they decide here is never undone, and nobody hears of anything twice."""

import json
import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from slomix.accounts import claims
from slomix.accounts.models import Player, User
from slomix.availability import service as availability
from slomix.availability import triggers
from slomix.availability.models import Entry
from slomix.availability.rules import Status
from slomix.campaigns import queries, view_models
from slomix.contacts.models import StoredPreferences
from slomix.database.session import Database
from slomix.deliveries.models import Delivery
from slomix.deliveries.rules import DeliveryStatus
from slomix.jobs.models import Job
from slomix.legacy_import import service
from slomix.legacy_import.report import ImportOutcome, RowKind
from slomix.privacy import unlinking
from slomix.privacy.membership import plan_membership_check
from slomix.reasons.codes import Explanation, Reason
from tests.configuration import ROOM, SUMMARY_ROOM
from tests.moments import TODAY, at
from tests.steps import call
from tests.workers.pump import pump
from tests.workers.stage import in_voice
from tests.world import Peopled, World, build_world

from .earlier import PEOPLE, ROOM_THERE, Earlier, came_to, everything, fill, full, move, there

__all__ = ["full", "there"]


def user_of(world: World, name: str) -> User | None:
    with world.session() as session:
        return session.scalars(select(User).where(User.discord_id == PEOPLE[name])).one_or_none()


def count(world: World, table: type) -> int:
    with world.session() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_what_they_take_back_here_does_not_come_again(world: World, full: Earlier) -> None:
    move(world, full)
    nina = user_of(world, "nina")
    assert nina is not None
    assert nina.player_id is not None
    with world.session() as session:
        availability.clear_status(session, nina.player_id, TODAY, today=TODAY)
        session.query(StoredPreferences).filter_by(player_id=nina.player_id).delete()
    before = everything(world)
    assert not move(world, full).would_write
    assert everything(world) == before


def test_who_unlinked_or_left_here_is_not_moved_in_again(world: World, full: Earlier) -> None:
    move(world, full)
    now = world.clock.now()
    with world.session() as session:
        for name in ("nina", "wim"):
            user = session.scalars(select(User).where(User.discord_id == PEOPLE[name])).one()
            if name == "nina":
                unlinking.delete_account(session, user, now=now)
            else:
                unlinking.unlink_profile(session, user, today=TODAY, now=now)
    before = everything(world)
    assert not move(world, full).would_write
    assert everything(world) == before
    assert user_of(world, "nina") is None


def test_a_profile_that_was_given_up_here_before_is_not_taken_again(world: World, full: Earlier) -> None:
    with world.session() as session:
        goran = session.scalars(select(User).where(User.discord_id == PEOPLE["goran"])).one()
        unlinking.unlink_profile(session, goran, today=TODAY, now=world.clock.now())
    report = move(world, full)
    assert came_to(report, RowKind.LINKS)[ImportOutcome.LEFT, "this profile was given up here since"] == 1
    goran_now = user_of(world, "goran")
    assert goran_now is not None
    assert goran_now.player_id is None


def test_who_waits_for_an_admin_is_left_to_the_admin(world: World, full: Earlier) -> None:
    with world.session() as session:
        charlie = session.get_one(User, world.users["charlie"])
        spare = session.scalars(select(Player).where(Player.guid == "guid-spare")).one()
        claims.request_profile(session, charlie, spare, "mine", now=world.clock.now())
    assert (
        came_to(move(world, full), RowKind.LINKS)[ImportOutcome.LEFT, "a claim of theirs waits for an admin here"] == 1
    )


def test_nothing_that_moved_in_ever_sends(peopled: Peopled, there: Earlier) -> None:
    """Not tonight with its pending jobs there, not as a session gets ready, not when a day begins or is reminded of."""
    world = build_world(peopled, ready_threshold=2)
    fill(there)
    for name in ("nina", "otto", "pia"):
        there.run(
            "UPDATE availability_entries SET status = 'LOOKING' WHERE user_id = %s AND entry_date = %s",
            PEOPLE[name],
            TODAY,
        )
    move(world, there)
    assert count(world, Entry) >= 5
    for day in (TODAY, TODAY + timedelta(days=1)):
        for hour, minute in ((0, 5), (10, 0), (16, 0), (20, 45), (21, 0), (21, 1), (23, 59)):
            world.clock.move_to(max(world.clock.now(), at(hour, minute, day=day)))
            with world.session() as session:
                now = world.clock.now()
                plan_membership_check(session, day, now=now)
                triggers.begin_day(session, day, settings=world.runtime.settings, now=now)
            pump(world)
    with world.session() as session:
        kinds = set(session.scalars(select(Job.kind)))
    assert kinds == {"check_members", "session_ready", "daily_reminder"}, "there was something to be told"
    assert (world.discord.sent, world.telegram.sent, world.signal.sent) == ([], [], [])


def test_who_left_the_server_meanwhile_is_not_called(world: World, full: Earlier) -> None:
    world.lookup.left = {PEOPLE["nina"]}
    move(world, full)
    pump(world)
    world.says("alice", Status.LOOKING)
    call(world)
    world.clock.move_to(at(20, 45))
    pump(world)
    assert [to.value for to, _, _ in world.discord.sent] == [PEOPLE["goran"], PEOPLE["alice"]]


def test_who_was_told_there_is_not_told_again_by_a_campaign_here(world: World, full: Earlier) -> None:
    """Nina had her start there; her reminder she had not, and Otto never opted in."""
    move(world, full)
    world.says("alice", Status.LOOKING)
    campaign_id = call(world)[0]
    for moment in (at(20, 45), at(21)):
        world.clock.move_to(moment)
        pump(world)
    world.clock.move_to(at(21, 0, 30))
    in_voice(world, alice=ROOM)
    pump(world)
    to_nina = [message.text for to, message, _ in world.discord.sent if to.value == PEOPLE["nina"]]
    to_alice = [message.text for to, message, _ in world.discord.sent if to.value == PEOPLE["alice"]]
    assert len(to_nina) == 2, to_nina  # the reminder, and the call when she was not in voice
    assert len(to_alice) == 2  # the reminder and the start
    with world.session() as session:
        row = session.scalars(
            select(Delivery).where(Delivery.event_key == f"PROMOTE:T0:{TODAY}").order_by(Delivery.id)
        ).first()
        assert row is not None
        assert (row.status, row.message_id, row.reason, row.text) == (
            DeliveryStatus.SENT,
            "m1",
            Explanation(Reason.TOLD_THERE),
            "",
        )
        assert row.settled_at == at(20, 10)
    with world.session() as session:
        card = view_models.card_of_campaign(
            session, queries.get_campaign(session, campaign_id), settings=world.runtime.settings, now=world.clock.now()
        )
    assert [(one.campaign_id, one.is_told) for one in card.elsewhere] == [(None, True)]


def test_a_message_that_waits_here_is_withdrawn_when_it_was_told_there(world: World, full: Earlier) -> None:
    full.told("alice", f"PROMOTE:T0:{TODAY}", message_id="there")
    full.told("alice", f"PROMOTE:T-15:{TODAY}", "telegram", message_id="there")
    world.says("alice", Status.LOOKING)
    world.says("erik", Status.LOOKING)
    call(world)
    move(world, full)
    for moment in (at(20, 45), at(21)):
        world.clock.move_to(moment)
        pump(world)
    assert [to.value for to, _, _ in world.discord.sent] == [PEOPLE["erik"]] * 2
    assert SUMMARY_ROOM not in {to.value for to, _, _ in world.discord.sent}


def test_messages_of_days_to_come_are_known_and_others_are_not(world: World, full: Earlier) -> None:
    report = move(world, full)
    assert came_to(report, RowKind.MESSAGES) == {
        (ImportOutcome.TAKEN, ""): 3,
        (ImportOutcome.HERE, "the ledger here knows it, or another way"): 1,
        (ImportOutcome.LEFT, "for a day that is over"): 1,
        (ImportOutcome.LEFT, "not to a player here"): 1,
        (ImportOutcome.LEFT, "not known to have arrived"): 1,
        (ImportOutcome.LEFT, "no message of ours"): 1,
        (ImportOutcome.LEFT, "to a room that ours writes its own to"): 1,
    }
    with world.session() as session:
        rooms = session.scalars(select(Delivery).where(Delivery.destination.is_not(None))).all()
    assert [(one.destination, one.event_key) for one in rooms] == [(ROOM_THERE, f"SESSION_READY:{TODAY}:threshold=6")]


def test_an_import_that_breaks_leaves_nothing(committed: Database, owner: Database, full: Earlier) -> None:
    world = build_world(committed)
    before = everything(world)
    with owner.transaction() as session:
        session.connection().exec_driver_sql(
            "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'the disk is full'; END $$;"
            "CREATE TRIGGER broken BEFORE INSERT ON notifications_ledger EXECUTE FUNCTION broken();"
        )
    try:
        with pytest.raises(DBAPIError, match="the disk is full"):
            move(world, full)
        assert everything(world) == before
    finally:
        with owner.transaction() as session:
            session.connection().exec_driver_sql("DROP FUNCTION broken CASCADE")
    assert move(world, full).would_write


def test_two_imports_at_once_move_everybody_in_once(committed: Database, full: Earlier) -> None:
    world = build_world(committed)
    results: list[str] = []

    def one() -> None:
        try:
            results.append("wrote" if move(world, full).would_write else "nothing new")
        except service.ImportRunning:
            results.append("at work")

    threads = [threading.Thread(target=one) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results).count("wrote") == 1, results
    assert len(results) == 3
    assert not move(world, full).would_write


def test_the_report_is_json(world: World, full: Earlier) -> None:
    made = json.loads(json.dumps(move(world, full).as_json(is_applied=True)))
    assert made["applied"] is True
    assert sum(one["number"] for one in made["counts"]) == sum(one["number"] for one in made["rows"])
