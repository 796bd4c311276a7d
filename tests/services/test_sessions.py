"""Who is behind a cookie: a session is a row that ends by itself, one by one, or all at once, and knows no key."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from slomix.accounts import logins, roles
from slomix.accounts import service as accounts
from slomix.accounts.logins import SessionUser
from slomix.accounts.models import LinkEvent, LoginSession, User
from slomix.accounts.roles import NoSuchDiscordId, NoSuchRole
from slomix.accounts.rules import SESSION_LIFETIME, LinkAction, Membership, Role
from slomix.database import session as db
from slomix.database.session import Database
from slomix.privacy import unlinking
from tests.moments import TODAY, at
from tests.world import CAST, World, build_world

from .racing import at_once

SECOND = timedelta(seconds=1)


def enter(world: World, name: str = "alice") -> str:
    """Somebody logs in with a browser; the key in its cookie."""
    with world.session() as session:
        return logins.open_login_session(session, session.get_one(User, world.users[name]), now=world.clock.now())


def who(world: World, *keys: str) -> dict[str, SessionUser]:
    with world.session() as session:
        return logins.users_of_sessions(session, logins.sessions_query(), keys, now=world.clock.now())


def are_in(world: World, *keys: str) -> list[bool]:
    return [key in who(world, *keys) for key in keys]


def log(world: World, name: str) -> list[tuple[LinkAction, str | None, dict[str, str]]]:
    """What happened to somebody after they were linked."""
    with world.session() as session:
        query = select(LinkEvent).where(LinkEvent.user_id == world.users[name]).order_by(LinkEvent.id)
        return [(one.action, one.actor, one.details) for one in session.scalars(query)][2:]


def test_a_session_is_known_by_its_key_alone(world: World) -> None:
    alice, bob = enter(world), enter(world, "bob")
    found = who(world, alice, bob, "no such key", "")
    assert {key: somebody.user_id for key, somebody in found.items()} == {
        alice: world.users["alice"],
        bob: world.users["bob"],
    }
    assert found[alice] == SessionUser(
        world.users["alice"],
        CAST["alice"],
        "Alice",
        world.players["alice"],
        "^1Alice",
        Membership.UNKNOWN,
        None,
        frozenset(),
    )
    assert who(world) == {}


def test_nobodys_key_is_stored(world: World) -> None:
    keys = [enter(world), enter(world), enter(world, "bob")]
    assert len(set(keys)) == 3
    assert all(len(key) >= 43 for key in keys)
    with world.session() as session:
        for table in db.Base.metadata.sorted_tables:
            rows = str(session.execute(text(f'SELECT t::text FROM "{table.name}" t')).scalars().all())
            assert not any(key in rows for key in keys), table.name
        hashes = list(session.scalars(select(LoginSession.key_hash)))
    assert are_in(world, *hashes) == [False] * 3, "who reads the table gets in nowhere"


def test_a_browser_that_logs_out_leaves_the_others_in(world: World) -> None:
    phone, desk, bob = enter(world), enter(world), enter(world, "bob")
    with world.session() as session:
        logins.close_login_session(session, phone)
        logins.close_login_session(session, phone)
        logins.close_login_session(session, "no such key")
    assert are_in(world, phone, desk, bob) == [False, True, True]
    assert log(world, "alice") == []


def test_logging_out_everywhere_ends_all_of_ones_own_and_the_log_says_so(world: World) -> None:
    phone, desk, bob = enter(world), enter(world), enter(world, "bob")
    with world.session() as session:
        logins.close_all_login_sessions(session, session.get_one(User, world.users["alice"]), now=at(20, 31))
    assert are_in(world, phone, desk, bob) == [False, False, True]
    with world.session() as session:
        logins.close_all_login_sessions(
            session, session.get_one(User, world.users["bob"]), now=at(20, 32), actor=CAST["dora"]
        )
    assert are_in(world, bob) == [False]
    assert log(world, "alice") == [(LinkAction.SIGNED_OUT, None, {"old": "2 logins", "new": None})]
    assert log(world, "bob") == [(LinkAction.SIGNED_OUT, CAST["dora"], {"old": "1 logins", "new": None})]
    assert are_in(world, enter(world)) == [True], "and one may come back"


def test_a_session_ends_by_its_age_however_much_it_was_used(world: World) -> None:
    old = enter(world)
    world.clock.forward(SESSION_LIFETIME - SECOND)
    with world.session() as session:
        logins.note_use(session, old, now=world.clock.now())
    young = enter(world)
    assert are_in(world, old, young) == [True, True]
    world.clock.forward(SECOND)
    assert are_in(world, old, young) == [False, True]


def test_sessions_that_are_over_are_counted_no_more_and_forgotten_at_the_next_login(world: World) -> None:
    for name in ("alice", "alice", "bob"):
        enter(world, name)

    def count(name: str) -> tuple[int, int]:
        with world.session() as session:
            mine = select(LoginSession).where(LoginSession.user_id == world.users[name])
            counted = len(logins.open_logins(session, world.users[name], "", now=world.clock.now()))
            return counted, len(list(session.scalars(mine)))

    assert (count("alice"), count("bob"), count("erik")) == ((2, 2), (1, 1), (0, 0))
    world.clock.forward(SESSION_LIFETIME)
    assert (count("alice"), count("bob")) == ((0, 2), (0, 1))
    enter(world)
    assert (count("alice"), count("bob")) == ((1, 1), (0, 1))


def test_a_key_that_two_logins_shared_could_not_be_stored(world: World) -> None:
    enter(world)
    with world.session() as session:
        [row] = session.scalars(select(LoginSession))
    twice = LoginSession(key_hash=row.key_hash, user_id=world.users["bob"], created_at=at(20), expires_at=at(22))
    with pytest.raises(IntegrityError), world.session() as session:
        session.expunge_all()
        session.add(twice)


def test_what_changes_about_somebody_is_so_at_the_next_look(world: World) -> None:
    key = enter(world)
    with world.session() as session:
        unlinking.unlink_profile(session, session.get_one(User, world.users["alice"]), today=TODAY, now=at(20, 31))
    assert (who(world, key)[key].profile_id, who(world, key)[key].player_name) == (None, None)
    with world.session() as session:
        logins.log_in(session, discord_id=CAST["alice"], username="alice", display_name="Alicia", now=at(20, 32))
        unlinking.link_profile(
            session, session.get_one(User, world.users["alice"]), "guid-spare", today=TODAY, now=at(20, 32)
        )
    assert (who(world, key)[key].display_name, who(world, key)[key].player_name) == ("Alicia", "Spare")


def test_deleting_an_account_ends_its_sessions(world: World) -> None:
    alice, bob = enter(world), enter(world, "bob")
    with world.session() as session:
        unlinking.delete_account(session, session.get_one(User, world.users["alice"]), now=at(20, 31))
    assert are_in(world, alice, bob) == [False, True]


@pytest.mark.parametrize("role", Role)
def test_a_right_is_had_from_its_granting_to_its_revoking(world: World, role: Role) -> None:
    alice, erik = enter(world), enter(world, "erik")
    with world.session() as session:
        assert roles.grant(session, CAST["alice"], role, actor=CAST["dora"], now=at(20, 31))
        assert not roles.grant(session, CAST["alice"], role, actor=CAST["dora"], now=at(20, 32)), "twice is once"
    assert (who(world, alice)[alice].roles, who(world, erik)[erik].roles) == (frozenset({role}), frozenset())
    with world.session() as session:
        [grant] = roles.granted_roles(session)
        assert (grant.discord_id, grant.role) == (CAST["alice"], role)
        assert roles.revoke(session, CAST["alice"], role, actor=None, now=at(20, 33))
        assert not roles.revoke(session, CAST["alice"], role, actor=None, now=at(20, 34))
    assert who(world, alice)[alice].roles == frozenset()
    assert log(world, "alice") == [
        (LinkAction.ROLE_GRANTED, CAST["dora"], {"old": None, "new": role.value, "grant": grant.number}),
        (LinkAction.ROLE_REVOKED, None, {"old": role.value, "new": None, "grant": grant.number}),
    ]


def test_two_rights_are_had_together_and_one_goes_without_the_other(world: World) -> None:
    key = enter(world)
    with world.session() as session:
        for role in Role:
            roles.grant(session, CAST["alice"], role, actor=None, now=at(20, 31))
    assert who(world, key)[key].roles == set(Role)
    with world.session() as session:
        roles.revoke(session, CAST["alice"], Role.ADMIN, actor=None, now=at(20, 32))
    assert who(world, key)[key].roles == {Role.PROMOTER}


def test_a_right_may_wait_for_who_has_never_logged_in(world: World) -> None:
    newcomer = "100000000000000042"
    with world.session() as session:
        roles.grant(session, newcomer, Role.PROMOTER, actor=CAST["dora"], now=at(20, 31))
        user = logins.log_in(session, discord_id=newcomer, username="n", display_name="N", now=at(20, 32))
        key = logins.open_login_session(session, user, now=at(20, 32))
    assert who(world, key)[key].roles == {Role.PROMOTER}


def test_rights_are_for_discord_accounts_and_have_names(world: World) -> None:
    for wrong in ("", "alice", "9" * 21, "１２"):
        with pytest.raises(NoSuchDiscordId), world.session() as session:
            roles.grant(session, wrong, Role.ADMIN, actor=None, now=at(20, 31))
    assert [roles.parse_role(role.value) for role in Role] == list(Role)
    for wrong in ("", "owner", "Admin", "admin "):
        with pytest.raises(NoSuchRole):
            roles.parse_role(wrong)


def test_ten_who_grant_one_right_at_once_write_it_down_once(committed: Database) -> None:
    world = build_world(committed)

    def grant() -> bool:
        with world.session() as session:
            return roles.grant(session, CAST["alice"], Role.PROMOTER, actor=CAST["dora"], now=at(20, 31))

    assert sorted(at_once([grant] * 10)) == [False] * 9 + [True]
    assert len(log(world, "alice")) == 1


def note(world: World, name: str, is_member: bool) -> None:
    with world.session() as session:
        user = session.get_one(User, world.users[name])
        accounts.record_membership(session, user, is_member, now=world.clock.now())


def test_who_left_our_server_is_known_by_it_until_they_come_back(world: World) -> None:
    key = enter(world)
    assert who(world, key)[key].membership is not Membership.LEFT, "who was never asked about belongs to us"
    for is_member, has_left in ((True, False), (False, True), (False, True), (True, False), (True, False)):
        note(world, "alice", is_member)
        assert who(world, key)[key].membership is (Membership.LEFT if has_left else Membership.MEMBER)
        assert who(world, key)[key].profile_id == world.players["alice"], "the link outlasts it"
    assert [action for action, _, _ in log(world, "alice")] == [LinkAction.LEFT_GUILD, LinkAction.CAME_BACK]


def test_when_somebody_was_last_asked_about_is_written_down(world: World) -> None:
    world.clock.forward(timedelta(minutes=7))
    note(world, "charlie", False)
    with world.session() as session:
        charlie = session.get_one(User, world.users["charlie"], populate_existing=True)
        assert (charlie.membership, charlie.membership_seen_at) == (Membership.LEFT, at(20, 37))
