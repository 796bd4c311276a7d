"""A player who is unlinked while a request of theirs is under way has done nothing by it."""

from collections.abc import Callable
from typing import Any, cast

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from slomix.availability.models import Entry
from slomix.availability.rules import Status
from slomix.campaigns.models import Campaign
from slomix.contacts.models import LinkCode
from slomix.contacts.rules import ChannelName
from slomix.database.session import Base, Database
from slomix.planning.models import Room
from tests.moments import TODAY, at
from tests.services.unlinking import unlink, unlinked_before_writing
from tests.steps import call
from tests.web.conftest import Browse, Browser, browser_of, everything, make_app
from tests.web.steps import settle
from tests.world import World, build_world

API = "/api/availability"
ON = {"allow_promotions": "on"}

WRITES: dict[str, Callable[[Browser, str], TestResponse]] = {
    "status": lambda bob, _: bob.post(f"/day/{TODAY}/status", {"status": "LOOKING"}),
    "status cleared": lambda bob, _: bob.post(f"/day/{TODAY}/status", {"status": ""}),
    "status as JSON": lambda bob, _: bob.call("POST", API, {"date": str(TODAY), "status": "LOOKING"}),
    "status cleared as JSON": lambda bob, _: bob.call("DELETE", f"{API}/{TODAY}"),
    "room": lambda bob, _: bob.post(f"/planning/{TODAY}/join"),
    "room as JSON": lambda bob, _: bob.call("POST", "/api/planning/today/join", {}),
    "campaign": lambda bob, _: bob.post("/campaigns", {"dry_run": "on"}),
    "campaign as JSON": lambda bob, _: bob.call("POST", f"{API}/promotions/campaigns", {"dry_run": True}),
    "cancel": lambda bob, campaign: bob.post(f"/campaigns/{campaign}/cancel"),
    "cancel as JSON": lambda bob, campaign: bob.call("POST", f"{API}/promotions/campaigns/{campaign}/cancel"),
    "retry": lambda bob, campaign: bob.post(f"/campaigns/{campaign}/retry"),
    "retry as JSON": lambda bob, campaign: bob.call("POST", f"{API}/promotions/campaigns/{campaign}/retry", {}),
    "test message": lambda bob, _: bob.post("/contacts/discord/test"),
    "code": lambda bob, _: bob.post("/contacts/telegram/code"),
    "code as JSON": lambda bob, _: bob.call("POST", f"{API}/link-token", {"channel_type": "telegram"}),
    "address": lambda bob, _: bob.post("/contacts/telegram/remove"),
    "address as JSON": lambda bob, _: bob.call("DELETE", f"{API}/subscriptions/telegram"),
    "preferences": lambda bob, _: bob.post("/preferences", ON),
    "preferences as JSON": lambda bob, _: bob.call("POST", f"{API}/promotion-preferences", {"session_ready": True}),
    "settings as JSON": lambda bob, _: bob.call("POST", f"{API}/settings", {"sound_enabled": True}),
    "welcome": lambda bob, _: bob.post("/welcome", ON),
}


@pytest.fixture
def campaign(world: World) -> str:
    """Bob has called Erik, whom the reminder did not reach, and Erik has opened a room."""
    world.says("erik", Status.LOOKING)
    world.says("bob", Status.AVAILABLE)
    world.has("bob", ChannelName.TELEGRAM, "4242")
    made = str(call(world)[0])
    world.clock.move_to(at(20, 50))
    settle(world, "failed")
    erik, now = world.players["erik"], world.clock.now()
    with world.session() as session:
        session.add(Room(day=TODAY, created_by=erik, owner_id=erik, created_at=now, version=0))
    return made


@pytest.mark.parametrize("write", WRITES)
def test_who_is_unlinked_after_the_gate_writes_nothing(
    world: World, app: Flask, browse: Browse, campaign: str, monkeypatch: pytest.MonkeyPatch, write: str
) -> None:
    bob = browse("bob")
    manager = cast(Any, app).login_manager
    load, after_it = manager._user_callback, dict[str, str]()

    def load_and_unlink(session_key: str) -> object:
        viewer = load(session_key)
        unlink(world, "bob")
        after_it.update(everything(world))
        return viewer

    monkeypatch.setattr(manager, "_user_callback", load_and_unlink)
    answer = WRITES[write](bob, campaign)
    assert answer.status_code == 403, answer.text
    assert everything(world) == after_it


@pytest.mark.parametrize("write", WRITES)
def test_without_the_unlinking_each_of_them_does_something(browse: Browse, campaign: str, write: str) -> None:
    """Or the test above would show nothing."""
    assert WRITES[write](browse("bob"), campaign).status_code < 400


@pytest.mark.parametrize(
    ("table", "write"),
    [
        (Entry, "status"),
        (Entry, "status as JSON"),
        (Campaign, "campaign"),
        (Campaign, "campaign as JSON"),
        (LinkCode, "code"),
    ],
)
def test_unlinking_waits_for_what_is_being_written_and_then_clears_it(
    committed: Database, table: type[Base], write: str
) -> None:
    world = build_world(committed)
    bob = browser_of(make_app(world.runtime), world, "bob")
    with unlinked_before_writing(world, "bob", table.__tablename__) as at_once:
        assert WRITES[write](bob, "").status_code < 400
        assert not at_once.is_set()
    with world.session() as session:
        assert not session.scalars(select(Entry).where(Entry.player_id == world.players["bob"])).all()
