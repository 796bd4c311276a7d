"""Try again: who may, what is offered and when, and that two people who press it send one message."""

import pytest
from sqlalchemy import select, update

from slomix.accounts import roles
from slomix.accounts.rules import Role
from slomix.availability.rules import Status
from slomix.channels.base import SendError
from slomix.deliveries.models import Delivery
from slomix.deliveries.rules import DeliveryStatus
from slomix.reasons.codes import Reason
from tests.moments import at
from tests.steps import call, cancel
from tests.web.conftest import OURS, Browse, Browser, is_page, is_problem, lands, nothing_stored
from tests.web.reading import read, roots
from tests.web.steps import settle
from tests.workers.pump import pump
from tests.world import World

API = "/api/availability/promotions"
WHO = [(None, 401), ("charlie", 403), ("alice", 403), ("goran", 404), ("bob", 200), ("dora", 200)]


@pytest.fixture
def campaign(world: World) -> str:
    """Bob has called Erik and Franka, and the reminders failed."""
    with world.session() as session:
        roles.grant(session, world.discord_ids["goran"], Role.PROMOTER, actor=None, now=world.clock.now())
    world.says("erik", Status.LOOKING)
    world.says("franka", Status.LOOKING)
    made = str(call(world)[0])
    world.clock.move_to(at(20, 50))
    settle(world, "failed")
    return made


def states(world: World) -> list[str]:
    with world.session() as session:
        query = select(Delivery.status).where(Delivery.notice == "send_reminder_2045").order_by(Delivery.id)
        return [one.value for one in session.scalars(query)]


@pytest.mark.parametrize(("who", "status"), WHO)
@pytest.mark.parametrize("how", ["page", "htmx", "json"])
def test_its_promoter_and_admins_may_and_nobody_else(
    world: World, campaign: str, browse: Browse, who: str | None, status: int, how: str
) -> None:
    browser = browse(who)
    if how == "json":
        answer = browser.call("POST", f"{API}/campaigns/{campaign}/retry", {})
    else:
        answer = browser.post(f"/campaigns/{campaign}/retry", htmx=how == "htmx")
    if status != 200:
        assert answer.status_code == status
        assert states(world) == ["failed", "failed"]
        return
    assert states(world) == ["pending", "pending"]
    if how == "json":
        assert answer.get_json() == {"id": campaign, "retried": 2}
    elif how == "htmx":
        [root] = roots(read(answer.text))
        assert root.attributes["id"] == "campaign"
    else:
        assert lands(answer) == f"/campaigns/{campaign}"
        assert "2 messages go out again." in browser.page(f"/campaigns/{campaign}").by_id("flash").words


def test_the_card_offers_it_to_them_alone_and_while_it_is_in_time(world: World, campaign: str, browse: Browse) -> None:
    for who, is_offered in (("bob", True), ("dora", True), ("goran", False), ("alice", False), (None, False)):
        assert browse(who).page("/").by_id("campaign").has_id("retry") is is_offered, who
    assert "Retry 2 failed messages" in browse("bob").page("/").by_id("campaign").buttons
    world.clock.move_to(at(21))
    assert not browse("bob").page("/").by_id("campaign").has_id("retry"), "a reminder after the start is none"


def test_the_buttons_forms_do_what_they_say_without_scripts(world: World, campaign: str, bob: Browser) -> None:
    one, _ = settle(world, "failed")
    row = bob.page(f"/campaigns/{campaign}").by_id(f"retry-{one}")
    fields = {field.attributes["name"]: field.attributes["value"] for field in row.all("input")}
    assert bob.client.post(row.attributes["action"], data=fields).status_code == 303
    assert states(world) == ["pending", "failed"]
    assert "One message goes out again." in bob.page("/").by_id("flash").words


