"""What all boards show is kept until anything is committed: whoever asks finds what was true when they asked."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask, before_render_template
from sqlalchemy import update

from slomix.accounts.models import Player
from slomix.availability.rules import Status
from slomix.board import views as board_views
from slomix.database import session as db
from slomix.database.session import Database
from slomix.deliveries import pausing
from tests.moments import TODAY, at
from tests.steps import call, counted
from tests.web.conftest import browser_of, make_app
from tests.world import World, build_world


@pytest.fixture
def world(committed: Database) -> World:
    world = build_world(committed)
    world.says("alice", Status.LOOKING)
    return world


@pytest.fixture
def app(world: World) -> Flask:
    return make_app(world.runtime)


def rename(world: World) -> None:
    """Change what no notification tells of."""
    with world.session() as session:
        session.execute(update(Player).where(Player.id == world.players["alice"]).values(name="Alina"))


def pause(world: World) -> None:
    call(world)
    with world.session() as session:
        pausing.pause(session, by="dora", now=world.clock.now())


CHANGES: dict[str, tuple[Callable[[World], object], str]] = {
    "status": (lambda world: world.says("erik", Status.LOOKING), "Erik"),
    "name": (rename, "Alina"),
    "pause": (pause, "paused"),
    "campaign": (call, "21:00"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_board_shows_at_once_what_was_committed(world: World, app: Flask, change: str) -> None:
    happen, shown = CHANGES[change]
    bob = browser_of(app, world, "bob")
    before = bob.get("/board", htmx=True).text
    happen(world)
    after = bob.get("/board", htmx=True).text
    assert shown.lower() not in before.lower()
    assert shown.lower() in after.lower()


def test_time_alone_makes_it_look_again(world: World, app: Flask) -> None:
    bob = browser_of(app, world, "bob")
    bob.get("/board", htmx=True)
    world.clock.forward(timedelta(seconds=2))
    with counted(world.runtime.database) as cost:
        bob.get("/board", htmx=True)
    assert cost["statements"] > 2


def test_strangers_share_a_page_but_not_its_form_token(world: World, app: Flask) -> None:
    one, other = (browser_of(app, world, None) for _ in range(2))
    tokens = [re.findall(r'name="csrf_token" value="([^"]+)"', browser.get("/").text)[0] for browser in (one, other)]
    assert tokens[0] != tokens[1]
    assert board_views.TOKEN not in one.get("/").text
    for browser, token in zip((one, other), tokens, strict=True):
        assert browser.post("/appearance", {"theme": "dark", "csrf_token": token}).status_code < 400


def test_a_snapshot_has_a_name_until_something_is_committed(committed: Database) -> None:
    def name() -> str | None:
        with committed.transaction() as session:
            return db.snapshot(session)

    with committed.transaction() as writing:
        pausing.pause(writing, by="dora", now=at(20))
        assert db.snapshot(writing) is None, "its own rows are in no name"
        before = name()
        assert before == name()
    assert name() != before


@pytest.mark.parametrize("path", ["/", "/board", f"/day/{TODAY}", f"/day/{TODAY}/live"])
def test_what_a_stranger_sees_is_made_once_until_something_is_committed(world: World, app: Flask, path: str) -> None:
    rendered: list[str] = []

    def note(_app: Flask, template: Any, **_: Any) -> None:
        rendered.append(template.name)

    def ask() -> str:
        return browser_of(app, world, None).get(path, htmx=True).text

    ask()
    with before_render_template.connected_to(note, app):
        before = ask()
        assert rendered == []
        world.says("erik", Status.LOOKING)
        assert ask() != before
        assert rendered != []


def test_what_is_kept_of_one_day_is_not_shown_as_another(world: World, app: Flask) -> None:
    stranger = browser_of(app, world, None)
    days = [stranger.get(f"/day/{TODAY + timedelta(days=number)}").text for number in (0, 1, 0)]
    assert days[0] != days[1]
    assert "Tomorrow" in days[1]


@pytest.mark.parametrize("path", ["/", f"/day/{TODAY}"])
def test_what_is_kept_in_one_language_is_not_shown_in_another(world: World, app: Flask, path: str) -> None:
    stranger = browser_of(app, world, None)
    shown = [stranger.client.get(path, headers={"Accept-Language": language}).text for language in ("sl", "en", "sl")]
    assert ['<html lang="sl"' in text for text in shown] == [True, False, True]
