"""Who sees what of the planning room: players all of it, each the buttons that are theirs, and strangers numbers."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import update

from slomix.accounts import service as accounts
from slomix.availability.rules import Status
from slomix.campaigns.models import Campaign, Recipient
from slomix.planning.models import RoomThread
from slomix.reasons.codes import Explanation, Reason
from tests.moments import TODAY
from tests.services.planning import A, Tonight, everybody_says
from tests.steps import call
from tests.web.conftest import Browse, Browser, is_fragment, is_page, is_problem, lands, nothing_stored
from tests.web.planning import PAGE, arranged, ids, press
from tests.web.reading import Element, read, roots
from tests.world import LINKED, World

UNLINKED = pytest.mark.parametrize("who", [None, "charlie"], ids=["a stranger", "charlie"])
# Longer than what a token could be by chance.
NAMED = "|".join(f"Qx{name.title()}|{name}_old|guid-{name}" for name in LINKED)
YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)


@pytest.fixture
def tonight(world: World) -> Tonight:
    return arranged(world)


def moves(page: Element) -> list[str]:
    return [one.attributes["value"] for one in page.by_id("teams-form").all("button")]


def test_in_a_draft_only_who_may_pick_has_buttons_to_pick_with(tonight: Tonight, browse: Browse) -> None:
    tonight.drafts("alice", seconds=60)
    picks = [f"place:{player}:A" for player in ids(tonight, "alice", "bob", "goran")]
    assert [one for one in moves(browse("erik").page(PAGE)) if one.startswith("place")] == picks
    assert [one for one in moves(browse("alice").page(PAGE)) if one.startswith("place")] == picks
    for name in ("franka", "goran"):
        assert not [one for one in moves(browse(name).page(PAGE)) if one.startswith("place")], name
    assert "Your pick" in browse("erik").page(PAGE).by_id("teams").words
    assert "Erik picks for Team A ." in browse("goran").page(PAGE).by_id("teams").words


def left(browser: Browser) -> list[str]:
    return [one.attributes["data-left"] for one in browser.page(PAGE).all("span") if "data-left" in one.attributes]


def test_the_clock_of_a_turn_goes_on_over_a_reload(tonight: Tonight, browse: Browse) -> None:
    tonight.drafts("alice", seconds=60)
    goran = browse("goran")
    assert left(goran) == ["60"]
    tonight.world.clock.forward(timedelta(seconds=25))
    assert left(goran) == left(browse("erik")) == ["35"]
    tonight.world.clock.forward(timedelta(seconds=50))
    assert left(goran) == ["0"]
    tonight.leaves("erik")
    assert left(goran) == [], "without a captain it waits"
    assert "Team A has no captain, so the draft waits." in goran.page(PAGE).by_id("teams").words


def test_who_runs_nothing_and_leads_nothing_has_no_button_for_others(tonight: Tonight, browse: Browse) -> None:
    page = browse("goran").page(PAGE)
    assert moves(page) == []
    assert not page.has_id("hand-over")
    assert not page.has_id("draft")
    assert not page.has_id("undo")
    assert moves(browse("franka").page(PAGE)) == ["lead:B:"], "a captain may step down"


def test_on_the_next_day_it_can_be_read_and_nothing_on_it_be_pressed(tonight: Tonight, alice: Browser) -> None:
    tonight.world.clock.forward(timedelta(days=1))
    page = alice.page(PAGE)
    assert "5 were in" in page.words
    assert [one.words for one in page.by_id("teams").all("bdi")][:2] == ["Team A", "Erik"]
    assert page.by_id("room").all("form", "button") == [page.by_id("teams-form")]
    tomorrow = alice.page("/planning")
    assert "Planning room, tonight" in tomorrow.headings
    assert "0 of 6 looking to play tonight" in tomorrow.words


def test_proposals_are_a_page_or_the_part_in_a_dialog_and_stored_nowhere(tonight: Tonight, browse: Browse) -> None:
    alice, goran = browse("alice"), browse("goran")
    with nothing_stored(tonight.world):
        page = alice.page(f"{PAGE}/proposals")
        assert page.has_id("room")
        assert page.by_id("proposals").buttons.count("Shuffle") == 1
        [part] = roots(read(alice.get(f"{PAGE}/proposals?seed=7", htmx=True).text))
        assert part.attributes["id"] == "proposals"
        for seed in ("x", "-1", "9" * 400, "٣"):
            assert alice.get(f"{PAGE}/proposals?seed={seed}").status_code == 200
        assert not [one for one in goran.page(f"{PAGE}/proposals").by_id("proposals").buttons if "Use" in one]


def test_a_proposal_from_before_somebody_moved_is_refused(tonight: Tonight, alice: Browser) -> None:
    [form, *_] = alice.page(f"{PAGE}/proposals").by_id("proposals").all("form")
    fields: dict[str, list[str]] = {}
    for one in form.all("input"):
        fields.setdefault(one.attributes["name"], []).append(one.attributes["value"])
    tonight.places("bob", "goran", A)
    with nothing_stored(tonight.world):
        again = lands(press(alice, "/teams", fields))
    assert again == f"{PAGE}/proposals"
    assert "nothing was saved" in alice.page(again).by_id("flash").words
    fields["version"] = [str(tonight.version)]
    assert press(alice, "/teams", fields).status_code == 303
    assert len(tonight.view().placed) == 5


def test_the_live_part_is_the_room_and_the_same_is_not_sent_twice(tonight: Tonight, alice: Browser) -> None:
    first = alice.get(f"{PAGE}/live")
    assert [one.attributes["id"] for one in roots(read(first.text))] == ["room"]
    tag = {"If-None-Match": first.headers["ETag"]}
    assert alice.client.get(f"{PAGE}/live", headers=tag).status_code == 304
    tonight.places("bob", "goran", A)
    assert alice.client.get(f"{PAGE}/live", headers=tag).status_code == 200


def test_a_reload_shows_what_was_moved_for_every_move_is_saved_at_once(tonight: Tonight, browse: Browse) -> None:
    """W68: refreshing by itself replaced moves that were not saved yet."""
    press(browse("alice"), "/change", {"do": f"place:{tonight.world.players['goran']}:B"})
    for name in ("alice", "dora"):
        assert "Franka" in (side := browse(name).page(PAGE).by_id("teams-form").words)
        assert side.index("Franka") < side.index("Goran")
    assert tonight.sides() == ("ERIK", "FRANKA goran")


def renamed(world: World) -> None:
    """Names that nothing else on a page is called."""
    with world.session() as session:
        rows = [(f"guid-{name}", f"^3Qx{name.title()}^7Zz", [f"{name}_old"]) for name in LINKED]
        accounts.import_players(session, rows, now=world.clock.now())


@UNLINKED
def test_who_is_not_linked_is_told_numbers_and_no_name_of_anybody_or_any_team(
    tonight: Tonight, browse: Browse, who: str | None
) -> None:
    """W68: the room was open to anonymous visitors, with everybody in it."""
    renamed(tonight.world)
    tonight.suggests("franka", "Wizzards")
    tonight.drafts("alice", seconds=60)
    browser, paths = (
        browse(who),
        ("/planning", PAGE, f"{PAGE}/live", f"/day/{TODAY}", f"/day/{TODAY}/live", "/", "/board"),
    )
    for path in paths:
        assert re.search(NAMED, browse("goran").get(path).text), f"{path} names nobody, so this shows nothing"
        answer = browser.get(path)
        assert answer.status_code == 200
        assert not re.search(f"{NAMED}|Wizzards|player-[0-9]|place:|Planning room</a>", answer.text), path
    page = browser.page(PAGE)
    assert "The room is open 5 of 6 looking." in page.words
    assert not page.by_id("room").all("form")
    assert not page.has_id("modal")


@UNLINKED
@pytest.mark.parametrize("htmx", [False, True], ids=["plain", "htmx"])
def test_who_is_not_linked_presses_nothing(tonight: Tonight, browse: Browse, who: str | None, htmx: bool) -> None:
    status, browser = 401 if who is None else 403, browse(who)
    refused = is_fragment if htmx else is_page
    with nothing_stored(tonight.world):
        for path in (
            "create",
            "join",
            "leave",
            "change",
            "draft",
            "teams",
            "names",
            "names/1/delete",
            "vote",
            "owner",
            "ask",
        ):
            refused(press(browser, f"/{path}", {}, htmx=htmx), status)
        refused(browser.get(f"{PAGE}/proposals", htmx=htmx), status)


@UNLINKED
def test_a_day_without_a_room_looks_to_strangers_as_to_players_but_for_the_button(
    world: World, browse: Browse, who: str | None
) -> None:
    everybody_says(world, Status.LOOKING)
    browser = browse(who)
    assert "Enough players: 6 of 6 looking." in browser.page("/planning").words
    assert "Open planning room" not in browser.page("/planning").buttons
    assert "Open planning room" in browse("alice").page("/planning").buttons
    assert "No room was opened for this day." in browser.page(f"/planning/{YESTERDAY}").words
    assert "The room opens on the day itself." in browser.page(f"/planning/{TOMORROW}").words


def test_the_board_opens_the_room_and_leads_into_it(world: World, browse: Browse) -> None:
    alice, strangers = browse("alice"), [browse(None), browse("charlie")]
    for name in LINKED[:5]:
        world.says(name, Status.LOOKING)
    assert "Open planning room" not in alice.page("/").buttons
    everybody_says(world, Status.LOOKING)
    [form] = [one for one in alice.page("/").all("form") if one.buttons == ["Open planning room"]]
    assert form.attributes["action"] == f"{PAGE}/create"
    assert lands(press(alice, "/create", {})) == PAGE
    for browser in strangers:
        assert not {"Open planning room", "Planning room"} & set(browser.page("/").buttons)
    for name in ("alice", "erik"):
        page = browse(name).page("/")
        assert ("Planning room" in page.buttons, "Open planning room" in page.buttons) == (True, False)
        assert "6 in" in page.words


def test_the_board_says_how_far_the_teams_are(tonight: Tonight, browse: Browse) -> None:
    assert "5 in · 1 against 1" in browse("goran").page("/").words
    tonight.drafts("alice")
    assert "5 in · 1 against 1 · captains are picking" in browse("goran").page("/").words


def test_a_days_page_shows_its_teams_and_who_came_to_players_alone(tonight: Tonight, browse: Browse) -> None:
    world = tonight.world
    call(world)
    tonight.saves("alice", "erik goran", "franka bob", "erik", "franka")
    found = {"erik": True, "franka": False, "goran": None}
    with world.session() as session:
        session.execute(update(Campaign).values(counted_at=world.clock.now()))
        for name, came in found.items():
            mine = Recipient.player_id == world.players[name]
            session.execute(update(Recipient).where(mine).values(came=came))
    for later in (timedelta(0), timedelta(days=1)):
        world.clock.forward(later)
        night = browse("alice").page(f"/day/{TODAY}").by_id("night")
        shown = [one.words for one in night.all("li")]
        assert shown == ["Captain: Erik came", "Goran", "Captain: Franka not in voice", "Bob"]
        for who in (None, "charlie"):
            page = browse(who).page(f"/day/{TODAY}")
            assert not page.has_id("night")
            assert "Erik" not in page.words
    assert not browse("alice").page(f"/day/{TOMORROW}").has_id("night")


@UNLINKED
def test_the_api_tells_who_is_not_linked_numbers_alone(tonight: Tonight, browse: Browse, who: str | None) -> None:
    answer = browse(who).get("/api/planning/today")
    body = answer.get_json()
    assert (body["participants"], body["session"]) == ([], None)
    assert (body["unlocked"], body["looking_count"], body["committed_count"]) == (True, 5, 5)
    assert not re.search("Erik|Ants", answer.text)
    for method, path in (("POST", "create"), ("POST", "join"), ("POST", "vote"), ("DELETE", "suggestions/1")):
        is_problem(browse(who).call(method, f"/api/planning/today/{path}", {}), 401 if who is None else 403)


def test_the_thread_is_a_way_for_who_is_in_and_its_trouble_a_line_for_who_runs_the_room(
    tonight: Tonight, browse: Browse
) -> None:
    with tonight.world.session() as session:
        room = tonight.view().room.id
        session.add(
            RoomThread(
                session_id=room,
                thread_id="777000000000000001",
                members=[],
                error=Explanation(Reason.DISCORD_SAID, "Discord is busy"),
            )
        )
    alice, goran, dora = (browse(name).page("/planning") for name in ("alice", "goran", "dora"))
    for page in (alice, goran):
        [way] = [one for one in page.all("a") if one.words == "Thread"]
        assert way.attributes["href"] == "https://discord.com/channels/800000000000000001/777000000000000001"
    assert "Thread" not in dora.words
    assert "Discord is busy. Nothing here waits for it." in alice.words
    assert "Discord is busy" not in goran.words
