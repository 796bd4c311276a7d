"""A player's evenings in their own calendar: by a secret address, and nobody else's."""

from datetime import date, timedelta
from urllib.parse import urlsplit

import pytest
from icalendar import Calendar
from sqlalchemy import select

from slomix.accounts.models import User
from slomix.accounts.rules import Membership
from slomix.availability.models import CalendarFeed
from slomix.availability.rules import Status
from slomix.campaigns import service as calls
from slomix.privacy import unlinking
from tests.moments import TODAY, at
from tests.steps import call
from tests.web.conftest import Browse, Browser, is_page
from tests.world import World

TOMORROW = TODAY + timedelta(days=1)


def address(browser: Browser) -> str:
    """Make an address, and return its path."""
    assert browser.post("/preferences/calendar", {"confirmed": "on"}).status_code == 303
    return urlsplit(browser.page("/preferences/calendar").by_id("address").words).path


def events(browser: Browser, path: str) -> dict[str, tuple[date | None, str]]:
    """What a calendar reads: by its name, when each evening starts and how sure it is."""
    answer = browser.get(path)
    assert (answer.status_code, answer.mimetype) == (200, "text/calendar")
    calendar = Calendar.from_ical(answer.data)
    return {str(event["uid"]).partition("@")[0]: (event.DTSTART, str(event["status"])) for event in calendar.events}


def test_a_calendar_shows_ones_own_evenings_and_no_others(world: World, browse: Browse, anonymous: Browser) -> None:
    alice = browse("alice")
    world.says("alice", Status.LOOKING)
    world.says("alice", Status.MAYBE, day=TOMORROW)
    world.says("alice", Status.NOT_PLAYING, day=TODAY + timedelta(days=2))
    world.says("bob", Status.LOOKING, day=TODAY + timedelta(days=3))
    usual = at(21)
    assert events(anonymous, address(alice)) == {
        f"evening-{TODAY}": (usual, "CONFIRMED"),
        f"evening-{TOMORROW}": (usual + timedelta(days=1), "TENTATIVE"),
    }


def test_an_evening_that_was_called_starts_when_it_was_called_for(
    world: World, browse: Browse, anonymous: Browser
) -> None:
    alice = browse("alice")
    path = address(alice)
    world.says("alice", Status.LOOKING)
    campaign = call(world, start_at=at(21, 30))[0]
    assert events(anonymous, path)[f"evening-{TODAY}"][0] == at(21, 30)
    with world.session() as session:
        calls.cancel_campaign(session, campaign, player_id=world.players["bob"], is_admin=False, now=at(20, 10))
    assert events(anonymous, path)[f"evening-{TODAY}"][0] == at(21)


def test_no_name_of_anybody_is_in_it(world: World, browse: Browse, anonymous: Browser) -> None:
    alice = browse("alice")
    for name in world.players:
        world.says(name, Status.LOOKING)
    call(world)
    text = anonymous.get(address(alice)).text.lower()
    assert [name for name in world.players if name in text] == []


def test_an_address_is_shown_once_and_stored_as_a_hash(world: World, browse: Browse) -> None:
    alice = browse("alice")
    secret = address(alice).removeprefix("/calendar/").removesuffix(".ics")
    assert len(secret) >= 32
    assert secret not in alice.get("/preferences/calendar").text
    with world.session() as session:
        row = session.scalars(select(CalendarFeed)).one()
        assert secret not in row.secret_hash


def test_a_new_address_asks_first_and_ends_the_old_one(browse: Browse, anonymous: Browser) -> None:
    alice = browse("alice")
    old = address(alice)
    question = alice.client.post("/preferences/calendar", data={"csrf_token": alice.csrf()})
    assert "Calendars that read the old address" in question.text
    assert anonymous.get(old).status_code == 200, "a question changes nothing"
    new = address(alice)
    assert (anonymous.get(old).status_code, anonymous.get(new).status_code) == (404, 200)
    alice.post("/preferences/calendar/remove", {"confirmed": "on"})
    assert anonymous.get(new).status_code == 404


@pytest.mark.parametrize("end", ["unlink", "leave", "delete"])
def test_it_ends_with_the_link(world: World, browse: Browse, anonymous: Browser, end: str) -> None:
    path = address(browse("alice"))
    with world.session() as session:
        user = session.get_one(User, world.users["alice"])
        match end:
            case "unlink":
                unlinking.unlink_profile(session, user, today=TODAY, now=at(20))
            case "delete":
                unlinking.delete_account(session, user, now=at(20))
            case "leave":
                user.membership = Membership.LEFT
    assert anonymous.get(path).status_code == 404


def test_it_speaks_its_players_language(world: World, browse: Browse, anonymous: Browser) -> None:
    path = address(browse("alice"))
    with world.session() as session:
        session.get_one(User, world.users["alice"]).language = "sl"
    world.says("alice", Status.LOOKING)
    assert "igralni večer" in anonymous.get(path).text
    assert "game night" in anonymous.get(address(browse("bob"))).text


@pytest.mark.parametrize("path", ["/calendar/x.ics", "/calendar/.ics", "/calendar/" + "a" * 5000 + ".ics"])
def test_what_is_no_secret_is_no_page(anonymous: Browser, path: str) -> None:
    is_page(anonymous.get(path), 404)


def test_secrets_cannot_be_guessed_without_end(anonymous: Browser) -> None:
    assert [anonymous.get(f"/calendar/{number}.ics").status_code for number in range(61)] == [404] * 60 + [429]


def test_a_calendar_that_has_it_already_is_not_sent_it_again(world: World, browse: Browse, anonymous: Browser) -> None:
    path = address(browse("alice"))
    first = anonymous.get(path)
    known = {"If-None-Match": first.headers["ETag"]}
    assert anonymous.client.get(path, headers=known).status_code == 304
    world.says("alice", Status.LOOKING)
    assert anonymous.client.get(path, headers=known).status_code == 200


def test_who_has_no_player_has_no_calendar(browse: Browse, anonymous: Browser) -> None:
    assert browse("charlie").get("/preferences/calendar").status_code == 403
    assert anonymous.get("/preferences/calendar").status_code == 401
