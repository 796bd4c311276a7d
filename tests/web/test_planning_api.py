"""Tonight's planning room as JSON: ids are texts both ways (W3), each refusal has its status and its sentence."""

import json
from typing import Any

import pytest

from slomix.accounts.models import Player
from slomix.availability import service as availability
from slomix.availability.rules import Status
from tests.moments import TODAY
from tests.services.planning import A, Tonight, everybody_says
from tests.web.conftest import Browse, Browser, is_problem, nothing_stored
from tests.web.planning import ants, arranged, ids, said
from tests.world import LINKED, World

API = "/api/planning/today"
# Two ids that JavaScript's numbers cannot hold: it reads …120 and …910.
LARGE = ("231165917604741121", "80351110224678913")
HUGE, TOO_HUGE = "9" * 18, "9" * 19


@pytest.fixture
def tonight(world: World) -> Tonight:
    return arranged(world)


def ok(browser: Browser, method: str, path: str, body: Any = None, *, status: int = 200) -> dict[str, Any]:
    answer = browser.call(method, f"{API}{path}", body)
    assert answer.status_code == status, answer.text
    return dict(answer.get_json())


def numbers_in(value: Any, path: str = "") -> set[str]:
    """Where an answer has numbers."""
    if isinstance(value, dict):
        return {found for key, one in value.items() for found in numbers_in(one, f"{path}.{key}")}
    if isinstance(value, list):
        return {found for one in value for found in numbers_in(one, f"{path}[]")}
    return {path} if isinstance(value, int | float) and not isinstance(value, bool) else set()


def newcomers(tonight: Tonight) -> None:
    """Two more are in, whose ids are large."""
    world, now = tonight.world, tonight.world.clock.now()
    with world.session() as session:
        for number in LARGE:
            session.add(Player(id=int(number), guid=f"guid-{number}", name="Hana", aliases=[], created_at=now))
            session.flush()
            availability.record_status(session, int(number), TODAY, Status.LOOKING, today=TODAY, now=now)


def test_before_there_are_enough_it_says_how_many_are_missing_and_does_not_open(world: World, alice: Browser) -> None:
    for name in LINKED[:4]:
        world.says(name, Status.LOOKING)
    state = ok(alice, "GET", "")
    assert (state["session_ready"], state["unlocked"], state["need_count"]) == (False, False, 2)
    assert state["session"] is None
    with nothing_stored(world):
        assert is_problem(alice.call("POST", f"{API}/create"), 409) == "The room opens when 2 more players are looking."


def test_what_is_needed_and_whether_it_may_open_are_one_count(world: World, alice: Browser) -> None:
    """W67: six who were available needed nobody more, and yet could not open it."""
    everybody_says(world, Status.AVAILABLE)
    state = ok(alice, "GET", "")
    assert (state["looking_count"], state["committed_count"], state["threshold"]) == (0, 6, 6)
    assert (state["session_ready"], state["need_count"]) == (False, 6)
    everybody_says(world, Status.LOOKING)
    assert (state := ok(alice, "GET", ""))["session_ready"]
    assert state["need_count"] == 0
    ok(alice, "POST", "/create", status=201)
    world.says("dora", Status.AVAILABLE)
    assert ok(alice, "GET", "")["need_count"] == 0, "in the open room who is available counts"
    world.says("dora", Status.MAYBE)
    state = ok(alice, "GET", "")
    assert (state["need_count"], state["committed_count"], state["standby_count"]) == (1, 5, 1)
    assert (state["session_ready"], state["unlocked"]) == (False, True)


def test_it_is_created_once_and_the_second_is_told_so(world: World, browse: Browse) -> None:
    everybody_says(world, Status.LOOKING)
    first = ok(browse("alice"), "POST", "/create", status=201)
    assert first["created"] is True
    again = ok(browse("erik"), "POST", "/create")
    assert again["created"] is False
    assert again["session"] == first["session"]
    assert first["session"]["owner_id"] == str(world.players["alice"])
    assert first["session"]["session_date"] == str(TODAY)


def test_who_is_not_in_creates_nothing(world: World, browse: Browse) -> None:
    everybody_says(world, Status.LOOKING)
    world.says("alice", Status.NOT_PLAYING)
    alice = browse("alice")
    with world.session() as session:
        session.add(hana := Player(guid="guid-hana", name="Hana", aliases=[], created_at=world.clock.now()))
        session.flush()
        now = world.clock.now()
        availability.record_status(session, hana.id, TODAY, Status.LOOKING, today=TODAY, now=now)
    with nothing_stored(world):
        assert "Join first" in is_problem(alice.call("POST", f"{API}/create"), 403)


