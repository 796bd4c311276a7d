"""What we ask once after linking, and what we say on every page: an address of yours does not work."""

import pytest

from slomix.contacts import preferences
from slomix.contacts import service as contacts
from slomix.contacts.rules import ChannelName
from slomix.reasons.codes import Explanation, Reason
from tests.moments import TODAY
from tests.web.conftest import Browse, Browser, is_page, lands, nothing_stored
from tests.world import World

API = "/api/availability/promotion-preferences"
TICKS = ["allow_promotions", "session_ready", "daily_reminder", "more_needed"]
NOTHING: dict[str, object] = dict.fromkeys(TICKS, False) | {"looking_threshold": 0}


@pytest.fixture
def newcomer(charlie: Browser) -> Browser:
    """Charlie has just linked, and is asked."""
    landed = lands(charlie.post("/profile/link", {"guid": "guid-spare", "next": "/calendar"}))
    assert landed == "/welcome?next=/calendar"
    return charlie


def allowed(browser: Browser) -> dict[str, object]:
    said = browser.get(API).get_json()
    return {name: said[name] for name in NOTHING}


def test_whoever_is_linked_for_the_first_time_is_asked_with_no_tick_set(newcomer: Browser) -> None:
    page = newcomer.page("/welcome?next=/calendar")
    ticks = [one.attributes for one in page.by_id("main").all("input") if one.attributes.get("type") == "checkbox"]
    assert [tick["name"] for tick in ticks] == TICKS
    assert not any("checked" in tick for tick in ticks)
    assert allowed(newcomer) == NOTHING


@pytest.mark.parametrize("name", TICKS)
def test_just_what_is_ticked_is_switched_on(newcomer: Browser, name: str) -> None:
    ticks = dict.fromkeys(TICKS, "off") | {name: "on"}
    assert lands(newcomer.post("/welcome", ticks | {"next": "/calendar"})) == "/calendar"
    assert allowed(newcomer) == NOTHING | {name: True}


@pytest.mark.parametrize("answer", [{"skip": "1", "allow_promotions": "on"}, {"allow_promotions": "off"}, {}], ids=str)
def test_not_now_and_no_tick_are_answers_too(newcomer: Browser, answer: dict[str, str]) -> None:
    assert lands(newcomer.post("/welcome", answer)) == "/"
    assert allowed(newcomer) == NOTHING
    assert "no messages" in newcomer.page("/").by_id("flash").words
    landed = lands(newcomer.post("/profile/link", {"guid": "guid-spare", "next": "/calendar"}))
    assert landed == "/calendar", "and is not asked again"


def test_who_was_asked_is_not_asked_again(alice: Browser) -> None:
    assert lands(alice.post("/profile/link", {"guid": "guid-alice", "next": "/calendar"})) == "/calendar"


def test_another_profile_is_asked_about_anew(alice: Browser) -> None:
    """Consent was for the profile that was given up."""
    assert lands(alice.post("/profile/link", {"guid": "guid-spare"})) == "/welcome?next=/"
    assert allowed(alice) == NOTHING


@pytest.mark.parametrize("elsewhere", ["//evil.example", "https://evil.example/", "/\\evil.example", "/auth/login"])
def test_nobody_is_led_elsewhere_after_the_question(newcomer: Browser, elsewhere: str) -> None:
    assert lands(newcomer.post("/welcome", {"next": elsewhere})) == "/"


@pytest.mark.parametrize(("who", "status"), [("charlie", 403), (None, 401)], ids=["charlie", "a stranger"])
def test_who_is_not_linked_is_not_asked(world: World, browse: Browse, who: str | None, status: int) -> None:
    browser = browse(who)
    with nothing_stored(world):
        is_page(browser.get("/welcome"), status)
        assert browser.post("/welcome", {"allow_promotions": "on"}).status_code == status


# An address that does not work

PAGES = ["/", "/calendar", f"/day/{TODAY}", "/profile", "/preferences", "/welcome", "/profile/delete", "/nowhere"]


REMEDIES = {
    Reason.DMS_CLOSED: ("DMs from the bot are blocked", "allow direct messages"),
    Reason.NO_MUTUAL_SERVER: ("shares no Discord server with the bot", "Join our Discord server"),
}


@pytest.fixture(params=REMEDIES)
def broken(world: World, request: pytest.FixtureRequest) -> World:
    """Discord takes nothing for Alice any more."""
    with world.session() as session:
        contact = contacts.contacts_of(session, world.players["alice"])[ChannelName.DISCORD]
        reason = Explanation(request.param)
        contacts.apply_update(
            session, contacts.after_failure(contact.route, reason, is_permanent=True, now=world.clock.now())
        )
    return world


def test_a_broken_address_is_told_to_its_owner_on_every_page(
    broken: World, alice: Browser, request: pytest.FixtureRequest
) -> None:
    reason, remedy = REMEDIES[request.node.callspec.params["broken"]]
    for path in PAGES:
        answer = alice.get(path)
        assert "We can’t reach you on Discord" in answer.text, path
        assert remedy in answer.text, "not what is wrong, but what to do"
        assert 'href="/preferences#contact-discord"' in answer.text, path
    words = alice.page("/preferences").by_id("contact-discord").words
    assert reason in words, "where the link leads"
    assert f"{remedy}" in words


def test_a_broken_address_is_told_to_nobody_else(broken: World, browse: Browse) -> None:
    for who in ("bob", "charlie", "dora", None):
        for path in PAGES:
            assert "We can’t reach you" not in browse(who).get(path).text, (who, path)


def test_saying_that_it_works_again_takes_the_words_away(broken: World, alice: Browser) -> None:
    alice.post("/preferences", {"allow_promotions": "on"})
    assert "We can’t reach you" not in alice.get("/").text
    with broken.session() as session:
        known = contacts.contacts_of(session, broken.players["alice"])
    assert [contact.unusable_since for contact in known.values()] == [None]


def test_a_passing_failure_is_no_banner_and_stands_beside_its_channel(world: World, alice: Browser) -> None:
    with world.session() as session:
        contact = contacts.contacts_of(session, world.players["alice"])[ChannelName.DISCORD]
        contacts.apply_update(
            session,
            contacts.after_failure(
                contact.route, Explanation(Reason.DISCORD_ANSWERED, "503"), is_permanent=False, now=world.clock.now()
            ),
        )
        assert preferences.has_preferences(session, world.players["alice"])
    page = alice.page("/preferences")
    assert "We can’t reach you" not in page.words
    assert "The last message did not arrive (20:30): Discord answered 503." in page.by_id("contact-discord").words
