"""Who leaves our Discord server loses every right at once, wherever it was used, and no name is shown to a stranger."""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from slomix.accounts import roles
from slomix.accounts import service as accounts
from slomix.accounts.models import GrantedRole, User
from slomix.accounts.rules import Membership, Role
from slomix.availability.models import Entry
from slomix.availability.rules import Status
from slomix.channels.base import SendError
from slomix.contacts.models import Contact, StoredPreferences
from slomix.contacts.rules import ChannelName
from slomix.planning.models import Vote
from slomix.privacy import membership
from slomix.reasons.codes import Reason
from slomix.web.fairness import FairShare
from slomix.web.rate_limits import limiter
from tests.moments import TODAY
from tests.steps import call
from tests.web.conftest import OURS, Browser, browser_of, make_app
from tests.web.planning import arranged
from tests.web.steps import ALICE, Dance
from tests.world import World

SILENT = SendError(Reason.DISCORD_NOT_REACHED, "ConnectError")
# What is about the link that waits for them, which somebody without one cannot have.
OWN = {
    "POST /api/availability/promotion-preferences",
    "POST /contacts/<channel>/remove",
    "POST /preferences",
    "POST /profile/unlink",
}


def leave(world: World, name: str) -> None:
    world.lookup.left.add(world.discord_ids[name])
    record(world, name, is_member=False)


def record(world: World, name: str, *, is_member: bool) -> None:
    with world.session() as session:
        user = session.get_one(User, world.users[name])
        membership.record(session, user, is_member, settings=world.runtime.settings, now=world.clock.now())


def requests(app: Flask, world: World, campaign: int) -> Iterator[tuple[str, str, str]]:
    """Every route there is with each of its methods, and a path of it that exists as far as that is possible."""
    ids = {
        "day": str(TODAY),
        "the_day": str(TODAY),
        "campaign_id": str(campaign),
        "user_id": str(world.users["erik"]),
        "channel": "telegram",
        "role": "admin",
        "discord_id": world.discord_ids["erik"],
        "filename": "main.css",
    }
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:\w+(?:\([^)]*\))?:)?(\w+)>", lambda found: ids.get(found[1], "1"), rule.rule)
        for method in sorted((rule.methods or set()) & {"GET", "POST", "PUT", "PATCH", "DELETE"}):
            yield f"{method} {rule.rule}", method, path


def status_of(app: Flask, world: World, name: str, method: str, path: str) -> int:
    limiter.reset()
    shares: FairShare = app.extensions["slomix_shares"]
    shares.reset()
    browser = browser_of(app, world, name)  # some of the calls log out
    if path.startswith("/api/"):
        return browser.client.open(path, method=method, json={}, headers=OURS, buffered=False).status_code
    form = {"csrf_token": browser.csrf(), "status": "LOOKING"} if method != "GET" else None
    return browser.client.open(path, method=method, data=form, buffered=False).status_code


def test_who_left_may_do_no_more_than_who_never_had_a_player(world: World, app: Flask) -> None:
    """Alice was promoter and admin by grant, and owner of tonight's room; Charlie never was anything."""
    arranged(world)
    campaign = call(world)[0]
    with world.session() as session:
        for role in Role:
            roles.grant(session, world.discord_ids["alice"], role, actor=None, now=world.clock.now())
    leave(world, "alice")
    leave(world, "charlie")
    differing = {}
    for route, method, path in requests(app, world, campaign):
        if "/profile/delete" in route or "/events" in route:
            continue
        hers, his = (status_of(app, world, name, method, path) for name in ("alice", "charlie"))
        if hers != his:
            differing[route] = (hers, his)
    assert differing.keys() <= OWN, {route: differing[route] for route in differing.keys() - OWN}