@pytest.mark.parametrize(
    ("before", "body", "after"),
    [
        (None, None, Status.LOOKING),
        (None, {}, Status.LOOKING),
        (Status.MAYBE, {}, Status.MAYBE),
        (Status.MAYBE, {"sure": True}, Status.LOOKING),
        (Status.NOT_PLAYING, {"sure": True}, Status.LOOKING),
    ],
)
def test_joining(tonight: Tonight, browse: Browse, before: Status | None, body: Any, after: Status) -> None:
    tonight.world.says("goran", before)
    state = ok(browse("goran"), "POST", "/join", body)
    assert said(tonight, "goran") is after
    statuses = {one["user_id"]: one["status"] for one in state["participants"]}
    assert statuses[ids(tonight, "goran")[0]] == after.value


@pytest.mark.parametrize("body", [None, {}, {"sure": False}])
def test_joining_never_overrides_a_no_in_passing(tonight: Tonight, browse: Browse, body: Any) -> None:
    tonight.world.says("goran", Status.NOT_PLAYING)
    goran = browse("goran")
    with nothing_stored(tonight.world):
        assert "not playing" in is_problem(goran.call("POST", f"{API}/join", body), 409)


def test_names_are_suggested_voted_for_and_deleted(tonight: Tonight, browse: Browse) -> None:
    goran = browse("goran")
    made = ok(goran, "POST", "/suggestions", {"name": " Bees "}, status=201)
    bees = made["suggestion_id"]
    state = ok(goran, "POST", "/vote", {"suggestion_id": bees})["session"]
    assert state["my_vote_suggestion_id"] == bees
    assert state["suggestions"][0] == {
        "id": bees,
        "name": "Bees",
        "suggested_by_user_id": ids(tonight, "goran")[0],
        "votes": 1,
        "voted_by_me": True,
    }
    assert state["teams"]["A"]["name"] == "Bees"
    state = ok(goran, "POST", "/vote", {"suggestion_id": ants(tonight)})["session"]
    assert [(one["name"], one["votes"]) for one in state["suggestions"]] == [("Ants", 1), ("Bees", 0)]
    for _ in range(2):
        state = ok(goran, "POST", "/vote", {"suggestion_id": None})["session"]
        assert (state["my_vote_suggestion_id"], [one["votes"] for one in state["suggestions"]]) == (None, [0, 0])
    state = ok(goran, "DELETE", f"/suggestions/{bees}")["session"]
    assert [one["name"] for one in state["suggestions"]] == ["Ants"]
    with nothing_stored(tonight.world):
        is_problem(goran.call("DELETE", f"{API}/suggestions/{bees}"), 404)
        is_problem(goran.call("DELETE", f"{API}/suggestions/{ants(tonight)}"), 404)


def test_every_id_is_a_text_and_only_counts_are_numbers(tonight: Tonight, browse: Browse) -> None:
    """W3: as numbers they lost their last digits in a browser."""
    newcomers(tonight)
    tonight.votes("goran", int(ants(tonight)))
    tonight.drafts("alice", seconds=60)
    state = ok(browse("goran"), "GET", "")
    counts = {".looking_count", ".committed_count", ".standby_count", ".threshold", ".need_count"}
    assert numbers_in(state) == counts | {".session.suggestions[].votes"}
    assert set(LARGE) <= {one["user_id"] for one in state["participants"]}
    assert state["session"]["draft"]["captain_id"] == ids(tonight, "erik")[0]
    assert state["session"]["draft"]["until"].startswith(str(TODAY))


def test_teams_come_back_as_they_were_sent_also_with_ids_beyond_what_a_number_holds(
    tonight: Tonight, alice: Browser
) -> None:
    newcomers(tonight)
    [erik, franka] = ids(tonight, "erik", "franka")
    version = ok(alice, "GET", "")["session"]["version"]
    sent = {"side_a": [LARGE[0], erik], "side_b": [franka, LARGE[1]], "captain_a": LARGE[0], "captain_b": LARGE[1]}
    teams = ok(alice, "POST", "/teams", sent | {"version": version})["session"]["teams"]
    assert (teams["A"]["member_ids"], teams["B"]["member_ids"]) == (sent["side_a"], sent["side_b"])
    assert (teams["A"]["captain_id"], teams["B"]["captain_id"]) == LARGE
    assert ok(alice, "GET", "")["session"]["teams"] == teams


@pytest.mark.parametrize(
    "change",
    [
        {"side_a": [231165917604741120]},
        {"side_a": [1]},
        {"side_a": "1"},
        {"side_a": None},
        {"side_a": [["1"]]},
        {"side_a": [""]},
        {"side_a": ["-1"]},
        {"side_a": ["1.0"]},
        {"side_a": ["٣"]},
        {"side_a": [TOO_HUGE]},
        {"side_a": ["9" * 5000]},
        {"side_a": ["1"] * 201},
        {"side_a": [HUGE]},
        {"side_a": [True]},
        {"captain_a": 3},
        {"captain_a": "x"},
        {"captain_b": HUGE},
        {"version": 1},
        {"version": "x"},
        {"side_b": ["{erik}"]},
        {"captain_a": "{franka}"},
        {"side_a": ["{erik}", "{dora}"]},
    ],
    ids=lambda change: json.dumps(change)[:40],
)
def test_teams_that_make_no_sense_are_refused_and_none_of_it_is_saved(
    tonight: Tonight, alice: Browser, change: dict[str, Any]
) -> None:
    """W4: a request that failed left the sides empty and its captains in place."""
    known = {name: ids(tonight, name)[0] for name in ("erik", "franka", "dora")}
    sound = {"side_a": [known["erik"]], "side_b": [known["franka"]], "captain_a": None}
    text = json.dumps(change)
    for name, number in known.items():
        text = text.replace("{" + name + "}", number)
    with nothing_stored(tonight.world):
        is_problem(alice.call("POST", f"{API}/teams", sound | json.loads(text)), 422)


