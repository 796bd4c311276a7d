"""One browser that is logged in: what its cookie is worth, to whom, and until when (W57)."""

import hashlib
import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest
from itsdangerous import TimestampSigner
from sqlalchemy import delete, select

from slomix.accounts import roles
from slomix.accounts import service as accounts
from slomix.accounts.models import LoginSession, User
from slomix.accounts.rules import ADMIN_IDLE_LIFETIME, FRESH_FOR, IDLE_LIFETIME, Role, name_browser
from slomix.availability.rules import Status
from slomix.contacts.rules import ChannelName
from tests.moments import TODAY
from tests.simulators import Simulator
from tests.web.conftest import (
    Browse,
    Browser,
    is_page,
    is_problem,
    lands,
    nothing_stored,
)
from tests.web.steps import ALICE, Dance, dance_of, key_of
from tests.world import CAST, World


def name_of_cookie(browser: Browser) -> str:
    return str(browser.client.application.config["SESSION_COOKIE_NAME"])


def cookie_of(browser: Browser) -> str:
    """The session cookie as it stands in the browser: signed."""
    found = browser.client.get_cookie(name_of_cookie(browser))
    assert found is not None, "no cookie"
    return found.value


def with_cookie(browser: Browser, value: str) -> Browser:
    """Another browser, with this cookie and no other."""
    other = browser.client.application.test_client()
    other.set_cookie(name_of_cookie(browser), value)
    return Browser(other)


def is_in(browser: Browser) -> bool:
    return bool(browser.get("/auth/link/status").get_json()["authenticated"])


