"""One user, one Discord account, one player: kept 1:1 by the database, with every change in the log."""

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from slomix.accounts import logins
from slomix.accounts import service as accounts
from slomix.accounts.logins import LoginNotStarted
from slomix.accounts.models import LinkEvent, LoginAttempt, Player, User
from slomix.accounts.rules import LinkAction
from slomix.accounts.service import NoSuchProfile, ProfileTaken
from slomix.database.session import Database
from tests.moments import at
from tests.world import CAST, World, build_world

from .racing import at_once

NOW = at(20, 30)
NEWCOMER = "100000000000000042"


def user(world: World, name: str) -> User:
    with world.session() as session:
        return session.get_one(User, world.users[name], populate_existing=True)


def log_in(world: World, discord_id: str, username: str = "newcomer", display_name: str = "New Comer") -> User:
    with world.session() as session:
        return logins.log_in(
            session, discord_id=discord_id, username=username, display_name=display_name, now=world.clock.now()
        )


def link(world: World, name: str, guid: str) -> str:
    with world.session() as session:
        return accounts.link_player(session, session.get_one(User, world.users[name]), guid, now=NOW).guid


def unlink(world: World, name: str) -> None:
    with world.session() as session:
        accounts.unlink_player(session, session.get_one(User, world.users[name]), now=NOW)


def log(world: World, discord_id: str) -> list[tuple[LinkAction, dict[str, str]]]:
    with world.session() as session:
        theirs = select(User.id).where(User.discord_id == discord_id)
        query = select(LinkEvent).where(LinkEvent.user_id.in_(theirs)).order_by(LinkEvent.id)
        return [(event.action, event.details) for event in session.scalars(query)]


def test_the_first_login_makes_a_user_and_later_ones_renew_the_names(world: World) -> None:
    first = log_in(world, NEWCOMER)
    world.clock.forward(timedelta(days=1))
    second = log_in(world, NEWCOMER, "renamed", "Re Named")
    assert (second.id, second.player_id) == (first.id, None)
    assert (second.discord_username, second.display_name) == ("renamed", "Re Named")
    assert (second.created_at, second.last_login_at) == (NOW, NOW + timedelta(days=1))
    assert log(world, NEWCOMER) == [(LinkAction.DISCORD_LINKED, {})]


def test_a_login_leaves_the_link_alone(world: World) -> None:
    log_in(world, CAST["alice"], "alice", "Alice")
    assert user(world, "alice").player_id == world.players["alice"]


def test_ten_first_logins_at_once_are_one_user(committed: Database) -> None:
    world = build_world(committed)
    users = at_once([lambda: log_in(world, NEWCOMER).id] * 10)
    assert users == [users[0]] * 10


def test_what_is_no_discord_id_is_no_user(world: World) -> None:
    with pytest.raises(IntegrityError, match="discord_id_is_snowflake"):
        log_in(world, "alice")


def test_linking_takes_a_free_profile_and_the_log_says_which(world: World) -> None:
    assert link(world, "charlie", "guid-spare") == "guid-spare"
    assert link(world, "charlie", "guid-spare") == "guid-spare", "twice is once"
    assert log(world, CAST["charlie"])[1:] == [(LinkAction.PLAYER_LINKED, {"guid": "guid-spare"})]


def test_the_log_says_who_did_it_when_it_was_somebody_else(world: World) -> None:
    with world.session() as session:
        charlie, erik = (session.get_one(User, world.users[name]) for name in ("charlie", "erik"))
        accounts.link_player(session, charlie, "guid-spare", now=NOW, actor=CAST["dora"])
        accounts.unlink_player(session, erik, now=NOW, actor=CAST["dora"])
        accounts.unlink_player(session, charlie, now=NOW)
    with world.session() as session:
        events = session.scalars(select(LinkEvent).order_by(LinkEvent.id.desc()).limit(3)).all()
    assert [(one.user_id, one.actor) for one in reversed(events)] == [
        (world.users["charlie"], CAST["dora"]),
        (world.users["erik"], CAST["dora"]),
        (world.users["charlie"], None),
    ]


def test_a_profile_that_belongs_to_somebody_else_is_refused_with_a_sentence(world: World) -> None:
    with pytest.raises(ProfileTaken, match=r"^Alice is already linked to somebody else\."):
        link(world, "charlie", "guid-alice")
    assert user(world, "charlie").player_id is None
    assert user(world, "alice").player_id == world.players["alice"]
    assert [action for action, _ in log(world, CAST["charlie"])] == [LinkAction.DISCORD_LINKED]


def test_who_wants_a_taken_profile_keeps_their_own(world: World) -> None:
    with pytest.raises(ProfileTaken):
        link(world, "erik", "guid-alice")
    assert user(world, "erik").player_id == world.players["erik"]


