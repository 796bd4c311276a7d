"""Every page, for everybody: who gets in, who sees names, and the words that people look for."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from slomix.availability.rules import Status
from tests.moments import TODAY
from tests.web.conftest import Browse, Browser, is_page
from tests.web.reading import Element
from tests.world import CAST, LINKED, World

TOMORROW = TODAY + timedelta(days=1)
STATUS_BUTTONS = ["Looking", "Available", "Maybe", "Not playing", "Clear"]
BOARDS = ["/", f"/day/{TODAY}", f"/day/{TOMORROW}", "/calendar?month=2026-11", "/board", "/board?month=2026-11"]
BOARDS.append(f"/day/{TODAY}/live")


@pytest.fixture
def evening(world: World, bob: Browser) -> World:
    """Everybody has said something, and Bob has called tonight together."""
    for name, status in zip(LINKED, [Status.LOOKING, *Status, Status.LOOKING], strict=True):
        world.says(name, status)
    world.says("erik", Status.LOOKING, TOMORROW)
    world.says("alice", Status.MAYBE, TOMORROW)
    assert bob.post("/campaigns", {"key": "k"}).status_code == 303
    return world


def campaign_path(bob: Browser) -> str:
    links = bob.page("/").by_id("campaign").all("a")
    return next(one.attributes["href"] for one in links if one.attributes["href"].startswith("/campaigns/"))


ENTRY: list[tuple[str, dict[str | None, int]]] = [
    *((path, {None: 200, "charlie": 200, "alice": 200, "bob": 200, "dora": 200}) for path in BOARDS),
    ("/profile", {None: 401, "charlie": 200, "alice": 200, "bob": 200, "dora": 200}),
    # Switching off is for everybody, so everybody finds the page where it is done.
    ("/preferences", {None: 401, "charlie": 200, "alice": 200, "bob": 200, "dora": 200}),
    ("/welcome", {None: 401, "charlie": 403, "alice": 200, "bob": 200, "dora": 200}),
    ("/promote", {None: 401, "charlie": 403, "alice": 403, "bob": 200, "dora": 200}),
    ("/promote/preview", {None: 401, "charlie": 403, "alice": 403, "bob": 200, "dora": 200}),
    ("CAMPAIGN", {None: 401, "charlie": 403, "alice": 200, "bob": 200, "dora": 200}),
    ("/auth/link/status", {None: 200, "charlie": 200, "alice": 200}),
]


@pytest.mark.parametrize(("path", "expected"), ENTRY, ids=[path for path, _ in ENTRY])
def test_everybody_gets_what_is_theirs(
    evening: World, browse: Browse, path: str, expected: dict[str | None, int]
) -> None:
    where = campaign_path(browse("bob")) if path == "CAMPAIGN" else path
    for name, status in expected.items():
        answer = browse(name).get(where)
        assert answer.status_code == status, name
        if status >= 400:
            is_page(answer, status)


@pytest.mark.parametrize("path", BOARDS)
@pytest.mark.parametrize("name", [None, "charlie"])
def test_a_stranger_and_somebody_unlinked_see_how_many_and_never_who(
    evening: World, browse: Browse, name: str | None, path: str
) -> None:
    html = browse(name).get(path).text
    for other, discord_id in CAST.items():
        assert discord_id not in html
        assert other == name or other.title() not in html, f"{other} is named"


@pytest.mark.parametrize("path", [*BOARDS, "/profile", "/preferences", "/promote", "CAMPAIGN"])
def test_nobody_ever_sees_a_discord_id(evening: World, bob: Browser, path: str) -> None:
    html = bob.get(campaign_path(bob) if path == "CAMPAIGN" else path).text
    assert not [discord_id for discord_id in CAST.values() if discord_id in html]


@pytest.mark.parametrize("path", ["/", f"/day/{TODAY}", "/board"])
def test_who_is_linked_sees_who_plays_without_colour_codes(evening: World, alice: Browser, path: str) -> None:
    page = alice.page(path)
    card = page.by_id(f"day-{TODAY}").words
    assert all(name.title() in card for name in LINKED)
    assert "^1" not in card


def test_the_counts_are_the_same_for_everybody(evening: World, browse: Browse) -> None:
    for name in (None, "charlie", "alice"):
        words = browse(name).page("/").by_id(f"day-{TODAY}").words
        for word, count in {"Looking": 3, "Available": 1, "Maybe": 1, "Not playing": 1}.items():
            assert f"{word} {count}" in words or f"{count} {word}" in words, name


def test_the_board_has_its_headings_and_its_two_days_side_by_side(anonymous: Browser) -> None:
    page = anonymous.page("/")
    for heading in ("Today", "Tomorrow", "Current queue", "Upcoming"):
        assert heading in page.headings
    assert page.has_id(f"day-{TODAY}")
    assert page.has_id(f"day-{TOMORROW}")


@pytest.mark.parametrize(
    ("name", "buttons"), [(None, STATUS_BUTTONS[:-1]), ("charlie", STATUS_BUTTONS[:-1]), ("alice", STATUS_BUTTONS)]
)
def test_all_have_the_four_buttons_and_who_is_linked_has_clear(
    browse: Browse, name: str | None, buttons: list[str]
) -> None:
    """A stranger's lead to the login, those of an account without a player to choosing one."""
    for path in ("/", f"/day/{TODAY}"):
        assert browse(name).page(path).by_id(f"day-{TODAY}").buttons == buttons


