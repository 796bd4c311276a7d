"""The evening's message: when it comes, what it says, whom it names, and when it is made anew or closed."""

from datetime import date, time, timedelta

import pytest

from slomix.availability import triggers
from slomix.availability.rules import Status
from slomix.campaigns import late
from slomix.contacts.rules import QuietHours
from slomix.evening import rules, tonight
from slomix.evening.tonight import People, Tonight
from slomix.jobs.rules import JobStatus
from slomix.planning.rules import Side
from slomix.reasons.codes import Explanation, Reason
from tests.configuration import ROOM
from tests.moments import TODAY, at
from tests.steps import call, cancel
from tests.workers.evenings import evening_world, job, later, posts, said, stored, unpaced
from tests.workers.planned import open_room, places
from tests.workers.pump import pump
from tests.workers.stage import in_voice
from tests.world import Peopled, World

TOMORROW = TODAY + timedelta(days=1)


@pytest.fixture
def tonights(peopled: Peopled) -> World:
    world = evening_world(peopled, ready_threshold=5)
    world.clock.move_to(at(18))
    return world


@pytest.fixture
def posted(tonights: World) -> World:
    """Three are looking, so it stands there."""
    for name in ("alice", "bob", "erik"):
        tonights.says(name, Status.LOOKING)
    later(tonights)
    return tonights


def test_it_comes_with_the_third_who_is_looking_and_can_no_longer_take_it_back(tonights: World) -> None:
    tonights.says("alice", Status.LOOKING)
    tonights.says("bob", Status.LOOKING)
    tonights.says("franka", Status.AVAILABLE)
    later(tonights)
    assert posts(tonights) == []
    tonights.says("erik", Status.LOOKING)
    later(tonights, 9)
    assert posts(tonights) == [], "it can still be undone"
    tonights.clock.forward(timedelta(seconds=1))
    pump(tonights)
    assert said(tonights) == [
        "**Tonight**: 3 of 5 looking, 2 more to go.",
        "Looking: Alice, Bob, Erik",
        "Available: Franka",
    ]


def test_who_comes_late_stands_there_as_late_until_they_are_there_or_it_is_time(posted: World) -> None:
    posted.clock.move_to(at(20, 50))
    with posted.session() as session:
        settings, now = posted.runtime.settings, posted.clock.now()
        for name in ("alice", "erik"):
            late.say_late(session, posted.players[name], TODAY, settings=settings, now=now)
    later(posted)
    assert said(posted)[-1] == "15 min late: Alice, Erik"
    posted.clock.move_to(at(21, 5))
    in_voice(posted, alice=ROOM)
    later(posted)
    assert said(posted)[-2:] == ["15 min late: Erik", "In voice now: Alice"]
    in_voice(posted, alice=ROOM)
    posted.clock.move_to(at(21, 15))
    unpaced(posted)
    pump(posted)
    assert "late" not in "".join(said(posted)), "nothing has changed but the time"


def test_its_buttons_are_the_four_statuses_and_our_page(posted: World) -> None:
    [message] = posts(posted)
    labels = [button.label for button in message.buttons]
    assert labels == ["Looking", "Available", "Maybe", "Not playing", "Open Slomix"]


def test_changes_are_edits_of_the_one_message(posted: World) -> None:
    posted.says("franka", Status.MAYBE)
    posted.says("bob", Status.NOT_PLAYING)
    later(posted)
    assert said(posted) == ["**Tonight**: 2 of 5 looking, 3 more to go.", "Looking: Alice, Erik", "Maybe: Franka"]
    posted.says("alice", None)
    later(posted)
    assert said(posted)[0] == "**Tonight**: 1 of 5 looking, 4 more to go."
    assert len(posted.discord.sent) == 1


def test_what_is_undone_was_never_said(posted: World) -> None:
    edits = posted.discord.edits
    posted.says("franka", Status.LOOKING)
    later(posted, 5)
    posted.says("franka", None)
    later(posted)
    assert posted.discord.edits == edits


