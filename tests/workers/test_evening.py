"""An evening through the real handlers, on a real PostgreSQL, with a clock that we move."""

from datetime import time

from slomix.availability.rules import Status
from slomix.campaigns import queries, rules
from slomix.campaigns.preview import preview
from slomix.campaigns.rules import Audience, CampaignStatus
from slomix.contacts.rules import QuietHours
from slomix.jobs.rules import JobStatus
from slomix.reasons.codes import Explanation, Reason
from tests.configuration import AFK, ROOM, SUMMARY_ROOM
from tests.moments import TODAY, at
from tests.steps import call, jobs_of, latest
from tests.workers.pump import pump
from tests.workers.stage import (
    EVERYBODY,
    FOLLOW_UP,
    REMINDER,
    START,
    go,
    in_voice,
    readable,
    rows,
    status,
    told,
)
from tests.world import World


def test_a_whole_evening(called: World) -> None:
    go(called, 20, 44)
    assert called.discord.sent == []
    go(called, 20, 45)
    assert all(told(called, name) == [REMINDER] for name in EVERYBODY)
    assert status(called) is CampaignStatus.RUNNING
    called.clock.move_to(at(21))
    in_voice(called, alice=ROOM)
    pump(called)
    assert status(called) is CampaignStatus.SENT
    called.clock.move_to(at(21, 0, 30))
    in_voice(called, alice=ROOM, bob="900000000000000009", erik=AFK)
    pump(called)
    assert told(called, "alice") == [REMINDER], "was in voice at the start, needs no call"
    assert told(called, "bob") == [REMINDER, START], "elsewhere in voice is not called again, and is not counted either"
    assert [text[:15] for text in told(called, "erik")] == [REMINDER[:15], START[:15], FOLLOW_UP[:15]], (
        "AFK is not here"
    )
    assert told(called, "franka")[-1].startswith(FOLLOW_UP)
    to, summary, _ = called.discord.sent[-1]
    assert (to.value, to.is_room) == (SUMMARY_ROOM, True)
    assert readable(summary.text).splitlines() == [
        "Game night is on – 1 of 4 in voice at 21:00.",
        "Waiting for: Erik, Franka",
        "follow-up 2/2",
    ]
    assert status(called) is CampaignStatus.FOLLOWUP_SENT
    before = len(called.discord.sent)
    go(called, 23)
    assert len(called.discord.sent) == before, "nothing comes twice, nothing comes later"


def test_at_the_moment_of_sending_each_recipient_is_looked_at_again(called: World) -> None:
    called.says("alice", Status.NOT_PLAYING)
    called.says("bob", None)
    called.prefers("erik", called=False)
    called.prefers("franka", quiet=QuietHours(time(20), time(22)))
    go(called, 20, 45)
    assert {name: reason for name, (_, reason) in rows(called, "T-15").items()} == {
        "alice": Explanation(Reason.NOT_PLAYING),
        "bob": Explanation(Reason.STATUS_CLEARED),
        "erik": Explanation(Reason.NOT_OPTED_IN),
        "franka": Explanation(Reason.QUIET_HOURS),
    }
    assert called.discord.sent == []
    assert jobs_of(called, latest(called))[rules.REMINDER].status is JobStatus.SKIPPED
    go(called, 21)
    assert status(called) is CampaignStatus.SENT, "skips are nobody's fault"


def test_a_change_to_maybe_keeps_a_recipient(called: World) -> None:
    called.says("alice", Status.MAYBE)
    go(called, 20, 45)
    assert told(called, "alice") == [REMINDER]


def test_who_joins_later_is_told_only_when_the_promoter_ticked_it(world: World) -> None:
    world.says("alice", Status.LOOKING)
    call(world)
    world.says("erik", Status.LOOKING)
    go(world, 21)
    assert told(world, "erik") == []


def test_late_joiners_are_told_at_the_start(world: World) -> None:
    world.says("alice", Status.LOOKING)
    call(world, include_late_joiners=True)
    go(world, 20, 45)
    world.says("erik", Status.LOOKING)
    world.says("goran", Status.AVAILABLE)
    go(world, 21)
    assert told(world, "erik") == [START]
    assert told(world, "goran") == [], "outside the audience"


def test_the_summary_does_not_name_who_is_in_quiet_hours_or_withdrew(called: World) -> None:
    go(called, 21)
    called.prefers("alice", quiet=QuietHours(time(20), time(23)))
    called.says("erik", Status.NOT_PLAYING)
    called.clock.move_to(at(21, 0, 30))
    in_voice(called, bob=ROOM)
    pump(called)
    summary = called.discord.texts[-1]
    assert "Franka" in summary
    assert "Alice" not in summary
    assert "Erik" not in summary
    assert {name: reason for name, (_, reason) in rows(called, "FOLLOWUP").items() if reason} == {
        "alice": Explanation(Reason.QUIET_HOURS),
        "erik": Explanation(Reason.NOT_PLAYING),
    }


def test_when_all_are_here_the_summary_says_so(called: World) -> None:
    called.clock.move_to(at(21))
    in_voice(called, alice=ROOM, bob=ROOM, erik=ROOM, franka=ROOM)
    pump(called)
    go(called, 21, 0, 30)
    assert [readable(text) for text in called.discord.texts] == [
        "Game night is on – 4 of 4 in voice at 21:00.\nEverybody is here. Have fun!"
    ]


def test_a_dry_run_reaches_its_promoter_alone_and_uses_nothing_up(world: World) -> None:
    world.says("alice", Status.LOOKING)
    world.prefers("bob", called=False, quiet=QuietHours(time(0), time(23, 59)))
    call(world, dry_run=True)
    pump(world)
    assert [to.value for to, _, _ in world.discord.sent] == [world.discord_ids["bob"]] * 4
    assert all(text.startswith("[Dry run") for text in world.discord.texts)
    assert "couldn’t see" in world.discord.texts[-1] or "Game night is on" in world.discord.texts[-1]
    assert not rows(world, "T0")
    _, is_new = call(world, key="real")
    assert is_new


def test_preview_and_campaign_agree(world: World) -> None:
    for name, says in (("alice", Status.LOOKING), ("erik", Status.AVAILABLE), ("franka", Status.MAYBE)):
        world.says(name, says)
    audience = Audience(include_available=True)
    with world.session() as session:
        ahead = preview(
            session, audience, day=TODAY, start_at=at(21), settings=world.runtime.settings, now=world.clock.now()
        )
    campaign_id, _ = call(world, audience=audience)
    with world.session() as session:
        asked = queries.recipients_of(session, queries.get_campaign(session, campaign_id))
    assert {one.player_id for one in asked} == {one.player_id for one in ahead.asked}