def test_a_profile_that_does_not_exist_is_not_found(world: World) -> None:
    with pytest.raises(NoSuchProfile):
        link(world, "charlie", "guid-of-nobody")


def test_a_changed_link_keeps_the_old_profile_in_the_log_and_frees_it(world: World) -> None:
    link(world, "erik", "guid-spare")
    assert log(world, CAST["erik"])[-1] == (
        LinkAction.PLAYER_CHANGED,
        {"guid": "guid-spare", "old_guid": "guid-erik"},
    )
    assert link(world, "charlie", "guid-erik") == "guid-erik"


def test_an_unlinked_profile_is_free_and_the_log_says_whose_it_was(world: World) -> None:
    unlink(world, "erik")
    unlink(world, "erik")
    assert user(world, "erik").player_id is None
    assert log(world, CAST["erik"])[2:] == [(LinkAction.PLAYER_UNLINKED, {"old_guid": "guid-erik"})]
    assert link(world, "charlie", "guid-erik") == "guid-erik"


def test_of_several_who_claim_a_profile_at_once_one_gets_it(committed: Database) -> None:
    world = build_world(committed)
    names = ["charlie", "erik", "franka", "goran"]
    claims = at_once([partial(link, world, name, "guid-spare") for name in names])
    assert sorted(type(one).__name__ for one in claims) == ["ProfileTaken"] * 3 + ["str"]
    with world.session() as session:
        spare = session.scalars(select(Player).where(Player.guid == "guid-spare")).one()
        [owner] = session.scalars(select(User).where(User.player_id == spare.id))
        linked = session.scalars(select(LinkEvent.user_id).where(LinkEvent.details["guid"].astext == "guid-spare"))
        assert list(linked) == [owner.id]


def begin(world: World, state: str = "state", *, browser: str = "mine", next_path: str = "/day/2026-11-20") -> None:
    now = world.clock.now()
    with world.session() as session:
        logins.create_login_attempt(
            session,
            state=state,
            browser=browser,
            code_verifier=f"verifier of {state}",
            next_path=next_path,
            expires_at=now + timedelta(seconds=600),
            now=now,
        )


def accept(world: World, state: str = "state", *, browser: str = "mine") -> tuple[str, str]:
    with world.session() as session:
        attempt = logins.use_login_attempt(session, state=state, browser=browser, now=world.clock.now())
        return attempt.code_verifier, attempt.next_path


def test_a_login_is_accepted_once(world: World) -> None:
    begin(world)
    assert accept(world) == ("verifier of state", "/day/2026-11-20")
    with pytest.raises(LoginNotStarted):
        accept(world)


def test_a_login_that_came_back_ten_times_at_once_is_accepted_once(committed: Database) -> None:
    world = build_world(committed)
    begin(world)
    answers = at_once([lambda: accept(world)] * 10)
    assert [answer for answer in answers if not isinstance(answer, LoginNotStarted)] == [
        ("verifier of state", "/day/2026-11-20")
    ]


def test_a_login_is_accepted_in_the_browser_that_began_it_and_another_spoils_nothing(world: World) -> None:
    begin(world)
    with pytest.raises(LoginNotStarted):
        accept(world, browser="somebody else's")
    assert accept(world)[0] == "verifier of state"


@pytest.mark.parametrize(("seconds", "accepted"), [(600, True), (601, False)])
def test_a_login_is_accepted_for_ten_minutes(world: World, seconds: int, accepted: bool) -> None:
    begin(world)
    world.clock.forward(timedelta(seconds=seconds))
    if accepted:
        accept(world)
    else:
        with pytest.raises(LoginNotStarted):
            accept(world)


def test_a_login_that_nobody_began_is_refused(world: World) -> None:
    with pytest.raises(LoginNotStarted):
        accept(world, "made up")


def test_two_tabs_may_log_in_at_the_same_time(world: World) -> None:
    begin(world, "first")
    begin(world, "second")
    assert accept(world, "first")[0] == "verifier of first"
    assert accept(world, "second")[0] == "verifier of second"


def test_a_login_leads_to_a_page_of_ours_whatever_was_asked_for(world: World) -> None:
    begin(world, next_path="//evil.example")
    assert accept(world)[1] == "/"


def test_the_database_knows_neither_state_nor_browser_and_forgets_old_logins(world: World) -> None:
    begin(world, "first", browser="mine")
    world.clock.forward(timedelta(seconds=601))
    begin(world, "second", browser="mine")
    with world.session() as session:
        [kept] = session.scalars(select(LoginAttempt))
    assert kept.code_verifier == "verifier of second"
    assert "second" not in kept.state_hash
    assert kept.browser_hash != "mine"
