"""Who is not linked gets numbers (W60), true ones (W73), and never a name or an id, by whatever way they ask."""

import re
from datetime import timedelta

import pytest

from slomix.accounts import service as accounts
from slomix.availability.rules import Status
from tests.moments import TODAY
from tests.web.conftest import Browse, Browser, is_fragment, is_page, is_problem
from tests.web.reading import read
from tests.world import CAST, LINKED, World

API = "/api/availability"
TOMORROW = TODAY + timedelta(days=1)
PAGES = ["/", "/calendar", f"/day/{TODAY}", f"/day/{TODAY}?month=2026-12", f"/day/{TODAY - timedelta(days=1)}"]
FRAGMENTS = ["/board", "/board?month=", f"/day/{TODAY}/live", f"/day/{TOMORROW}/live"]
JSON = [f"{API}{query}" for query in ("", "?include_users=true", "?include_users=1&from=2026-11-01", "/access")]
FOR_ALL = [*PAGES, *FRAGMENTS, *JSON, "/auth/link/status"]
FOR_PLAYERS = [
    "/campaigns",
    "/campaigns/{}",
    "/campaigns/{}/live",
    f"{API}/promotions/campaign",
    f"{API}/promotions/campaign?date={TODAY}",
]
FOR_PROMOTERS = ["/promote", "/promote/preview", f"{API}/promotions/preview"]
# Names that nothing else on a page is called.
NAMES = {name: f"^3Qx{name.title()}^7Zz" for name in LINKED}
UNLINKED = pytest.mark.parametrize("who", [None, "charlie"], ids=["a stranger", "charlie"])


@pytest.fixture
def campaign(world: World, bob: Browser) -> str:
    """Everybody has said something, Bob has called tonight together, and Goran was left out for a reason."""
    with world.session() as session:
        rows = [(f"guid-{name}", shown, [f"{name}_old"]) for name, shown in NAMES.items()]
        accounts.import_players(session, rows, now=world.clock.now())
    for number, name in enumerate(LINKED):
        world.says(name, Status.LOOKING)
        world.says(name, list(Status)[number % 4], TOMORROW)
    world.prefers("goran", called=False)
    made = bob.call("POST", f"{API}/promotions/campaigns", {})
    assert made.status_code == 201
    return str(made.get_json()["campaign_id"])


def named(text: str) -> list[str]:
    """Whose name, old name, Discord id or profile stands in an answer."""
    return [
        name
        for name in LINKED
        if any(one in text for one in (f"Qx{name.title()}", f"{name}_old", f"guid-{name}", CAST[name]))
    ]


def test_these_answers_would_name_everybody_to_a_player(world: World, campaign: str, bob: Browser) -> None:
    """Else the tests below would look for the wrong words."""
    for path in (*PAGES[:4], *FRAGMENTS, JSON[1], JSON[2], f"/campaigns/{campaign}", f"/campaigns/{campaign}/live"):
        found = named(bob.get(path).text)
        assert set(found) >= set(LINKED) - {"goran"}, path


@UNLINKED
def test_who_is_not_linked_is_told_numbers_and_nobody(campaign: str, browse: Browse, who: str | None) -> None:
    browser = browse(who)
    for path in FOR_ALL:
        answer = browser.get(path)
        assert answer.status_code == 200, path
        assert named(answer.text) == [], path
        assert not re.search(r"user_id|player_id|users_by_status|my_status|data-mine|class=\"me\"", answer.text), path


@UNLINKED
@pytest.mark.parametrize("htmx", [False, True], ids=["plain", "htmx"])
def test_what_is_for_players_is_refused_without_naming_anybody(
    campaign: str, browse: Browse, who: str | None, htmx: bool
) -> None:
    browser, status = browse(who), 401 if who is None else 403
    for path in (*FOR_PLAYERS, *FOR_PROMOTERS):
        answer = browser.get(path.format(campaign), htmx=htmx)
        assert named(answer.text) == [], path
        if path.startswith("/api/"):
            is_problem(answer, status)
        elif htmx:
            is_fragment(answer, status)
        else:
            is_page(answer, status)


