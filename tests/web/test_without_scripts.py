"""Every form of every page, sent as a browser without scripts sends it: it is answered with a page, or leads to one."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from slomix.accounts import roles
from slomix.accounts.rules import Role
from slomix.availability.rules import Status
from slomix.web.rate_limits import limiter
from tests.steps import call
from tests.web.conftest import Browser, browser_of
from tests.web.every_page import PAGES
from tests.web.reading import Element, read
from tests.world import World

VIEWERS = [None, "charlie", "alice", "bob", "dora"]
# What a file is needed for, and what a page elsewhere answers.
ELSEWHERE = {"/admin/players/import", "/auth/login", "/profile/data.json"}
# After these the viewer is somebody less.
LAST = ["/profile/unlink", "/profile/delete"]
# No page, and no press on one, may be answered so: a form that is sent as it stands is complete.
# Nor does a page offer what its viewer may not do.
BROKEN = {400, 401, 403, 404, 405, 411, 415, 500}


@dataclass(frozen=True)
class Press:
    """A submit button of a form on a page, and what a browser sends when it is pressed."""

    page: str
    method: str
    action: str
    fields: tuple[tuple[str, str], ...]

    @property
    def kind(self) -> tuple[str, str, tuple[str, ...]]:
        """What is the same for all forms that are made by one template."""
        pattern = "/".join("*" if any(map(str.isdigit, part)) else part for part in self.action.split("/"))
        return self.method, pattern, tuple(sorted({name for name, _ in self.fields}))


def value_of(control: Element) -> list[tuple[str, str]]:
    """What one control sends while nobody has touched it."""
    given = control.attributes
    name, kind = given.get("name", ""), given.get("type", "")
    if not name or "disabled" in given or control.tag == "button":
        return []
    if control.tag == "select":
        options = control.all("option")
        chosen = [one for one in options if "selected" in one.attributes] or options[:1]
        return [(name, one.attributes.get("value", one.words)) for one in chosen]
    if control.tag == "textarea":
        return [(name, control.words)]
    if kind in {"checkbox", "radio"}:
        return [(name, given.get("value", "on"))] if "checked" in given else []
    if kind in {"submit", "image", "file", "reset", "button"}:
        return []
    return [(name, given.get("value", ""))]


def presses(page: str, html: Element) -> Iterator[Press]:
    """Yield every press of every form; also of buttons elsewhere that belong to one by its id."""
    for form in html.all("form"):
        own = form.attributes.get("id")
        outside = [one for one in html.walk() if own and one.attributes.get("form") == own]
        controls = [*form.all("input", "select", "textarea", "button"), *outside]
        buttons = [one for one in controls if one.tag == "button" and one.attributes.get("type", "submit") == "submit"]
        fields = [pair for control in controls for pair in value_of(control)]
        for button in buttons:
            if "disabled" in button.attributes:
                continue
            given = form.attributes | {
                name.removeprefix("form"): value
                for name, value in button.attributes.items()
                if name in {"formaction", "formmethod"}
            }
            sent = (
                [(button.attributes["name"], button.attributes.get("value", ""))] if "name" in button.attributes else []
            )
            yield Press(page, given.get("method", "get").lower(), given.get("action", page), (*fields, *sent))


def send(browser: Browser, press: Press) -> TestResponse:
    data: dict[str, list[str]] = {}
    for name, value in press.fields:
        data.setdefault(name, []).append(value)
    limiter.reset()
    if press.method == "get":
        return browser.client.get(urlsplit(press.action).path, query_string=data)
    return browser.client.post(press.action, data=data)


@pytest.mark.parametrize("who", VIEWERS)
def test_every_form_is_answered_with_a_page(
    world: World,
    app: Flask,
    ids: dict[str, object],
    who: str | None,
) -> None:
    found: dict[object, Press] = {}
    for path in PAGES.values():
        limiter.reset()
        page = path.format_map(ids)
        answer = browser_of(app, world, who).get(page)
        if answer.status_code == 200 and answer.mimetype == "text/html":
            for press in presses(page, read(answer.text)):
                found.setdefault(press.kind, press)
    sent = 0
    wanted = [press for press in found.values() if press.action not in ELSEWHERE]
    for press in sorted(wanted, key=lambda press: LAST.index(press.action) if press.action in LAST else -1):
        limiter.reset()
        browser = browser_of(app, world, who)  # some log out
        for one in presses(press.page, read(browser.get(press.page).text)):
            if one.kind == press.kind:
                assert_leads_somewhere(browser, one)
                sent += 1
                break  # where it is gone, an earlier press has changed what the page offers
    assert sent > (30 if who == "dora" else 2), wanted


def assert_leads_somewhere(browser: Browser, press: Press) -> None:
    what = f"on {press.page}: {press.method} {press.action}"
    answer = send(browser, press)
    assert answer.status_code not in BROKEN, (what, answer.status_code, answer.text[-500:])
    if answer.status_code in {302, 303}:
        target = urlsplit(answer.headers["Location"])
        assert target.path.startswith("/"), what
        answer = browser.client.get(target.path, query_string=target.query)
        if answer.status_code in {302, 303}:
            return  # a login on its way
    assert answer.mimetype in {"text/html", "application/json"}, what
    if answer.mimetype == "text/html":
        assert "<html" in answer.text, (what, "a fragment without the page around it")
        assert read(answer.text).has_id("main"), what


# The form that calls an evening together


def form_of(bob: Browser) -> dict[str, str]:
    [form] = [one for one in bob.page("/promote").all("form") if one.attributes.get("id") == "promote"]
    return dict(next(presses("/promote", Element("", {}, [form]))).fields)


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"include_maybe": "on"}, "Nobody to notify yet: none of these players would get a reminder."),
        ({"start": "18:00"}, "That start was more than 60 minutes ago. Pick a later one."),
        ({"dry_run": ""}, "Nobody to notify yet: none of these players would get a reminder."),
    ],
)
def test_a_refused_call_shows_the_form_again_with_what_was_chosen(
    world: World, bob: Browser, sent: dict[str, str], said: str
) -> None:
    before = form_of(bob)
    answer = bob.post("/campaigns", before | sent)
    assert answer.status_code == 422
    assert said in read(answer.text).by_id("main").words
    [form] = [one for one in read(answer.text).all("form") if one.attributes.get("id") == "promote"]
    again = {name: value for control in form.all("input") for name, value in value_of(control)}
    assert again["key"] == before["key"], "the same submit, mended"
    assert {name: again.get(name, "") for name in sent} == sent


def test_a_call_that_came_second_shows_the_form_and_who_was_first(world: World, dora: Browser) -> None:
    world.says("alice", Status.LOOKING)
    with world.session() as session:
        roles.grant(session, world.discord_ids["dora"], Role.PROMOTER, actor=None, now=world.clock.now())
    shown = form_of(dora)
    call(world)
    answer = dora.post("/campaigns", shown | {"include_maybe": "on"})
    assert answer.status_code == 409
    assert "Bob" in read(answer.text).by_id("promote-problem").words
    assert "checked" in answer.text[answer.text.index('name="include_maybe"') :][:40]
