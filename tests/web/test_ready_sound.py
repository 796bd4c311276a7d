"""The ready sound as pages have it: chosen in the preferences, and only where somebody switched it on."""

import pytest

from slomix.availability.rules import Status
from tests.moments import TODAY
from tests.web.conftest import Browse, Browser, is_page, lands, nothing_stored
from tests.web.reading import Element, read
from tests.world import LINKED, World

SETTINGS = "/api/availability/settings"
LOUD = {"sound": "on", "sound_cooldown": "90", "allow_promotions": "on"}
OPEN_PAGES = ["/", "/calendar", f"/day/{TODAY}"]


def pause_of(browser: Browser, path: str = "/") -> str | None:
    """What a page tells its script: how long to be silent; nothing when there is no sound."""
    [body] = browser.page(path).all("body")
    return body.attributes.get("data-sound")


def fields(page: Element) -> dict[str, dict[str, str]]:
    return {one.attributes["name"]: one.attributes for one in page.by_id("main").all("input")}


@pytest.mark.parametrize("path", OPEN_PAGES)
def test_a_page_plays_nothing_until_its_viewer_switched_it_on(browse: Browse, path: str) -> None:
    alice = browse("alice")
    assert [pause_of(browse(name), path) for name in (None, "charlie", "alice")] == [None] * 3
    alice.post("/preferences", LOUD)
    assert [pause_of(browse(name), path) for name in (None, "charlie", "alice", "erik")] == [None, None, "90", None]
    alice.post("/preferences", {"sound": "off", "sound_cooldown": "90"})
    assert pause_of(alice, path) is None


def test_the_form_keeps_and_shows_the_sound(alice: Browser) -> None:
    before = fields(alice.page("/preferences"))
    assert "checked" not in before["sound"]
    assert (before["sound_cooldown"]["value"], before["sound_cooldown"]["min"]) == ("480", "30")
    assert lands(alice.post("/preferences", LOUD)) == "/preferences"
    after = fields(alice.page("/preferences"))
    assert "checked" in after["sound"]
    assert after["sound_cooldown"]["value"] == "90"
    assert alice.get(SETTINGS).get_json()["sound_cooldown_seconds"] == 90, "and a script reads the same"


def test_a_form_that_does_not_speak_of_the_sound_leaves_it(alice: Browser) -> None:
    alice.post("/preferences", LOUD)
    assert lands(alice.post("/preferences", {"allow_promotions": "on"})) == "/preferences"
    assert pause_of(alice) == "90"


def test_what_a_script_chose_is_what_the_form_shows(alice: Browser) -> None:
    alice.call("POST", SETTINGS, {"sound_enabled": True, "sound_cooldown_seconds": 3600})
    shown = fields(alice.page("/preferences"))
    assert "checked" in shown["sound"]
    assert shown["sound_cooldown"]["value"] == "3600"
    assert pause_of(alice) == "3600"


@pytest.mark.parametrize("typed", ["29", "3601", "0", "-1", "", "abc", "٣٠", "1e3", "480.0", "9" * 300])
def test_a_cooldown_that_makes_no_sense_is_explained_beside_what_was_typed(
    world: World, alice: Browser, typed: str
) -> None:
    with nothing_stored(world):
        answer = alice.post("/preferences", LOUD | {"sound_cooldown": typed})
    assert is_page(answer, 422) == (
        "Ready sound: The ready sound can wait 30 to 3600 seconds before it plays again. Pick a number in between."
    )
    shown = fields(read(answer.text))
    assert shown["sound_cooldown"]["value"] == typed
    assert "checked" in shown["sound"]
    assert "checked" in shown["allow_promotions"]


def test_unlinking_ends_the_sound(alice: Browser) -> None:
    alice.post("/preferences", LOUD)
    alice.post("/profile/unlink")
    assert pause_of(alice) is None
    alice.post("/profile/link", {"guid": "guid-alice"})
    assert pause_of(alice) is None, "and whoever links the player next begins anew"


def key_of(browser: Browser, path: str) -> str | None:
    return browser.page(path).by_id("board").attributes.get("data-ready")


@pytest.mark.parametrize("path", ["/", "/calendar", "/board", "/board?month=2026-12"])
def test_the_board_names_the_event_while_there_is_one_and_it_is_the_apis(
    world: World, browse: Browse, path: str
) -> None:
    alice, anonymous = browse("alice"), browse(None)
    for name in LINKED[:-1]:
        world.says(name, Status.LOOKING)
    assert key_of(alice, path) is None
    world.says(LINKED[-1], Status.LOOKING)
    key = alice.get("/api/availability").get_json()["session_ready"]["event_key"]
    assert key_of(alice, path) == key_of(anonymous, path) == key == f"SESSION_READY:{TODAY}:threshold=6"
    world.says("alice", Status.MAYBE)
    assert key_of(alice, path) is None
    world.says("alice", Status.LOOKING)
    assert key_of(alice, path) == key, "reached again it is the same event"
