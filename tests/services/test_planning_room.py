"""Tonight's planning room: who opens it and when, who is in, and whose room it is."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from slomix.accounts.models import User
from slomix.availability import service as availability
from slomix.availability.rules import Status
from slomix.planning import queries, rules
from slomix.planning.models import Room, RoomThread, TeamMember, Undo, Vote
from slomix.privacy import unlinking
from tests.moments import TODAY
from tests.services.planning import A, B, Tonight, everybody_says, opened, under
from tests.world import LINKED, World


@pytest.fixture
def tonight(world: World) -> Tonight:
    return opened(world)


def said(world: World, name: str) -> Status | None:
    with world.session() as session:
        return availability.statuses_of_day(session, TODAY, [world.players[name]]).get(world.players[name])


@pytest.mark.parametrize(
    ("looking", "sentence"),
    [
        (0, "The room opens when 6 more players are looking."),
        (4, "The room opens when 2 more players are looking."),
        (5, "The room opens when 1 more player is looking."),
    ],
)
def test_before_enough_are_looking_nobody_opens_it_and_a_sentence_says_how_many_are_missing(
    world: World, looking: int, sentence: str
) -> None:
    for name in LINKED[:looking]:
        world.says(name, Status.LOOKING)
    for name in ("alice", "bob"):
        with pytest.raises(rules.NotReady) as refused:
            Tonight(world).opens(name)
        assert str(refused.value) == sentence
    assert set(Tonight(world).stored().values()) == {0}


def test_available_is_not_looking(world: World) -> None:
    everybody_says(world, Status.AVAILABLE)
    with pytest.raises(rules.NotReady):
        Tonight(world).opens("alice")


def test_who_opens_it_owns_it_and_opening_it_again_finds_the_same_one(world: World) -> None:
    everybody_says(world, Status.LOOKING)
    tonight = Tonight(world)
    assert tonight.opens("alice")
    room = tonight.view().room
    assert (room.owner_id, room.created_by, room.day) == (world.players["alice"], world.players["alice"], TODAY)
    assert not tonight.opens("erik")
    assert not tonight.opens("bob")
    assert tonight.view().room.id == room.id
    assert tonight.view().room.owner_id == world.players["alice"]


def test_it_stays_open_when_somebody_leaves_again(tonight: Tonight) -> None:
    tonight.leaves("goran")
    assert not tonight.opens("erik")


@pytest.mark.parametrize("status", [None, Status.NOT_PLAYING])
def test_who_is_not_in_tonight_does_not_open_it_and_a_promoter_does(world: World, status: Status | None) -> None:
    world = under(world, ready_threshold=4)
    for name in ("erik", "franka", "goran", "dora"):
        world.says(name, Status.LOOKING)
    if status is not None:
        world.says("alice", status)
        world.says("bob", status)
    with pytest.raises(rules.NotAParticipant):
        Tonight(world).opens("alice")
    assert Tonight(world).opens("bob")


@pytest.mark.parametrize("status", [Status.MAYBE, Status.AVAILABLE])
def test_who_comes_perhaps_may_open_it(world: World, status: Status) -> None:
    world = under(world, ready_threshold=4)
    for name in ("erik", "franka", "goran", "dora"):
        world.says(name, Status.LOOKING)
    world.says("alice", status)
    assert Tonight(world).opens("alice")


@pytest.mark.parametrize(
    ("before", "is_sure", "after"),
    [
        (None, False, Status.LOOKING),
        (None, True, Status.LOOKING),
        (Status.MAYBE, False, Status.MAYBE),
        (Status.MAYBE, True, Status.LOOKING),
        (Status.AVAILABLE, False, Status.AVAILABLE),
        (Status.AVAILABLE, True, Status.AVAILABLE),
        (Status.LOOKING, True, Status.LOOKING),
        (Status.NOT_PLAYING, True, Status.LOOKING),
    ],
)
def test_joining_says_no_more_than_somebody_means(
    tonight: Tonight, before: Status | None, is_sure: bool, after: Status
) -> None:
    tonight.world.says("goran", before)
    assert tonight.joins("goran", is_sure=is_sure) is after
    assert said(tonight.world, "goran") is after


def test_joining_in_passing_never_overrides_that_somebody_said_no(tonight: Tonight) -> None:
    """W67: a join turned NOT_PLAYING into LOOKING without a word."""
    tonight.world.says("goran", Status.NOT_PLAYING)
    with pytest.raises(rules.DeclinedTonight) as refused:
        tonight.joins("goran")
    assert "not playing" in str(refused.value)
    assert said(tonight.world, "goran") is Status.NOT_PLAYING


def test_leaving_says_not_playing(tonight: Tonight) -> None:
    tonight.leaves("goran")
    assert said(tonight.world, "goran") is Status.NOT_PLAYING
    assert tonight.world.players["goran"] not in {one.player_id for one in tonight.view().participants}


def test_without_a_room_there_is_nothing_to_join_leave_or_name(world: World) -> None:
    tonight = Tonight(world)
    for deed in (
        lambda: tonight.joins("alice"),
        lambda: tonight.leaves("alice"),
        lambda: tonight.suggests("alice", "Red Devils"),
        lambda: tonight.votes("alice", None),
        lambda: tonight.places("bob", "alice", A),
        lambda: tonight.undoes("bob", 1),
        lambda: tonight.asks("bob"),
    ):
        with pytest.raises(rules.NoSuchRoom):
            deed()
    assert said(world, "alice") is None


def owner(tonight: Tonight) -> str | None:
    names = {player: name for name, player in tonight.world.players.items()}
    owner_id = tonight.view().room.owner_id
    return names[owner_id] if owner_id is not None else None


def test_the_owner_hands_over_and_runs_it_no_more(tonight: Tonight) -> None:
    tonight.hands_over("alice", "erik")
    assert owner(tonight) == "erik"
    with pytest.raises(rules.NotTheOwner):
        tonight.places("alice", "goran", A)
    tonight.places("erik", "goran", A)
    tonight.hands_over("bob", "alice")
    assert owner(tonight) == "alice"


def test_nobody_takes_the_room_from_an_owner_who_is_there(tonight: Tonight) -> None:
    for to in ("erik", "franka"):
        with pytest.raises(rules.NotTheOwner):
            tonight.hands_over("erik", to)
    assert owner(tonight) == "alice"


def test_the_room_goes_to_nobody_who_is_not_in(tonight: Tonight) -> None:
    tonight.world.says("goran", Status.NOT_PLAYING)
    with pytest.raises(rules.NotInRoom):
        tonight.hands_over("alice", "goran")
    assert owner(tonight) == "alice"


def test_after_the_owner_has_left_anybody_in_it_takes_over_for_themselves_alone(tonight: Tonight) -> None:
    tonight.leaves("alice")
    with pytest.raises(rules.NotTheOwner):
        tonight.places("alice", "goran", A)
    with pytest.raises(rules.NotTheOwner):
        tonight.hands_over("erik", "franka")
    with pytest.raises(rules.NotTheOwner):
        tonight.hands_over("alice", "alice")
    tonight.hands_over("erik", "erik")
    assert owner(tonight) == "erik"
    tonight.joins("alice", is_sure=True)
    with pytest.raises(rules.NotTheOwner):
        tonight.places("alice", "goran", A)


def test_an_owner_who_comes_back_before_anybody_took_over_runs_it_again(tonight: Tonight) -> None:
    tonight.leaves("alice")
    tonight.joins("alice", is_sure=True)
    tonight.places("alice", "goran", A)
    assert tonight.sides() == ("goran", "")


def test_who_deletes_their_account_is_in_no_part_of_any_room(tonight: Tonight) -> None:
    world, alice = tonight.world, tonight.world.players["alice"]
    ants = tonight.suggests("alice", "Ants")
    for name in ("alice", "erik"):
        tonight.votes(name, ants)
    tonight.leads("alice", A, "alice")
    tonight.places("alice", "goran", A)
    tonight.places("alice", "dora", B)
    with world.session() as session:
        unlinking.delete_account(session, session.get_one(User, world.users["alice"]), now=world.clock.now())
    view = tonight.view()
    assert (view.room.owner_id, view.room.created_by) == (None, None)
    assert [(one.name, one.suggested_by, one.votes) for one in view.suggestions] == [("Ants", None, 1)]
    assert tonight.sides() == ("goran", "dora")
    assert alice not in view.names
    with world.session() as session:
        assert not session.scalars(select(Vote).where(Vote.player_id == alice)).all()
        assert not session.scalars(select(TeamMember).where(TeamMember.player_id == alice)).all()
        assert not [one for one in session.scalars(select(Undo)) if one.player_id == alice or alice in ids_of(one)]


def ids_of(undo: Undo) -> list[int]:
    return [player for side in undo.before["sides"].values() for player in side]


def test_a_room_without_owner_is_anybodys_to_take_over(tonight: Tonight) -> None:
    world = tonight.world
    with world.session() as session:
        unlinking.delete_account(session, session.get_one(User, world.users["alice"]), now=world.clock.now())
    tonight.hands_over("erik", "erik")
    assert owner(tonight) == "erik"


def test_who_unlinks_is_in_no_team_and_runs_nothing(tonight: Tonight) -> None:
    world = tonight.world
    tonight.leads("alice", A, "alice")
    with world.session() as session:
        user = session.get_one(User, world.users["alice"])
        unlinking.unlink_profile(session, user, today=TODAY, now=world.clock.now())
    assert tonight.sides() == ("", "")
    view = tonight.view()
    assert not view.rights_of(world.players["alice"], is_promoter=False).manages
    assert view.rights_of(world.players["erik"], is_promoter=False).may_take_over


def test_a_room_is_of_its_day(tonight: Tonight) -> None:
    with tonight.world.session() as session:
        assert queries.room_of(session, TODAY) is not None
        assert queries.room_of(session, TODAY + timedelta(days=1)) is None


def test_a_promoter_who_is_not_in_opens_a_room_that_anybody_in_it_may_run(world: World) -> None:
    everybody_says(world, Status.LOOKING)
    world.says("bob", Status.NOT_PLAYING)
    tonight = Tonight(under(world, ready_threshold=3))
    assert tonight.opens("bob")
    assert tonight.view().room.owner_id is None
    tonight.hands_over("erik", "erik")
    assert tonight.view().room.owner_id == world.players["erik"]


def test_nothing_of_a_deleted_account_is_left_in_a_room(tonight: Tonight) -> None:
    world = tonight.world
    with world.session() as session:
        room = session.scalars(select(Room.id)).one()
        account = world.discord_ids["erik"]
        session.add(RoomThread(session_id=room, thread_id="1", members=[account, "2"], message_id="3", said="Erik"))
    tonight.places("alice", "goran", A)
    with world.session() as session:
        unlinking.delete_account(session, session.get_one(User, world.users["erik"]), now=world.clock.now())
    with world.session() as session:
        thread = session.scalars(select(RoomThread).execution_options(populate_existing=True)).one()
        assert (thread.members, thread.said) == (["2"], "")
        erik = str(world.players["erik"])
        assert not [one for one in session.scalars(select(Undo)) if erik in one.before["since"]]