def test_what_they_said_goes_with_them_and_what_is_theirs_waits(world: World) -> None:
    arranged(world)
    world.says("alice", Status.LOOKING)
    world.says("alice", Status.MAYBE, TODAY + timedelta(days=1))
    world.has("alice", ChannelName.TELEGRAM, "4711")
    alice = world.players["alice"]
    with world.session() as session:
        session.add(
            Entry(player_id=alice, day=TODAY - timedelta(days=1), status=Status.MAYBE, updated_at=world.clock.now())
        )
    leave(world, "alice")
    with world.session() as session:
        assert list(session.scalars(select(Entry.day).where(Entry.player_id == alice))) == [TODAY - timedelta(days=1)]
        assert not session.scalars(select(Vote).where(Vote.player_id == alice)).all()
        assert session.get_one(User, world.users["alice"]).player_id == alice
        kept = session.scalars(select(Contact.channel).where(Contact.player_id == alice))
        assert set(kept) == {ChannelName.DISCORD, ChannelName.TELEGRAM}
        assert session.get(StoredPreferences, alice) is not None
    record(world, "alice", is_member=True)
    with world.session() as session:
        accounts.lock_link(session, world.users["alice"], alice)


def test_a_request_that_began_before_they_left_writes_nothing_after(world: World) -> None:
    leave(world, "alice")
    with world.session() as session, pytest.raises(accounts.LinkEnded):
        accounts.lock_link(session, world.users["alice"], world.players["alice"])


def test_only_one_place_records_that_somebody_left(root: Path) -> None:
    """What is to end with a membership ends there; a login records it for accounts that have no player."""
    callers = {
        path.relative_to(root).as_posix()
        for path in (root / "src/slomix").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "record_membership"
    }
    assert callers == {"src/slomix/privacy/membership.py", "src/slomix/accounts/views.py"}


# Names of players before there is one of their own


NAMES = ["/profile", "/profile?q=an", "/profile?q=erik"]


def names_on(browser: Browser, path: str) -> bool:
    return any(name in browser.get(path).text.lower() for name in ("panzergoran", "guid-", "this is me"))


@pytest.fixture
def fresh(world: World) -> Callable[[], Browser]:
    return lambda: browser_of(make_app(world.runtime), world, "charlie")


def test_profiles_are_shown_to_members_alone(world: World, fresh: Callable[[], Browser]) -> None:
    assert any(names_on(fresh(), path) for path in NAMES), "else the tests would look for the wrong words"
    leave(world, "charlie")
    for path in NAMES:
        assert not names_on(fresh(), path)
    page = fresh().page("/profile")
    assert "You are not in our Discord server" in page.headings
    assert "left" not in page.by_id("main").words


def test_who_was_never_asked_about_is_asked_about_first(world: World, fresh: Callable[[], Browser]) -> None:
    world.lookup.left.add(world.discord_ids["charlie"])
    assert not names_on(fresh(), NAMES[1])
    with world.session() as session:
        assert session.get_one(User, world.users["charlie"]).membership is Membership.LEFT


def test_while_discord_is_silent_strangers_see_nobody_and_members_lose_nothing(
    world: World, fresh: Callable[[], Browser]
) -> None:
    world.lookup.error = SILENT
    assert not names_on(fresh(), NAMES[1])
    assert "Discord does not answer" in fresh().page("/profile").by_id("main").words
    world.lookup.error = None
    assert names_on(fresh(), NAMES[1])
    world.lookup.error = SILENT
    assert names_on(fresh(), NAMES[1]), "what Discord said once holds"
    alice = browser_of(make_app(world.runtime), world, "alice")
    assert alice.post(f"/day/{TODAY}/status", {"status": "LOOKING"}).status_code == 303


def test_without_a_server_in_the_settings_everybody_may_look(world: World) -> None:
    free = replace(world, runtime=replace(world.runtime, guild_lookup=None))
    assert names_on(browser_of(make_app(free.runtime), free, "charlie"), NAMES[1])


def test_a_right_granted_to_an_account_that_is_not_in_the_server_is_void_from_its_first_login(dance: Dance) -> None:
    with dance.world.session() as session:
        roles.grant(session, ALICE.id, Role.ADMIN, actor=None, now=dance.world.clock.now())
    dance.world.lookup.left = {ALICE.id}
    dance.log_in()
    assert dance.is_in()
    assert dance.browser.get("/admin").status_code == 403
    with dance.world.session() as session:
        assert session.scalars(select(GrantedRole.discord_id)).all() == []


def test_a_login_works_while_discord_does_not_say_who_is_a_member(dance: Dance) -> None:
    with dance.world.session() as session:
        roles.grant(session, ALICE.id, Role.ADMIN, actor=None, now=dance.world.clock.now())
    dance.world.lookup.error = SILENT
    dance.log_in()
    assert dance.browser.get("/admin").status_code == 200
