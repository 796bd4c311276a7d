"""The language of a page: what its viewer chose, else what the browser asks for, else the community's."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from slomix.accounts.models import User
from slomix.availability.rules import Status
from slomix.database.session import Database
from tests.moments import TODAY
from tests.steps import call
from tests.waiting import until
from tests.web.conftest import (
    Browse,
    Browser,
    browser_of,
    is_fragment,
    is_page,
    is_problem,
    lands,
    make_app,
    nothing_stored,
    with_settings,
)
from tests.web.reading import read
from tests.web.steps import ALICE, Dance
from tests.world import World, build_world

PAGES = ["/", "/calendar", f"/day/{TODAY}", "/nowhere", "/privacy"]


def language_of(browser: Browser, path: str = "/", **headers: str) -> str:
    """The language of a page, which its words, its root and its headers agree about."""
    answer = browser.client.get(path, headers=headers)
    page = read(answer.text)
    [html] = page.all("html")
    spoken = html.attributes["lang"]
    assert answer.headers["Content-Language"] == spoken
    assert {"Accept-Language", "Cookie"} <= set(answer.vary)
    [pressed] = [
        one.attributes["value"]
        for one in page.all("button")
        if one.attributes.get("name") == "language" and one.attributes["aria-pressed"] == "true"
    ]
    assert pressed == spoken
    assert {"en": "Privacy", "sl": "Zasebnost"}[spoken] in [link.words for link in page.all("a")]
    return spoken


def asks_for(languages: str) -> dict[str, str]:
    return {"Accept-Language": languages}


def stored_language(world: World, name: str) -> str | None:
    with world.session() as session:
        return session.get_one(User, world.users[name]).language


def chooses(world: World, name: str, language: str) -> None:
    """Somebody has chosen a language, in whatever browser."""
    with world.session() as session:
        session.execute(update(User).where(User.id == world.users[name]).values(language=language))


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        ("", "en"),
        ("sl", "sl"),
        ("sl-SI,sl;q=0.9,en;q=0.8", "sl"),
        ("en-GB,en;q=0.9,sl;q=0.1", "en"),
        ("en;q=0.3, sl;q=0.7", "sl"),
        ("de-DE,de;q=0.9,sl;q=0.5", "sl"),
        ("de,fr;q=0.5", "en"),
        ("sl;q=0, en", "en"),
        ("*", "en"),
        ("*;q=0.1, sl", "sl"),
        ("SL", "sl"),
        (";;;,=q,\u00e9", "en"),
        ("sl;q=many", "en"),
        ("../../etc/passwd", "en"),
        ("sl" * 4000, "en"),
    ],
)
def test_a_stranger_reads_what_the_browser_asks_for(anonymous: Browser, asked: str, spoken: str) -> None:
    assert language_of(anonymous, "/", **asks_for(asked)) == spoken


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("who", [None, "charlie", "alice"])
def test_every_page_speaks_the_language_that_was_chosen(browse: Browse, who: str | None, path: str) -> None:
    browser = browse(who)
    assert language_of(browser, path) == "en"
    browser.post("/language", {"language": "sl"})
    assert language_of(browser, path) == "sl"
    assert language_of(browser, path, **asks_for("en")) == "sl"
    browser.post("/language", {"language": "en"})
    assert language_of(browser, path, **asks_for("sl")) == "en"


def test_the_community_may_speak_another_language_first_or_only_one(world: World) -> None:
    ours = with_settings(world, languages=("sl", "en"))
    stranger = browser_of(make_app(ours.runtime), ours, None)
    assert language_of(stranger) == "sl"
    assert language_of(stranger, **asks_for("de")) == "sl"
    only = with_settings(world, languages=("en",))
    chooses(only, "alice", "sl")
    alice = browser_of(make_app(only.runtime), only, "alice")
    alice.client.set_cookie("language", "sl")
    for path in ("/", "/board", "/profile"):
        answer = alice.client.get(path, headers=asks_for("sl"))
        assert answer.headers["Content-Language"] == "en", path
        assert 'name="language"' not in answer.text, "there is nothing to choose from"
    assert "Trenutna vrsta" not in alice.get("/").text


def test_a_strangers_choice_is_the_browsers_alone(world: World, browse: Browse) -> None:
    stranger = browse(None)
    with nothing_stored(world):
        stranger.post("/language", {"language": "sl"})
    assert language_of(browse(None)) == "en", "another browser"


def test_a_players_choice_is_kept_and_holds_in_every_browser_of_theirs(world: World, browse: Browse) -> None:
    browse("alice").post("/language", {"language": "sl"})
    assert stored_language(world, "alice") == "sl"
    elsewhere = browse("alice")
    for path in PAGES:
        assert language_of(elsewhere, path, **asks_for("en")) == "sl", path
    assert elsewhere.get("/board", htmx=True).headers["Content-Language"] == "sl"
    elsewhere.post("/auth/logout")
    assert language_of(elsewhere, **asks_for("en")) == "en", "a stranger again, who chose nothing here"


def test_what_was_chosen_before_the_first_login_is_kept_with_the_account(dance: Dance) -> None:
    def kept() -> str | None:
        with dance.world.session() as session:
            return session.scalars(select(User.language).where(User.discord_id == ALICE.id)).one()

    dance.log_in()
    assert kept() is None, "she chose nothing"
    dance.browser.post("/auth/logout")
    dance.browser.post("/language", {"language": "sl"})
    dance.log_in()
    assert kept() == "sl"
    dance.browser.post("/auth/logout")
    dance.browser.post("/language", {"language": "en"})
    dance.log_in()
    assert kept() == "sl", "she has chosen before, whoever used this browser since"


@pytest.mark.parametrize("htmx", [False, True], ids=["page", "htmx"])
@pytest.mark.parametrize("language", ["de", "SL", "sl ", "", "sl; Path=/evil", "../sl", "\x00", None])
def test_a_language_that_is_not_offered_is_refused_and_changes_nothing(
    world: World, browse: Browse, language: str | None, htmx: bool
) -> None:
    alice = browse("alice")
    alice.post("/language", {"language": "sl"})
    with nothing_stored(world):
        answer = alice.post("/language", {} if language is None else {"language": language}, htmx=htmx)
    assert (is_fragment if htmx else is_page)(answer, 422) == "Tega jezika tu ni."
    assert "language=" not in str(answer.headers.getlist("Set-Cookie"))
    assert stored_language(world, "alice") == "sl"


@pytest.mark.parametrize("token", [None, "IjEyMyI.aaaa.bbbb"])
@pytest.mark.parametrize(("who", "status"), [("alice", 403), (None, 401)])
def test_another_page_cannot_choose_for_us(
    world: World, browse: Browse, who: str | None, status: int, token: str | None
) -> None:
    client = browse(who).client
    with nothing_stored(world):
        is_page(client.post("/language", data={"language": "sl"} | ({"csrf_token": token} if token else {})), status)
    assert client.get_cookie("language") is None


@pytest.mark.parametrize(
    "elsewhere",
    ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:1", "evil", "", "/auth/logout", "/\nx"],
)
def test_afterwards_nobody_is_led_elsewhere(anonymous: Browser, elsewhere: str) -> None:
    assert lands(anonymous.post("/language", {"language": "sl", "next": elsewhere})) == "/"


@pytest.mark.parametrize("path", ["/", "/calendar?month=2026-12", f"/day/{TODAY}?month=2026-12", "/nowhere"])
def test_the_form_leads_back_to_the_page_it_stands_on(anonymous: Browser, path: str) -> None:
    page = read(anonymous.get(path).text)
    [form] = [one for one in page.all("form") if one.attributes.get("action") == "/language"]
    fields = {one.attributes["name"]: one.attributes["value"] for one in form.all("input")}
    assert fields["next"] == path
    assert lands(anonymous.client.post("/language", data=fields | {"language": "sl"})) == path


@pytest.mark.parametrize("kept", ["nonsense", '"><script>', "", "../sl"])
def test_a_cookie_that_somebody_made_up_changes_nothing(anonymous: Browser, kept: str) -> None:
    anonymous.client.set_cookie("language", kept)
    assert language_of(anonymous) == "en"


def test_the_cookie_lasts_and_no_script_reads_it(anonymous: Browser) -> None:
    [cookie] = anonymous.post("/language", {"language": "sl"}).headers.getlist("Set-Cookie")
    assert cookie.startswith("language=sl;")
    for part in ("HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=31536000"):
        assert part in cookie
    assert "Secure" not in cookie


def test_over_https_the_cookie_stays_there(anonymous: Browser) -> None:
    here = "https://localhost"
    page = read(anonymous.client.get("/", base_url=here).text)
    [form] = [one for one in page.all("form") if one.attributes.get("action") == "/language"]
    sent = {one.attributes["name"]: one.attributes["value"] for one in form.all("input")} | {"language": "sl"}
    answer = anonymous.client.post("/language", base_url=here, data=sent, headers={"Referer": f"{here}/"})
    assert "Secure" in answer.headers["Set-Cookie"]


def test_a_problem_for_a_program_has_its_sentence_in_the_readers_language_and_its_title_in_english(
    alice: Browser,
) -> None:
    answer = alice.call("POST", "/api/availability", {"date": "2020-01-01", "status": "MAYBE"}, **asks_for("sl"))
    assert is_problem(answer, 422).startswith("Ta dan je mimo")
    assert answer.get_json()["title"] == "That does not work"
    assert answer.headers["Content-Language"] == "sl"


def test_what_is_kept_by_browsers_and_by_programs_that_show_links(world: World, anonymous: Browser) -> None:
    """The manifest is this reader's; the picture is everybody's, so it is in the community's language."""
    manifest = anonymous.client.get("/manifest.webmanifest", headers=asks_for("sl"))
    assert manifest.json is not None
    assert manifest.json["lang"] == "sl"
    assert manifest.json["name"].startswith("Igralni večeri")
    assert "Accept-Language" in manifest.vary
    path = f"/og/{TODAY}.png"
    english = anonymous.client.get(path, headers=asks_for("en")).data
    assert anonymous.client.get(path, headers=asks_for("sl")).data == english
    ours = with_settings(world, languages=("sl", "en"))
    assert browser_of(make_app(ours.runtime), ours, None).client.get(path, headers=asks_for("en")).data != english


