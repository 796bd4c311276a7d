"""Which player somebody is: suggestions, search, linking, changing, unlinking, and what hangs on it."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from slomix.accounts import service as accounts
from slomix.accounts.models import LinkEvent, User
from slomix.accounts.rules import LinkAction
from slomix.availability.models import Entry
from slomix.availability.rules import Status
from slomix.contacts.models import Contact, StoredPreferences
from tests.moments import TODAY
from tests.web.conftest import Browse, Browser, is_fragment, is_page, lands, nothing_stored
from tests.web.reading import Element, read
from tests.world import CAST, World

GUIDS = [
    ("guid-charlie", "^4Char^7lie", ["^5Chuck^7!"]),
    ("guid-other", "xXcharlieXx", []),
    ("guid-percent", "100%_sure", []),
    ("guid-plain", "100 sure", []),
]


@pytest.fixture
def profiles(world: World) -> World:
    with world.session() as session:
        accounts.import_players(session, GUIDS, now=world.clock.now())
    return world


def offered(page: Element, action: str = "/profile/link") -> list[str]:
    """The profiles that can be picked on a page, or with `/profile/claim` asked for."""
    forms = [one for one in page.all("form") if one.attributes["action"] == action]
    fields = [one for form in forms for one in form.all("input") if one.attributes["name"] == "guid"]
    return [one.attributes["value"] for one in fields]


def know_as_member(world: World, name: str) -> None:
    """That Discord knows somebody is written down, however their attempt ends."""
    with world.session() as session:
        user = session.get_one(User, world.users[name])
        accounts.record_membership(session, user, is_member=True, now=world.clock.now())


def log_of(world: World, name: str) -> list[tuple[LinkAction, dict[str, str]]]:
    with world.session() as session:
        query = select(LinkEvent).where(LinkEvent.user_id == world.users[name]).order_by(LinkEvent.id)
        return [(event.action, event.details) for event in session.scalars(query)]


def player_of(world: World, name: str) -> int | None:
    with world.session() as session:
        return session.scalar(select(User.player_id).where(User.id == world.users[name]))


def rows(world: World, table: type[Contact] | type[StoredPreferences], player: int) -> int:
    with world.session() as session:
        return session.scalar(select(func.count()).select_from(table).where(table.player_id == player)) or 0


def test_profiles_that_look_like_the_discord_name_are_suggested(profiles: World, charlie: Browser) -> None:
    page = charlie.page("/profile")
    assert set(offered(page)) == {"guid-charlie", "guid-other"}
    assert "Charlie" in page.words
    assert "^4" not in page.by_id("main").words


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("charlie", {"guid-charlie", "guid-other"}),
        ("CHARLIE", {"guid-charlie", "guid-other"}),
        ("^4charl", {"guid-charlie", "guid-other"}),
        ("chuck!", {"guid-charlie"}),
        ("100%", {"guid-percent"}),
        ("%_", {"guid-percent"}),
        ("100", {"guid-percent", "guid-plain"}),
        ("spare", {"guid-spare"}),
        ("nobody", set()),
        ("x", set()),
        ("'; DROP TABLE players; --", set()),
    ],
)
def test_search_is_literal_and_ignores_colours(profiles: World, charlie: Browser, words: str, found: set[str]) -> None:
    answer = charlie.client.get("/profile", query_string={"q": words})
    assert answer.status_code == 200
    page = read(answer.text)
    assert set(offered(page)) == found
    assert offered(page, "/profile/claim") == []
    empty = [one.words for one in page.all("p") if "empty" in one.attributes.get("class", "").split()]
    expected = ["Type at least two letters of the name."] if len(words) == 1 else [f"No profile has “ {words} ” in its"]
    assert [one[: len(expected[0])] for one in empty] == ([] if found else expected)


@pytest.mark.parametrize("words", ["alice", "ALICE_OLD", "^7ali"])
def test_a_profile_of_somebody_else_is_found_and_can_be_asked_for_and_not_taken(
    profiles: World, charlie: Browser, words: str
) -> None:
    answer = charlie.client.get("/profile", query_string={"q": words})
    page = read(answer.text)
    assert (offered(page), offered(page, "/profile/claim")) == ([], ["guid-alice"])
    assert "Taken" in page.by_id("main").words
    assert CAST["alice"] not in answer.text, "and nobody says who"
    assert "guid-alice" not in charlie.get("/profile").text, "what is taken is not suggested"


def test_what_was_searched_for_is_shown_as_text(charlie: Browser) -> None:
    answer = charlie.client.get("/profile", query_string={"q": "<script>alert(1)</script>"})
    assert "<script>alert" not in answer.text


def test_linking_opens_everything_and_leads_back(profiles: World, charlie: Browser) -> None:
    where = lands(charlie.post("/profile/link", {"guid": "guid-charlie", "next": f"/day/{TODAY}"}))
    assert where == f"/welcome?next=/day/{TODAY}", "who is new is asked once what they want to hear"
    page = charlie.page(where)
    assert "Welcome, Charlie!" in page.by_id("flash").words
    assert not [one for one in page.all("input") if "checked" in one.attributes], "and nothing is ticked for them"
    page = charlie.page("/")
    assert not page.has_id("banner")
    assert "Looking" in page.by_id(f"day-{TODAY}").buttons
    assert log_of(profiles, "charlie")[-1] == (LinkAction.PLAYER_LINKED, {"guid": "guid-charlie"})
    player = player_of(profiles, "charlie")
    assert player is not None
    assert rows(profiles, Contact, player) == 1
    assert rows(profiles, StoredPreferences, player) == 0, "nobody is opted in by linking"


@pytest.mark.parametrize(
    ("form", "wants", "said"),
    [
        ({"allow_promotions": "on", "session_ready": "off", "daily_reminder": "on"}, (True, False, True), "Saved."),
        ({"allow_promotions": "off"}, (False, False, False), "OK, no messages"),
        ({}, (False, False, False), "OK, no messages"),
        ({"allow_promotions": "on", "skip": "1"}, (False, False, False), "OK, no messages"),
    ],
    ids=str,
)
def test_what_is_answered_to_the_welcome_is_kept_and_asked_once(
    profiles: World, charlie: Browser, form: dict[str, str], wants: tuple[bool, ...], said: str
) -> None:
    charlie.post("/profile/link", {"guid": "guid-charlie"})
    assert lands(charlie.post("/welcome", form | {"next": "/calendar"})) == "/calendar"
    assert said in charlie.page("/calendar").by_id("flash").words
    with profiles.session() as session:
        stored = session.get_one(StoredPreferences, player_of(profiles, "charlie"), populate_existing=True)
        assert (stored.allow_promotions, stored.session_ready, stored.daily_reminder) == wants
    again = charlie.post("/profile/link", {"guid": "guid-charlie", "next": "/calendar"})
    assert lands(again) == "/calendar", "who was asked is not asked again"


@pytest.mark.parametrize(
    "elsewhere", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:1", ""]
)
def test_after_linking_nobody_is_led_elsewhere(profiles: World, charlie: Browser, elsewhere: str) -> None:
    assert lands(charlie.post("/profile/link", {"guid": "guid-charlie", "next": elsewhere})) == "/welcome?next=/"
    welcome = read(charlie.client.get("/welcome", query_string={"next": elsewhere}).text).by_id("main")
    assert [one.attributes["value"] for one in welcome.all("input") if one.attributes["name"] == "next"] == ["/"]
    assert lands(charlie.post("/welcome", {"next": elsewhere})) == "/"


@pytest.mark.parametrize("htmx", [False, True], ids=["page", "htmx"])
def test_a_profile_of_somebody_else_is_a_conflict(world: World, charlie: Browser, htmx: bool) -> None:
    know_as_member(world, "charlie")
    with nothing_stored(world):
        answer = charlie.post("/profile/link", {"guid": "guid-alice"}, htmx=htmx)
    sentence = (is_fragment if htmx else is_page)(answer, 409)
    assert "Alice is already linked" in sentence
    assert "admin" in sentence


def test_linking_to_the_same_profile_again_changes_nothing(world: World, alice: Browser) -> None:
    world.says("alice", Status.LOOKING)
    assert alice.post("/profile/link", {"guid": "guid-alice"}).status_code == 303
    assert log_of(world, "alice")[-1][0] is LinkAction.PLAYER_LINKED
    assert rows(world, StoredPreferences, world.players["alice"]) == 1


def test_changing_leaves_nothing_of_the_old_profile_that_could_be_written_to(profiles: World, alice: Browser) -> None:
    old = profiles.players["alice"]
    profiles.says("alice", Status.LOOKING)
    assert alice.post("/profile/link", {"guid": "guid-spare"}).status_code == 303
    assert player_of(profiles, "alice") != old
    assert (rows(profiles, Contact, old), rows(profiles, StoredPreferences, old)) == (0, 0)
    assert log_of(profiles, "alice")[-1] == (
        LinkAction.PLAYER_CHANGED,
        {"guid": "guid-spare", "old_guid": "guid-alice"},
    )
    assert "Queue is empty" in alice.page("/").by_id("queue").words
    assert "Spare" in alice.page("/profile").by_id("main").headings[0]


def test_unlinking_forgets_contacts_and_the_days_ahead_and_keeps_the_past(world: World, alice: Browser) -> None:
    player = world.players["alice"]
    for distance in (0, 1, 90):
        world.says("alice", Status.LOOKING, TODAY + timedelta(days=distance))
    with world.session() as session:
        past = {"player_id": player, "status": Status.MAYBE, "updated_at": world.clock.now()}
        session.add(Entry(day=TODAY - timedelta(days=1), **past))
    assert lands(alice.post("/profile/unlink")) == "/profile"
    with world.session() as session:
        kept = list(session.scalars(select(Entry.day).where(Entry.player_id == player)))
    assert kept == [TODAY - timedelta(days=1)]
    assert (rows(world, Contact, player), rows(world, StoredPreferences, player)) == (0, 0)
    assert log_of(world, "alice")[-1] == (LinkAction.PLAYER_UNLINKED, {"old_guid": "guid-alice"})
    assert alice.page("/").by_id("banner").buttons == ["Link Discord"]
    assert alice.get("/auth/link/status").get_json()["player_linked"] is False
    assert "Nothing is sent to you" in alice.page("/preferences").by_id("main").words
    is_page(alice.post("/preferences", {"allow_promotions": "on"}), 403)
    assert rows(world, StoredPreferences, player) == 0


def test_unlinking_is_possible_again_and_again_and_frees_the_profile(world: World, browse: Browse) -> None:
    for _ in range(2):
        assert browse("alice").post("/profile/unlink").status_code == 303
    assert browse("charlie").post("/profile/link", {"guid": "guid-alice"}).status_code == 303
    assert player_of(world, "charlie") == world.players["alice"]
    is_page(browse("alice").post("/profile/link", {"guid": "guid-alice"}), 409)


def test_who_takes_over_a_profile_inherits_no_consent(world: World, browse: Browse) -> None:
    browse("alice").post("/profile/unlink")
    browse("charlie").post("/profile/link", {"guid": "guid-alice"})
    world.says("alice", Status.LOOKING)
    left_out = browse("bob").get("/api/availability/promotions/preview").get_json()["left_out"]
    assert [one["reason"] for one in left_out] == ["not opted in"]


def test_preferences_are_kept_and_shown(world: World, alice: Browser) -> None:
    form = {"allow_promotions": "on", "quiet_start": "22:30", "quiet_end": "07:00"}
    assert lands(alice.post("/preferences", form)) == "/preferences"
    fields = {one.attributes.get("name"): one.attributes for one in alice.page("/preferences").all("input")}
    assert "checked" in fields["allow_promotions"]
    assert (fields["quiet_start"]["value"], fields["quiet_end"]["value"]) == ("22:30", "07:00")
    alice.post("/preferences", {"session_ready": "on"})
    fields = {one.attributes.get("name"): one.attributes for one in alice.page("/preferences").all("input")}
    assert [name for name, one in fields.items() if "checked" in one] == ["allow_promotions", "session_ready"]
    assert fields["quiet_start"]["value"] == "22:30", "a form that does not speak of something leaves it"
    # A tick that is taken away is sent by no browser: beside it stands a hidden field that says so.
    alice.post("/preferences", {"allow_promotions": "off", "session_ready": "off", "quiet_start": "", "quiet_end": ""})
    fields = {one.attributes.get("name"): one.attributes for one in alice.page("/preferences").all("input")}
    assert not [name for name, one in fields.items() if "checked" in one]
    assert fields["quiet_start"].get("value", "") == ""


def test_beside_every_tick_stands_what_takes_it_away(alice: Browser) -> None:
    [form] = [one for one in alice.page("/preferences").all("form") if one.attributes["action"] == "/preferences"]
    fields = [one.attributes for one in form.all("input")]
    ticks = [one["name"] for one in fields if one.get("type") == "checkbox"]
    assert set(ticks) == {"allow_promotions", "session_ready", "daily_reminder", "more_needed", "sound"}
    for name in ticks:
        mine = [(one["type"], one["value"]) for one in fields if one.get("name") == name]
        assert mine == [("hidden", "off"), ("checkbox", "on")], "the tick comes last, so it is what counts"
