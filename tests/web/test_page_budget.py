"""What a page costs the database: one transaction, ended before it is rendered, and few statements."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask, before_render_template, template_rendered
from sqlalchemy import event, update
from sqlalchemy.orm import Session

from slomix.accounts import logins, roles
from slomix.accounts.models import User
from slomix.accounts.rules import Role
from slomix.app.viewers import Viewers
from slomix.availability.rules import Status
from slomix.contacts.models import Contact
from slomix.contacts.rules import ReadySound
from slomix.database.session import Database
from slomix.reasons.codes import Explanation, Reason
from tests.moments import TODAY, at
from tests.steps import counted
from tests.web.conftest import browser_of, make_app
from tests.web.every_page import PAGES
from tests.world import World, build_world

# They write, or are read by machines alone.
NO_PAGES = {
    *("accounts.login", "accounts.callback", "health.health", "health.live", "health.ready"),
    *("metrics.show", "live.events", "static", "openapi.read", "board.picture", "statuses.say_pressed"),
    *("site.manifest", "site.service_worker", "site.favicon", "site.robots", "site.security", "feed.feed"),
}
# How all parts do is asked between the gate and the page, with nothing held; a limit for each account comes before it.
# For strangers a day first looks whether anything was committed since it was made for another one.
TWO = {"admin.tonight.show", "admin.tonight.show_live", "profile.profile", "days.day_page", "days.day_live"}


@dataclass
class Seen:
    """The transactions of the thread that answers, and what it did with the database while it rendered."""

    transactions: int = 0
    while_rendering: list[str] = field(default_factory=list)
    rendering: list[str] = field(default_factory=list)
    open: set[object] = field(default_factory=set)


@contextmanager
def watched(app: Flask) -> Iterator[Seen]:
    """Watch what a request does; the probes of the parts have threads of their own."""
    seen, here = Seen(), threading.get_ident()

    def begins(_session: Session, transaction: object, _connection: object) -> None:
        if threading.get_ident() == here:
            seen.transactions += 1
            seen.open.add(transaction)
            seen.while_rendering += seen.rendering

    def ends(_session: Session, transaction: object) -> None:
        seen.open.discard(transaction)

    def renders(_app: Flask, template: Any, **_: Any) -> None:
        seen.rendering.append(template.name)
        if seen.open:
            seen.while_rendering.append(template.name)

    def rendered(_app: Flask, **_: Any) -> None:
        seen.rendering.pop()

    event.listen(Session, "after_begin", begins)
    event.listen(Session, "after_transaction_end", ends)
    try:
        with before_render_template.connected_to(renders, app), template_rendered.connected_to(rendered, app):
            yield seen
    finally:
        event.remove(Session, "after_begin", begins)
        event.remove(Session, "after_transaction_end", ends)


def test_every_page_is_listed(app: Flask) -> None:
    pages = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    assert {name for name in pages if "_api." not in name} == PAGES.keys() | NO_PAGES


def test_every_page_is_read_in_one_transaction_that_is_over_before_it_is_rendered(
    world: World, app: Flask, ids: dict[str, object]
) -> None:
    dora = browser_of(app, world, "dora")
    for endpoint, path in PAGES.items():
        with watched(app) as seen:
            answer = dora.get(path.format_map(ids))
        assert answer.status_code in {200, 302}, (endpoint, answer.text)
        assert seen.transactions <= (2 if endpoint in TWO else 1), endpoint
        assert seen.while_rendering == [], endpoint


@pytest.mark.parametrize("who", ["alice", "charlie", None])
def test_whoever_looks_costs_one_transaction(world: World, app: Flask, ids: dict[str, object], who: str | None) -> None:
    browser = browser_of(app, world, who)
    for endpoint, path in PAGES.items():
        with watched(app) as seen:
            browser.get(path.format_map(ids))
        assert seen.transactions <= (2 if endpoint in TWO else 1), endpoint
        assert seen.while_rendering == [], endpoint


def test_the_frame_is_the_viewers_own(world: World, app: Flask, ids: dict[str, object]) -> None:
    """Dora is an admin, for whom a claim waits; Alice's sound is on and her address broken."""
    world.prefers("alice", sound=ReadySound(is_on=True, cooldown=timedelta(seconds=60)))
    with world.session() as session:
        broken = update(Contact).where(Contact.player_id == world.players["alice"])
        session.execute(broken.values(unusable_since=at(20), unusable_reason=Explanation(Reason.DMS_CLOSED)))
    shown = {who: browser_of(app, world, who).get("/").text for who in ("dora", "alice", "bob", None)}
    assert [who for who, text in shown.items() if " waiting</span>" in text] == ["dora"]
    for mark in ('data-sound="60"', "allow direct messages"):
        assert [who for who, text in shown.items() if mark in text] == ["alice"], mark
    with world.session() as session:
        keys = {
            name: logins.open_login_session(session, session.get_one(User, world.users[name]), now=at(20))
            for name in ("alice", "dora")
        }
        found = Viewers(world.runtime).read(session, keys.values())
    assert found[keys["dora"]].frame.waiting > 0
    assert found[keys["alice"]].frame.waiting == 0


# The second time: nothing was committed since the first.
STATEMENTS = {
    (None, "/"): 1,
    (None, "/board"): 1,
    ("alice", "/"): 2,
    ("alice", "/board"): 2,
    ("dora", "/"): 2,
    ("alice", "/preferences"): 3,
    ("charlie", "/preferences"): 1,
    ("alice", f"/day/{TODAY}"): 6,
    ("dora", "/admin"): 9,
}


@pytest.mark.parametrize(("who", "path"), STATEMENTS)
def test_a_page_costs_so_many_statements_and_one_commit(committed: Database, who: str | None, path: str) -> None:
    world = build_world(committed)
    for name in ("alice", "bob"):
        world.says(name, Status.LOOKING)
    with world.session() as session:
        roles.grant(session, world.discord_ids["dora"], Role.ADMIN, actor=None, now=at(20))
    browser = browser_of(make_app(world.runtime), world, who)
    browser.get(path)
    with counted(committed) as cost:
        assert browser.get(path).status_code == 200
    assert dict(cost) == {"statements": STATEMENTS[who, path], "commits": 1}
