"""The game nights so far: who may read of them, what is told, and that many cost no more than one."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import Connection, event, update

from slomix.accounts.models import User
from slomix.availability.rules import Status
from slomix.campaigns import history
from slomix.campaigns.models import Campaign, Recipient
from slomix.campaigns.rules import CampaignStatus
from slomix.deliveries.models import Delivery
from slomix.deliveries.rules import DeliveryStatus
from slomix.jobs.models import Job
from slomix.presence.rules import VoiceStatus
from slomix.privacy.unlinking import unlink_profile
from slomix.reasons.codes import Explanation, Reason
from tests.moments import TODAY, at
from tests.steps import call
from tests.web.conftest import Browse, Browser
from tests.world import World

ASKED = ("alice", "erik", "franka", "goran")


def over(world: World, *, came: tuple[str, ...], days_ago: int = 0) -> int:
    """Four were called, these came, and all went well; then so many days passed."""
    for name in ASKED:
        world.says(name, Status.LOOKING)
    campaign_id, _ = call(world, key=f"k{days_ago}")
    with world.session() as session:
        for name in ASKED:
            where = VoiceStatus.HERE if name in came else VoiceStatus.MISSING
            theirs = (Recipient.campaign_id == campaign_id) & (Recipient.player_id == world.players[name])
            session.execute(update(Recipient).where(theirs).values(whereabouts=where, came=name in came))
        session.execute(update(Job).values(status="sent", finished_at=at(21)))
        session.execute(update(Delivery).values(status="sent", text="Come!", settled_at=at(21)))
        day = TODAY - timedelta(days=days_ago)
        values = {"judged_at": at(21, 1), "status": CampaignStatus.FOLLOWUP_SENT, "day": day, "exclusive_on": day}
        values |= {"came": len(came), "counted": len(ASKED), "counted_at": at(21, 21)}
        session.execute(update(Campaign).where(Campaign.id == campaign_id).values(**values))
    return campaign_id


def nights(browser: Browser, path: str = "/campaigns") -> list[str]:
    return [one.words for one in browser.page(path).by_id("main").all("li")]


@pytest.mark.parametrize(
    ("who", "status"), [(None, 401), ("charlie", 403), ("alice", 200), ("bob", 200), ("dora", 200)]
)
def test_it_is_for_linked_players(world: World, browse: Browse, who: str | None, status: int) -> None:
    assert browse(who).get("/campaigns").status_code == status


def test_before_the_first_there_is_a_sentence(alice: Browser) -> None:
    page = alice.page("/campaigns")
    assert nights(alice) == []
    assert "Past game nights will show up here." in page.words


def test_an_evening_is_told_with_its_promoter_and_its_turn_out(world: World, alice: Browser) -> None:
    campaign_id = over(world, came=("alice", "erik"))
    [night] = nights(alice)
    assert night == "Friday 20 November 21:00 · Called by Bob · 4 players notified sent 2 of 4 came to voice."
    [link] = [one for one in alice.page("/campaigns").by_id("main").all("a") if one.words == "Friday 20 November"]
    assert link.attributes["href"] == f"/campaigns/{campaign_id}"
    assert alice.get(link.attributes["href"]).status_code == 200


def test_nothing_that_happens_later_changes_who_came(world: World, alice: Browser) -> None:
    over(world, came=("alice", "erik"))
    world.says("franka", Status.NOT_PLAYING)
    world.says("goran", None)
    with world.session() as session:
        unlink_profile(session, session.get_one(User, world.users["erik"]), today=TODAY, now=world.clock.now())
    assert "2 of 4 came to voice." in nights(alice)[0]
    assert "2 of 4 came to voice." in alice.page("/").by_id("campaign").words


def test_when_nobody_knows_no_number_is_told(world: World, alice: Browser) -> None:
    campaign_id = over(world, came=())
    with world.session() as session:
        session.execute(update(Campaign).values(came=None, counted=None, counted_at=None))
    assert "came to voice" not in nights(alice)[0]
    assert "came to voice" not in alice.page(f"/campaigns/{campaign_id}").by_id("campaign").words


def test_the_day_after_it_is_over(world: World, alice: Browser) -> None:
    campaign_id = over(world, came=("alice",), days_ago=1)
    assert "ended" in nights(alice)[0].split()
    card = alice.page(f"/campaigns/{campaign_id}").by_id("campaign")
    assert "Game night, Thursday 19 November" in card.headings
    assert "1 of 4 came to voice." in card.words
    assert "Promote" not in card.buttons


def test_a_failure_is_not_hidden_by_what_came_after(world: World, alice: Browser) -> None:
    over(world, came=("alice",))
    with world.session() as session:
        row = session.query(Delivery).order_by(Delivery.id).limit(1).one()
        row.status, row.reason = DeliveryStatus.FAILED, Explanation(Reason.DISCORD_ANSWERED, "500")
    assert "some not reached" in nights(alice)[0]
    assert "some not reached" in alice.page("/").by_id("campaign").words


def test_dry_runs_are_not_in_it_and_cancelled_ones_are(world: World, bob: Browser) -> None:
    world.says("erik", Status.LOOKING)
    call(world, key="try", dry_run=True)
    assert nights(bob) == []
    campaign_id = call(world)[0]
    bob.post(f"/campaigns/{campaign_id}/cancel")
    [night] = nights(bob)
    assert "cancelled" in night


@contextmanager
def counted(world: World) -> Iterator[list[str]]:
    """The statements that were made meanwhile."""
    made: list[str] = []

    def note(_connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith(("SELECT", "WITH")):
            made.append(statement)

    engine = world.runtime.database.engine
    event.listen(engine, "before_cursor_execute", note)
    yield made
    event.remove(engine, "before_cursor_execute", note)


def test_many_nights_are_two_queries_and_come_in_pages(
    world: World, alice: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "PAGE", 3)
    ids = [over(world, came=("alice",), days_ago=days) for days in range(7, 0, -1)]
    with world.session() as session, counted(world) as made:
        found, before = history.past_campaigns(session, world.runtime.settings.zone)
    assert [one.id for one in found] == ids[:-4:-1]
    assert before == ids[-3]
    assert len(made) == 2
    assert len(nights(alice)) == 3
    [older] = [one for one in alice.page("/campaigns").by_id("main").all("a") if one.words == "Older"]
    assert len(nights(alice, older.attributes["href"])) == 3
    assert len(nights(alice, f"/campaigns?before={ids[1]}")) == 1
    assert "none before that" in alice.page(f"/campaigns?before={ids[0]}").words


@pytest.mark.parametrize("before", ["x", "-1", "9" * 25, "9" * 400, "٣", ""])
def test_nonsense_in_the_address_is_no_page_of_its_own(world: World, alice: Browser, before: str) -> None:
    over(world, came=())
    assert len(nights(alice, f"/campaigns?before={before}")) == 1


def test_the_board_and_a_campaigns_page_lead_there(world: World, browse: Browse) -> None:
    campaign_id = over(world, came=())
    for path in ("/", f"/campaigns/{campaign_id}"):
        links = [one.attributes["href"] for one in browse("alice").page(path).by_id("main").all("a")]
        assert links.count("/campaigns") == 1, path
    for who, is_linked in (("alice", True), ("charlie", False), (None, False)):
        links = [one.attributes["href"] for one in browse(who).page("/").all("footer")[0].all("a")]
        assert links == (["/campaigns"] if is_linked else []) + ["/privacy"], who