def test_ones_own_status_is_pressed(world: World, alice: Browser) -> None:
    world.says("alice", Status.MAYBE)
    buttons = alice.page("/").by_id(f"day-{TODAY}").all("button")
    assert [one.words for one in buttons if one.attributes.get("aria-pressed") == "true"] == ["Maybe"]


def test_a_past_day_can_be_read_and_not_changed(alice: Browser) -> None:
    yesterday = TODAY - timedelta(days=1)
    page = alice.page(f"/day/{yesterday}")
    assert page.by_id(f"day-{yesterday}").buttons == []
    assert "over" in page.by_id(f"day-{yesterday}").words


def test_the_last_day_to_plan_has_buttons_and_the_next_has_none(alice: Browser) -> None:
    last = TODAY + timedelta(days=90)
    assert alice.page(f"/day/{last}").by_id(f"day-{last}").buttons == STATUS_BUTTONS
    after = last + timedelta(days=1)
    assert alice.page(f"/day/{after}").by_id(f"day-{after}").buttons == []


@pytest.mark.parametrize(("name", "target"), [(None, "/auth/login?next=/"), ("charlie", "/profile?next=/")])
def test_the_banner_leads_to_the_login_or_to_the_profile(browse: Browse, name: str | None, target: str) -> None:
    browser = browse(name)
    banner = browser.page("/").by_id("banner")
    assert banner.buttons == ["Link Discord"]
    answer = browser.get(banner.all("a")[0].attributes["href"])
    assert (answer.status_code, answer.headers["Location"]) == (302, target)


def test_who_is_linked_has_no_banner(alice: Browser) -> None:
    page = alice.page("/")
    assert not page.has_id("banner")
    assert "Link Discord" not in page.words


def title(page: Element) -> str:
    return page.all("title")[0].words


def test_the_title_counts_who_is_looking(world: World, anonymous: Browser) -> None:
    assert title(anonymous.page("/")) == "[0/6] Slomix"
    world.says("alice", Status.LOOKING)
    world.says("erik", Status.AVAILABLE)
    assert title(anonymous.page("/")) == "[1/6] Slomix"


def test_at_the_threshold_the_session_is_ready(world: World, anonymous: Browser) -> None:
    assert "Game on!" not in anonymous.page("/").words
    for name in LINKED:
        world.says(name, Status.LOOKING)
    page = anonymous.page("/")
    assert "Game on!" in page.words
    assert title(page) == "[6/6] Slomix"


