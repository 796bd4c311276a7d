"""What the card tells: each phase and why, who was told by another campaign, what stands in a promoter's way."""

from datetime import time, timedelta

import pytest

from slomix.accounts import roles
from slomix.accounts.rules import Role
from slomix.availability.rules import Status
from slomix.channels.base import SendError
from slomix.contacts.rules import ChannelName, QuietHours
from slomix.reasons.codes import Reason
from tests.configuration import ROOM, SUMMARY_ROOM
from tests.moments import at
from tests.steps import call, cancel
from tests.web.conftest import Browse, Browser, browser_of, make_app, with_settings
from tests.web.reading import Element, read
from tests.workers.pump import pump
from tests.workers.stage import in_voice
from tests.world import World

EVERYBODY = ("alice", "erik", "franka", "goran")
DMS_CLOSED = SendError(Reason.DMS_CLOSED, permanent=True)


@pytest.fixture
def called(world: World) -> int:
    """Bob has called these four, who are looking."""
    for name in EVERYBODY:
        world.says(name, Status.LOOKING)
    return call(world)[0]


def phase(browser: Browser, name: str) -> list[str]:
    """What the card says of one phase, line by line."""
    card = browser.page("/").by_id("campaign")
    [line] = [
        one for one in card.all("li") if one.attributes.get("class", "").startswith("phase") and name in one.words
    ]
    return [one.words for one in line.all("ul")[0].all("li")]


def test_reasons_are_counted_for_promoters_and_not_told_to_players(world: World, called: int, browse: Browse) -> None:
    world.prefers("alice", quiet=QuietHours(time(20, 50), time(23)))
    world.prefers("erik", quiet=QuietHours(time(20, 50), time(23)))
    world.clock.move_to(at(21))
    in_voice(world, franka=ROOM)
    pump(world)
    assert phase(browse("bob"), "Start") == ["1 sent", "3 skipped: quiet hours (2), already in voice (1)"]
    for who in ("alice", "charlie", None):
        assert phase(browse(who), "Start") == ["1 sent", "3 skipped"], who


def test_one_reason_for_all_needs_no_number_of_its_own(world: World, called: int, bob: Browser) -> None:
    world.clock.move_to(at(20, 45))
    world.discord.answers = [DMS_CLOSED, DMS_CLOSED]
    world.says("goran", None)
    pump(world)
    assert phase(bob, "Reminder") == ["1 sent", "1 skipped: cleared their status", f"2 failed: {DMS_CLOSED.reason}"]


def test_what_is_on_its_way_is_told_apart(world: World, called: int, bob: Browser) -> None:
    world.clock.move_to(at(20, 45))
    world.discord.answers = [SendError(Reason.DISCORD_ANSWERED, "500", retry_after=timedelta(minutes=5))]
    pump(world)
    assert phase(bob, "Reminder") == ["3 sent", "1 being retried"]


def test_who_was_told_by_an_earlier_campaign_is_told_so(world: World, called: int, browse: Browse) -> None:
    world.clock.move_to(at(20, 46))
    pump(world)
    cancel(world, called)
    second = call(world, key="again", start_at=at(21, 15))[0]
    world.clock.move_to(at(21))
    pump(world)
    for who in ("bob", "alice", None):
        assert phase(browse(who), "Reminder") == ["Sent by an earlier campaign: 4"], who
    card = browse("alice").page("/").by_id("campaign")
    assert f"/campaigns/{called}" in [one.attributes["href"] for one in card.all("a")]
    assert browse(None).page("/").by_id("campaign").all("a") == []
    rows = [one.words for one in browse("bob").page(f"/campaigns/{second}").all("tr")]
    assert sum(f"sent by campaign {called}" in one for one in rows) == 4
    first = browse("bob").page(f"/campaigns/{called}").by_id("campaign").words
    assert "Left to a later campaign: 4" in first
    assert "4 sent" in first


def evening(world: World, **rooms: str) -> None:
    world.clock.move_to(at(20, 45))
    pump(world)
    world.clock.move_to(at(21))
    pump(world)
    world.clock.move_to(at(21, 0, 30))
    in_voice(world, **rooms)
    pump(world)


def test_afterwards_it_speaks_of_the_evening(world: World, called: int, browse: Browse) -> None:
    evening(world, alice=ROOM, erik=ROOM)
    card = browse(None).page("/").by_id("campaign")
    assert "Game night at 21:00 sent" in card.words
    assert "2 of 4 in voice at 21:00." in card.words
    assert phase(browse(None), "Summary") == ["posted"]
    assert [to.value for to, _, _ in world.discord.sent].count(SUMMARY_ROOM) == 1


def test_before_anything_left_nobody_was_asked(world: World, called: int, browse: Browse) -> None:
    def asked(who: str = "alice") -> str:
        return browse(who).page("/").by_id("campaign").words

    assert "4 players will be notified" in asked()
    world.says("goran", Status.NOT_PLAYING)
    world.clock.move_to(at(20, 45))
    pump(world)
    assert "3 players notified" in asked()


def test_a_cancelled_campaign_that_told_nobody_asked_nobody(world: World, called: int, browse: Browse) -> None:
    cancel(world, called)
    for path in (f"/campaigns/{called}", "/campaigns"):
        assert "asked" not in browse("alice").page(path).by_id("main").words


