"""Who came: counted at the voice check, counted for good at its deadline, and the same wherever it is said."""

from datetime import time

import pytest
from sqlalchemy import select

from slomix.accounts.models import User
from slomix.availability.rules import Status
from slomix.campaigns import queries, rules, voice_rules
from slomix.campaigns.models import Campaign
from slomix.campaigns.rules import CampaignStatus
from slomix.channels.base import SendError
from slomix.contacts.rules import QuietHours
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus
from slomix.privacy.unlinking import unlink_profile
from slomix.reasons.codes import Explanation, Reason
from tests.configuration import ROOM
from tests.moments import LJUBLJANA, TODAY, at
from tests.steps import latest
from tests.workers.pump import pump
from tests.workers.stage import EVERYBODY, go, in_voice, readable, status, summary
from tests.world import World

ELSEWHERE = "900000000000000077"
CLOSED = SendError(Reason.DMS_CLOSED, permanent=True)


def told_and_checked(world: World, **rooms: str) -> None:
    """All four get the start; the voice check sees these."""
    go(world, 20, 45)
    go(world, 21)
    world.clock.move_to(at(21, 0, 30))
    in_voice(world, **rooms)
    pump(world)


def at_the_deadline(world: World, **rooms: str) -> None:
    world.clock.move_to(at(21, 20, 31))
    in_voice(world, **rooms)
    pump(world)


def turnout(world: World) -> str:
    with world.session() as session:
        found = queries.attendance_of(session.get_one(Campaign, latest(world)), LJUBLJANA)
        return found.text if found else "unknown"


def of_day(world: World) -> dict[str, str]:
    names = {player_id: name for name, player_id in world.players.items()}
    with world.session() as session:
        found = queries.attendance_of_day(session, TODAY, LJUBLJANA)
        return {names[player_id]: attended.text for player_id, attended in found.items()}


@pytest.mark.parametrize("is_seen", [False, True])
@pytest.mark.parametrize(("was_told", "was_invited"), [(True, True), (True, False), (False, True), (False, False)])
def test_who_was_never_told_is_in_no_count(is_seen: bool, was_told: bool, was_invited: bool) -> None:
    counted = voice_rules.attended(is_seen, was_told=was_told, was_invited=was_invited)
    if was_told:
        assert counted is is_seen
    else:
        assert counted is (True if is_seen and was_invited else None), "and it is never called absent"


def test_who_comes_until_the_deadline_came(called: World) -> None:
    told_and_checked(called, alice=ROOM)
    assert summary(called)[0] == "Game night is on – 1 of 4 in voice at 21:00."
    assert turnout(called) == "1 of 4 in voice at 21:00."
    called.clock.move_to(at(21, 10))
    in_voice(called, alice=ROOM, bob=ROOM, erik=ELSEWHERE)
    called.clock.move_to(at(21, 15))
    in_voice(called, alice=ROOM)
    assert turnout(called) == "1 of 4 in voice at 21:00.", "not yet"
    at_the_deadline(called, franka=ROOM)
    assert turnout(called) == "2 of 4 came to voice."
    assert summary(called) == ["Game night: 2 of 4 came to voice."], "edited, not sent again"
    assert of_day(called) == {"alice": "came", "bob": "came", "erik": "not in voice", "franka": "not in voice"}


def test_what_happens_later_changes_nothing(called: World) -> None:
    told_and_checked(called, alice=ROOM, bob=ROOM)
    called.says("erik", Status.NOT_PLAYING)
    at_the_deadline(called, alice=ROOM)
    called.says("alice", Status.NOT_PLAYING)
    called.says("franka", None)
    with called.session() as session:
        unlink_profile(session, session.get_one(User, called.users["bob"]), today=TODAY, now=called.clock.now())
    called.clock.move_to(at(22))
    in_voice(called, franka=ROOM)
    pump(called)
    assert turnout(called) == "2 of 4 came to voice."
    assert readable(called.discord.texts[-1]) == "Game night: 2 of 4 came to voice."
    assert of_day(called)["franka"] == "not in voice"


def test_who_could_not_be_told_is_not_missed(called: World) -> None:
    called.prefers("franka", quiet=QuietHours(time(20), time(23)))
    go(called, 20, 45)
    called.clock.move_to(at(21))
    called.discord.answers = [CLOSED]
    pump(called)
    called.clock.move_to(at(21, 0, 30))
    in_voice(called)
    pump(called)
    at_the_deadline(called)
    assert turnout(called) == "0 of 2 came to voice."
    assert len(of_day(called)) == 2


def test_where_no_message_arrived_there_is_no_turnout(called: World) -> None:
    called.discord.answers = [CLOSED] * len(EVERYBODY)
    called.clock.move_to(at(21))
    pump(called)
    called.clock.move_to(at(21, 0, 30))
    in_voice(called)
    pump(called)
    assert summary(called) == ["None of tonight’s messages arrived, so nobody was notified."]
    assert turnout(called) == ""
    assert of_day(called) == {}


def test_where_all_have_taken_it_back_nobody_is_left(called: World) -> None:
    go(called, 20, 45)
    for name in EVERYBODY:
        called.says(name, Status.NOT_PLAYING)
    told_and_checked(called)
    assert summary(called) == ["Nobody is left for tonight."]
    assert turnout(called) == ""
    assert status(called) is CampaignStatus.SENT, "no follow-up was sent"


def test_while_the_rooms_are_not_watched_it_stays_what_the_check_saw(called: World) -> None:
    told_and_checked(called, alice=ROOM)
    go(called, 21, 30)
    assert turnout(called) == "1 of 4 in voice at 21:00."
    with called.session() as session:
        job = session.scalars(select(Job).where(Job.kind == rules.ATTENDANCE)).one()
        assert (job.status, job.reason) == (JobStatus.SKIPPED, Explanation(Reason.VOICE_NO_LONGER_KNOWN))