def test_the_queue_says_that_it_is_empty_only_when_it_is(world: World, browse: Browse) -> None:
    for name in (None, "charlie", "alice"):
        assert "Queue is empty" in browse(name).page("/").by_id("queue").words
    world.says("erik", Status.LOOKING)
    for name in (None, "charlie"):
        queue = browse(name).page("/").by_id("queue").words
        assert "Queue is empty" not in queue
        assert "1 player is looking" in queue
        assert "see who" in queue
    queue = browse("alice").page("/").by_id("queue").words
    assert "Erik" in queue
    assert "since 20:30" in queue


def test_the_queue_is_first_come_first_and_pressing_again_keeps_the_place(world: World, alice: Browser) -> None:
    for name in ("erik", "alice", "franka"):
        world.says(name, Status.LOOKING)
        world.clock.forward(timedelta(minutes=1))
    world.says("erik", Status.LOOKING)
    assert [one.words.split()[0] for one in alice.page("/").by_id("queue").all("li")] == ["Erik", "Alice", "Franka"]


def test_the_calendar_is_collapsed_until_opened(anonymous: Browser) -> None:
    closed = anonymous.page("/").by_id("calendar")
    assert closed.buttons == ["Open calendar"]
    assert not closed.all("table")
    opened = anonymous.page("/calendar").by_id("calendar")
    assert "Close calendar" in opened.buttons
    assert "November 2026" in opened.words


def test_the_calendar_starts_on_monday_and_every_day_has_its_address(world: World, alice: Browser) -> None:
    world.says("alice", Status.LOOKING, TODAY + timedelta(days=3))
    world.says("erik", Status.MAYBE, TODAY + timedelta(days=3))
    calendar = alice.page("/calendar?month=2026-11").by_id("calendar")
    assert [one.words[:2] for one in calendar.all("th")] == ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"]
    links = {one.attributes["href"]: one.words for one in calendar.all("a")}
    # The 1st of November 2026 is a Sunday: the weeks around it begin in October.
    assert "/day/2026-10-26" in links
    assert "2" in links["/day/2026-11-23"].split()
    assert "you: looking" in links["/day/2026-11-23"].lower()
    for month in ("2026-10", "2026-12"):
        assert any(link.startswith(f"/calendar?month={month}") for link in links)


@pytest.mark.parametrize("month", ["2024-02", "2026-03", "2026-10", "2027-01", "1970-01", "0002-01", "9998-12"])
def test_every_month_can_be_opened(anonymous: Browser, month: str) -> None:
    assert anonymous.get(f"/calendar?month={month}").status_code == 200


def test_only_a_promoter_has_promote(browse: Browse) -> None:
    has: Callable[[str | None], bool] = lambda name: "Promote" in browse(name).page("/").buttons  # noqa: E731
    assert [has(name) for name in (None, "charlie", "alice", "bob", "dora")] == [False, False, False, True, True]


def test_the_modal_has_its_words_and_is_a_page_too(bob: Browser) -> None:
    page = bob.page("/promote").by_id("promote")
    for words in ("Include available", "Include maybe", "Include late joiners", "Start", "Dry run"):
        assert any(label.words.startswith(words) for label in page.all("label")), words
    assert "Schedule campaign" in page.buttons
    fragment = bob.get("/promote", htmx=True).text
    assert "<html" not in fragment
    assert 'id="promote"' in fragment


def test_a_campaign_is_aggregate_for_players_and_names_for_promoters(evening: World, browse: Browse) -> None:
    where = campaign_path(browse("bob"))
    players = browse("alice").page(where).by_id("main").words
    assert "Cancel campaign" not in players
    assert not [name for name in ("Franka", "Goran") if name in players]
    promoters = browse("bob").page(where).by_id("main").words
    assert "Alice" in promoters
    assert "Cancel campaign" in promoters


def test_a_promoter_by_the_settings_who_is_not_linked_may_not_promote(world: World, bob: Browser) -> None:
    assert bob.post("/profile/unlink").status_code == 303
    assert "Promote" not in bob.page("/").buttons
    is_page(bob.get("/promote"), 403)