@pytest.mark.parametrize("seconds", [3600, 20, 1, 0, -20, -3600])
def test_a_cookie_that_a_machine_signed_whose_clock_is_off_is_as_good_as_any(
    browse: Browse, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    right = TimestampSigner.get_timestamp
    with monkeypatch.context() as machine:
        machine.setattr(TimestampSigner, "get_timestamp", lambda signer: right(signer) + seconds)
        browser = browse("alice")
        cookie = cookie_of(browser)
    assert is_in(with_cookie(browser, cookie))


def test_a_session_that_somebody_planted_does_not_become_that_of_who_logs_in(dance: Dance, browse: Browse) -> None:
    planted = browse("charlie")
    with dance.browser.client.session_transaction() as cookie:
        cookie["_user_id"], cookie["planted"] = key_of(planted), "by Charlie"
    dance.log_in()
    assert key_of(dance.browser) != key_of(planted)
    with dance.browser.client.session_transaction() as cookie:
        assert "planted" not in cookie
    assert not is_in(planted), "the session that was in this browser is over"
    assert "Alice" in dance.browser.page("/profile").words


def test_every_login_has_a_key_of_its_own_and_the_one_before_is_over(dance: Dance) -> None:
    dance.log_in()
    first, key = with_cookie(dance.browser, cookie_of(dance.browser)), key_of(dance.browser)
    assert is_in(first)
    dance.log_in()
    assert key_of(dance.browser) != key
    assert dance.is_in()
    assert not is_in(first)


def test_the_cookie_holds_a_key_of_256_bits_and_nothing_about_rights(dance: Dance) -> None:
    with dance.world.session() as session:
        roles.grant(session, ALICE.id, Role.ADMIN, actor=None, now=dance.world.clock.now())
    dance.log_in()
    assert dance.browser.get("/admin").status_code == 200
    with dance.browser.client.session_transaction() as cookie:
        assert set(cookie) <= {"_user_id", "_id", "_fresh", "_permanent", "csrf_token"}
        assert len(str(cookie["_user_id"])) >= 43
        for word in (ALICE.id, "Alice", "alice", "admin"):
            assert word not in str(dict(cookie))


def test_only_a_hash_of_the_key_is_stored(dance: Dance) -> None:
    dance.log_in()
    key = key_of(dance.browser)
    with dance.world.session() as session:
        user = session.scalars(select(User).where(User.discord_id == ALICE.id)).one()
        [stored] = session.scalars(select(LoginSession).where(LoginSession.user_id == user.id))
    assert stored.key_hash == hashlib.sha256(key.encode()).hexdigest()
    assert key not in str(vars(stored))


def test_the_cookie_is_kept_sixty_days_from_scripts_and_from_other_sites(dance: Dance) -> None:
    began = datetime.now(UTC).replace(microsecond=0)
    answer = dance.log_in()
    [cookie] = [one for one in answer.headers.getlist("Set-Cookie") if one.startswith(name_of_cookie(dance.browser))]
    said = {name.strip().lower(): value for name, _, value in (part.partition("=") for part in cookie.split(";"))}
    assert "httponly" in said
    assert said["samesite"] == "Lax"
    assert said["path"] == "/"
    assert "domain" not in said, "no other host may have it"
    assert began <= parsedate_to_datetime(said["expires"]) - timedelta(days=60) <= datetime.now(UTC)


@pytest.mark.parametrize(("public_url", "is_secure"), [("https://slomix.example", True), ("", False)])
def test_behind_https_the_cookie_goes_over_nothing_else(
    world: World, simulator: Simulator, public_url: str, is_secure: bool
) -> None:
    dance = dance_of(world, simulator, public_url=public_url)
    cookie = dance.browser.get("/auth/login").headers["Set-Cookie"]
    assert cookie.startswith(name_of_cookie(dance.browser))
    assert ("Secure" in [part.strip() for part in cookie.split(";")]) == is_secure
    dance.discord.close()


@pytest.mark.parametrize("where", ["/auth/logout", "/auth/logout/everywhere"])
def test_a_copied_cookie_is_dead_after_logging_out(alice: Browser, where: str) -> None:
    copy = with_cookie(alice, cookie_of(alice))
    assert "Alice" in copy.page("/profile").words
    token = copy.csrf()
    assert lands(alice.post(where)) == "/"
    assert not is_in(copy)
    is_page(copy.get("/profile"), 401)
    answer = copy.client.post(f"/day/{TODAY}/status", data={"csrf_token": token, "status": "LOOKING"})
    assert answer.status_code == 401


def test_logging_out_here_leaves_other_browsers_and_other_people_alone(browse: Browse) -> None:
    here, there, bob = browse("alice"), browse("alice"), browse("bob")
    forms = [form.attributes["action"] for form in here.page("/profile").all("form")]
    assert len([path for path in forms if re.search("/auth/logout/[0-9a-f]{16}", path)]) == 1
    here.post("/auth/logout")
    assert [is_in(one) for one in (here, there, bob)] == [False, True, True]


def test_logging_out_everywhere_ends_all_of_mine_and_nobody_elses(world: World, browse: Browse) -> None:
    here, there, bob = browse("alice"), browse("alice"), browse("bob")
    here.post("/auth/logout/everywhere")
    assert [is_in(one) for one in (here, there, bob)] == [False, False, True]
    assert "logged out everywhere" in here.page("/").by_id("flash").words
    with world.session() as session:
        assert not list(session.scalars(select(LoginSession).where(LoginSession.user_id == world.users["alice"])))


def test_a_cookie_that_was_tampered_with_is_a_strangers(alice: Browser, bob: Browser) -> None:
    value = cookie_of(alice)
    payload, _, signature = value.rpartition(".")
    body, _, stamp = payload.rpartition(".")
    other_body = cookie_of(bob).rsplit(".", 2)[0]
    assert is_in(with_cookie(alice, value)), "untouched it works"
    for broken in (
        f"{other_body}.{stamp}.{signature}",
        f"{payload}.{'A' * len(signature)}",
        body,
        value[:-4],
        "",
        "é💥.x.y",
    ):
        stranger = with_cookie(alice, broken.encode("utf-8").decode("latin-1"))
        assert stranger.get("/").status_code == 200, broken
        assert not is_in(stranger), broken


def test_a_session_ends_sixty_days_after_the_login_by_the_clock(world: World, alice: Browser) -> None:
    for _ in range(3):
        world.clock.forward(timedelta(days=19))
        assert is_in(alice), "used all the time"
    world.clock.forward(timedelta(days=3, seconds=-1))
    assert is_in(alice)
    world.clock.forward(timedelta(seconds=1))
    assert not is_in(alice)
    is_page(alice.get("/profile"), 401)


@pytest.mark.parametrize(("name", "idle"), [("alice", IDLE_LIFETIME), ("dora", ADMIN_IDLE_LIFETIME)])
def test_a_session_that_nobody_uses_ends_sooner_and_an_admins_soonest(
    world: World, browse: Browse, name: str, idle: timedelta
) -> None:
    browser = browse(name)
    world.clock.forward(idle - timedelta(seconds=1))
    assert is_in(browser)
    world.clock.forward(idle)
    assert not is_in(browser)


def test_each_browser_is_listed_and_ended_by_itself(world: World, browse: Browse) -> None:
    here, there, bob = browse("alice"), browse("alice"), browse("bob")
    [form] = [
        one for one in here.page("/profile").all("form") if re.search("logout/[0-9a-f]{16}", one.attributes["action"])
    ]
    path = form.attributes["action"]
    bob.post(path)
    assert is_in(there), "another person's number is nobody's"
    assert lands(here.post(path)) == "/profile#account-title"
    assert [is_in(one) for one in (here, there, bob)] == [True, False, True]


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (
            "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML) Chrome/142.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/142.0 Safari/537.36 Edg/142.0", "Edge on Windows"),
        ("curl/8.0", ""),
    ],
)
def test_a_browser_is_named_as_people_do(agent: str, name: str) -> None:
    assert name_browser(agent) == name


@pytest.mark.parametrize("path", ["/profile/delete", "/profile/data.json"])
def test_what_cannot_be_undone_asks_for_a_fresh_login(world: World, browse: Browse, path: str) -> None:
    alice = browse("alice")
    assert alice.get(path).status_code == 200
    world.clock.forward(FRESH_FOR + timedelta(seconds=1))
    assert "log in once more" in is_page(alice.get(path), 401)
    assert is_in(alice)
    with nothing_stored(world):
        assert alice.post("/profile/delete").status_code == 401
    assert browse("alice").get(path).status_code == 200