def test_without_a_change_nothing_is_asked_of_discord(posted: World) -> None:
    edits, sent = posted.discord.edits, len(posted.discord.sent)
    for _ in range(5):
        later(posted)
    assert (posted.discord.edits, len(posted.discord.sent)) == (edits, sent)
    waiting = job(posted)
    assert (waiting.status, waiting.wait_until, waiting.run_at) == (JobStatus.PENDING, None, at(20)), "then it is near"


def test_a_campaign_brings_it_whatever_the_number_and_the_start_stands_in_it(tonights: World) -> None:
    tonights.says("alice", Status.LOOKING)
    later(tonights)
    assert posts(tonights) == []
    campaign, _ = call(tonights)
    later(tonights)
    stamp = int(at(21).timestamp())
    assert said(tonights)[-1] == f"The start is at <t:{stamp}:t> (<t:{stamp}:R>)."
    tonights.clock.move_to(at(21, 0, 1))
    unpaced(tonights)
    pump(tonights)
    assert said(tonights)[-1] == f"It was called for <t:{stamp}:t>."
    cancel(tonights, campaign)
    later(tonights)
    assert said(tonights) == ["**Tonight**: 1 of 5 looking, 4 more to go.", "Looking: Alice"]


def test_enough_players_are_an_edit_and_no_announcement(peopled: Peopled) -> None:
    world = evening_world(peopled, ready_threshold=4, announce_enabled=True)
    world.clock.move_to(at(18))
    for name in ("alice", "bob", "erik", "franka"):
        world.says(name, Status.LOOKING)
    with world.session() as session:
        triggers.check_thresholds(session, TODAY, settings=world.runtime.settings, now=world.clock.now())
    later(world)
    assert said(world)[0] == "**Tonight**: 4 players are looking. Game on!"


def test_it_says_who_is_in_voice_and_the_teams(posted: World) -> None:
    open_room(posted)
    places(posted, "alice", Side.A, is_captain=True)
    places(posted, "bob", Side.B)
    in_voice(posted, alice=ROOM, charlie=ROOM)
    later(posted)
    assert said(posted)[2:] == ["In voice now: Alice", "**Team A**: Alice", "**Team B**: Bob"]
    posted.clock.forward(timedelta(minutes=5))
    later(posted)
    assert "In voice" not in posts(posted)[0].text, "an old picture is not used"


def test_who_is_not_to_be_named_is_counted(posted: World) -> None:
    posted.prefers("bob", called=False)
    posted.prefers("erik", quiet=QuietHours(time(17), time(23)))
    in_voice(posted, bob=ROOM)
    later(posted)
    assert said(posted)[1:] == ["Looking: Alice and 2 more", "In voice now: 1"]


def test_where_nobody_may_be_named_there_are_counts(peopled: Peopled) -> None:
    world = evening_world(peopled, summary_names=False)
    world.clock.move_to(at(18))
    for name in ("alice", "bob", "erik"):
        world.says(name, Status.LOOKING)
    open_room(world)
    places(world, "alice", Side.A)
    later(world)
    assert said(world) == ["**Tonight**: 3 of 6 looking, 3 more to go.", "Looking: 3", "**Team A**: 1"]


def test_names_are_harmless_and_it_never_grows_too_long() -> None:
    crowd = People(200, ["*_@everyone_*" * 4] * 200)
    longest = Tonight(
        day=date(2026, 9, 30),
        people=dict.fromkeys(tonight.LISTED, crowd),
        threshold=200,
        start_at=at(21),
        expected_at=at(21),
        late=crowd,
        late_until=at(21, 15),
        in_voice=crowd,
        teams=[("\\*" * 48, crowd), ("\\_" * 48, crowd)],
        turnout="",
        unsettled_until=None,
    )
    text = tonight.text(longest, now=at(20))
    assert 1000 < len(text.encode("utf-16-le")) // 2 <= 2000
    assert "*_@" not in text


