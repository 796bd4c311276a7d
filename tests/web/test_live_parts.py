"""The part of an open page that changes: sent once, then only when it is another one, to each viewer their own."""

import re
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from slomix.availability.rules import Status
from tests.moments import TODAY
from tests.web.conftest import Browse, Browser, browser_of
from tests.web.reading import read, roots
from tests.world import LINKED, World

TOMORROW, IN_DECEMBER, FAR = TODAY + timedelta(days=1), TODAY + timedelta(days=20), TODAY + timedelta(days=80)
PARTS = [
    "/board",
    "/board?month=",
    "/board?month=2026-12",
    f"/day/{TODAY}/live",
    f"/day/{TODAY}/live?month=2026-12",
    f"/day/{IN_DECEMBER}/live",
    "CAMPAIGN",
]
OPEN_TO_ALL = [path for path in PARTS if path != "CAMPAIGN"]
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@pytest.fixture
def campaign(world: World, bob: Browser) -> str:
    """Bob has called tonight together; the part of that campaign's page that changes."""
    for name in LINKED[2:]:
        world.says(name, Status.LOOKING)
    assert bob.post("/campaigns", {"key": "k"}).status_code == 303
    [link] = [one.attributes["href"] for one in bob.page("/").by_id("campaign").all("a") if one.words == "Details"]
    return f"{link}/live"


def etag(answer: TestResponse) -> str:
    assert answer.status_code == 200, answer.text
    return str(answer.headers["ETag"])


def ask(browser: Browser, path: str, known: str = "") -> TestResponse:
    """Fetch a part as an open page does, which knows the one it shows."""
    return browser.get(path, htmx=True, **({"If-None-Match": known} if known else {}))


@pytest.mark.parametrize("encoding", ["", "gzip", "br, gzip"])
@pytest.mark.parametrize("path", PARTS)
def test_who_shows_just_this_is_sent_nothing_that_could_be_swapped(
    campaign: str, browse: Browse, path: str, encoding: str
) -> None:
    alice, where = browse("alice"), path.replace("CAMPAIGN", campaign)
    headers = {"Accept-Encoding": encoding, "HX-Request": "true"}
    known = etag(alice.client.get(where, headers=headers))
    again = alice.client.get(where, headers=headers | {"If-None-Match": known})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == known
    assert not {"HX-Retarget", "HX-Reswap", "HX-Trigger", "HX-Redirect", "Content-Encoding"} & set(again.headers.keys())
    assert again.headers["Cache-Control"] == "no-store", "the page keeps it, no cache does"


CHANGES: list[tuple[str, Callable[[World], None]]] = [
    ("/board", lambda world: world.says("erik", Status.MAYBE)),
    ("/board", lambda world: world.says("alice", None, TOMORROW)),
    ("/board?month=", lambda world: world.says("erik", Status.MAYBE, TODAY + timedelta(days=6))),
    ("/board?month=2026-12", lambda world: world.says("erik", Status.MAYBE, IN_DECEMBER)),
    (f"/day/{TODAY}/live", lambda world: world.says("erik", Status.NOT_PLAYING)),
    (f"/day/{TODAY}/live?month=2026-12", lambda world: world.says("erik", Status.MAYBE, IN_DECEMBER)),
    (f"/day/{IN_DECEMBER}/live", lambda world: world.says("alice", Status.LOOKING, IN_DECEMBER)),
    # Nobody did anything, but it is another day, or the evening has begun.
    ("/board", lambda world: world.clock.forward(timedelta(hours=4))),
    (f"/day/{TODAY}/live", lambda world: world.clock.forward(timedelta(hours=4))),
]


@pytest.mark.parametrize(("path", "change"), CHANGES, ids=[f"{n} {path}" for n, (path, _) in enumerate(CHANGES)])
def test_a_change_is_sent_with_a_new_mark_and_then_known_again(
    world: World, browse: Browse, path: str, change: Callable[[World], None]
) -> None:
    alice = browse("alice")
    world.says("alice", Status.LOOKING, TOMORROW)
    before = etag(ask(alice, path))
    change(world)
    changed = ask(alice, path, before)
    assert etag(changed) != before
    assert len(roots(read(changed.text))) == 1
    assert ask(alice, path, etag(changed)).status_code == 304


def test_a_campaign_that_is_cancelled_is_sent_anew_to_who_has_its_page_open(
    campaign: str, browse: Browse, bob: Browser
) -> None:
    alice = browse("alice")
    before = etag(ask(alice, campaign))
    assert bob.post(campaign.replace("/live", "/cancel")).status_code == 303
    assert "cancelled" in ask(alice, campaign, before).text


@pytest.mark.parametrize("path", OPEN_TO_ALL)
def test_what_changes_elsewhere_is_no_change_here(world: World, browse: Browse, path: str) -> None:
    alice = browse("alice")
    before = etag(ask(alice, path))
    world.says("erik", Status.LOOKING, FAR)
    world.clock.forward(timedelta(seconds=90))
    assert ask(alice, path, before).status_code == 304


@pytest.mark.parametrize("path", OPEN_TO_ALL)
def test_each_viewer_has_their_own_and_is_never_told_that_somebody_elses_is_theirs(
    world: World, browse: Browse, path: str
) -> None:
    for day in (TODAY, IN_DECEMBER):
        world.says("alice", Status.LOOKING, day)
    people = (None, "charlie", "alice", "erik")
    marks = {name: etag(ask(browse(name), path)) for name in people}
    assert len(set(marks.values())) == len(people)
    for name in people:
        for other in people:
            assert ask(browse(name), path, marks[other]).status_code == (304 if name == other else 200)


@pytest.mark.parametrize("path", ["/board", f"/day/{TODAY}/live"])
def test_strangers_see_the_same_so_for_them_it_is_the_same(browse: Browse, path: str) -> None:
    assert etag(ask(browse(None), path)) == etag(ask(browse(None), path))


@pytest.mark.parametrize("path", ["/board", "/board?month=2026-12", f"/day/{TODAY}/live"])
def test_who_logs_in_or_out_is_not_told_that_nothing_changed(browse: Browse, path: str) -> None:
    alice, stranger = browse("alice"), browse(None)
    as_alice, as_stranger = etag(ask(alice, path)), etag(ask(stranger, path))
    assert alice.post("/auth/logout").status_code == 303
    gone = ask(alice, path, as_alice)
    assert etag(gone) == as_stranger


@pytest.mark.parametrize("path", PARTS)
def test_a_forms_token_is_no_part_of_what_is_compared(
    world: World, app: Flask, campaign: str, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """A token carries its second and its session, so nobody would ever be told that nothing changed."""
    where = path.replace("CAMPAIGN", campaign)
    here, elsewhere = browser_of(app, world, "bob"), browser_of(app, world, "bob")
    answers = [ask(here, where), ask(elsewhere, where)]
    seconds = time.time()
    monkeypatch.setattr(time, "time", lambda: seconds + 3600)
    answers.append(ask(here, where))
    tokens = [TOKEN.findall(answer.text) for answer in answers]
    assert all(len(set(one)) == 1 for one in tokens), "each has its forms"
    assert len({one[0] for one in tokens}) == 3
    assert len({etag(answer) for answer in answers}) == 1
    assert ask(here, where, etag(answers[0])).status_code == 304


@pytest.mark.parametrize("path", ["/", "/calendar", f"/day/{TODAY}"])
def test_a_whole_page_is_always_sent(alice: Browser, path: str) -> None:
    answer = alice.get(path)
    assert "ETag" not in answer.headers
    assert alice.client.get(path, headers={"If-None-Match": "*"}).status_code == 200
