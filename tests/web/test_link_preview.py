"""What a link shows where it is pasted: the numbers of the moment, and nobody's name."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from slomix.availability.rules import Status
from tests.moments import TODAY
from tests.web.conftest import Browse, Browser, browser_of, make_app, with_settings
from tests.web.reading import Element
from tests.workers.pump import pump
from tests.world import CAST, LINKED, World

DAY = TODAY + timedelta(days=3)


def preview(page: Element) -> dict[str, str]:
    """The Open Graph properties, each once."""
    found = [one.attributes for one in page.all("meta") if one.attributes.get("property", "").startswith("og:")]
    assert len({one["property"] for one in found}) == len(found)
    return {one["property"].removeprefix("og:"): one["content"] for one in found}


def looking(world: World, number: int) -> None:
    for name in LINKED[:number]:
        world.says(name, Status.LOOKING)


def called(world: World, bob: Browser) -> None:
    assert bob.post("/campaigns", {"key": "k"}).status_code == 303


@pytest.mark.parametrize("path", ["/", "/calendar", "/calendar?month=2027-01"])
@pytest.mark.parametrize(
    ("number", "is_called", "minutes", "title", "description"),
    [
        (0, False, 0, "[0/6] Slomix", "Nobody is looking to play tonight yet."),
        (2, False, 0, "[2/6] Slomix", "2 of 6 looking to play tonight."),
        (2, True, 0, "[2/6] Slomix", "2 of 6 looking to play tonight at 21:00."),
        (6, False, 0, "[6/6] Slomix", "Game on! 6 players are in tonight."),
        (6, True, 29, "[6/6] Slomix", "Game on at 21:00: 6 players are in."),
        (6, True, 30, "[6/6] Slomix", "Game night is on since 21:00. 6 players are looking."),
        (2, True, 44, "[2/6] Slomix", "Game night is on since 21:00. 2 players are looking."),
    ],
)
def test_a_link_to_the_board_says_how_far_tonight_is(
    world: World,
    browse: Browse,
    path: str,
    number: int,
    is_called: bool,
    minutes: int,
    title: str,
    description: str,
) -> None:
    looking(world, number)
    if is_called:
        called(world, browse("bob"))
    world.clock.forward(timedelta(minutes=minutes))
    pump(world)
    page = browse(None).page(path)
    shown = preview(page)
    assert (shown["title"], shown["description"]) == (title, description)
    assert page.all("title")[0].words == title
    assert page.by_id("board").attributes["data-says"] == description, "what is read aloud is the same"
    assert page.by_id("board").attributes["data-title"] == title


def test_a_cancelled_campaign_is_no_start(world: World, browse: Browse, bob: Browser) -> None:
    looking(world, 2)
    called(world, bob)
    campaign = bob.page("/").by_id("campaign-cancel").attributes["action"]
    assert bob.post(campaign).status_code == 303
    world.clock.forward(timedelta(minutes=45))
    assert preview(browse(None).page("/"))["description"] == "2 of 6 looking to play tonight."


def test_a_link_to_a_day_says_how_many_said_what(world: World, anonymous: Browser) -> None:
    world.says("alice", Status.LOOKING, DAY)
    for name in ("erik", "franka"):
        world.says(name, Status.MAYBE, DAY)
    world.says("goran", Status.NOT_PLAYING, DAY)
    page = anonymous.page(f"/day/{DAY}?month=2026-12")
    shown = preview(page)
    assert shown["title"] == page.all("title")[0].words == "Monday, Mon 23 Nov · Slomix"
    assert shown["description"] == "3 coming: 1 looking and 2 maybe"


@pytest.mark.parametrize("path", ["/", "/calendar", f"/day/{TODAY}", "/nowhere"])
def test_nobody_is_named_to_who_pastes_a_link(world: World, browse: Browse, path: str) -> None:
    looking(world, 6)
    called(world, browse("bob"))
    for name in (None, "charlie"):
        head = browse(name).get(path).text.split("</head>")[0]
        assert "og:title" in head
        assert not [one for one in (*CAST.values(), *map(str.title, CAST)) if one in head]


@pytest.mark.parametrize("path", ["/", f"/day/{TODAY}"])
def test_what_a_link_shows_is_the_same_whoever_is_logged_in(world: World, browse: Browse, path: str) -> None:
    looking(world, 3)
    assert preview(browse("alice").page(path)) == preview(browse(None).page(path))


@pytest.mark.parametrize("path", ["/", "/calendar?month=2026-12", f"/day/{TODAY}"])
def test_the_address_is_the_public_one_without_what_was_asked(world: World, path: str) -> None:
    here = with_settings(world, public_url="https://slomix.example/")
    shown = preview(browser_of(make_app(here.runtime), here, None).page(path))
    assert shown["url"] == f"https://slomix.example{path.split('?')[0]}"
    assert shown["image"].startswith(f"https://slomix.example/og/{TODAY}.png?")
    assert shown["site_name"] == "Slomix"


FILL: dict[str, Callable[[World], None]] = {
    "nobody": lambda world: None,
    "some": lambda world: looking(world, 3),
    "enough": lambda world: looking(world, 6),
}


@pytest.mark.parametrize("fill", FILL.values(), ids=FILL)
def test_the_fragment_keeps_the_title_and_the_sentence_true(
    world: World, anonymous: Browser, fill: Callable[[World], None]
) -> None:
    fill(world)
    on_the_page, fetched = (anonymous.page(path).by_id("board").attributes for path in ("/", "/board"))
    assert on_the_page == fetched
