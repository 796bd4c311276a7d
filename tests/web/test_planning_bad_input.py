"""What is sent to the planning room and makes no sense: a sentence, the right status, and nothing half written."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from slomix.availability.rules import Status
from slomix.planning.models import Room, TeamName
from tests.moments import TODAY
from tests.services.planning import Tonight, everybody_says
from tests.web.conftest import Browse, Browser, is_fragment, is_page, nothing_stored
from tests.web.planning import PAGE, ants, arranged, ids, press
from tests.world import World

YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
HUGE, TOO_HUGE, ENDLESS = "9" * 18, "9" * 19, "9" * 400
NO_ROOM, NOT_TONIGHT, NO_DATE = "no planning room", "Only tonight’s room", "not a date"
NOT_THE_OWNER, NO_ID, NO_SIDE = "Only the room’s owner", "no such player or name", "Pick A or B"
NO_DEED, GONE = "The teams can’t be changed like that.", "That suggestion is gone, or it isn’t yours."
ACTIONS = ("join", "leave", "change", "draft", "teams", "names", "names/1/delete", "vote", "owner", "ask")
# What would be taken in tonight's room, of what is asked for at all.
SOUND: dict[str, dict[str, str]] = {
    "change": {"do": "undo:1"},
    "draft": {"first": "A"},
    "owner": {"player": "1"},
    "names": {"name": "Bees"},
}


@dataclass(frozen=True)
class Case:
    """Who sends which nonsense, and the words that explain it; {erik} and the like stand for ids."""

    who: str
    path: str
    status: int
    words: str
    form: dict[str, Any] = field(default_factory=dict)


def do(what: str, status: int, words: str, who: str = "alice") -> Case:
    return Case(who, "/change", status, words, {"do": what})


CASES = {
    "no deed": Case("alice", "/change", 422, NO_DEED),
    "an unknown deed": do("shuffle", 422, NO_DEED),
    "undo of something": do("undo:x", 422, NO_ID),
    "too much said": do("place:{goran}:A:B", 422, NO_DEED),
    "too little said": do("place:{goran}", 422, NO_DEED),
    "a zero byte": do("place:{goran}:A\x00", 422, "."),
    "no player": do("place::A", 422, NO_ID),
    "a name for an id": do("place:goran:A", 422, NO_ID),
    "a negative id": do("place:-1:A", 422, NO_ID),
    "foreign digits": do("place:٣:A", 422, NO_ID),
    "an id beyond all ids": do(f"place:{TOO_HUGE}:A", 422, NO_ID),
    "an endless id": do(f"place:{ENDLESS}:A", 422, NO_ID),
    "an id of nobody": do(f"place:{HUGE}:A", 422, "looking or available"),
    "somebody who is not in": do("place:{dora}:A", 422, "Not in tonight, so in no team: Dora."),
    "a third side": do("place:{goran}:C", 422, NO_SIDE),
    "a side in small letters": do("place:{goran}:a", 422, NO_SIDE),
    "placing without right": do("place:{goran}:A", 403, NOT_THE_OWNER, "goran"),
    "taking out without right": do("place:{franka}:", 403, NOT_THE_OWNER, "erik"),
    "a captain of no side": do("lead::{goran}", 422, NO_SIDE),
    "a captain without right": do("lead:A:{goran}", 409, "has a captain already", "goran"),
    "another captain without right": do("lead:A:{franka}", 403, NOT_THE_OWNER, "goran"),
    "deposing without right": do("lead:A:", 403, NOT_THE_OWNER, "goran"),
    "a captain who is nobody": do(f"lead:A:{HUGE}", 422, "looking or available"),
    "undo without right": do("undo:1", 409, "nothing of yours", "goran"),
    "undo of what others changed meanwhile": do("undo:999", 409, "The teams changed meanwhile"),
    "the end of no draft": do("end-draft", 409, "No draft is under way."),
    "the end of a draft without right": do("end-draft", 403, NOT_THE_OWNER, "goran"),
    "a draft without first pick": Case("alice", "/draft", 422, NO_SIDE),
    "a draft without right": Case("goran", "/draft", 403, NOT_THE_OWNER, {"first": "A"}),
    "no players a side": Case("alice", "/draft", 422, "1 to 32 players", {"first": "A", "size": "0"}),
    "a crowd a side": Case("alice", "/draft", 422, "1 to 32 players", {"first": "A", "size": ENDLESS}),
    "a second for a pick": Case("alice", "/draft", 422, "15 to 300 seconds", {"first": "A", "seconds": "1"}),
    "a day for a pick": Case("alice", "/draft", 422, "15 to 300 seconds", {"first": "A", "seconds": "86400"}),
    "teams without right": Case("goran", "/teams", 403, NOT_THE_OWNER, {"side_a": ["{erik}"]}),
    "teams of nobody": Case("alice", "/teams", 422, "looking or available", {"side_a": [HUGE]}),
    "teams of nonsense": Case("alice", "/teams", 422, NO_ID, {"side_a": ["{erik}", "x"]}),
    "one in both teams": Case("alice", "/teams", 422, "both teams", {"side_a": ["{erik}"], "side_b": ["{erik}"]}),
    "one of the team is not in": Case("alice", "/teams", 422, "no team: Dora", {"side_a": ["{erik}", "{dora}"]}),
    "a version that is none": Case("alice", "/teams", 422, NO_ID, {"side_a": ["{erik}"], "version": "new"}),
    "a name of one letter": Case("goran", "/names", 422, "2 to 48 characters", {"name": "x"}),
    "an endless name": Case("goran", "/names", 422, "2 to 48 characters", {"name": "x" * 5000}),
    "a name of nothing": Case("goran", "/names", 422, "2 to 48 characters"),
    "a name with a zero byte": Case("goran", "/names", 422, ".", {"name": "ab\x00"}),
    "a name that is taken": Case("goran", "/names", 409, "Vote for it", {"name": "ANTS"}),
    "a name by who is not in": Case("dora", "/names", 403, "Join first", {"name": "Bees"}),
    "a vote by who is not in": Case("dora", "/vote", 403, "Join first", {"name": "{ants}"}),
    "a vote for nothing there": Case("goran", "/vote", 404, GONE, {"name": HUGE}),
    "a vote for nonsense": Case("goran", "/vote", 422, NO_ID, {"name": "Ants"}),
    "anothers name": Case("goran", "/names/{ants}/delete", 404, GONE),
    "no name to delete": Case("alice", f"/names/{HUGE}/delete", 404, GONE),
    "a room for nobody": Case("alice", "/owner", 422, NO_ID),
    "a room for nonsense": Case("alice", "/owner", 422, NO_ID, {"player": ENDLESS}),
    "a room for who is not in": Case("alice", "/owner", 422, ".", {"player": "{dora}"}),
    "a room without right": Case("goran", "/owner", 403, NOT_THE_OWNER, {"player": "{goran}"}),
    "asking nowhere": Case("goran", "/ask", 409, "no room on Discord"),
}


@pytest.fixture
def tonight(world: World) -> Tonight:
    return arranged(world)


def filled(tonight: Tonight, value: Any) -> Any:
    if isinstance(value, list):
        return [filled(tonight, one) for one in value]
    known = {name: ids(tonight, name)[0] for name in tonight.world.players} | {"ants": ants(tonight)}
    return value.format(**known)


@pytest.mark.parametrize("name", CASES)
def test_nonsense_gets_a_sentence_and_changes_nothing(tonight: Tonight, browse: Browse, name: str) -> None:
    case, browser = CASES[name], browse(CASES[name].who)
    path, form = filled(tonight, case.path), {key: filled(tonight, value) for key, value in case.form.items()}
    with nothing_stored(tonight.world):
        assert case.words in is_page(press(browser, path, form), case.status)
        assert case.words in is_fragment(press(browser, path, form, htmx=True), case.status)


@pytest.mark.parametrize("path", ["/names/x/delete", f"/names/{TOO_HUGE}/delete", f"/names/{ENDLESS}/delete"])
def test_an_address_that_no_name_can_have_is_no_page(tonight: Tonight, alice: Browser, path: str) -> None:
    with nothing_stored(tonight.world):
        is_page(press(alice, path, {}), 404)


@pytest.mark.parametrize("is_ready", [False, True])
def test_without_a_room_nothing_can_be_done_in_it(world: World, bob: Browser, is_ready: bool) -> None:
    if is_ready:
        everybody_says(world, Status.LOOKING)
    with nothing_stored(world):
        for action in ACTIONS:
            form = SOUND.get(action, {})
            assert NO_ROOM in is_page(press(bob, f"/{action}", form), 404)
            assert NO_ROOM in is_fragment(press(bob, f"/{action}", form, htmx=True), 404)


@pytest.mark.parametrize(
    ("day", "status", "words"),
    [
        (str(YESTERDAY), 409, NOT_TONIGHT),
        (str(TOMORROW), 409, NOT_TONIGHT),
        ("9999-12-31", 409, NOT_TONIGHT),
        ("2026-13-40", 422, NO_DATE),
        ("tonight", 422, NO_DATE),
    ],
)
def test_rooms_of_other_days_are_not_changed(tonight: Tonight, bob: Browser, day: str, status: int, words: str) -> None:
    with tonight.world.session() as session:
        session.add(Room(day=YESTERDAY, created_at=tonight.world.clock.now(), version=0))
    with nothing_stored(tonight.world):
        for action in ("create", *ACTIONS):
            answer = press(bob, f"/{action}", SOUND.get(action, {}), page=f"/planning/{day}")
            assert words in is_page(answer, status), action


def test_a_name_of_another_days_room_is_voted_for_and_deleted_by_nobody(tonight: Tonight, browse: Browse) -> None:
    now, goran, bob = tonight.world.clock.now(), browse("goran"), browse("bob")
    with tonight.world.session() as session:
        room = Room(day=YESTERDAY, created_at=now, version=0)
        session.add(room)
        session.flush()
        name = TeamName(session_id=room.id, name="Old", name_key="old", created_at=now)
        session.add(name)
    with nothing_stored(tonight.world):
        is_page(press(goran, "/vote", {"name": str(name.id)}), 404)
        is_page(press(bob, f"/names/{name.id}/delete", {}), 404)


@pytest.mark.parametrize("path", ["", "/live", "/proposals"])
def test_a_day_that_is_none_is_no_page_and_one_without_room_has_nothing_to_propose(
    world: World, browse: Browse, path: str
) -> None:
    alice = browse("alice")
    for day in ("2026-02-30", "20261120", "x"):
        assert NO_DATE in is_page(alice.get(f"/planning/{day}{path}"), 422)
    for day in ("0001-01-01", str(YESTERDAY), str(TODAY), "9999-12-31"):
        assert alice.get(f"/planning/{day}{path}").status_code == (404 if path == "/proposals" else 200)


def test_a_form_without_its_token_changes_nothing(tonight: Tonight, alice: Browser) -> None:
    with nothing_stored(tonight.world):
        for action in ("create", *ACTIONS):
            answer = alice.client.post(f"{PAGE}/{action}", data=SOUND.get(action, {}))
            assert 400 <= answer.status_code < 500, action
