"""Linked accounts, rights, and the audit log, as admins see and settle them."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from slomix.accounts import logins, roles
from slomix.accounts import service as accounts
from slomix.accounts.models import GrantedRole, LinkEvent, Player, User
from slomix.accounts.rules import LinkAction, Role
from tests.web.conftest import Browse, Browser, is_page, lands, nothing_stored
from tests.web.steps import form_of, log_of, player_of
from tests.world import CAST, World


def shown(browser: Browser, query: str = "") -> list[str]:
    """Whose accounts stand on the page, by their Discord names."""
    page = browser.page(f"/admin/links{query}").by_id("main")
    ids = [one.words for one in page.all("span") if one.attributes.get("class") == "id"]
    return [name for number in ids for name, discord_id in CAST.items() if discord_id == number]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("alice", ["alice"]),
        ("ALI", ["alice"]),
        ("^1Bob", ["bob"]),
        ("bôb", ["bob"]),
        (CAST["erik"], ["erik"]),
        ("charlie", []),
        ("%25", ["goran"]),
        ("%_", ["goran"]),
        ("100000", []),
        ("%27; DROP TABLE players; --", []),
    ],
)
def test_linked_accounts_are_found_by_name_id_and_player_with_wildcards_as_letters(
    world: World, dora: Browser, text: str, found: list[str]
) -> None:
    with world.session() as session:
        session.get_one(Player, world.players["goran"]).name = "^3100^7%_sure"
    assert shown(dora, f"?q={text}") == found


def test_fifty_stand_on_a_page_and_the_newest_first(world: World, dora: Browser) -> None:
    now = world.clock.now()
    with world.session() as session:
        accounts.import_players(session, [(f"g{n}", f"many {n:02}", []) for n in range(52)], now=now)
        for n in range(52):
            user = logins.log_in(session, discord_id=f"2{n:05}", username=f"u{n}", display_name=f"U{n}", now=now)
            accounts.link_player(session, user, f"g{n}", now=now + timedelta(seconds=n))

    def ids(query: str) -> list[str]:
        page = dora.page(f"/admin/links{query}").by_id("main")
        return [one.words for one in page.all("span") if one.attributes.get("class") == "id"]

    first, second = ids(""), ids("?page=2")
    assert (len(first), len(second)) == (50, 58 - 50)
    assert first[0] == "200051"
    assert set(first) & set(second) == set()
    assert ids("?page=999999999999999999999999") == ids("?page=99999") == []
    assert ids("?page=-1") == ids("?page=x") == first


def test_a_link_is_new_until_the_admin_has_said_that_they_saw_it(world: World, dora: Browser) -> None:
    page = dora.page("/admin/links").by_id("main")
    assert page.words.count("Unlink") == 6
    assert len([one for one in page.all("span") if "new" in one.attributes.get("class", "").split()]) == 6
    [until] = [one.attributes["value"] for one in page.all("input") if one.attributes.get("name") == "until"]
    world.clock.forward(timedelta(minutes=5))
    with world.session() as session:
        user = session.get_one(User, world.users["charlie"])
        accounts.link_player(session, user, "guid-spare", now=world.clock.now())
    assert lands(dora.post("/admin/links/seen", {"until": until})) == "/admin/links"
    page = dora.page("/admin/links").by_id("main")
    assert "1 new link since" in page.words, "what came after the page was made is not seen"
    dora.post("/admin/links/seen", {"until": "2020-01-01T00:00:00+00:00"})
    with world.session() as session:
        seen_at = session.get_one(User, world.users["dora"]).links_seen_at
    assert seen_at is not None
    assert seen_at.isoformat() == until, "what was seen stays seen"
    dora.post("/admin/links/seen", {"until": "2999-01-01T00:00:00+00:00"})
    with world.session() as session:
        assert session.get_one(User, world.users["dora"]).links_seen_at == world.clock.now(), "nobody sees ahead"


@pytest.mark.parametrize("until", ["", "yesterday", "9999-12-31T23:59:59-23:59", "<b>"])
def test_a_moment_that_is_none_changes_nothing(world: World, dora: Browser, until: str) -> None:
    with nothing_stored(world):
        is_page(dora.post("/admin/links/seen", {"until": until}), 422)


def test_what_an_admin_linked_is_no_news_to_them(world: World, browse: Browse) -> None:
    dora = browse("dora")
    dora.post("/admin/links/seen", {"until": world.clock.now().isoformat()})
    world.clock.forward(timedelta(minutes=1))
    with world.session() as session:
        roles.grant(session, CAST["erik"], Role.ADMIN, actor=None, now=world.clock.now())
        session.get_one(User, world.users["erik"]).links_seen_at = world.clock.now() - timedelta(seconds=30)
        user = session.get_one(User, world.users["charlie"])
        accounts.link_player(session, user, "guid-spare", now=world.clock.now(), actor=str(world.users["dora"]))
    assert "Nothing is waiting for you" in dora.page("/admin").words
    assert "1 new link since" in browse("erik").page("/admin").words


def test_unlinking_says_what_goes_then_does_it_and_names_who_did(world: World, dora: Browser) -> None:
    path = f"/admin/links/{world.users['alice']}/unlink"
    words = dora.page(path).by_id("main").words
    assert "their apps, preferences and answers for the days ahead are removed" in words
    assert lands(dora.post(path, form_of(dora, path))) == "/admin/links"
    assert "Alice isn’t Alice any more" in dora.page("/admin/links").by_id("flash").words
    assert player_of(world, "alice") is None
    assert log_of(world)[0] == (LinkAction.PLAYER_UNLINKED, str(world.users["dora"]), {"old_guid": "guid-alice"})
    with nothing_stored(world):
        is_page(dora.get(path), 409)
        is_page(dora.post(path), 409)


def test_somebody_who_changed_profile_since_is_not_unlinked_from_the_new_one(
    world: World, dora: Browser, alice: Browser
) -> None:
    path = f"/admin/links/{world.users['alice']}/unlink"
    form = form_of(dora, path)
    alice.post("/profile/link", {"guid": "guid-spare"})
    with nothing_stored(world):
        assert "since you looked" in is_page(dora.post(path, form), 409)


def test_signing_out_ends_every_session_of_that_person_alone(world: World, browse: Browse) -> None:
    alice, bob, dora = browse("alice"), browse("bob"), browse("dora")
    assert lands(dora.post(f"/admin/links/{world.users['alice']}/sign-out")) == "/admin/links"
    is_page(alice.get("/preferences"), 401)
    assert bob.get("/preferences").status_code == 200
    assert log_of(world)[0] == (LinkAction.SIGNED_OUT, str(world.users["dora"]), {"old": "1 logins", "new": None})
    assert lands(dora.post(f"/admin/links/{world.users['dora']}/sign-out")) == "/", "not to a page that is closed now"
    is_page(dora.get("/admin"), 401)


def test_rights_from_the_settings_are_shown_and_cannot_be_touched(world: World, dora: Browser) -> None:
    page = dora.page("/admin/roles").by_id("main")
    assert f"Bob {CAST['bob']} is a promoter" in page.words
    assert f"Dora {CAST['dora']} is an admin" in page.words
    with nothing_stored(world):
        is_page(dora.get(f"/admin/roles/{CAST['bob']}/promoter/revoke"), 409)
        is_page(dora.post(f"/admin/roles/{CAST['bob']}/promoter/revoke"), 409)


def test_a_right_is_granted_to_somebody_found_and_to_an_id_and_holds_at_once(world: World, browse: Browse) -> None:
    dora, alice = browse("dora"), browse("alice")
    offered = dora.page("/admin/roles?q=alice").by_id("main")
    [found] = [one for one in offered.all("input") if one.attributes.get("name") == "discord_id"][:1]
    assert found.attributes["value"] == CAST["alice"]
    assert lands(dora.post("/admin/roles/grant", {"discord_id": CAST["alice"], "role": "admin"})) == "/admin/roles"
    assert "Alice is an admin now" in dora.page("/admin/roles").by_id("flash").words
    assert alice.get("/admin").status_code == 200
    with world.session() as session:
        event = session.scalars(select(LinkEvent).order_by(LinkEvent.id.desc())).first()
        assert event is not None
        assert (event.action, event.user_id, event.actor) == (
            LinkAction.ROLE_GRANTED,
            world.users["alice"],
            str(world.users["dora"]),
        )
    with nothing_stored(world):
        dora.post("/admin/roles/grant", {"discord_id": CAST["alice"], "role": "admin"})
    assert "already" in dora.page("/admin/roles").by_id("flash").words
    dora.post("/admin/roles/grant", {"discord_id": " 424242 ", "role": "promoter"})
    assert "424242 is a promoter" in dora.page("/admin/roles").by_id("main").words


@pytest.mark.parametrize(
    ("discord_id", "role"), [("", "admin"), ("x", "admin"), ("9" * 21, "admin"), ("<b>", "admin"), ("42", "king")]
)
def test_what_is_no_id_or_no_role_is_refused(world: World, dora: Browser, discord_id: str, role: str) -> None:
    with nothing_stored(world):
        is_page(dora.post("/admin/roles/grant", {"discord_id": discord_id, "role": role}), 422)


def test_a_right_is_taken_back_once(world: World, browse: Browse) -> None:
    dora, alice = browse("dora"), browse("alice")
    path = f"/admin/roles/{CAST['alice']}/admin/revoke"
    dora.post("/admin/roles/grant", {"discord_id": CAST["alice"], "role": "admin"})
    assert alice.get("/admin").status_code == 200
    assert "your own" not in dora.page(path).by_id("main").words
    assert lands(dora.post(path)) == "/admin/roles"
    is_page(alice.get("/admin"), 403)
    action, actor, details = log_of(world)[0]
    assert (action, actor) == (LinkAction.ROLE_REVOKED, str(world.users["dora"]))
    assert (details["old"], details["new"]) == ("admin", None)
    with nothing_stored(world):
        is_page(dora.post(path), 409)
        is_page(dora.get(path), 409)
        is_page(dora.get(f"/admin/roles/{CAST['alice']}/king/revoke"), 422)


def test_giving_up_ones_own_right_is_said_to_be_that(world: World, browse: Browse) -> None:
    dora, alice = browse("dora"), browse("alice")
    for name in ("alice", "dora"):
        dora.post("/admin/roles/grant", {"discord_id": CAST[name], "role": "admin"})
    own = f"/admin/roles/{CAST['alice']}/admin/revoke"
    assert "This is your own right" in alice.page(own).words
    assert "Nobody else is an admin" not in alice.page(own).words
    assert "The settings give the same right" in dora.page(f"/admin/roles/{CAST['dora']}/admin/revoke").words
    assert lands(alice.post(own)) == "/"
    assert "Alice isn’t an admin any more" in alice.page("/").by_id("flash").words
    assert lands(dora.post(f"/admin/roles/{CAST['dora']}/admin/revoke")) == "/admin/roles"
    with world.session() as session:
        assert session.scalars(select(GrantedRole)).all() == []


def log_page(browser: Browser, query: str = "") -> list[str]:
    """The lines of the audit log on the page."""
    page = browser.page(f"/admin/audit{query}").by_id("main")
    return [one.words for log in page.all("ol") for one in log.all("li")]


def test_the_log_shows_who_did_what_to_whom_with_old_and_new_and_nothing_to_press(world: World, dora: Browser) -> None:
    with world.session() as session:
        user = session.get_one(User, world.users["alice"])
        accounts.link_player(session, user, "guid-spare", now=world.clock.now(), actor=str(world.users["dora"]))
    line = log_page(dora)[0]
    for part in ("20 Nov 2026, 20:30", "changed profile", CAST["alice"], CAST["dora"], "guid-alice", "guid-spare"):
        assert part in line
    assert "first login" in log_page(dora)[-1]
    page = dora.page("/admin/audit").by_id("main")
    assert page.buttons == ["Filter"]


def test_a_search_in_the_log_finds_no_act_about_nobody(world: World, dora: Browser) -> None:
    dora.post("/admin/sending/pause")
    assert any("paused" in line for line in log_page(dora))
    found = log_page(dora, "?q=alice")
    assert found
    assert all(CAST["alice"] in line for line in found)


def test_the_log_is_filtered_and_paged(world: World, dora: Browser) -> None:
    now = world.clock.now()
    with world.session() as session:
        user = session.get_one(User, world.users["erik"])
        for number in range(60):
            accounts.record_action(
                session,
                LinkAction.ROLE_GRANTED,
                user=user,
                actor=str(world.users["bob"]),
                now=now,
                old=None,
                new=f"r{number}",
            )
    assert len(log_page(dora)) == 50
    assert len(log_page(dora, "?action=role_granted")) == 50
    page = dora.page("/admin/audit?action=role_granted").by_id("main")
    [older] = [one.attributes["href"] for one in page.all("a") if one.words == "Older"]
    rest = log_page(dora, older.removeprefix("/admin/audit"))
    assert len(rest) == 10
    assert "→ r0 " in rest[-1]
    assert len(log_page(dora, "?q=charlie")) == 1
    assert len(log_page(dora, f"?q={CAST['charlie']}")) == 1
    assert len(log_page(dora, "?q=bob&action=role_granted")) == 50, "also by who did it"
    assert log_page(dora, "?q=%25") == log_page(dora, "?before=0") == log_page(dora, "?q=<script>") == []
    assert len(log_page(dora, "?action=nonsense&before=x")) == 50
    assert len(log_page(dora, f"?before={'9' * 29}")) == 50
