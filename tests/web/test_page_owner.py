"""A page belongs to its viewer: after another login in another tab it neither shows nor does anything of theirs."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.routing import Rule

from slomix.web import page_owner
from tests.moments import TODAY
from tests.web.conftest import Browse, Browser, is_fragment, is_page, nothing_stored
from tests.web.reading import read
from tests.world import World

# Their callers are no pages of ours.
CALLED_FROM_ELSEWHERE = {"inbox", "stop"}
VALUES = {"day": str(TODAY), "channel": "discord", "token": "x", "filename": "x"}


def addresses(app: Flask, method: str) -> Iterator[tuple[str, Rule]]:
    """Every address of ours that takes this method, with some value for each of its parts."""
    for rule in app.url_map.iter_rules():
        if method in (rule.methods or ()) and rule.endpoint != "static":
            values = {name: VALUES.get(name, "1") for name in rule.arguments}
            built = rule.build(values, append_unknown=False)
            assert built is not None, rule
            yield built[1], rule


def mark(browser: Browser, path: str = "/") -> str:
    [found] = re.findall(r'data-viewer="(\d+)"', browser.get(path).text)
    return str(found)


@pytest.fixture
def strange(browse: Browse) -> dict[str, str]:
    """What a page of Alice's sends along."""
    return {"X-Viewer": mark(browse("alice"))}


def test_a_page_says_whose_it_is_in_its_head_and_in_every_form(browse: Browse) -> None:
    marks = {name: mark(browse(name)) for name in (None, "alice", "bob")}
    assert len(set(marks.values())) == 3
    for name in ("alice", "bob"):
        for path in ("/", "/preferences", "/profile", f"/day/{TODAY}"):
            for form in browse(name).page(path).all("form"):
                if form.attributes.get("method") == "post":
                    fields = {one.attributes.get("name"): one.attributes.get("value") for one in form.all("input")}
                    assert fields.get("viewer") == marks[name], (path, form.attributes)


def test_no_template_has_a_form_without_it(root: Path) -> None:
    bare = [
        f"{path.relative_to(root)}: {form[:80]}"
        for path in sorted((root / "templates").rglob("*.html"))
        for form in re.findall(r"<form\b(?:(?!</form>).)*</form>", path.read_text(), re.S)
        if re.search(r'method="post"', form)
        and "csrf(" not in form
        and 'name="viewer"' not in form
        and path.name != "stop.html"
    ]
    assert bare == []


def test_every_script_that_fetches_says_whose_page_it_runs_in(root: Path) -> None:
    fetching = {
        path.name: path.read_text()
        for path in (root / "static/js").glob("*.js")
        if re.search(r"(?<![\w.])fetch\(", path.read_text())
    }
    assert fetching
    assert [name for name, script in fetching.items() if "X-Viewer" not in script] == []


def test_no_address_writes_for_a_page_of_another_viewer(
    app: Flask, world: World, bob: Browser, strange: dict[str, str], uncounted: Callable[[], None]
) -> None:
    with nothing_stored(world):
        for path, rule in addresses(app, "POST"):
            uncounted()
            if rule.endpoint.split(".")[0] in CALLED_FROM_ELSEWHERE or path.startswith("/api/"):
                continue
            for form, headers in (({}, strange), ({"viewer": strange["X-Viewer"]}, {})):
                data = {"csrf_token": bob.csrf()} | form
                answer = bob.client.post(path, data=data, headers={"HX-Request": "true"} | headers)
                assert is_fragment(answer, 409) == (
                    "This page was made for another login than yours now. Nothing was changed; open the page again."
                ), path
                assert answer.headers["HX-Refresh"] == "true"


def test_no_address_answers_a_page_of_another_viewer(app: Flask, bob: Browser, strange: dict[str, str]) -> None:
    for path, _ in addresses(app, "GET"):
        if path.startswith(("/events", "/health")):  # the same for all
            continue
        answer = bob.get(path, htmx=True, **strange)
        assert answer.status_code == 409, path
        assert "Bob" not in answer.text, path


@pytest.mark.parametrize(("then", "now"), [("alice", "bob"), ("alice", None), (None, "bob")])
def test_the_live_part_is_refused_to_another_and_to_nobody(browse: Browse, then: str | None, now: str | None) -> None:
    made_for = mark(browse(then))
    assert browse(then).get("/board", htmx=True, **{"X-Viewer": made_for}).status_code == 200
    assert browse(now).get("/board", htmx=True, **{"X-Viewer": made_for}).status_code == 409


def test_without_scripts_a_press_changes_nothing_either(world: World, browse: Browse) -> None:
    bob, made_for = browse("bob"), mark(browse("alice"))
    with nothing_stored(world):
        answer = bob.post(f"/day/{TODAY}/status", {"status": "LOOKING", "viewer": made_for})
    assert is_page(answer, 409) == (
        "This page was made for another login than yours now. Nothing was changed; open the page again."
    )


def test_ones_own_page_works(browse: Browse) -> None:
    alice = browse("alice")
    assert alice.post(f"/day/{TODAY}/status", {"status": "LOOKING", "viewer": mark(alice)}).status_code == 303
    assert "Alice" in read(alice.get("/board", htmx=True, **{"X-Viewer": mark(alice)}).text).words
    assert mark(browse(None)) == page_owner.STRANGER
