"""A name that is not a name: what people call themselves is text on every page, and harms no message."""

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import select, update

from slomix.accounts import service as accounts
from slomix.accounts.models import User
from slomix.availability.rules import Status
from slomix.campaigns.models import Campaign
from slomix.campaigns.notices.summary import SummaryFacts
from slomix.campaigns.notices.summary import text as summary_text
from slomix.deliveries.formatting import safe_name
from tests.moments import TODAY, at
from tests.steps import call
from tests.web.conftest import Browse, Browser
from tests.web.reading import Element, read
from tests.world import LINKED, World

# Whatever of these comes out as an element, an attribute or a turned line would be a hole.
NASTY = {
    "alice": "^1<script>alert(1)</script>",
    "bob": '^2"><img src=x onerror=alert(1)>',
    "erik": "@everyone ^3{{ 7*7 }} {% raw %}",
    "franka": "\u202egnisrever\u202c \u2066x\u2069",
    "goran": "'><svg/onload=alert(1)> ^7&lt;b&gt; &amp;",
    "dora": "^x^<style>*{display:none}</style>^",
}
ALIAS = "</bdi><iframe src=//evil.example></iframe>\u202e"
SHOWN = '<img src=x onerror=alert(1)> "quoted" \u202ehello'
MARKS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture
def nasty(world: World) -> World:
    """Everybody plays tonight under a nasty name, and Bob has called them together."""
    with world.session() as session:
        rows = [(f"guid-{name}", NASTY[name], [f"{ALIAS}{name}"]) for name in LINKED]
        rows += [(f"guid-{number}", f"{NASTY['alice']} {number}", [ALIAS]) for number in range(3)]
        accounts.import_players(session, rows, now=world.clock.now())
        session.execute(update(User).values(display_name=SHOWN, discord_username=SHOWN))
    for name in LINKED:
        world.says(name, Status.LOOKING)
    call(world)
    return world


def harmless(page: Element, path: str) -> None:
    """Nothing on the page that our templates did not put there."""
    for one in page.walk():
        assert one.tag not in {"iframe", "style", "object", "embed"}, (path, one)
        assert not any(name.startswith("on") for name in one.attributes), (path, one)
        assert "style" not in one.attributes, (path, one)
        assert one.tag != "img" or one.attributes.get("src") != "x", (path, one)
        if one.tag == "script":
            assert not one.words, (path, one.words)
            assert one.attributes["src"].startswith("/"), (path, one)
    assert "49" not in [word.strip() for word in page.words.split()], path


def paths_of(world: World, who: str) -> list[str]:
    """The pages that somebody may see."""
    paths = ["/", "/board", "/calendar", f"/day/{TODAY}", f"/day/{TODAY}/live", "/profile", "/profile?q=script"]
    paths += ["/preferences", "/profile/delete"]
    if who != "charlie":
        with world.session() as session:
            campaign = session.scalars(select(Campaign.id)).one()
        paths += ["/welcome", "/campaigns", f"/campaigns/{campaign}", f"/campaigns/{campaign}/live"]
    if who in {"bob", "dora"}:
        paths += ["/promote", "/promote/preview"]
    if who == "dora":
        paths += [
            f"/admin{page}" for page in ("", "/claims", "/links", "/roles", "/audit", "/players", "/sending/pause")
        ]
    return paths


@pytest.mark.parametrize("who", ["alice", "bob", "charlie", "dora"])
def test_every_name_is_text_on_every_page(nasty: World, browse: Browse, who: str) -> None:
    charlie = browse("charlie")
    charlie.post("/profile/claim", {"guid": "guid-alice", "note": f"{SHOWN}{ALIAS}"})
    browser = browse(who)
    for path in paths_of(nasty, who):
        answer = browser.get(path)
        assert answer.status_code == 200, path
        harmless(read(answer.text), path)
    harmless(read(browser.get("/nowhere?x=<script>alert(1)</script>").text), "an error")


