"""Every button of the planning room, with scripts and without."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from slomix.availability.rules import Status
from tests.services.planning import PLACE_TO_ANNOUNCE, B, Tonight, everybody_says
from tests.web.conftest import Browse, Browser, browser_of, is_page, lands, make_app, nothing_stored, with_settings
from tests.web.planning import PAGE, ants, arranged, ids, press, said
from tests.web.reading import read, roots
from tests.world import World


@pytest.fixture
def tonight(world: World) -> Tonight:
    return arranged(world)


@dataclass(frozen=True)
class Button:
    """Who presses what with which fields, what they are told, and how to see that it is done."""

    who: str
    path: str
    form: Callable[[Tonight], dict[str, Any]]
    says: str
    is_done: Callable[[Tonight], bool]


BUTTONS = {
    "join": Button("dora", "/join", lambda _: {}, "You’re in.", lambda t: said(t, "dora") is Status.LOOKING),
    "leave": Button(
        "erik", "/leave", lambda _: {}, "You’re not playing tonight.", lambda t: t.sides() == ("", "FRANKA")
    ),
    "place": Button(
        "alice",
        "/change",
        lambda t: {"do": f"place:{t.world.players['goran']}:A"},
        "Saved.",
        lambda t: t.sides() == ("ERIK goran", "FRANKA"),
    ),
    "take out": Button(
        "bob",
        "/change",
        lambda t: {"do": f"place:{t.world.players['erik']}:"},
        "Saved.",
        lambda t: t.sides() == ("", "FRANKA"),
    ),
    "name a captain": Button(
        "alice",
        "/change",
        lambda t: {"do": f"lead:B:{t.world.players['goran']}"},
        "Saved.",
        lambda t: t.sides() == ("ERIK", "GORAN franka"),
    ),
    "step down": Button(
        "franka", "/change", lambda _: {"do": "lead:B:"}, "Saved.", lambda t: t.sides() == ("ERIK", "franka")
    ),
    "undo": Button(
        "alice", "/change", lambda t: {"do": f"undo:{t.version}"}, "Undone.", lambda t: t.sides() == ("", "")
    ),
    "begin a draft": Button(
        "alice",
        "/draft",
        lambda _: {"first": "B", "size": "2", "seconds": "30"},
        "The captains pick.",
        lambda t: (t.turn(), t.view().room.side_size, t.view().room.turn_seconds) == (B, 2, 30),
    ),
    "use a proposal": Button(
        "alice",
        "/teams",
        lambda t: {
            "side_a": ids(t, "erik", "goran"),
            "side_b": ids(t, "alice", "franka"),
            "version": str(t.version),
        },
        "Saved.",
        lambda t: t.sides() == ("ERIK goran", "alice FRANKA"),
    ),
    "suggest": Button(
        "goran",
        "/names",
        lambda _: {"name": "  Bees "},
        "Saved.",
        lambda t: [one.name for one in t.view().suggestions] == ["Ants", "Bees"],
    ),
    "vote": Button(
        "goran",
        "/vote",
        lambda t: {"name": ants(t)},
        "Saved.",
        lambda t: t.view().suggestions[0].votes == 1,
    ),
    "hand over": Button(
        "alice",
        "/owner",
        lambda t: {"player": ids(t, "erik")[0]},
        "Erik runs the room now.",
        lambda t: t.view().room.owner_id == t.world.players["erik"],
    ),
}


@pytest.mark.parametrize("name", BUTTONS)
def test_a_button_without_scripts_leads_back_to_the_page_that_says_what_was_done(
    tonight: Tonight, browse: Browse, name: str
) -> None:
    button = BUTTONS[name]
    browser = browse(button.who)
    answer = press(browser, button.path, button.form(tonight))
    assert answer.status_code == 303
    assert lands(answer).split("#")[0] == PAGE
    assert button.is_done(tonight)
    page = browser.page(PAGE)
    assert button.says in page.by_id("flash").words
    anchor = lands(answer).partition("#")[2]
    assert not anchor or page.has_id(anchor)


@pytest.mark.parametrize("name", BUTTONS)
def test_a_button_with_scripts_answers_with_the_room_as_it_stands_now(
    tonight: Tonight, browse: Browse, name: str
) -> None:
    button = BUTTONS[name]
    browser = browse(button.who)
    answer = press(browser, button.path, button.form(tonight), htmx=True)
    assert answer.status_code == 200
    [room] = roots(read(answer.text))
    assert room.attributes["id"] == "room"
    assert button.is_done(tonight)
    assert browser.page(PAGE).by_id("room").words == room.words


def test_voting_again_takes_the_vote_back_and_deleting_is_for_ones_own(tonight: Tonight, browse: Browse) -> None:
    tonight.votes("goran", int(ants(tonight)))
    assert press(browse("goran"), "/vote", {"name": ""}).status_code == 303
    assert tonight.view().votes == {}
    assert "That suggestion is gone, or it isn’t yours." in is_page(
        press(browse("goran"), f"/names/{ants(tonight)}/delete", {}), 404
    )
    assert press(browse("erik"), f"/names/{ants(tonight)}/delete", {}).status_code == 303
    assert tonight.view().suggestions == ()


def test_a_draft_is_ended_by_a_button(tonight: Tonight, alice: Browser) -> None:
    tonight.drafts("alice")
    assert "End the draft" in alice.page(PAGE).buttons
    assert lands(press(alice, "/change", {"do": "end-draft"})) == f"{PAGE}#teams"
    assert tonight.turn() is None


def test_opening_it_leads_into_it_and_the_second_who_presses_is_told(world: World, browse: Browse) -> None:
    everybody_says(world, Status.LOOKING)
    alice, erik = browse("alice"), browse("erik")
    assert "Open planning room" in alice.page("/planning").buttons
    for browser, sentence in ((alice, "The room is open. Let’s make two teams."), (erik, "The room is open already.")):
        assert lands(press(browser, "/create", {})) == PAGE
        assert sentence in browser.page(PAGE).by_id("flash").words
    assert "Run by Alice ." in erik.page(PAGE).by_id("room-top").words


def test_before_there_are_enough_the_page_says_how_many_are_missing(world: World, alice: Browser) -> None:
    for name in ("alice", "bob", "erik", "franka"):
        world.says(name, Status.LOOKING)
    page = alice.page("/planning")
    assert "The room opens when 2 more players are looking." in page.words
    assert "Open planning room" not in page.buttons
    with nothing_stored(world):
        assert is_page(press(alice, "/create", {}), 409) == "The room opens when 2 more players are looking."


def test_who_said_no_is_asked_whether_they_are_sure(tonight: Tonight, browse: Browse) -> None:
    dora = browse("dora")
    tonight.world.says("dora", Status.NOT_PLAYING)
    with nothing_stored(tonight.world):
        assert "Change that first" in is_page(press(dora, "/join", {}), 409)
    [form] = [one for one in dora.page(PAGE).all("form") if one.attributes["action"].endswith("/join")]
    assert form.buttons == ["I’m playing after all"]
    fields = {one.attributes["name"]: one.attributes["value"] for one in form.all("input")}
    assert press(dora, "/join", fields).status_code == 303
    assert said(tonight, "dora") is Status.LOOKING


def asking(world: World, name: str) -> Browser:
    """Somebody's browser where sessions are announced in a room on Discord."""
    wired = with_settings(world, announce_enabled=True, announce_channel_id=PLACE_TO_ANNOUNCE)
    return browser_of(make_app(wired.runtime), wired, name)


def test_asking_for_more_is_a_button_until_somebody_has_asked(tonight: Tonight, alice: Browser) -> None:
    assert not [one for one in alice.page(PAGE).buttons if one.startswith("Ask")], "there is nowhere to ask"
    goran = asking(tonight.world, "goran")
    assert "Ask on Discord for 1 more" in goran.page(PAGE).buttons
    press(goran, "/ask", {})
    page = goran.page(PAGE)
    assert "Asked on Discord for 1 more." in page.by_id("flash").words
    assert "Ask on Discord for 1 more" not in page.buttons
    assert "Asked on Discord at 20:30." in page.words
    with nothing_stored(tonight.world):
        again = press(goran, "/ask", {}, htmx=True)
        assert (again.status_code, "Next in 15 min." in again.text) == (429, True)