def test_teams_of_an_older_version_or_by_others_are_refused(tonight: Tonight, browse: Browse) -> None:
    alice, goran = browse("alice"), browse("goran")
    version = ok(alice, "GET", "")["session"]["version"]
    body = {"side_a": ids(tonight, "goran"), "side_b": []}
    tonight.leads("bob", A, "bob")
    with nothing_stored(tonight.world):
        assert "nothing was saved" in is_problem(alice.call("POST", f"{API}/teams", body | {"version": version}), 409)
        assert "Only the room’s owner" in is_problem(goran.call("POST", f"{API}/teams", body), 403)
    ok(alice, "POST", "/teams", body | {"version": str(tonight.version)})
    assert tonight.sides() == ("goran", "")
    ok(alice, "POST", "/teams", {"side_a": [], "side_b": []})
    assert tonight.sides() == ("", "")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("POST", "/join", {"sure": "true"}, 422, "sure"),
        ("POST", "/join", [], 400, "."),
        ("POST", "/suggestions", {}, 422, "name"),
        ("POST", "/suggestions", {"name": 5}, 422, "name"),
        ("POST", "/suggestions", {"name": "x"}, 422, "2 to 48"),
        ("POST", "/suggestions", {"name": "ants"}, 409, "Vote for it"),
        ("POST", "/suggestions", {"name": "ab\x00"}, 422, "name"),
        ("POST", "/suggestions", None, 400, "."),
        ("DELETE", f"/suggestions/{HUGE}", None, 404, "That suggestion is gone, or it isn’t yours."),
        ("DELETE", "/suggestions/x", None, 404, "."),
        ("DELETE", f"/suggestions/{TOO_HUGE}", None, 404, "."),
        ("POST", "/vote", {}, 422, "suggestion_id"),
        ("POST", "/vote", {"suggestion_id": 1}, 422, "suggestion_id"),
        ("POST", "/vote", {"suggestion_id": ""}, 422, "suggestion_id"),
        ("POST", "/vote", {"suggestion_id": HUGE}, 404, "That suggestion is gone, or it isn’t yours."),
        ("POST", "/vote", {"suggestion_id": TOO_HUGE}, 422, "suggestion_id"),
        ("POST", "/vote", [], 400, "."),
        ("POST", "/teams", {}, 422, "side_a"),
        ("POST", "/teams", "x", 400, "."),
    ],
)
def test_nonsense_gets_a_sentence_and_changes_nothing(
    tonight: Tonight, browse: Browse, method: str, path: str, body: Any, status: int, words: str
) -> None:
    goran = browse("goran")
    with nothing_stored(tonight.world):
        assert words in is_problem(goran.call(method, f"{API}{path}", body), status)


WRITES: list[tuple[str, str, Any]] = [
    ("POST", "/join", {"sure": True}),
    ("POST", "/suggestions", {"name": "Bees"}),
    ("DELETE", "/suggestions/1", None),
    ("POST", "/vote", {"suggestion_id": None}),
    ("POST", "/teams", {"side_a": [], "side_b": []}),
]


def test_without_a_room_there_is_nothing_to_write_to(world: World, bob: Browser) -> None:
    with nothing_stored(world):
        for method, path, body in WRITES:
            assert "no planning room" in is_problem(bob.call(method, f"{API}{path}", body), 404)


def test_only_a_script_of_ours_writes_for_somebody(tonight: Tonight, alice: Browser) -> None:
    with nothing_stored(tonight.world):
        for method, path, body in [("POST", "/create", None), *WRITES]:
            for headers in ({}, {"X-Requested-With": "XMLHttpRequest", "Origin": "http://evil.example"}):
                answer = alice.client.open(f"{API}{path}", method=method, json=body, headers=headers)
                is_problem(answer, 403)


def test_who_is_not_in_names_and_votes_for_nothing(tonight: Tonight, browse: Browse) -> None:
    tonight.world.says("goran", None)
    goran = browse("goran")
    with nothing_stored(tonight.world):
        for path, body in (("/suggestions", {"name": "Bees"}), ("/vote", {"suggestion_id": ants(tonight)})):
            assert "Join first" in is_problem(goran.call("POST", f"{API}{path}", body), 403)
