"""What every answer carries along, and what no page contains: nothing inline or from elsewhere."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from slomix.accounts import service as accounts
from slomix.availability.rules import Status
from tests.moments import TODAY
from tests.web.conftest import Browse, Browser, browser_of, make_app, with_settings
from tests.web.reading import Element, read
from tests.world import LINKED, World

PAGES = [
    "/",
    "/board",
    "/calendar?month=2026-11",
    f"/day/{TODAY}",
    "/profile",
    "/profile?q=spare",
    "/preferences",
    "/promote",
    "/promote/preview",
    "/nowhere",
    "/day/2026-13-40",
    "/campaigns/999999999",
]
REFERENCES = ("href", "src", "action", "formaction", "hx-get", "hx-post", "data-live", "poster", "srcset")


@pytest.fixture
def evening(world: World, browse: Browse) -> World:
    for name, status in zip(LINKED, [*Status, *list(Status)[:2]], strict=True):
        world.says(name, status)
    assert browse("bob").post("/campaigns", {"key": "k"}).status_code == 303
    return world


def policy(browser: Browser, path: str = "/") -> dict[str, list[str]]:
    directives = browser.get(path).headers["Content-Security-Policy"].split(";")
    return {words[0]: words[1:] for words in (one.split() for one in directives)}


def test_the_policy_allows_our_own_and_nothing_inline(anonymous: Browser) -> None:
    allowed = policy(anonymous)
    assert allowed["default-src"] == ["'none'"]
    assert allowed["script-src"] == allowed["style-src"] == allowed["connect-src"] == ["'self'"]
    assert allowed["frame-ancestors"] == allowed["base-uri"] == ["'none'"]
    assert allowed["form-action"] == ["'self'"]
    everything = " ".join(word for words in allowed.values() for word in words)
    assert "unsafe" not in everything
    assert "http" not in everything
    assert "*" not in everything


@pytest.mark.parametrize(
    ("path", "status"), [("/", 200), ("/nowhere", 404), ("/api/nowhere", 404), ("/auth/login", 302), ("/health", 503)]
)
def test_every_answer_has_its_guards_and_is_not_kept(world: World, path: str, status: int) -> None:
    # Nothing listens on that port, so /health is unwell without waiting.
    here = with_settings(world, redis_url=type(world.runtime.settings.redis_url)("redis://127.0.0.1:1/0"))
    answer = browser_of(make_app(here.runtime), here, None).get(path)
    assert answer.status_code == status
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Cookie" in answer.headers["Vary"]


def test_a_forms_answers_are_not_kept_either(alice: Browser) -> None:
    for htmx in (False, True):
        answer = alice.post(f"/day/{TODAY}/status", {"status": "LOOKING"}, htmx=htmx)
        assert answer.headers["Cache-Control"] == "no-store"


def complaints(page: Element) -> list[str]:
    """What the policy would block, or what would reach for somebody else's server."""
    found = []
    for one in page.walk():
        if one.tag == "style" or (one.tag == "script" and not one.attributes.get("src")):
            found.append(f"inline <{one.tag}>")
        for name, value in one.attributes.items():
            if name == "style" or name.startswith(("on", "hx-on")):
                found.append(f"<{one.tag} {name}>")
            if name in REFERENCES:
                where = urlsplit(value)
                own_simulator = where.hostname == "127.0.0.1" and one.tag == "a"
                if where.scheme == "javascript" or (where.netloc and not own_simulator):
                    found.append(f"<{one.tag} {name}={value}>")
    return found


@pytest.mark.parametrize("path", PAGES)
def test_no_page_has_anything_inline_or_from_elsewhere(evening: World, browse: Browse, path: str) -> None:
    for name in (None, "charlie", "alice", "bob"):
        assert complaints(read(browse(name).get(path).text)) == [], name


def test_the_campaigns_page_and_the_fragments_have_nothing_inline_either(evening: World, bob: Browser) -> None:
    links = [one.attributes["href"] for one in bob.page("/").by_id("campaign").all("a")]
    answers = [
        bob.get(next(link for link in links if link.startswith("/campaigns/"))),
        bob.post(f"/day/{TODAY}/status", {"status": "MAYBE"}, htmx=True),
        bob.post(f"/day/{TODAY}/status", {"status": "SOON"}, htmx=True),
        bob.post("/campaigns", {"key": "k"}, htmx=True),
    ]
    for answer in answers:
        assert complaints(read(answer.text)) == []


def test_no_text_of_a_person_becomes_markup(world: World, browse: Browse) -> None:
    name = "<img src=x onerror=alert(1)>\"'{{7*7}}"
    with world.session() as session:
        accounts.import_players(session, [("guid-alice", name, [name])], now=world.clock.now())
    world.says("alice", Status.LOOKING)
    browse("bob").post("/campaigns", {"key": "k"})
    for path in ("/", f"/day/{TODAY}", "/profile", "/promote"):
        for viewer in ("alice", "bob"):
            page = read(browse(viewer).get(path).text)
            assert complaints(page) == []
            assert not page.all("img")
    assert "onerror=alert(1)" in browse("bob").page("/").by_id("queue").words


def cookie_of(world: World, **settings: object) -> str:
    here = with_settings(world, **settings)
    return browser_of(make_app(here.runtime), here, None).get("/").headers["Set-Cookie"]


def test_the_cookie_is_for_us_alone(world: World) -> None:
    cookie = cookie_of(world)
    assert cookie.startswith("slomix_7000=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie
    assert "Expires" not in cookie
    assert cookie_of(world, port=7100).startswith("slomix_7100="), "two copies on one machine do not share a login"


def test_behind_https_the_cookie_is_secure(world: World) -> None:
    assert "Secure" in cookie_of(world, public_url="https://slomix.example")


def test_a_cookie_that_was_made_up_is_nobodys(world: World, browse: Browse) -> None:
    client = browse(None).client
    client.set_cookie("slomix_7000", "eyJfdXNlcl9pZCI6IjEifQ.aaaa.bbbb")
    assert client.get("/auth/link/status").get_json()["authenticated"] is False


def test_assets_are_ours_and_may_be_kept_for_ever(anonymous: Browser, root: Path) -> None:
    page = anonymous.page("/")
    named = [one.attributes.get("src") or one.attributes.get("href", "") for one in page.all("script", "link")]
    named.remove("/manifest.webmanifest")  # made by a view
    assert named
    for address in named:
        assert re.fullmatch(r"/static/[\w./-]+\?v=[0-9a-f]{10}", address), address
        if "/vendor/" in address:
            continue  # fetched by `make setup`
        answer = anonymous.get(address)
        assert answer.status_code == 200
        assert "max-age=31536000" in answer.headers["Cache-Control"]
