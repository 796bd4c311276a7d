"""Pages in a language that nobody speaks: its letters are wide ones, so whatever has others was not looked up."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask

from slomix.availability.rules import Status
from slomix.reasons.codes import Explanation, Reason
from tests.moments import TODAY
from tests.web.conftest import Browser, browser_of
from tests.web.every_page import PAGES
from tests.web.reading import Element, read
from tests.wide import WORD, wide, widened
from tests.world import CAST, World

__all__ = ["wide"]  # a fixture

# Names of programs, of keys, of teams and of us.
NAMES = {
    "slomix",
    "discord",
    "telegram",
    "signal",
    "et",
    "legacy",
    "enter",
    "firefox",
    "linux",
    "ljubljana",
    "ants",
    *CAST,
}
# What people typed, what programs read, and languages by their own names.
DATA = {"bdi", "code", "kbd", "script", "style", "svg", "textarea", "datalist"}
READ_ALOUD = {"alt", "aria-label", "placeholder", "title", "data-says", "data-title", "hx-confirm", "abbr"}
SPOKEN_META = {"description", "og:title", "og:description", "og:image:alt"}
ADDRESS = re.compile(r"https?://\S+")


def texts(element: Element) -> Iterator[str]:
    """What a person reads or hears of an element, but for data."""
    attributes = element.attributes
    is_data = element.tag in DATA or "id" in attributes.get("class", "").split()
    if is_data or ("lang" in attributes and element.tag != "html"):
        return
    yield from element.texts
    yield from (text for name, text in attributes.items() if name in READ_ALOUD)
    if element.tag == "meta" and {attributes.get("name"), attributes.get("property")} & SPOKEN_META:
        yield attributes["content"]
    for child in element.children:
        yield from texts(child)


def plain_words(html: str) -> list[str]:
    """The texts of a page with words that were not looked up."""
    return [
        text.strip() for text in texts(read(html)) if {*map(str.lower, WORD.findall(ADDRESS.sub("", text)))} - NAMES
    ]


def rendered(browser: Browser, paths: dict[str, str]) -> dict[str, list[str]]:
    """For each page what was not looked up on it."""
    found = {}
    for name, path in paths.items():
        answer = browser.get(path)
        if answer.mimetype == "text/html" and answer.status_code != 302:
            found[name] = plain_words(answer.text)
    return {name: words for name, words in found.items() if words}


@pytest.fixture
def lively(world: World, ids: dict[str, object]) -> dict[str, str]:
    """An evening with something of everything, and the addresses of all pages."""
    for name, status in {"alice": Status.MAYBE, "dora": Status.NOT_PLAYING}.items():
        world.says(name, status)
    return {name: path.format_map(ids) for name, path in PAGES.items()}


@pytest.mark.usefixtures("wide")
@pytest.mark.parametrize("who", [None, "charlie", "alice", "dora"])
def test_whatever_stands_on_a_page_is_looked_up(
    world: World, app: Flask, lively: dict[str, str], who: str | None
) -> None:
    more = {
        "no page": "/nowhere",
        "an open month": f"/day/{TODAY}?month=2026-12",
        "a day that is over": "/day/2026-11-01",
        "a day that is far away": "/day/2027-11-01",
        "no date": "/day/nonsense",
        "nobody found": "/profile?q=zzzz",
        "found by one letter": "/profile?q=z",
    }
    assert rendered(browser_of(app, world, who), lively | more) == {}


@pytest.mark.usefixtures("wide")
def test_whatever_an_answer_to_a_form_says_is_looked_up(world: World, app: Flask, lively: dict[str, str]) -> None:
    alice, stranger = browser_of(app, world, "alice"), browser_of(app, world, None)
    said = {
        "a status": alice.post(f"/day/{TODAY}/status", {"status": "LOOKING"}, htmx=True),
        "no status": alice.post(f"/day/{TODAY}/status", {"status": "nonsense"}, htmx=True),
        "a code": alice.post("/contacts/telegram/code"),
        "a code again": alice.post("/contacts/telegram/code"),
        "wrong preferences": alice.post("/preferences", {"quiet_start": "x", "quiet_end": "25:00", "zone": "x"}),
        "to give up a profile": alice.post("/profile/unlink", {"confirmed": ""}),
        "no such language": alice.post("/language", {"language": "xx"}),
        "no such theme": alice.post("/appearance", {"theme": "pink"}),
        "a stranger": stranger.post(f"/day/{TODAY}/status", {"status": "LOOKING"}),
        "the way to Discord": stranger.post("/auth/login", {"day": str(TODAY), "status": "LOOKING"}),
        "a link was used": stranger.post(lively["stop.ask"]),
        "all were stopped": stranger.post(lively["stop.ask"], {"what": "all"}),
        "told of it": alice.get("/preferences"),
    }
    dora, room = browser_of(app, world, "dora"), f"/planning/{TODAY}"
    to_pause = dora.get("/admin/sending/pause")
    dora.post("/admin/sending/pause")
    said |= {
        "a campaign": dora.post("/campaigns", {"key": "k"}),
        "a campaign beside another": dora.post("/campaigns", {"key": "other"}, htmx=True),
        "a dry run": dora.post("/campaigns", {"key": "k", "dry_run": "on"}, htmx=True),
        "a second dry run": dora.post("/campaigns", {"key": "again", "dry_run": "on"}, htmx=True),
        "no start": dora.get("/promote?start=soon"),
        "to cancel a campaign": dora.post(lively["campaigns.show"] + "/cancel", {"confirmed": ""}),
        "in the room": dora.post(f"{room}/join", {"sure": "on"}, htmx=True),
        "to leave the room": dora.post(f"{room}/leave", {"confirmed": ""}),
        "no draft": dora.post(f"{room}/draft", {"first": "A"}, htmx=True),
        "no such change": dora.post(f"{room}/change", {"do": "nonsense"}, htmx=True),
        "no players file": dora.post("/admin/players/import"),
        "to pause": to_pause,
        "paused": dora.get("/admin"),
        "to resume": dora.get("/admin/sending/resume"),
    }
    assert {name: words for name, answer in said.items() if (words := plain_words(answer.text))} == {}


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ("<p>Ｓａｖｅｄ.</p>", []),
        ("<p>Saved.</p>", ["Saved."]),
        ("<p>Ｌｏｏｋｉｎｇ since 21:00</p>", ["Ｌｏｏｋｉｎｇ since 21:00"]),
        ('<button aria-label="Close">×</button>', ["Close"]),
        ('<meta property="og:title" content="Tonight">', ["Tonight"]),
        ("<p><bdi>Alice</bdi> 3 Slomix</p>", []),
        ('<button lang="sl">Slovenščina</button>', []),
    ],
)
def test_what_was_not_looked_up_is_found(html: str, found: list[str]) -> None:
    assert plain_words(html) == found


def test_the_language_of_the_test_keeps_what_is_no_word() -> None:
    text = 'Send <b class="x">%(count)s</b> to {name}, or /yes &amp; so'
    assert widened(text) == 'Ｓｅｎｄ <b class="x">%(count)s</b> ｔｏ {name}, ｏｒ /yes &amp; ｓｏ'
    assert widened("EEEE d MMMM") == "EEEE d MMMM"
    assert str(Explanation(Reason.QUIET_HOURS)) == "quiet hours"
