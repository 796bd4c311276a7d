"""Tonight at a glance: one sentence that is true, what it rests on, and no more than admins may see."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from slomix.availability.rules import Status
from slomix.clock import wall_now
from slomix.deliveries import pausing
from slomix.deliveries.models import Delivery
from slomix.evening.models import EveningEvent, EveningMessage
from slomix.health import service as health
from slomix.jobs.models import Job
from slomix.presence import service as presence
from slomix.reasons.codes import Explanation, Reason
from tests.moments import TODAY, at
from tests.steps import call
from tests.steps import cancel as cancel_campaign
from tests.web.conftest import Browse, Browser, browser_of, make_app, with_settings
from tests.web.reading import read, roots
from tests.world import World

PATH = "/admin/tonight"


@pytest.fixture(autouse=True)
def alive(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything runs; Redis is not asked, it may not be there."""
    monkeypatch.setattr("slomix.health.nudging.send_trial_nudge", lambda _client: None)
    with world.session() as session:
        for part in ("scheduler", "worker", "inbox"):
            health.record_heartbeat(session, part, "here/1", wall=wall_now())
        presence.record_voice(session, {}, now=world.clock.now())


def verdict(browser: Browser) -> str:
    [said] = [one for one in browser.page(PATH).by_id("tonight").all("p") if one.attributes.get("class") == "says"]
    return said.words


def called(world: World) -> int:
    for name in ("alice", "erik"):
        world.says(name, Status.LOOKING)
    return call(world)[0]


@pytest.mark.parametrize(("who", "status"), [(None, 401), ("charlie", 403), ("alice", 403), ("bob", 403)])
@pytest.mark.parametrize("path", [PATH, f"{PATH}/live", "/admin/jobs", "/admin/ledger", "/admin/ledger/1"])
def test_only_admins_look(browse: Browse, who: str | None, status: int, path: str) -> None:
    assert browse(who).get(path).status_code == status


def test_with_nobody_called_it_says_so_and_that_all_is_well(dora: Browser) -> None:
    assert verdict(dora) == "All is well. No game night called yet."
    page = dora.page(PATH).by_id("tonight").words
    for said in ("Nothing overdue", "Nothing is planned.", "None so far.", "Messages go out"):
        assert said in page
    assert "The planning room isn’t open." in page


def test_a_campaign_stands_there_with_its_phases_and_counts(world: World, dora: Browser) -> None:
    made = called(world)
    assert verdict(dora) == "All is well: 2 players will be notified at 21:00."
    page = dora.page(PATH).by_id("tonight")
    assert any(one.startswith("Game night at 21:00") for one in page.headings)
    assert "Reminder 20:45 planned planned 2" in page.words
    links = {link.attributes["href"] for link in page.all("a")}
    assert {f"/campaigns/{made}", f"/admin/ledger?campaign={made}"} <= links
    assert "20:35 : watches a campaign" in page.words
    world.clock.move_to(at(21, 5))
    with world.session() as session:
        session.execute(update(Job).values(status="sent", finished_at=world.clock.now()))
        session.execute(update(Delivery).values(status="sent", text="Come!", settled_at=world.clock.now()))
    assert verdict(dora) == "All is well: tonight began at 21:00."


def came_of(world: World, status: str, *, voice_check: str = "sent") -> None:
    """All messages of tonight came to this, and so did the voice check."""
    world.clock.move_to(at(21, 5))
    now, error = world.clock.now(), Explanation(Reason.DISCORD_ANSWERED, "500")
    with world.session() as session:
        session.execute(update(Job).values(status="failed" if status == "failed" else "sent", finished_at=now))
        check = update(Job).where(Job.kind == "voice_check_2100")
        session.execute(check.values(status=voice_check, last_error=error if voice_check == "failed" else None))
        values = {"status": status, "text": "Come!", "settled_at": now, "reason": None if status == "sent" else error}
        session.execute(update(Delivery).values(**values))


def test_where_nobody_was_told_it_is_not_well(world: World, dora: Browser) -> None:
    called(world)
    came_of(world, "failed")
    assert verdict(dora) == "Nobody was notified: 4 messages failed (Discord answered 500)."
    assert "is-ill" in dora.page(PATH).by_id("tonight").all("section")[0].attributes["class"]


