"""The Promote modal and its API: who would be asked, one campaign and never two, trying it out, and taking it back."""

from datetime import time, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from slomix.accounts import service as accounts
from slomix.accounts.models import User
from slomix.availability.rules import Status
from slomix.campaigns.models import Campaign, Recipient
from slomix.campaigns.rules import RISK_MONITOR
from slomix.contacts import service as contacts
from slomix.contacts.rules import ChannelName, QuietHours
from slomix.database import session as db
from slomix.deliveries.models import Delivery
from slomix.jobs.models import Job
from slomix.reasons.codes import Explanation, Reason
from tests.moments import TODAY, at
from tests.web.conftest import Browse, Browser, browser_of, make_app, nothing_stored, with_settings
from tests.web.reading import Element, read, roots
from tests.workers.pump import pump
from tests.world import CAST, World, build_world

API = "/api/availability/promotions"
KINDS = {"send_reminder_2045", "send_start_2100", "voice_check_2100"}
NO_BODY: dict[str, object] = {}


@pytest.fixture
def evening(world: World) -> World:
    """Erik and Franka look, Goran is available, Alice may play, Dora does not."""
    statuses = {"erik": "LOOKING", "franka": "LOOKING", "goran": "AVAILABLE", "alice": "MAYBE", "dora": "NOT_PLAYING"}
    for name, status in statuses.items():
        world.says(name, Status(status))
    return world


def count(world: World, table: type[db.Base]) -> int:
    with world.session() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def kinds(world: World, campaign: str) -> list[str]:
    """Of the jobs that it promises; the one that looks after them is counted among none of them."""
    with world.session() as session:
        query = (
            select(Job.kind).where(Job.subject == f"campaign:{campaign}", Job.kind != RISK_MONITOR).order_by(Job.kind)
        )
        return list(session.scalars(query))


def names_in(page: Element) -> set[str]:
    return {name for name in CAST if name.title() in page.words}


@pytest.mark.parametrize(
    ("ticks", "expected"),
    [
        ("", {"erik", "franka"}),
        ("include_available=on", {"erik", "franka", "goran"}),
        ("include_maybe=on", {"erik", "franka", "alice"}),
        ("include_available=on&include_maybe=on", {"erik", "franka", "goran", "alice"}),
    ],
)
def test_the_preview_asks_the_audience_that_is_ticked(
    evening: World, bob: Browser, ticks: str, expected: set[str]
) -> None:
    preview = bob.page(f"/promote/preview?{ticks}").by_id("preview")
    assert names_in(preview) == expected
    assert str(len(expected)) in preview.words.split()
    asked = bob.get(f"{API}/preview?{ticks}").get_json()
    assert asked["recipient_count"] == len(expected)
    assert asked["channels_summary"] == {"discord": len(expected)}
    assert {one["user_id"] for one in asked["recipients_preview"]} == {str(evening.players[name]) for name in expected}
    assert all(set(one) >= {"display_name", "status", "selected_channel"} for one in asked["recipients_preview"])


def leave_out(world: World) -> dict[str, str]:
    """Make four of six unreachable, each in another way; the names and the reasons."""
    for name in ("alice", "erik", "franka", "goran"):
        world.says(name, Status.LOOKING)
    world.prefers("alice", called=False)
    world.prefers("erik", quiet=QuietHours(time(20), time(8)))
    with world.session() as session:
        user = session.get_one(User, world.users["franka"])
        accounts.unlink_player(session, user, now=world.clock.now())
        contact = contacts.contacts_of(session, world.players["goran"])[ChannelName.DISCORD]
        contacts.apply_update(
            session,
            contacts.after_failure(
                contact.route, Explanation(Reason.DMS_CLOSED), is_permanent=True, now=world.clock.now()
            ),
        )
    return {"alice": "not opted in", "erik": "quiet hours", "franka": "not linked", "goran": "no working contact"}


def test_the_preview_says_who_is_left_out_and_why(world: World, bob: Browser) -> None:
    reasons = leave_out(world)
    world.says("bob", Status.LOOKING)
    said = {one["user_id"]: one["reason"] for one in bob.get(f"{API}/preview").get_json()["left_out"]}
    assert said == {str(world.players[name]): reason for name, reason in reasons.items()}
    preview = bob.page("/promote").by_id("preview")
    for name, reason in reasons.items():
        assert any(name.title() in one.words and reason in one.words for one in preview.all("li"))


