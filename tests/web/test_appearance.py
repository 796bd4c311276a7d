"""Light, dark, or what the system says: chosen without a login, by htmx or by a plain form, and kept in the browser."""

import pytest

from tests.moments import TODAY
from tests.web.conftest import (
    Browse,
    Browser,
    browser_of,
    is_fragment,
    is_page,
    lands,
    make_app,
    nothing_stored,
    with_settings,
)
from tests.web.reading import Element, read
from tests.world import World

PAGES = ["/", "/calendar", f"/day/{TODAY}", "/nowhere", "/profile", "/preferences", "/promote"]


def chosen(page: Element) -> tuple[str | None, list[str]]:
    """What a page looks like, and which of the three buttons is pressed."""
    [html] = page.all("html")
    buttons = page.by_id("appearance").all("button")
    return html.attributes.get("data-theme"), [one.words for one in buttons if one.attributes["aria-pressed"] == "true"]


def theme_cookie(browser: Browser) -> str | None:
    found = browser.client.get_cookie("theme")
    return found.value if found else None


@pytest.mark.parametrize("path", PAGES)
def test_every_page_looks_as_its_system_does_until_somebody_chooses(browse: Browse, path: str) -> None:
    bob = browse("bob")
    assert chosen(read(bob.get(path).text)) == (None, ["System"])
    bob.post("/appearance", {"theme": "dark"})
    assert chosen(read(bob.get(path).text)) == ("dark", ["Dark"])


@pytest.mark.parametrize("who", [None, "charlie", "alice"])
@pytest.mark.parametrize(("theme", "word"), [("light", "Light"), ("dark", "Dark")])
def test_whoever_comes_may_choose_and_it_holds_until_they_choose_again(
    world: World, browse: Browse, who: str | None, theme: str, word: str
) -> None:
    browser = browse(who)
    with nothing_stored(world):
        assert lands(browser.post("/appearance", {"theme": theme, "next": f"/day/{TODAY}?month=2026-12"})) == (
            f"/day/{TODAY}?month=2026-12"
        )
    assert chosen(browser.page("/")) == (theme, [word])
    assert lands(browser.post("/appearance", {"theme": ""})) == "/"
    assert theme_cookie(browser) is None
    assert chosen(browser.page("/")) == (None, ["System"])


def test_by_htmx_there_is_nothing_to_swap(anonymous: Browser) -> None:
    answer = anonymous.post("/appearance", {"theme": "light"}, htmx=True)
    assert (answer.status_code, answer.data) == (204, b"")
    assert theme_cookie(anonymous) == "light"


def test_the_choice_is_the_browsers_and_outlives_login_and_logout(browse: Browse) -> None:
    alice = browse("alice")
    alice.post("/appearance", {"theme": "dark"})
    assert alice.post("/auth/logout").status_code == 303
    assert chosen(alice.page("/"))[0] == "dark"
    assert chosen(browse("alice").page("/"))[0] is None, "another browser of hers"


@pytest.mark.parametrize("htmx", [False, True], ids=["page", "htmx"])
@pytest.mark.parametrize("theme", ["nonsense", "DARK", "dark ", "dark; Path=/evil", "\x00", None])
def test_nonsense_is_refused_with_the_choices_and_sets_nothing(browse: Browse, theme: str | None, htmx: bool) -> None:
    browser = browse(None)
    browser.post("/appearance", {"theme": "light"})
    answer = browser.post("/appearance", {} if theme is None else {"theme": theme}, htmx=htmx)
    assert (is_fragment if htmx else is_page)(answer, 422) == "There is no such appearance. Pick System, Light or Dark."
    assert "theme=" not in str(answer.headers.getlist("Set-Cookie"))
    assert theme_cookie(browser) == "light"


@pytest.mark.parametrize("token", [None, "IjEyMyI.aaaa.bbbb"])
@pytest.mark.parametrize(("who", "status"), [("alice", 403), (None, 401)])
def test_another_page_cannot_choose_for_us(browse: Browse, who: str | None, status: int, token: str | None) -> None:
    client = browse(who).client
    answer = client.post("/appearance", data={"theme": "dark"} | ({"csrf_token": token} if token else {}))
    is_page(answer, status)
    assert client.get_cookie("theme") is None


@pytest.mark.parametrize(
    "elsewhere",
    ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:1", "evil", "", "/auth/logout", "/\nx"],
)
def test_afterwards_nobody_is_led_elsewhere(anonymous: Browser, elsewhere: str) -> None:
    assert lands(anonymous.post("/appearance", {"theme": "dark", "next": elsewhere})) == "/"


@pytest.mark.parametrize("path", ["/", "/calendar?month=2026-12", f"/day/{TODAY}?month=2026-12", "/nowhere"])
def test_the_form_leads_back_to_the_page_it_stands_on(anonymous: Browser, path: str) -> None:
    form = read(anonymous.get(path).text).by_id("appearance")
    fields = {one.attributes["name"]: one.attributes["value"] for one in form.all("input")}
    assert fields["next"] == path
    sent = {"csrf_token": fields["csrf_token"], "next": fields["next"], "theme": "dark"}
    assert lands(anonymous.client.post(form.attributes["action"], data=sent)) == path


@pytest.mark.parametrize("kept", ["nonsense", '"><script>', ""])
def test_a_cookie_that_somebody_made_up_changes_nothing(anonymous: Browser, kept: str) -> None:
    anonymous.client.set_cookie("theme", kept)
    assert chosen(anonymous.page("/")) == (None, ["System"])


def test_the_cookie_lasts_and_no_script_reads_it(anonymous: Browser) -> None:
    [cookie] = anonymous.post("/appearance", {"theme": "dark"}).headers.getlist("Set-Cookie")
    assert cookie.startswith("theme=dark;")
    for part in ("HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=31536000"):
        assert part in cookie
    assert "Secure" not in cookie


def test_over_https_the_cookie_stays_there(anonymous: Browser) -> None:
    here = "https://localhost"
    form = read(anonymous.client.get("/", base_url=here).text).by_id("appearance")
    sent = {one.attributes["name"]: one.attributes["value"] for one in form.all("input")} | {"theme": "dark"}
    answer = anonymous.client.post("/appearance", base_url=here, data=sent, headers={"Referer": f"{here}/"})
    assert lands(answer) == "/"
    assert "Secure" in answer.headers["Set-Cookie"]


@pytest.mark.parametrize(
    ("simulator", "discord", "is_shown"),
    [
        ("http://127.0.0.1:7001/", "http://127.0.0.1:7001/api/v10", True),
        ("", "http://127.0.0.1:7001/api/v10", False),
        ("http://127.0.0.1:7001/", "http://127.0.0.1:8065/api/v10", False),
        ("http://127.0.0.1:7001/", "https://discord.com/api/v10", False),
        ("", "https://discord.com/api/v10", False),
    ],
)
def test_a_simulator_is_named_only_where_one_was_started_and_plays(
    world: World, simulator: str, discord: str, is_shown: bool
) -> None:
    here = with_settings(world, simulator_url=simulator, discord_api_base_url=discord)
    links = browser_of(make_app(here.runtime), here, None).page("/").all("a")
    named = [link.attributes["href"] for link in links if link.words == "simulator"]
    assert named == ([simulator] if is_shown else [])