def test_a_voice_check_that_failed_is_not_well(world: World, dora: Browser) -> None:
    called(world)
    came_of(world, "sent", voice_check="failed")
    assert verdict(dora) == "The voice check failed, so nobody was nudged."
    assert "is-partly" in dora.page(PATH).by_id("tonight").all("section")[0].attributes["class"]
    assert "voice check failed" in dora.page(PATH).by_id("tonight").words


def test_where_nobody_is_left_tonight_has_not_begun(world: World, dora: Browser) -> None:
    called(world)
    came_of(world, "skipped")
    assert verdict(dora) == "Nobody is left to notify tonight."


def test_a_cancelled_one_is_shown_and_calls_nobody(world: World, dora: Browser) -> None:
    cancel_campaign(world, called(world))
    assert verdict(dora) == "All is well. No game night called yet."
    assert "cancelled" in dora.page(PATH).by_id("tonight").words


def test_what_is_wrong_is_said_first_with_what_helps(world: World, dora: Browser) -> None:
    called(world)
    with world.session() as session:
        health.clear_heartbeats(session)
        health.record_heartbeat(session, "scheduler", "here/1", wall=wall_now())
        pausing.pause(session, by=str(world.users["dora"]), now=at(20, 31))
    assert verdict(dora) == "Tonight is at risk: sending is paused."
    page = dora.page(PATH).by_id("tonight").words
    assert "Resume sending on the overview." in page
    assert "Restart a worker" in page
    assert "Worker Was never seen" in page
    assert "Paused since 20:31, by Dora" in page


def test_one_of_several_that_is_missing_is_named_and_puts_nothing_at_risk(world: World, dora: Browser) -> None:
    with world.session() as session:
        health.record_heartbeat(session, "worker", "there/worker.2", wall=wall_now() - timedelta(minutes=1))
    assert verdict(dora) == "All is well. No game night called yet."
    assert "1 of 2 processes silent: there/worker.2" in dora.page(PATH).by_id("tonight").words


def test_a_process_that_was_taken_away_is_dismissed_with_one_click(world: World, dora: Browser, browse: Browse) -> None:
    with world.session() as session:
        health.record_heartbeat(session, "worker", "there/worker.2", wall=wall_now() - timedelta(minutes=1))
    assert "Dismiss there/worker.2" in dora.page(PATH).by_id("tonight").words
    fields = {"part": "worker", "copy": "there/worker.2"}
    assert browse("bob").post(f"{PATH}/dismiss", fields).status_code == 403
    assert dora.post(f"{PATH}/dismiss", fields).status_code == 303
    page = dora.page(PATH).words
    assert "there/worker.2 isn’t missed any more." in page
    assert "silent" not in dora.page(PATH).by_id("tonight").words
    assert dora.post(f"{PATH}/dismiss", {"part": "worker", "copy": "here/1"}).status_code == 303
    assert "here/1 isn’t silent" in dora.page(PATH).words


def test_late_messages_are_counted_and_lead_to_their_jobs(world: World, dora: Browser) -> None:
    called(world)
    world.clock.move_to(at(20, 46, 30))
    assert verdict(dora) == "Tonight is at risk: some messages are more than a minute late."
    page = dora.page(PATH).by_id("tonight")
    assert "the oldest due 20:35" in page.words
    assert "/admin/jobs?late=on" in {link.attributes["href"] for link in page.all("a")}


def test_messages_that_did_not_arrive_are_never_called_well(world: World, dora: Browser) -> None:
    called(world)
    with world.session() as session:
        one = session.scalars(select(Delivery.id).order_by(Delivery.id)).first()
        session.execute(
            update(Delivery)
            .where(Delivery.id == one)
            .values(status="failed", reason=Explanation(Reason.OTHER, "it broke"))
        )
    assert verdict(dora) == "Everything runs, but 1 of today’s messages may not have arrived."


def test_old_presence_and_broken_channels_are_seen(world: World, dora: Browser) -> None:
    world.clock.move_to(at(20, 40))
    assert "Last seen 10 min ago: too old to use" in dora.page(PATH).by_id("tonight").words