def test_the_preview_tells_the_local_times_and_the_words(evening: World, bob: Browser) -> None:
    preview = bob.page("/promote").by_id("preview").words
    for words in ("20:45", "21:00", "21:00:30", "Game night starts at", "/preferences"):
        assert words in preview
    moved = bob.page("/promote/preview?start=22:15").by_id("preview").words
    for words in ("22:00", "22:15", "22:15:30"):
        assert words in moved


def test_the_preview_says_what_stands_against_it(evening: World, browse: Browse) -> None:
    assert "not a time" in browse("bob").page("/promote?start=soon").by_id("preview").words
    assert "60 minutes ago" in browse("bob").page("/promote?start=19:00").by_id("preview").words
    browse("bob").post("/campaigns", {"key": "k"})
    assert "already scheduled, by Bob" in browse("dora").page("/promote").by_id("preview").words


def test_looking_at_the_preview_stores_nothing(evening: World, bob: Browser) -> None:
    with nothing_stored(evening):
        for path in ("/promote", "/promote/preview?include_maybe=on", f"{API}/preview"):
            assert bob.get(path).status_code == 200


def test_creating_by_a_form_leads_back_to_the_board_and_its_card(evening: World, bob: Browser) -> None:
    answer = bob.post("/campaigns", {"key": "k", "start": "21:00", "include_available": "on"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/#campaign")
    page = bob.page("/")
    assert "3 players will be notified at 20:45" in page.by_id("flash").words
    card = page.by_id("campaign")
    for words in ("21:00", "Bob", "3", "scheduled", "Reminder", "20:45", "Voice check", "21:00:30"):
        assert words in card.words
    assert "Cancel campaign" in card.buttons
    assert "Promote" not in card.buttons


def test_creating_by_htmx_answers_with_the_modals_content(evening: World, bob: Browser) -> None:
    answer = bob.post("/campaigns", {"key": "k"}, htmx=True)
    assert answer.status_code == 200
    [root] = roots(read(answer.text))
    assert root.attributes["id"] == "promote"
    assert "2 players will be notified at 20:45" in root.words


def test_the_form_of_the_page_creates_as_it_stands(evening: World, bob: Browser) -> None:
    form = bob.page("/promote?include_maybe=on").by_id("promote")
    fields = {
        one.attributes["name"]: one.attributes.get("value", "on")
        for one in form.all("input", "button")
        if "name" in one.attributes
        if one.attributes.get("type") != "checkbox" or "checked" in one.attributes
    }
    assert {"csrf_token", "viewer", "key", "start", "include_maybe"} == set(fields)
    answer = bob.client.open(form.attributes["action"], method=form.attributes["method"].upper(), data=fields)
    assert answer.status_code == 303
    assert count(evening, Recipient) == 3


@pytest.mark.parametrize("htmx", [False, True], ids=["page", "htmx"])
def test_the_same_submit_twice_makes_one_campaign(evening: World, bob: Browser, htmx: bool) -> None:
    first = bob.post("/campaigns", {"key": "k"}, htmx=htmx)
    with nothing_stored(evening):
        second = bob.post("/campaigns", {"key": "k"}, htmx=htmx)
    assert first.status_code == second.status_code < 400
    assert count(evening, Campaign) == 1


def create(browser: Browser, body: dict[str, Any] | None = None, **headers: str) -> tuple[int, dict[str, Any]]:
    answer = browser.call("POST", f"{API}/campaigns", body or NO_BODY, **headers)
    return answer.status_code, answer.get_json(force=True)


def test_by_json_the_first_is_201_its_repeat_200_and_another_409(evening: World, bob: Browser) -> None:
    key = {"Idempotency-Key": "one"}
    status, first = create(bob, {"include_available": True}, **key)
    assert status == 201
    assert (first["status"], first["recipient_count"], first["dry_run"]) == ("scheduled", 3, False)
    assert first["scheduled_times"] == {
        "send_reminder_2045": at(20, 45).isoformat(),
        "send_start_2100": at(21).isoformat(),
        "voice_check_2100": at(21, 0, 30).isoformat(),
    }
    with nothing_stored(evening):
        assert create(bob, {"include_available": True}, **key) == (200, first)
        assert create(bob, {}, **{"Idempotency-Key": "two"})[0] == 409
        assert create(bob, {})[0] == 409


SPENT = {
    "cancelled": "cancelled",
    "another day": "before, for",
    "other choices": "other choices",
}


def spend(world: World, bob: Browser, why: str) -> dict[str, str]:
    """Use the key `k`, so that it no longer stands for what the returned form asks for."""
    form = {"key": "k", "start": "21:00", "include_available": "on"}
    if why == "other choices":
        create(bob, {}, **{"Idempotency-Key": "k"})
        return form
    campaign_id = create(bob, {"include_available": True}, **{"Idempotency-Key": "k"})[1]["campaign_id"]
    if why == "cancelled":
        bob.post(f"/campaigns/{campaign_id}/cancel")
    else:
        world.clock.move_to(at(20) + timedelta(days=1))
        world.says("erik", Status.LOOKING, TODAY + timedelta(days=1))
    return form


@pytest.mark.parametrize("why", SPENT)
def test_a_key_that_stands_for_something_else_is_spent(evening: World, bob: Browser, why: str) -> None:
    form = spend(evening, bob, why)
    with nothing_stored(evening):
        status, problem = create(bob, {"include_available": True, "start": "21:00"}, **{"Idempotency-Key": "k"})
        page, modal = bob.post("/campaigns", form), bob.post("/campaigns", form, htmx=True)
    assert status == 422
    assert SPENT[why] in problem["detail"]
    assert (page.status_code, modal.status_code) == (422, 200)
    for answer in (page, modal):
        again = read(answer.text).by_id("promote")
        assert SPENT[why] in again.by_id("promote-problem").words
        fields = {one.attributes["name"]: one.attributes for one in again.all("input") if "name" in one.attributes}
        assert fields["key"]["value"] not in {"", "k"}
        assert fields["start"]["value"] == "21:00"
        assert "checked" in fields["include_available"]
        assert "checked" not in fields["include_maybe"]


def test_the_form_that_comes_back_calls_together(evening: World, bob: Browser) -> None:
    again = read(bob.post("/campaigns", spend(evening, bob, "cancelled"), htmx=True).text)
    [key] = [one.attributes["value"] for one in again.all("input") if one.attributes.get("name") == "key"]
    assert "will be notified" in bob.post("/campaigns", {"key": key}, htmx=True).text
    assert "scheduled" in bob.page("/").by_id("campaign").words


def test_a_repeat_says_how_the_campaign_stands_now(evening: World, bob: Browser) -> None:
    bob.post("/campaigns", {"key": "k"})
    assert (
        "Already done: scheduled, 2 players will be notified." in bob.post("/campaigns", {"key": "k"}, htmx=True).text
    )
    evening.clock.move_to(at(20, 45))
    pump(evening)
    assert "Already done: under way, 2 players notified." in bob.post("/campaigns", {"key": "k"}, htmx=True).text
    bob.post("/campaigns", {"key": "k", "dry_run": "on"})
    pump(evening)
    assert "Already tried: sent" in bob.post("/campaigns", {"key": "k", "dry_run": "on"}, htmx=True).text


def test_a_key_is_its_promoters_own(evening: World, browse: Browse) -> None:
    assert create(browse("bob"), {}, **{"Idempotency-Key": "one"})[0] == 201
    assert create(browse("dora"), {}, **{"Idempotency-Key": "one"})[0] == 409


def test_each_campaign_has_exactly_one_job_of_each_kind(evening: World, bob: Browser) -> None:
    _, made = create(bob, {}, **{"Idempotency-Key": "one"})
    assert set(kinds(evening, made["campaign_id"])) == KINDS
    assert len(kinds(evening, made["campaign_id"])) == 3


def test_made_after_the_reminders_moment_the_reminder_is_skipped_and_says_so(evening: World, bob: Browser) -> None:
    evening.clock.move_to(at(20, 50))
    assert bob.post("/campaigns", {"key": "k"}).status_code == 303
    assert "skipped: too late" in bob.page("/").by_id("campaign").words


def test_a_start_of_ones_own_moves_everything(evening: World, bob: Browser) -> None:
    _, made = create(bob, {"start": "22:15"})
    assert made["scheduled_times"] == {
        "send_reminder_2045": at(22).isoformat(),
        "send_start_2100": at(22, 15).isoformat(),
        "voice_check_2100": at(22, 15, 30).isoformat(),
    }


@pytest.mark.parametrize("by_json", [False, True], ids=["form", "json"])
def test_a_dry_run_uses_nothing_up(evening: World, browse: Browse, by_json: bool) -> None:
    bob = browse("bob")
    if by_json:
        status, tried = create(bob, {"dry_run": True})
        assert (status, tried["dry_run"]) == (201, True)
        assert kinds(evening, tried["campaign_id"]) == ["dry_run"]
    else:
        assert bob.post("/campaigns", {"key": "try", "dry_run": "on"}).status_code == 303
        assert "Dry run" in bob.page("/").by_id("flash").words
    assert count(evening, Recipient) == 0
    assert count(evening, Delivery) == 0
    assert "Promote" in bob.page("/").buttons
    assert bob.get(f"{API}/campaign").get_json() == {"campaign": None}
    assert create(bob, {"dry_run": True})[0] == 429, "one at a time"
    assert create(browse("dora"))[0] == 201


def test_a_dry_run_is_its_promoters_own_business(evening: World, browse: Browse) -> None:
    _, tried = create(browse("bob"), {"dry_run": True})
    path = f"/campaigns/{tried['campaign_id']}"
    assert browse("bob").get(path).status_code == 200
    assert browse("dora").get(path).status_code == 404


@pytest.mark.parametrize("who", ["bob", "dora"])
@pytest.mark.parametrize("how", ["form", "htmx", "json"])
def test_its_promoter_or_an_admin_cancels_and_another_may_be_made(
    evening: World, browse: Browse, who: str, how: str
) -> None:
    _, made = create(browse("bob"))
    path, canceller = f"/campaigns/{made['campaign_id']}/cancel", browse(who)
    if how == "json":
        answer = canceller.call("POST", f"{API}{path}")
        assert answer.get_json() == {"id": made["campaign_id"], "status": "cancelled"}
    else:
        answer = canceller.post(path, htmx=how == "htmx")
        assert answer.status_code == (200 if how == "htmx" else 303)
    if how == "htmx":
        [root] = roots(read(answer.text))
        assert root.attributes["id"] == "campaign"
        assert "cancelled" in root.words
        assert "Promote" in root.buttons
    with evening.session() as session:
        waiting = select(func.count()).select_from(Job).where(Job.status == "pending")
        assert session.scalar(waiting) == 0
        assert set(session.scalars(select(Delivery.reason))) == {Explanation(Reason.WITHDRAWN)}
    assert canceller.call("POST", f"{API}{path}").status_code == 200
    assert create(browse("bob"))[0] == 201


def test_the_card_shows_reasons_and_counts_to_players_but_no_names(evening: World, browse: Browse) -> None:
    create(browse("bob"), {"include_available": True})
    evening.says("franka", Status.NOT_PLAYING)
    card = browse("alice").page("/").by_id("campaign").words
    assert "3 players will be notified" in card
    assert not {"Erik", "Franka", "Goran"} & set(card.replace(",", " ").split())


def test_promoting_switched_off_says_so(evening: World) -> None:
    world = with_settings(evening, promotion_enabled=False)
    bob = browser_of(make_app(world.runtime), world, "bob")
    with nothing_stored(world):
        assert "switched off" in bob.post("/campaigns", {"key": "k"}).text


def test_w1_a_campaign_is_really_created_on_a_real_database(committed: db.Database) -> None:
    """The predecessor answered 500 here: its start time was a text and the column a time, seen by no fake database."""
    world = build_world(committed)
    world.says("erik", Status.LOOKING)
    bob = browser_of(make_app(world.runtime), world, "bob")
    status, tried = create(bob, {"dry_run": True})
    assert status == 201, tried
    status, made = create(bob, {"start": "21:00"})
    assert status == 201, made
    with world.session() as session:
        campaign = session.get_one(Campaign, int(made["campaign_id"]))
        assert campaign.start_at == at(21)
        assert campaign.created_at == world.clock.now()
    assert set(kinds(world, made["campaign_id"])) == KINDS
    world.clock.forward(timedelta(minutes=1))
    assert bob.get(f"/campaigns/{made['campaign_id']}").status_code == 200