def test_making_an_admin_asks_for_a_fresh_login(world: World, browse: Browse) -> None:
    dora = browse("dora")
    world.clock.forward(FRESH_FOR + timedelta(seconds=1))
    form = {"discord_id": "424242", "role": "admin"}
    with nothing_stored(world):
        assert dora.post("/admin/roles/grant", form).status_code == 401
    assert dora.post("/admin/roles/grant", form | {"role": "promoter"}).status_code == 303


def test_the_cookie_of_an_account_that_was_deleted_is_nobodys(browse: Browse) -> None:
    here, there = browse("alice"), browse("alice")
    here.post("/profile/delete")
    assert not is_in(there)
    assert there.get("/").status_code == 200
    is_page(there.get("/profile"), 401)


def test_a_session_without_its_row_is_nobodys(world: World, alice: Browser) -> None:
    with world.session() as session:
        session.execute(delete(LoginSession).where(LoginSession.user_id == world.users["alice"]))
    assert not is_in(alice)


@pytest.mark.parametrize(("role", "path"), [(Role.PROMOTER, "/promote"), (Role.ADMIN, "/admin")])
def test_a_right_that_was_revoked_is_gone_at_the_next_request(
    world: World, alice: Browser, role: Role, path: str
) -> None:
    assert alice.get(path).status_code == 403
    with world.session() as session:
        assert roles.grant(session, CAST["alice"], role, actor=CAST["dora"], now=world.clock.now())
    assert alice.get(path).status_code == 200
    with world.session() as session:
        assert roles.revoke(session, CAST["alice"], role, actor=CAST["dora"], now=world.clock.now())
    assert alice.get(path).status_code == 403


def test_unlinking_in_one_browser_takes_the_player_away_in_all(browse: Browse) -> None:
    here, there = browse("alice"), browse("alice")
    assert there.get("/auth/link/status").get_json()["player_name"] is not None
    here.post("/profile/unlink")
    assert there.get("/auth/link/status").get_json()["player_linked"] is False
    answer = there.post(f"/day/{TODAY}/status", {"status": "LOOKING"})
    is_page(answer, 403)


# Who left our Discord server


@pytest.fixture
def left(world: World, browse: Browse) -> Browser:
    """Erik plays tonight; Bob, who is a promoter, has left."""
    world.says("erik", Status.LOOKING)
    world.has("bob", ChannelName.TELEGRAM, "4242")
    with world.session() as session:
        accounts.record_membership(session, session.get_one(User, world.users["bob"]), False, now=world.clock.now())
    return browse("bob")


def test_who_left_sees_numbers_and_no_names(left: Browser, alice: Browser) -> None:
    for path in ("/", f"/day/{TODAY}", "/board", f"/day/{TODAY}/live", "/api/availability?include_users=true"):
        assert "Erik" in alice.get(path).text, "else this would look for the wrong words"
        answer = left.get(path)
        assert answer.status_code == 200
        assert "Erik" not in answer.text, path
    for path in ("/promote", "/promote/preview"):
        is_page(left.get(path), 403)


def test_who_left_can_do_nothing_as_a_player(world: World, left: Browser) -> None:
    with nothing_stored(world):
        for path, form in (
            (f"/day/{TODAY}/status", {"status": "LOOKING"}),
            ("/campaigns", {}),
            ("/contacts/telegram/code", {}),
            ("/contacts/telegram/test", {}),
            ("/welcome", {}),
            ("/preferences", {"session_ready": "on"}),
        ):
            is_page(left.post(path, form), 403)
        for path, body in (
            ("/api/availability", {"date": str(TODAY), "status": "LOOKING"}),
            ("/api/availability/link-token", {"channel_type": "telegram"}),
            ("/api/availability/promotions/campaigns", {}),
            ("/api/availability/promotion-preferences", {"session_ready": True}),
        ):
            is_problem(left.call("POST", path, body), 403)


def test_who_left_can_still_switch_off_remove_unlink_and_delete(world: World, left: Browser) -> None:
    assert "You left our Discord server" in left.page("/profile").headings
    assert lands(left.post("/preferences", {"allow_promotions": "off"})) == "/preferences"
    assert left.get("/api/availability/promotion-preferences").get_json()["allow_promotions"] is False
    assert lands(left.post("/contacts/telegram/remove")) == "/preferences"
    assert "Telegram is unlinked" in left.page("/preferences").by_id("flash").words
    assert left.get("/profile/data.json").status_code == 200
    assert lands(left.post("/profile/unlink")) == "/profile"
    assert lands(left.post("/profile/delete")) == "/"
    with world.session() as session:
        assert session.get(User, world.users["bob"]) is None


def test_who_came_back_says_so_and_is_a_player_again(world: World, left: Browser) -> None:
    world.lookup.left.add(CAST["bob"])
    left.post("/profile/membership")
    assert "not in our server yet" in left.page("/profile").by_id("flash").words
    is_page(left.get("/promote"), 403)
    world.lookup.left.clear()
    left.post("/profile/membership")
    assert left.get("/promote").status_code == 200