def test_what_may_have_arrived_has_a_button_of_its_own_that_says_so(world: World, campaign: str, bob: Browser) -> None:
    settle(world, "sent")
    [one] = settle(world, "unknown", most=1)
    card = bob.page("/").by_id("campaign")
    assert not card.has_id("retry")
    assert "It may have arrived already, and would then arrive twice." in card.words
    again = card.by_id("retry-unknown")
    assert "arrive twice" in again.attributes["hx-confirm"]
    assert bob.page(f"/campaigns/{campaign}").has_id(f"retry-unknown-{one}")
    with nothing_stored(world):
        is_page(bob.post(f"/campaigns/{campaign}/retry"), 409)
        is_page(bob.post(f"/campaigns/{campaign}/retry", {"delivery": str(one)}), 409)
    fields = {field.attributes["name"]: field.attributes["value"] for field in again.all("input")}
    assert "arrive twice" in read(bob.client.post(again.attributes["action"], data=fields).text).by_id("main").words
    assert bob.client.post(again.attributes["action"], data=fields | {"confirmed": "on"}).status_code == 303
    assert states(world) == ["pending", "sent"]


def test_pressed_twice_the_second_is_a_sentence_and_changes_nothing(
    world: World, campaign: str, browse: Browse
) -> None:
    bob, dora = browse("bob"), browse("dora")
    assert bob.post(f"/campaigns/{campaign}/retry").status_code == 303
    with nothing_stored(world):
        assert "Nothing to retry" in is_page(dora.post(f"/campaigns/{campaign}/retry"), 409)
        answer = dora.call("POST", f"{API}/campaigns/{campaign}/retry", {"unknown": False})
        assert "Nothing to retry" in is_problem(answer, 409)


def test_a_cancelled_campaign_stays_cancelled(world: World, campaign: str, bob: Browser) -> None:
    cancel(world, int(campaign))
    with nothing_stored(world):
        assert "is cancelled" in is_page(bob.post(f"/campaigns/{campaign}/retry"), 409)
    assert not bob.page(f"/campaigns/{campaign}").has_id("retry")


@pytest.mark.parametrize("delivery", ["0", "-1", "x", "9" * 30, "٣"])
def test_no_delivery_is_no_retry(world: World, campaign: str, bob: Browser, delivery: str) -> None:
    with nothing_stored(world):
        is_page(bob.post(f"/campaigns/{campaign}/retry", {"delivery": delivery}), 409)


def test_a_message_of_another_campaign_is_not_reached_through_this_one(
    world: World, campaign: str, bob: Browser
) -> None:
    [one, _] = settle(world, "failed")
    with world.session() as session:
        session.execute(update(Delivery).where(Delivery.id == one).values(subject="campaign:999"))
    with nothing_stored(world):
        is_page(bob.post(f"/campaigns/{campaign}/retry", {"delivery": str(one)}), 409)


def test_a_flag_is_a_flag(world: World, campaign: str, bob: Browser) -> None:
    with nothing_stored(world):
        is_problem(bob.call("POST", f"{API}/campaigns/{campaign}/retry", {"unknown": "on"}), 422)
        answer = bob.client.post(f"{API}/campaigns/{campaign}/retry", data=b"[]", headers=OURS)
        is_problem(answer, 400)


def test_each_row_tells_how_often_it_was_tried_and_what_it_met(world: World, bob: Browser) -> None:
    world.says("erik", Status.LOOKING)
    made = call(world)[0]
    world.clock.move_to(at(20, 45, 10))
    world.discord.answers = [SendError(Reason.DISCORD_ANSWERED, "500")]
    pump(world)
    row = next(one for one in bob.page(f"/campaigns/{made}").all("tr") if "Reminder" in one.words)
    assert "1 attempt" in row.words
    world.clock.move_to(at(20, 46))
    pump(world)
    row = next(one for one in bob.page(f"/campaigns/{made}").all("tr") if "Reminder" in one.words)
    assert "2 attempts · 20:45:10 : Discord answered 500" in row.words
    with world.session() as session:
        assert session.scalars(select(Delivery.status).where(Delivery.notice == "send_reminder_2045")).one() is (
            DeliveryStatus.SENT
        )