@UNLINKED
def test_a_campaign_that_exists_is_refused_just_as_one_that_does_not(
    campaign: str, browse: Browse, who: str | None
) -> None:
    browser = browse(who)
    there, nowhere = (browser.get(f"/campaigns/{one}") for one in (campaign, "999999999"))
    assert (there.status_code, is_page(there, there.status_code)) == (
        nowhere.status_code,
        is_page(nowhere, nowhere.status_code),
    )


@UNLINKED
def test_the_card_says_that_a_promoter_called_and_how_many_and_nothing_else(
    campaign: str, browse: Browse, who: str | None
) -> None:
    card = browse(who).page("/").by_id("campaign")
    assert "Called by a promoter · 5 players will be notified" in card.words
    assert "Game night at 21:00" in card.words
    assert "not opted in" not in card.words
    assert card.all("a", "form", "button") == []


@UNLINKED
def test_the_numbers_are_the_true_ones(campaign: str, browse: Browse, who: str | None) -> None:
    browser, statuses = browse(who), ["Looking", "Available", "Maybe", "Not playing"]
    for path in (*PAGES[:3], *FRAGMENTS[:3]):
        card = browser.page(path).by_id(f"day-{TODAY}")
        shown = {
            kind: [one.words for one in card.all("span", "button") if one.attributes.get("class") == kind]
            for kind in ("number", "status")
        }
        assert shown == {"number": ["6", "0", "0", "0"], "status": statuses}, path


def queue_of(browser: Browser, path: str) -> str:
    return browser.page(path).by_id("queue").words


@pytest.mark.parametrize("path", ["/", "/board", "/calendar", "/board?month="])
@pytest.mark.parametrize(
    ("who", "invitation"), [(None, "Log in to see who"), ("charlie", "Pick your player to see who")]
)
def test_a_queue_of_some_is_a_number_and_the_way_to_see_who(
    world: World, browse: Browse, who: str | None, invitation: str, path: str
) -> None:
    browser = browse(who)
    for number, name in enumerate(LINKED[:3], start=1):
        world.says(name, Status.LOOKING)
        looking = "1 player is" if number == 1 else f"{number} players are"
        assert queue_of(browser, path) == f"Current queue {looking} looking. {invitation}"


def test_the_invitation_leads_to_the_login_or_to_the_profile(world: World, browse: Browse) -> None:
    world.says("erik", Status.LOOKING)
    for who, target in ((None, "/auth/login"), ("charlie", "/profile")):
        browser = browse(who)
        [link] = browser.page("/").by_id("queue").all("a")
        assert str(browser.get(link.attributes["href"]).headers["Location"]).split("?")[0] == target


@pytest.mark.parametrize("path", ["/", "/board", "/calendar"])
@pytest.mark.parametrize("who", [None, "charlie", "alice"])
def test_the_queue_is_empty_when_nobody_is_looking_today_and_only_then(
    world: World, browse: Browse, who: str | None, path: str
) -> None:
    browser = browse(who)
    world.says("erik", Status.LOOKING, TOMORROW)
    world.says("franka", Status.AVAILABLE)
    world.says("goran", Status.MAYBE)
    assert queue_of(browser, path) == "Current queue Queue is empty"
    world.says("goran", Status.LOOKING)
    assert "Queue is empty" not in queue_of(browser, path)
    world.says("goran", None)
    assert queue_of(browser, path) == "Current queue Queue is empty"


def test_leaving_the_queue_empties_it_in_the_same_answer(alice: Browser) -> None:
    def queue(status: str) -> str:
        answer = alice.post(f"/day/{TODAY}/status", {"status": status}, htmx=True)
        return read(answer.text).by_id("queue").words

    assert queue("LOOKING") == "Current queue Alice (you) since 20:30"
    assert queue("NOT_PLAYING") == "Current queue Queue is empty"
    assert queue("LOOKING") != queue("")