# What all read at once


@pytest.fixture
def tonight(committed: Database) -> World:
    world = build_world(committed)
    for name in ("alice", "erik"):
        world.says(name, Status.LOOKING)
    chooses(world, "alice", "sl")
    return world


WORDS = {"en": ("Current queue", "Today"), "sl": ("Trenutna vrsta", "Danes")}


def says(text: str, language: str) -> None:
    """A board is in this language, and in no other."""
    for known, words in WORDS.items():
        for word in words:
            assert (word in text) == (known == language), (word, language)


def test_a_board_that_is_read_once_for_all_is_in_each_readers_language(tonight: World) -> None:
    app = make_app(tonight.runtime)
    call(tonight)
    alice, bob = (browser_of(app, tonight, name) for name in ("alice", "bob"))
    for _ in range(2):
        for browser, language in ((alice, "sl"), (bob, "en")):
            says(browser.get("/board", htmx=True).text, language)
            says(browser.get("/").text, language)


def test_strangers_share_a_page_in_each_language(tonight: World) -> None:
    app = make_app(tonight.runtime)
    slovene, english = (browser_of(app, tonight, None) for _ in range(2))
    for _ in range(2):
        for browser, language in ((slovene, "sl"), (english, "en")):
            for path in ("/", "/board"):
                answer = browser.get(path, htmx=path == "/board", **asks_for(language))
                says(answer.text, language)
                assert answer.headers["Content-Language"] == language


