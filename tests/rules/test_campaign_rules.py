"""When notices go out, who is asked, and what an evening came to."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from slomix.availability.rules import Status
from slomix.campaigns import rules
from slomix.campaigns.notices import calls
from slomix.campaigns.notices.calls import FOLLOW_UP, REMINDER, Facts, Links
from slomix.campaigns.notices.summary import SummaryFacts
from slomix.campaigns.notices.summary import text as summary_text
from slomix.campaigns.rules import Audience, CampaignStatus, NoticeOutcome, NoticeTimes, TooLate
from slomix.campaigns.states import STATE_NAMES
from slomix.campaigns.voice_rules import missing
from slomix.contacts.rules import ChannelName, ContactRoute, MessageKind, QuietHours, Reachability
from slomix.deliveries.formatting import DiscordStyle, PlainStyle, Style
from slomix.jobs.rules import JobStatus
from slomix.presence.rules import VoiceStatus
from slomix.reasons.codes import Reason
from tests.moments import LJUBLJANA, at

TIMES = NoticeTimes(reminder_lead=timedelta(minutes=15), voice_check_delay=timedelta(seconds=30))
START = at(21)
LINKS = Links("http://b/", "http://b/stop/of-this-reader", None)
ON_DISCORD = DiscordStyle()


def reach(player_id: int, **changes: object) -> Reachability:
    values: dict[str, object] = {
        "player_id": player_id,
        "discord_id": str(player_id),
        "has_left": False,
        "allows": frozenset({MessageKind.CAMPAIGNS}),
        "quiet_hours": None,
        "zone": LJUBLJANA,
        "all_routes": (ContactRoute(player_id, ChannelName.DISCORD),),
    }
    return Reachability(**(values | changes))  # type: ignore[arg-type]


def test_made_in_the_afternoon_everything_is_planned_for_its_moment() -> None:
    plan = rules.plan_timeline(START, at(17), TIMES)
    assert (plan.reminder.at, plan.reminder.skipped) == (at(20, 45), None)
    assert (plan.start.at, plan.start.deadline_at) == (at(21), at(21, 15))
    assert (plan.voice_check.at, plan.voice_check.deadline_at) == (at(21, 0, 30), at(21, 20, 30))
    assert plan.reminder.deadline_at == at(21), "after the start its words would be untrue"


@pytest.mark.parametrize(
    ("made_at", "reminder"), [(at(20, 44, 59), None), (at(20, 45), Reason.TOO_LATE), (at(20, 59, 55), Reason.TOO_LATE)]
)
def test_a_reminder_whose_moment_has_passed_is_skipped_with_its_reason(made_at: object, reminder: object) -> None:
    plan = rules.plan_timeline(START, made_at, TIMES)  # type: ignore[arg-type]
    assert plan.reminder.skipped == reminder
    assert plan.start.at == at(21), "the start is never moved forward"


def test_made_after_the_start_the_start_goes_out_now_and_says_when_it_began() -> None:
    plan = rules.plan_timeline(START, at(21, 40), TIMES)
    assert plan.start.at == at(21, 40)
    assert plan.start.deadline_at == at(21, 55)
    assert plan.began_at == at(21)
    assert plan.voice_check.at == at(21, 40, 30)
    assert "has begun" in calls.START.text(Facts(plan.began_at, plan.start.at, LINKS, ON_DISCORD))
    assert "starts now" in calls.START.text(Facts(at(21), at(21), LINKS, ON_DISCORD))


def test_an_hour_after_the_start_is_the_last_moment() -> None:
    assert rules.plan_timeline(START, at(22), TIMES).start.at == at(22)
    with pytest.raises(TooLate):
        rules.plan_timeline(START, at(22, 0, 1), TIMES)


@pytest.mark.parametrize(
    ("audience", "asked"),
    [
        (Audience(), [1]),
        (Audience(include_available=True), [1, 2]),
        (Audience(include_maybe=True), [1, 3]),
        (Audience(include_available=True, include_maybe=True), [1, 2, 3]),
    ],
)
def test_looking_is_always_asked_the_others_when_ticked(audience: Audience, asked: list[int]) -> None:
    statuses = {1: Status.LOOKING, 2: Status.AVAILABLE, 3: Status.MAYBE, 4: Status.NOT_PLAYING}
    chosen, left_out = rules.choose_recipients(statuses, {n: reach(n) for n in statuses}, audience, [START])
    assert [one.player_id for one in chosen] == asked
    assert left_out == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"allows": frozenset()}, Reason.NOT_OPTED_IN),
        ({"allows": frozenset(MessageKind) - {MessageKind.CAMPAIGNS}}, Reason.NOT_OPTED_IN),
        ({"discord_id": None}, Reason.NOT_LINKED),
        ({"has_left": True}, Reason.LEFT_OUR_SERVER),
        ({"all_routes": ()}, Reason.NO_WORKING_CONTACT),
        ({"all_routes": (ContactRoute(1, ChannelName.DISCORD, is_usable=False),)}, Reason.NO_WORKING_CONTACT),
        ({"quiet_hours": QuietHours(at(20).time(), at(23).time())}, None),
        ({"quiet_hours": QuietHours(at(19).astimezone(LJUBLJANA).time(), at(23).time())}, Reason.QUIET_HOURS),
    ],
)
def test_who_cannot_or_must_not_be_asked_is_left_out_with_the_reason(
    changes: dict[str, object], reason: str | None
) -> None:
    if reason is None:
        changes = {"quiet_hours": QuietHours(at(22).astimezone(LJUBLJANA).time(), at(8).astimezone(LJUBLJANA).time())}
    chosen, left_out = rules.choose_recipients({1: Status.LOOKING}, {1: reach(1, **changes)}, Audience(), [START])
    assert ([one.reason for one in left_out], len(chosen)) == (([reason], 0) if reason else ([], 1))


def test_who_would_get_one_of_two_notices_is_asked() -> None:
    quiet = QuietHours(at(20, 40).astimezone(LJUBLJANA).time(), at(20, 50).astimezone(LJUBLJANA).time())
    statuses, reaches = {1: Status.LOOKING}, {1: reach(1, quiet_hours=quiet)}
    chosen, _ = rules.choose_recipients(statuses, reaches, Audience(), [at(20, 45), at(21)])
    assert [one.player_id for one in chosen] == [1]


@pytest.mark.parametrize(
    ("phases", "jobs", "status"),
    [
        ({}, {}, CampaignStatus.SCHEDULED),
        ({}, {rules.REMINDER: "skipped"}, CampaignStatus.SCHEDULED),
        ({rules.REMINDER: NoticeOutcome(sent=2)}, {rules.REMINDER: "sent"}, CampaignStatus.RUNNING),
        ({}, {rules.START: "running"}, CampaignStatus.RUNNING),
        ({rules.START: NoticeOutcome(sent=2)}, {rules.START: "sent"}, CampaignStatus.SENT),
        ({}, {rules.START: "skipped"}, CampaignStatus.SENT),
        ({rules.START: NoticeOutcome(sent=2, failed=1)}, {rules.START: "sent"}, CampaignStatus.PARTIAL),
        ({rules.START: NoticeOutcome(sent=2, unknown=1)}, {rules.START: "sent"}, CampaignStatus.PARTIAL),
        ({rules.START: NoticeOutcome(failed=2)}, {rules.START: "failed"}, CampaignStatus.FAILED),
        (
            {rules.START: NoticeOutcome(sent=2), rules.VOICE_CHECK: NoticeOutcome(sent=1)},
            {rules.START: "sent", rules.VOICE_CHECK: "sent"},
            CampaignStatus.FOLLOWUP_SENT,
        ),
        (
            {rules.START: NoticeOutcome(sent=2)},
            {rules.START: "sent", rules.VOICE_CHECK: "sent"},
            CampaignStatus.SENT,
        ),
        (
            {rules.REMINDER: NoticeOutcome(failed=1), rules.START: NoticeOutcome(sent=1)},
            {rules.START: "sent", rules.VOICE_CHECK: "sent"},
            CampaignStatus.PARTIAL,
        ),
        (
            {rules.START: NoticeOutcome(sent=2)},
            {rules.START: "sent", rules.VOICE_CHECK: "failed"},
            CampaignStatus.PARTIAL,
        ),
        (
            {rules.START: NoticeOutcome(failed=2)},
            {rules.START: "failed", rules.VOICE_CHECK: "sent"},
            CampaignStatus.FAILED,
        ),
    ],
)
def test_a_later_phase_never_hides_an_earlier_failure(
    phases: dict[str, NoticeOutcome], jobs: dict[str, str], status: CampaignStatus
) -> None:
    assert rules.overall_status(phases, {kind: JobStatus(value) for kind, value in jobs.items()}) is status


def test_nobody_is_called_missing_on_a_guess() -> None:
    found = {1: VoiceStatus.MISSING, 2: VoiceStatus.UNKNOWN, 3: VoiceStatus.HERE, 4: VoiceStatus.ELSEWHERE}
    assert missing(found) == [1]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (Status.LOOKING, None),
        (Status.AVAILABLE, None),
        (Status.MAYBE, None),
        (Status.NOT_PLAYING, Reason.NOT_PLAYING),
        (None, Reason.STATUS_CLEARED),
    ],
)
def test_a_change_among_three_statuses_keeps_a_recipient(status: Status | None, reason: str | None) -> None:
    assert rules.withdrawal_reason(status) == reason


@pytest.mark.parametrize(
    ("status", "phases", "jobs", "state"),
    [
        (CampaignStatus.FAILED, {}, {}, "unreached"),
        (CampaignStatus.PARTIAL, {rules.START: NoticeOutcome(sent=1, failed=1)}, {}, "partial"),
        (CampaignStatus.PARTIAL, {rules.START: NoticeOutcome(sent=5)}, {rules.VOICE_CHECK: "failed"}, "check_failed"),
        (
            CampaignStatus.PARTIAL,
            {rules.SUMMARY: NoticeOutcome(failed=1)},
            {rules.VOICE_CHECK: "sent"},
            "summary_failed",
        ),
        (
            CampaignStatus.PARTIAL,
            {rules.REMINDER: NoticeOutcome(unknown=1)},
            {rules.VOICE_CHECK: "failed"},
            "partial",
        ),
        (CampaignStatus.SENT, {}, {}, "called"),
        (CampaignStatus.CANCELLED, {}, {}, "cancelled"),
    ],
)
def test_what_did_not_go_well_is_named_after_its_cause(
    status: CampaignStatus, phases: dict[str, NoticeOutcome], jobs: dict[str, str], state: str
) -> None:
    found = {kind: JobStatus(value) for kind, value in jobs.items()}
    assert rules.state_of(status, phases, found, is_dry_run=False, is_past=False) == state


def test_every_state_of_every_status_has_a_word() -> None:
    states = {
        rules.state_of(status, {}, {}, is_dry_run=is_dry_run, is_past=is_past)
        for status in CampaignStatus
        for is_dry_run in (False, True)
        for is_past in (False, True)
    }
    assert {state.value for state in {*states, *rules.CampaignState}} <= set(STATE_NAMES)


def facts(**changes: object) -> SummaryFacts:
    values: dict[str, object] = {
        "here": 4,
        "asked": 6,
        "as_of": at(21),
        "awaited": ["Erik", "Goran"],
        "followups_sent": 1,
        "followups_tried": 2,
        "presence_known": True,
        "with_names": True,
    }
    return SummaryFacts(**(values | changes))  # type: ignore[arg-type]


def test_the_summary_says_who_is_awaited_how_many_are_here_and_the_follow_ups() -> None:
    assert summary_text(facts()).splitlines() == [
        f"Game night is on – 4 of 6 in voice at <t:{at(21).timestamp():.0f}:t>.",
        "Waiting for: Erik, Goran",
        "follow-up 1/2",
    ]


def test_the_summary_without_names_counts_and_without_presence_accuses_nobody() -> None:
    assert "Erik" not in summary_text(facts(with_names=False))
    unknown = summary_text(facts(presence_known=False))
    assert "Erik" not in unknown
    assert "couldn’t see" in unknown


def test_the_summary_when_all_are_here() -> None:
    text = summary_text(facts(here=6, awaited=[], followups_sent=0, followups_tried=0))
    assert "Everybody is here" in text
    assert "follow-up" not in text


def test_once_it_is_final_the_summary_says_who_came_and_awaits_nobody() -> None:
    assert summary_text(facts(as_of=None)) == "Game night: 4 of 6 came to voice."
    assert summary_text(facts(as_of=None, on_server=["Erik"])).splitlines()[1] == "On the server, not in voice: Erik"


@pytest.mark.parametrize(
    ("is_called_off", "says"),
    [
        (True, "Nobody is left for tonight."),
        (False, "None of tonight’s messages arrived, so nobody was notified."),
    ],
)
def test_where_nobody_was_told_nobody_is_counted(is_called_off: bool, says: str) -> None:
    assert summary_text(facts(here=0, asked=0, awaited=[], is_called_off=is_called_off)) == says


def test_names_mention_nobody_format_nothing_and_sixty_of_them_fit() -> None:
    hostile = ["@everyone", "<@&123>", "**bold**", "`code`", "x" * 500, "^1Red^7Name"]
    text = summary_text(facts(awaited=hostile + [f"player {number}" for number in range(60)]))
    assert len(text) < 2000
    assert "@everyone" not in text
    assert "<@&" not in text
    assert "**" not in text
    assert "RedName" in text
    assert "and 46 more" in text


def every_message(style: Style, links: Links = LINKS) -> list[str]:
    return [
        REMINDER.text(Facts(START, at(20, 45), links, style)),
        calls.START.text(Facts(START, START, links, style)),
        calls.START.text(Facts(START, at(21, 10), links, style)),
        FOLLOW_UP.text(Facts(START, START, links, style)),
    ]


@pytest.mark.parametrize("style", [ON_DISCORD, PlainStyle(LJUBLJANA, at(20, 45))])
def test_no_message_names_a_zone_and_every_one_says_how_to_stop_it(style: Style) -> None:
    for text in every_message(style):
        assert "CET" not in text
        assert "http://b/stop/of-this-reader" in text, "the reader's own link, for which nobody has to log in"


def test_on_discord_times_are_timestamps_that_everybody_sees_in_their_own_zone() -> None:
    assert f"<t:{int(START.timestamp())}:t>" in REMINDER.text(Facts(START, at(20, 45), LINKS, ON_DISCORD))
    assert f"<t:{int(START.timestamp())}:R>" in REMINDER.text(Facts(START, at(20, 45), LINKS, ON_DISCORD))
    assert f"<t:{int(START.timestamp())}:t>" in calls.START.text(Facts(START, at(21, 10), LINKS, ON_DISCORD))
    assert all("<http://b/stop/of-this-reader>" in text for text in every_message(ON_DISCORD)), (
        "without a picture of it"
    )


@pytest.mark.parametrize(
    ("zone", "now", "hour", "countdown"),
    [
        (LJUBLJANA, at(20, 45), "21:00", "in 15 minutes"),
        (ZoneInfo("Europe/London"), at(20, 45), "20:00", "in 15 minutes"),
        (LJUBLJANA, at(20, 58, 40), "21:00", "in a minute"),
        (LJUBLJANA, at(20, 59, 55), "21:00", "in a minute"),
    ],
)
def test_where_there_is_only_text_times_are_those_of_the_readers_own_clock(
    zone: ZoneInfo, now: datetime, hour: str, countdown: str
) -> None:
    text = REMINDER.text(Facts(START, at(20, 45), LINKS, PlainStyle(zone, now)))
    assert hour in text
    assert countdown in text
    assert all("<" not in text for text in every_message(PlainStyle(zone, now))), "nothing that only Discord can read"


def test_the_voice_room_is_named_by_what_calls_people_together() -> None:
    links = replace(LINKS, voice_room="https://discord.com/channels/1/2")
    reminder, *calls = every_message(ON_DISCORD, links)
    assert "channels/1/2" not in reminder
    assert all("https://discord.com/channels/1/2" in text for text in calls)