def test_a_dry_run_is_no_game_night(world: World, bob: Browser) -> None:
    dry_run = call(world, dry_run=True)[0]
    pump(world)
    card = bob.page(f"/campaigns/{dry_run}").by_id("campaign")
    assert card.headings == ["Dry run for 21:00"]
    assert "asked" not in card.words


def test_a_campaign_that_reached_nobody_is_no_failure_of_the_night(world: World, called: int, browse: Browse) -> None:
    world.clock.move_to(at(21))
    world.discord.answers = [DMS_CLOSED] * len(EVERYBODY)
    pump(world)
    assert "nobody reached" in browse("bob").page("/").by_id("campaign").words
    player = browse("alice").page("/").by_id("tonight").words
    assert "nobody reached" not in player
    assert "Game night is on" not in player
    assert "no message has arrived" in player


def test_what_is_tried_again_keeps_its_moment_and_says_so(world: World, called: int, bob: Browser) -> None:
    world.clock.move_to(at(20, 45))
    world.discord.answers = [SendError(Reason.DISCORD_ANSWERED, "500")] * len(EVERYBODY)
    pump(world)
    assert phase(bob, "Reminder") == ["0 sent", "4 being retried"]
    [time] = [one.words for one in bob.page("/").by_id("campaign").all("time")][:1]
    assert time == "20:45"


def test_who_took_it_back_is_not_awaited(world: World, called: int, alice: Browser) -> None:
    world.says("goran", Status.NOT_PLAYING)
    evening(world, alice=ROOM, erik=ROOM, franka=ROOM)
    assert "3 of 3 in voice at 21:00." in alice.page("/").by_id("campaign").words


def test_a_summary_that_failed_says_why_to_promoters(world: World, called: int, browse: Browse) -> None:
    world.discord.answers = []
    world.clock.move_to(at(21))
    pump(world)
    world.clock.move_to(at(21, 0, 30))
    in_voice(world, **dict.fromkeys(EVERYBODY, ROOM))
    world.discord.answers = [SendError(Reason.DISCORD_SAID, "Missing Access (50001)", permanent=True)]
    pump(world)
    assert phase(browse("bob"), "Summary") == ["failed: Discord: Missing Access (50001)"]
    assert phase(browse("alice"), "Summary") == ["failed"]


def test_only_who_may_cancel_is_offered_it(world: World, called: int, browse: Browse) -> None:
    with world.session() as session:
        roles.grant(session, world.discord_ids["goran"], Role.PROMOTER, actor=None, now=world.clock.now())
    offered = {who: "Cancel campaign" in browse(who).page("/").buttons for who in ("bob", "dora", "goran", "alice")}
    assert offered == {"bob": True, "dora": True, "goran": False, "alice": False}


def submit(page: Element) -> Element:
    return page.by_id("promote-submit")


def test_with_a_campaign_in_the_way_only_a_dry_run_is_left(world: World, called: int, dora: Browser) -> None:
    for path in ("/promote", "/promote/preview"):
        assert "disabled" in submit(dora.page(path)).attributes, path
        assert "already scheduled, by Bob" in dora.page(path).words
        assert "disabled" not in submit(dora.page(f"{path}?start=21:00&dry_run=on")).attributes, path
    cancel(world, called)
    assert "disabled" not in submit(dora.page("/promote")).attributes


def test_the_button_comes_with_the_preview_out_of_band(world: World, called: int, dora: Browser) -> None:
    answer = read(dora.get("/promote/preview", htmx=True).text)
    assert answer.by_id("promote-actions").attributes["hx-swap-oob"] == "outerMorph"
    page = dora.page("/promote")
    assert "hx-swap-oob" not in page.by_id("promote-actions").attributes


def test_who_loses_the_race_has_their_modal_look_again(world: World, called: int, dora: Browser) -> None:
    answer = dora.post("/campaigns", {"key": "late"}, htmx=True)
    assert answer.status_code == 409
    assert answer.headers["HX-Trigger"] == "campaign-exists"
    assert "campaign-exists from:body" in dora.get("/promote", htmx=True).text


def test_without_the_cooldown_another_promoters_campaign_is_in_nobodys_way(world: World) -> None:
    free = with_settings(world, global_cooldown=False)
    free.says("erik", Status.LOOKING)
    call(free)
    app = make_app(free.runtime)
    assert "disabled" not in submit(browser_of(app, free, "dora").page("/promote")).attributes
    assert "disabled" in submit(browser_of(app, free, "bob").page("/promote")).attributes


def test_the_preview_says_status_channel_reason_zone_and_which_words_are_which(world: World, bob: Browser) -> None:
    world.says("erik", Status.LOOKING)
    world.says("goran", Status.LOOKING)
    world.prefers("goran", called=False)
    world.has("erik", ChannelName.TELEGRAM, "4711")
    preview = bob.page("/promote").by_id("preview")
    lines = [one.words for one in preview.all("li")]
    assert lines == ["Erik Looking, Telegram", "Goran Looking, not opted in"]
    assert "Ljubljana time" in preview.words
    assert preview.headings == ["Reminder", "Start", "Follow-up"]
