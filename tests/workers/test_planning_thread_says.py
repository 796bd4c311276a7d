"""What the thread of a planning room says of the teams: one message, kept true."""

import pytest
from sqlalchemy import select

from slomix.availability.rules import Status
from slomix.jobs.runner import JobContext
from slomix.planning import posts, threads
from slomix.planning.models import Room, TeamName, Vote
from slomix.planning.queries import Participant, Team
from slomix.planning.rules import Side
from tests.workers.planned import HEADING, LINK, job, places, says, with_room
from tests.workers.pump import pump
from tests.world import Peopled, World


@pytest.fixture
def room(peopled: Peopled) -> World:
    return with_room(peopled)


def test_nothing_is_said_before_somebody_is_in_a_team(room: World) -> None:
    pump(room)
    assert room.discord.sent == []


def test_the_teams_are_posted_once_and_then_edited(room: World) -> None:
    places(room, "bob", Side.A)
    pump(room)
    assert says(room) == [HEADING, "**Team A**: Bob", "**Team B**: nobody yet", LINK]
    places(room, "alice", Side.A, is_captain=True)
    places(room, "erik", Side.B)
    pump(room)
    assert says(room) == [HEADING, "**Team A**: Alice (captain), Bob", "**Team B**: Erik", LINK]
    assert room.threads.edits == 1
    pump(room)
    assert room.threads.edits == 1, "what it says is true already"


def test_when_everybody_has_left_the_teams_it_says_that(room: World) -> None:
    places(room, "bob", Side.A)
    pump(room)
    room.says("bob", Status.NOT_PLAYING)
    pump(room)
    assert says(room)[1:3] == ["**Team A**: nobody yet", "**Team B**: nobody yet"]


def test_a_post_whose_answer_was_lost_is_taken_over(room: World) -> None:
    places(room, "bob", Side.A)
    with room.session() as session:
        talk = threads.PlanningThread().begin(JobContext(room.runtime, session, job(room), room.clock.now()))
    assert isinstance(talk, threads.ThreadSync)
    talk.run()
    places(room, "erik", Side.B)
    pump(room)
    assert says(room)[1:3] == ["**Team A**: Bob", "**Team B**: Erik"]


def test_names_call_nobody_and_format_nothing(room: World) -> None:
    places(room, "bob", Side.A)
    with room.session() as session:
        room_id, now = session.scalars(select(Room.id)).one(), room.clock.now()
        name = TeamName(session_id=room_id, name="@everyone **x**", name_key="x", created_at=now)
        session.add(name)
        session.flush()
        session.add(Vote(session_id=room_id, player_id=room.players["bob"], team_name_id=name.id))
    pump(room)
    assert says(room)[1] == "**@\u200beveryone \\*\\*x\\*\\***: Bob"


def test_two_full_teams_with_long_names_are_short_enough(room: World) -> None:
    team = Team(
        Side.A,
        tuple(Participant(number, "_" * 60, Status.LOOKING, None, None) for number in range(32)),
        captain_id=31,
        name="_" * 48,
    )
    text = posts.teams_post(HEADING, {Side.A: team, Side.B: team}, LINK)
    assert len(text) < 2000
    assert text.splitlines()[1].endswith(" and 22 more")


def test_a_message_that_somebody_deleted_is_posted_anew_with_the_next_change(room: World) -> None:
    places(room, "bob", Side.A)
    pump(room)
    room.discord.sent.clear()
    places(room, "erik", Side.B)
    pump(room)
    assert says(room)[1:3] == ["**Team A**: Bob", "**Team B**: Erik"]
