"""A form from before a logout changes nothing, and the way back leads to the page it stood on, and only there."""

from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from slomix.accounts import logins
from slomix.accounts.models import LoginAttempt, User
from tests.moments import TODAY
from tests.web.conftest import Browse, Browser, is_fragment, is_page, lands, nothing_stored
from tests.web.reading import read
from tests.world import World

PAGE = f"/day/{TODAY}?month=2026-12"
STATUS = f"/day/{TODAY}/status"
OURS = f"http://localhost{PAGE}"
FORMS = {
    STATUS: {"status": "LOOKING"},
    "/preferences": {"allow_promotions": "on"},
    "/profile/unlink": {},
    "/profile/link": {"guid": "guid-spare"},
    "/campaigns": {"key": "k"},
    "/auth/logout": {},
}


@pytest.fixture
def stale(browse: Browse) -> tuple[Browser, str]:
    """Bob logged out in another tab; this one still has a form with its token."""
    bob = browse("bob")
    token = bob.csrf()
    assert "logged out" in bob.page(lands(bob.post("/auth/logout"))).by_id("flash").words
    return bob, token


def ways_in(answer: TestResponse) -> list[str]:
    """Where the links to a login on a page, or in the flash, lead back to."""
    links = [one.attributes.get("href", "") for one in read(answer.text).all("a")]
    return [parse_qs(urlsplit(link).query)["next"][0] for link in links if link.startswith("/auth/login?")]


@pytest.mark.parametrize(("path", "form"), FORMS.items(), ids=FORMS)
def test_after_a_logout_a_form_changes_nothing_and_says_so(
    world: World, stale: tuple[Browser, str], path: str, form: dict[str, str]
) -> None:
    bob, token = stale
    with nothing_stored(world):
        answer = bob.client.post(path, data=form | {"csrf_token": token}, headers={"Referer": OURS})
    assert is_page(answer, 401) == "You are not logged in any more, so nothing was changed. Log in and try again."
    assert ways_in(answer) == [PAGE, PAGE], "the button in the middle and the one in the corner"


def test_by_htmx_the_flash_has_the_way_back(world: World, stale: tuple[Browser, str]) -> None:
    bob, token = stale
    headers = {"HX-Request": "true", "HX-Current-URL": OURS, "Referer": "http://localhost/"}
    with nothing_stored(world):
        answer = bob.client.post(STATUS, data={"csrf_token": token, "status": "LOOKING"}, headers=headers)
    assert is_fragment(answer, 401) == "You are not logged in any more, so nothing was changed. Log in and try again."
    assert ways_in(answer) == [PAGE]


def test_following_it_remembers_where_to_return_to(world: World, stale: tuple[Browser, str]) -> None:
    bob, token = stale
    answer = bob.client.post(STATUS, data={"csrf_token": token}, headers={"Referer": OURS})
    login = next(one.attributes["href"] for one in read(answer.text).by_id("main").all("a"))
    assert lands(bob.get(login)).startswith(world.runtime.settings.discord_authorize_url)
    with world.session() as session:
        assert list(session.scalars(select(LoginAttempt.next_path))) == [PAGE]


def test_a_session_that_was_ended_everywhere_is_told_to_log_in_too(world: World, browse: Browse) -> None:
    """The token is still good then; it is the session that is not."""
    bob = browse("bob")
    token = bob.csrf()
    with world.session() as session:
        logins.close_all_login_sessions(session, session.get_one(User, world.users["bob"]), now=world.clock.now())
    with nothing_stored(world):
        answer = bob.client.post(STATUS, data={"csrf_token": token, "status": "LOOKING"}, headers={"Referer": OURS})
    assert is_page(answer, 401) == "Please log in with Discord first."
    assert ways_in(answer) == [PAGE, PAGE]


@pytest.mark.parametrize(
    "referer", [None, "", "about:blank", "http://localhost", "http://localhost/auth/callback?code=x"]
)
def test_without_a_page_to_return_to_the_board_is_where_to_go(stale: tuple[Browser, str], referer: str | None) -> None:
    bob, _ = stale
    answer = bob.client.post(STATUS, headers={} if referer is None else {"Referer": referer})
    assert ways_in(answer) == ["/", "/"]


FOREIGN = [
    "http://evil.example/phish",
    "https://evil.example/phish?next=/",
    "http://localhost.evil.example/phish",
    "http://localhost@evil.example/phish",
    "http://localhost:8080/phish",
    "https://localhost/phish",
    "//evil.example/phish",
]


@pytest.mark.parametrize("header", ["Referer", "HX-Current-URL"])
@pytest.mark.parametrize("foreign", FOREIGN)
def test_nobody_elses_address_says_where_to_return_to(stale: tuple[Browser, str], foreign: str, header: str) -> None:
    bob, token = stale
    headers = {header: foreign} | ({"HX-Request": "true"} if header != "Referer" else {})
    answer = bob.client.post(STATUS, data={"csrf_token": token}, headers=headers)
    assert answer.status_code == 401
    assert set(ways_in(answer)) == {"/"}


@pytest.mark.parametrize(
    "tricky",
    [
        "http://evil.example//evil.example/",
        "http://localhost//evil.example/",
        "http://localhost/\\evil.example",
        "javascript:alert(1)",
    ],
)
def test_no_referer_leads_off_our_pages(stale: tuple[Browser, str], tricky: str) -> None:
    bob, token = stale
    answer = bob.client.post(STATUS, data={"csrf_token": token}, headers={"Referer": tricky})
    assert ways_in(answer) == ["/", "/"]


@pytest.mark.parametrize("foreign", FOREIGN)
def test_a_whole_page_leads_back_to_itself_wherever_somebody_came_from(anonymous: Browser, foreign: str) -> None:
    assert ways_in(anonymous.get(PAGE, Referer=foreign)) == [PAGE]


def test_a_form_that_is_refused_for_another_reason_keeps_its_way_back(browse: Browse) -> None:
    anonymous = browse(None)
    form = {"csrf_token": anonymous.csrf(), "status": "LOOKING"}
    answer = anonymous.client.post(STATUS, data=form, headers={"Referer": OURS})
    assert is_page(answer, 401) == "Please log in with Discord first."
    assert ways_in(answer) == [PAGE, PAGE]