def test_two_who_ask_at_the_same_moment_share_one_reading_and_no_language(tonight: World) -> None:
    app = make_app(tonight.runtime)
    shared = app.extensions["slomix_tonight"]
    answers: dict[str, str] = {}

    def ask(name: str) -> None:
        answers[name] = browser_of(app, tonight, name).get("/board", htmx=True).text

    threads = [threading.Thread(target=ask, args=(name,)) for name in ("alice", "bob")]
    with shared._turn:
        for thread in threads:
            thread.start()
        until(lambda: len(shared._next.keys) == 2, "both to ask")
    for thread in threads:
        thread.join()
    says(answers["alice"], "sl")
    says(answers["bob"], "en")


# Words that depend on a number, and days

FORMS = {
    1: "1 igralec išče igro.",
    2: "2 igralca iščeta igro.",
    3: "3 igralci iščejo igro.",
    5: "5 igralcev išče igro.",
}


@pytest.mark.parametrize("number", FORMS)
def test_slovene_has_four_forms(world: World, anonymous: Browser, number: int) -> None:
    for name in ("alice", "bob", "dora", "erik", "goran")[:number]:
        world.says(name, Status.LOOKING)
    queue = anonymous.client.get("/", headers=asks_for("sl"))
    assert FORMS[number] in read(queue.text).by_id("queue").words


def test_days_and_times_are_written_as_slovenes_do(world: World, alice: Browser) -> None:
    """20 November 2026 is a Friday."""
    world.says("erik", Status.LOOKING)
    pages = {
        f"/day/{TODAY}": ("Danes", "petek, 20. november"),
        f"/day/{TODAY + timedelta(days=1)}": ("Jutri", "sobota, 21. november"),
        f"/day/{TODAY + timedelta(days=3)}": ("Ponedeljek", "23. november"),
        "/day/2027-01-01": ("Petek", "1. januar 2027"),
    }
    alice.post("/language", {"language": "sl"})
    for path, (name, date) in pages.items():
        main = alice.page(path).by_id("main")
        assert main.headings[0] == name
        assert date in [one.words for one in main.all("p") if one.attributes.get("class") == "date"]
    assert "ned., 22. nov." in alice.page("/").by_id("upcoming").words
    calendar = alice.page("/calendar?month=2026-12")
    assert "December 2026" in calendar.headings
    assert [one.words for one in calendar.all("th")][:3] == ["pon.", "tor.", "sre."]


def test_a_day_further_off_is_written_once(alice: Browser) -> None:
    main = alice.page(f"/day/{TODAY + timedelta(days=3)}").by_id("main")
    assert main.headings[0] == "Monday"
    assert "23 November" in [one.words for one in main.all("p") if one.attributes.get("class") == "date"]