def test_what_changes_comes_alone_and_unchanged_it_is_not_sent_again(world: World, dora: Browser) -> None:
    first = dora.get(f"{PATH}/live", htmx=True)
    [root] = roots(read(first.text))
    assert root.attributes["id"] == "tonight"
    assert root.attributes["data-live"] == f"{PATH}/live"
    again = dora.get(f"{PATH}/live", htmx=True, **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    called(world)
    changed = dora.get(f"{PATH}/live", htmx=True, **{"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200


def test_the_tab_stands_there_for_admins(app: Flask, dora: Browser) -> None:
    tabs = [link.words for link in dora.page("/admin").all("nav")[-1].all("a")]
    assert tabs[:4] == ["Overview", "Tonight", "Jobs", "Ledger"]


def test_promoters_see_the_risk_on_the_card_and_players_do_not(world: World, browse: Browse) -> None:
    called(world)
    world.clock.move_to(at(20, 40))
    with world.session() as session:
        health.clear_heartbeats(session)
    said = "Problem: the scheduler is silent, so nothing new starts; no worker is there to send messages"
    assert said in browse("bob").page("/").by_id("campaign").words
    assert "What helps" in browse("dora").page("/").by_id("campaign").words
    for who in ("alice", None):
        assert "may go wrong" not in browse(who).page("/").by_id("campaign").words
    world.clock.move_to(at(20, 34))
    assert "may go wrong" not in browse("bob").page("/").by_id("campaign").words, "the evening is not near"


def test_a_silent_inbox_is_shown_and_puts_no_evening_at_risk(world: World, dora: Browser) -> None:
    with world.session() as session:
        health.clear_heartbeats(session)
        for part in ("scheduler", "worker", "discord"):
            health.record_heartbeat(session, part, "here/1", wall=wall_now())
    assert verdict(dora) == "All is well. No game night called yet."
    assert "Inbox Was never seen" in dora.page(PATH).by_id("tonight").words


# The evening's message


def messages_line(browser: Browser) -> str:
    """What is said of it, after its name."""
    words = browser.page(PATH).by_id("tonight").words
    return words.split("Evening’s message ")[1].split(" Late ")[0]


def test_without_its_switch_nothing_is_said_of_the_evenings_message(dora: Browser) -> None:
    assert "Evening’s message" not in dora.page(PATH).by_id("tonight").words


def test_the_evenings_message_is_there_or_says_why_not(world: World) -> None:
    switched = with_settings(world, evening_message_enabled=True, announce_channel_id="900000000000000004")
    dora = browser_of(make_app(switched.runtime), world, "dora")
    assert messages_line(dora) == "Comes with 3 players looking, or a campaign"
    row = EveningMessage(day=TODAY, room="900000000000000004", mark="m" * 20, is_second=False)
    row.problem = Explanation(Reason.DISCORD_SAID, "Missing Permissions (50013)")
    row.held_until = wall_now() + timedelta(minutes=9, seconds=50)
    with world.session() as session:
        session.add(row)
    assert messages_line(dora) == (
        "Comes with 3 players looking, or a campaign"
        " Not up to date: Discord: Missing Permissions (50013). Next attempt in 10 min."
    )
    with world.session() as session:
        session.execute(
            update(EveningMessage).values(
                message_id="7", posted_at=at(18, 5), problem=None, held_until=None, fingerprint="f"
            )
        )
    assert messages_line(dora) == "Posted 18:05"


def test_the_event_is_there_or_says_why_not(world: World) -> None:
    dora = browser_of(make_app(with_settings(world, scheduled_event_enabled=True).runtime), world, "dora")

    def line() -> str:
        return dora.page(PATH).by_id("tonight").words.split("Event on Discord ")[1].split(" Late ")[0]

    assert line() == "Comes with a campaign"
    row = EveningEvent(day=TODAY, campaign_id=1, mark="m" * 20, event_id="7", status=1)
    with world.session() as session:
        session.add(row)
    assert line() == "On the server"
    with world.session() as session:
        session.execute(update(EveningEvent).values(status=4, problem=Explanation(Reason.DISCORD_IS_BUSY)))
    assert line() == "No longer there Not up to date: Discord asks us to slow down (429)."