def test_those_pages_do_show_the_names(nasty: World, browse: Browse) -> None:
    """Else the test above would look where nobody is."""
    alice, dora = browse("alice"), browse("dora")
    for path in ("/", f"/day/{TODAY}", "/board"):
        words = read(alice.get(path).text).words
        for text in ("<script>alert(1)</script>", '"><img src=x', "@everyone {{ 7*7 }}", "gnisrever"):
            assert text in words, (path, text)
    assert SHOWN.replace("\u202e", "") in dora.page("/admin/links").words.replace("\u202e", "")
    assert "<script>alert(1)</script> 1" in alice.page("/profile?q=script").words


def outside_of_names(element: Element) -> Iterator[str]:
    """The words that are in no element that keeps its direction to itself."""
    if element.tag in {"bdi", "input", "textarea"}:
        return
    yield from element.texts
    yield from (value for name, value in element.attributes.items() if name in {"title", "aria-label", "content"})
    for child in element.children:
        yield from outside_of_names(child)


@pytest.mark.parametrize("who", ["alice", "bob", "charlie", "dora"])
def test_no_mark_turns_what_stands_beside_a_name(nasty: World, browse: Browse, who: str) -> None:
    browse("charlie").post("/profile/claim", {"guid": "guid-alice", "note": f"{SHOWN}{ALIAS}"})
    browser = browse(who)
    for path in paths_of(nasty, who):
        words = " ".join(outside_of_names(read(browser.get(path).text)))
        assert not MARKS.search(words), path


def test_no_mark_is_left_in_a_players_name(nasty: World, alice: Browser) -> None:
    for path in ("/", "/board", f"/day/{TODAY}"):
        text = alice.get(path).text
        assert "gnisrever" in text
        assert not MARKS.search(text), path


def test_colours_are_known_classes_and_read_aloud_as_plain_text(world: World, alice: Browser) -> None:
    names = ['^1R^2G^;X^*Y^"Z', "^aA^ZZ^<b", "^^^1x", "^", "plain"]
    with world.session() as session:
        rows: list[tuple[str, str, list[str]]] = [
            (f"guid-c{number}", f"colour{number} {name}", []) for number, name in enumerate(names)
        ]
        accounts.import_players(session, rows, now=world.clock.now())
    page = alice.page("/profile?q=colour")
    shown = [one for one in page.walk() if one.attributes.get("class") == "et"]
    assert len(shown) >= len(names)
    for one in shown:
        for span in one.all("span"):
            assert re.fullmatch(r"sr|et-[0-9]|", span.attributes.get("class", "")), span
        aloud, seen = one.all("span")[:2]
        assert seen.attributes["aria-hidden"] == "true"
        assert aloud.words.replace(" ", "") == seen.words.replace(" ", "")
        assert "style" not in str([span.attributes for span in one.all("span")])


def test_what_somebody_searched_for_or_asked_is_text(nasty: World, alice: Browser) -> None:
    for query in ('"><script>alert(1)</script>', "' onfocus=alert(1) autofocus x='", "{{ 7*7 }}", "\u202e<b>"):
        answer = alice.client.get("/profile", query_string={"q": query, "next": query})
        harmless(read(answer.text), query)


@pytest.mark.parametrize("name", list(NASTY.values()))
def test_a_name_in_a_message_mentions_nobody_and_formats_nothing(name: str) -> None:
    said = safe_name(name)
    assert "@everyone" not in said
    assert not MARKS.search(said)
    assert not re.search(r"(?<!\\)[<>*_~`|\[\]]", said)
    assert "^1" not in said


def test_the_summary_mentions_nobody(nasty: World) -> None:
    text = summary_text(SummaryFacts(0, 6, at(21), list(NASTY.values()), 0, 0, presence_known=True, with_names=True))
    assert "everyone" in text
    assert "@everyone" not in text
    assert not re.search(r"(?<!\\)[<>*_~`|\[\]]", re.sub(r"<t:[0-9]+:t>", "", text))