def test_in_the_night_before_it_waits_for_the_morning(peopled: Peopled) -> None:
    world = evening_world(peopled)
    world.clock.move_to(at(0, 30))
    for name in ("alice", "bob", "erik"):
        world.says(name, Status.LOOKING)
    later(world)
    assert posts(world) == []
    world.clock.move_to(at(10))
    pump(world)
    assert len(posts(world)) == 1


def test_it_is_closed_in_the_morning_without_names_and_buttons(posted: World) -> None:
    posted.clock.move_to(at(5, 59, day=TOMORROW))
    later(posted, 0)
    assert "Alice" in posts(posted)[0].text
    posted.clock.move_to(at(6, day=TOMORROW))
    unpaced(posted)
    pump(posted)
    [message] = posts(posted)
    assert message.text == "**Friday 20 November** is over. 3 players were looking."
    assert [button.label for button in message.buttons] == ["Open Slomix"]
    assert job(posted).status is JobStatus.SENT


def test_an_evening_without_a_message_ends_quietly(tonights: World) -> None:
    tonights.clock.move_to(at(0, day=TOMORROW))
    pump(tonights)
    assert job(tonights).status is JobStatus.SENT
    assert tonights.discord.sent == []


def test_switched_off_meanwhile_nothing_is_done(tonights: World) -> None:
    off = evening_world(tonights.runtime.database, evening_message_enabled=False)
    pump(off)
    assert (job(off).status, job(off).reason) == (JobStatus.SKIPPED, Explanation(Reason.SWITCHED_OFF))


# Made anew


def test_one_that_somebody_deleted_comes_back_once(posted: World) -> None:
    posted.discord.deleted.add("0")
    posted.says("franka", Status.LOOKING)
    later(posted)
    assert said(posted)[1] == "Looking: Alice, Bob, Erik, Franka"
    posted.discord.deleted.add("1")
    posted.says("goran", Status.MAYBE)
    later(posted)
    assert posts(posted) == []
    assert job(posted).status is JobStatus.SKIPPED
    assert stored(posted).problem == Explanation(Reason.DISCORD_SAID, "Unknown Message (10008)")
    posted.says("goran", Status.LOOKING)
    later(posted)
    assert len(posted.discord.sent) == 2


def test_one_that_scrolled_away_is_made_anew_when_the_start_is_near(posted: World) -> None:
    posted.discord.below = rules.SCROLLED_AWAY
    posted.says("franka", Status.MAYBE)
    later(posted)
    assert (posted.discord.looks, posted.discord.deleted) == (0, set()), "it doesn't matter yet"
    posted.clock.move_to(at(20))
    pump(posted)
    assert posted.discord.deleted == {"0"}
    assert said(posted)[0] == "**Tonight**: 3 of 5 looking, 2 more to go."
    looks = posted.discord.looks
    posted.clock.move_to(at(20, 30))
    later(posted)
    assert (posted.discord.looks, len(posted.discord.sent)) == (looks, 2), "once"


def test_one_that_scrolled_away_later_is_seen_to_within_a_minute(posted: World) -> None:
    posted.clock.move_to(at(20))
    pump(posted)
    posted.discord.below = rules.SCROLLED_AWAY
    posted.clock.move_to(at(20, 1))
    pump(posted)
    assert posted.discord.deleted == {"0"}


def test_one_that_scrolled_away_is_made_anew_when_one_player_is_missing(posted: World) -> None:
    posted.discord.below = rules.SCROLLED_AWAY
    posted.says("franka", Status.LOOKING)
    later(posted)
    assert posted.discord.deleted == {"0"}
    assert said(posted)[0] == "**Tonight**: 4 of 5 looking, 1 more to go."


def test_one_with_less_below_it_stays(posted: World) -> None:
    posted.discord.below = rules.SCROLLED_AWAY - 1
    posted.says("franka", Status.LOOKING)
    later(posted)
    assert (posted.discord.deleted, posted.discord.looks) == (set(), 1)
    assert said(posted)[0] == "**Tonight**: 4 of 5 looking, 1 more to go."
