"""What could still go wrong in a room: old pages, full teams, promoters from outside, deleted accounts, long posts."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from slomix import linking
from slomix.accounts.models import User
from slomix.availability.rules import Status
from slomix.jobs.rules import JobStatus
from slomix.planning import notices, rules
from slomix.planning.models import Room, Thread, Undo
from tests.conftest import TODAY, World
from tests.services.planning import A, Tonight, everybody_says, opened, under


@pytest.fixture
def tonight(world: World) -> Tonight:
    tonight = opened(world)
    tonight.saves("alice", "erik", "franka", "erik", "franka")
    return tonight


def test_a_draft_that_is_under_way_is_not_begun_anew_from_an_old_page(tonight: Tonight) -> None:
    tonight.drafts("alice")
    tonight.places("erik", "goran", A)
    with pytest.raises(rules.TeamsChanged):
        tonight.drafts("bob")
    assert tonight.sides() == ("ERIK goran", "FRANKA")


def test_a_volunteer_makes_no_complete_team_larger(tonight: Tonight) -> None:
    tonight.saves("alice", "erik goran", "franka bob")
    with pytest.raises(rules.SideIsFull):
        tonight.leads("dora", A, "dora")


def test_a_promoter_who_is_not_in_opens_a_room_that_anybody_in_it_may_run(world: World) -> None:
    everybody_says(world, Status.LOOKING)
    world.says("bob", Status.NOT_PLAYING)
    tonight = Tonight(under(world, ready_threshold=3))
    assert tonight.opens("bob")
    assert tonight.view().room.owner_id is None
    tonight.hands_over("erik", "erik")
    assert tonight.view().room.owner_id == world.players["erik"]


def test_the_clock_of_yesterday_ends_the_draft(tonight: Tonight) -> None:
    tonight.drafts("alice", A, seconds=60)
    tonight.world.clock.forward(timedelta(hours=6))
    assert tonight.time_is_up()[0] is JobStatus.SKIPPED
    assert tonight.view().room.first_pick is None


def test_nothing_of_a_deleted_account_is_left_in_a_room(tonight: Tonight) -> None:
    world = tonight.world
    with world.session() as session:
        room = session.scalars(select(Room.id)).one()
        account = world.discord_ids["erik"]
        session.add(Thread(session_id=room, thread_id="1", members=[account, "2"], message_id="3", said="Erik"))
    tonight.places("alice", "goran", A)
    with world.session() as session:
        linking.delete_account(session, session.get_one(User, world.users["erik"]), now=world.clock.now())
    with world.session() as session:
        thread = session.scalars(select(Thread).execution_options(populate_existing=True)).one()
        assert (thread.members, thread.said) == (["2"], "")
        erik = str(world.players["erik"])
        assert not [one for one in session.scalars(select(Undo)) if erik in one.before["since"]]


def test_a_post_that_asks_for_more_is_never_too_long_to_be_sent(
    tonight: Tonight, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [str(10**17 + number) for number in range(100)]
    monkeypatch.setattr(notices, "whom_to_mention", lambda *_, **__: many)
    for name in ("goran", "dora"):
        tonight.leaves(name)
    with tonight.world.session() as session:
        room = session.scalars(select(Room).where(Room.day == TODAY)).one()
        delivery = type("D", (), {"subject": room.subject})()
        occasion = type("O", (), {"now": tonight.world.clock.now()})()
        message = notices.MoreNeeded().words(tonight.world.runtime, session, delivery, occasion)
    assert len(message.text) <= 2000
    assert len(message.mentions) > 80
    assert all(f"<@{account}>" in message.text for account in message.mentions)
