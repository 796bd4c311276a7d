"""The ready sound: for who wants it, once for each evening, and never while nobody can hear it."""

import pytest
from playwright.sync_api import Page, expect

from slomix.dev.rehearsal.system import RunningSystem
from tests.journeys.conftest import DAY, Cast, OpenPage, are_looking, sees

FIVE = ("Alice", "Franka", "Goran", "Hana", "Jana")
NOTES = 3

# Something to play on that only counts, and is blocked or not as the test likes.
FAKE = """window.audio = { made: 0, notes: 0, state: "running", all: [] };
window.AudioContext = class {
  currentTime = 0; destination = {}; onstatechange = null;
  constructor() { audio.made += 1; audio.all.push(this) }
  get state() { return audio.state }
  async resume() { setState("running") }
  createOscillator() { return { frequency: {}, connect: (next) => next, start: () => { audio.notes += 1 }, stop() {} } }
  createGain() {
    const gain = { setValueAtTime() {}, linearRampToValueAtTime() {}, exponentialRampToValueAtTime() {} };
    return { gain, connect: (next) => next };
  }
};
window.setState = (state) => { audio.state = state; for (const one of audio.all) one.onstatechange?.() };
"""
# That this browser played the sound of some evening so many seconds ago.
REMEMBER = """([key, seconds]) =>
  localStorage.setItem("slomix-sound", JSON.stringify({ key, at: Date.now() - 1000 * seconds }))"""
BLOCKED = FAKE.replace('"running", all', '"suspended", all')


@pytest.fixture
def wanted(cast: Cast, tidy: None) -> None:
    """Erik switched the sound on, and wants it at most every 30 seconds."""
    cast("Erik").post("/preferences", allow_promotions="on", sound="on", sound_cooldown="30").raise_for_status()


@pytest.fixture
def five(evening: RunningSystem) -> None:
    """One is missing."""
    are_looking(evening, *FIVE)


def notes(page: Page) -> int:
    return int(page.evaluate("audio.notes"))


def played(page: Page) -> str | None:
    """Which evening's sound this browser has played last."""
    return page.evaluate("JSON.parse(localStorage.getItem('slomix-sound'))?.key ?? null")


def becomes(page: Page, looking: int) -> None:
    """The page shows so many, and had the time to play what it should not."""
    expect(page).to_have_title(f"[{looking}/6] Slomix")
    page.wait_for_timeout(200)


def sounds(page: Page) -> None:
    """The page plays what it should, once."""
    sees(page, lambda: notes(page) >= NOTES, "the sound")
    assert notes(page) == NOTES


@pytest.mark.usefixtures("five")
def test_nobody_hears_anything_who_did_not_ask_for_it(open_page: OpenPage, cast: Cast) -> None:
    page = open_page(name="Erik", before=FAKE)
    cast("Bob").set_status(DAY, "LOOKING")
    becomes(page, 6)
    assert page.evaluate("audio.made") == 0
    assert played(page) is None
    expect(page.locator("#sound-hint")).to_be_hidden()


@pytest.mark.usefixtures("wanted", "five")
def test_it_plays_when_today_becomes_ready_and_never_again_that_evening(open_page: OpenPage, cast: Cast) -> None:
    page = open_page(name="Erik", before=FAKE)
    expect(page.locator("#sound-hint")).to_be_hidden()
    assert notes(page) == 0
    cast("Bob").set_status(DAY, "LOOKING")
    becomes(page, 6)
    sounds(page)
    assert played(page) == f"SESSION_READY:{DAY}:threshold=6"
    page.evaluate(REMEMBER, [played(page), 3600])
    cast("Bob").set_status(DAY, "MAYBE")
    becomes(page, 5)
    cast("Bob").set_status(DAY, "LOOKING")
    becomes(page, 6)
    assert notes(page) == NOTES, "reached, lost and reached again is one event"


@pytest.mark.usefixtures("wanted", "five")
def test_the_one_who_makes_it_ready_hears_it_too(open_page: OpenPage) -> None:
    page = open_page(name="Erik", before=FAKE)
    page.locator(f"#day-{DAY}").get_by_role("button", name="Looking").click()
    becomes(page, 6)
    sounds(page)


@pytest.mark.usefixtures("wanted", "five")
def test_a_board_that_is_ready_already_is_silent(open_page: OpenPage, cast: Cast) -> None:
    cast("Bob").set_status(DAY, "LOOKING")
    page = open_page(name="Erik", before=FAKE)
    cast("Ivan").set_status(DAY, "LOOKING")
    becomes(page, 7)
    assert notes(page) == 0
    assert played(page) is None


@pytest.mark.usefixtures("wanted", "five")
def test_of_two_tabs_one_plays(open_page: OpenPage, cast: Cast) -> None:
    first = open_page(name="Erik", before=FAKE)
    second = first.context.new_page()
    second.goto("/")
    cast("Bob").set_status(DAY, "LOOKING")
    becomes(first, 6)
    becomes(second, 6)
    sees(first, lambda: notes(first) + notes(second) >= NOTES, "the sound")
    assert sorted([notes(first), notes(second)]) == [0, NOTES]


@pytest.mark.usefixtures("wanted", "five")
def test_it_keeps_the_pause_since_the_last_one(open_page: OpenPage, cast: Cast) -> None:
    page = open_page(name="Erik", before=FAKE)
    page.evaluate(REMEMBER, ["another", 25])
    cast("Bob").set_status(DAY, "LOOKING")
    becomes(page, 6)
    assert notes(page) == 0
    assert played(page) == "another"


@pytest.mark.usefixtures("wanted", "five")
def test_what_the_browser_blocks_is_offered_on_the_page_and_plays_when_asked(open_page: OpenPage, cast: Cast) -> None:
    page = open_page(name="Erik", before=BLOCKED)
    expect(page.locator("#sound-hint")).to_be_visible()
    cast("Bob").set_status(DAY, "LOOKING")
    becomes(page, 6)
    assert notes(page) == 0
    assert played(page) is None, "what nobody could hear was not played"
    expect(page.locator("#sound-hint")).to_be_visible()
    page.get_by_role("button", name="Turn it on").press("Enter")
    expect(page.locator("#sound-hint")).to_be_hidden()
    sounds(page)
    assert played(page) == f"SESSION_READY:{DAY}:threshold=6"


@pytest.mark.usefixtures("wanted")
def test_the_offer_can_be_pressed_with_a_mouse(open_page: OpenPage) -> None:
    page = open_page(name="Erik", before=BLOCKED)
    page.get_by_role("button", name="Turn it on").click()
    expect(page.locator("#sound-hint")).to_be_hidden()


@pytest.mark.usefixtures("wanted")
def test_what_the_browser_blocks_later_can_be_turned_on_again(open_page: OpenPage) -> None:
    page = open_page(name="Erik", before=FAKE)
    page.get_by_role("heading", name="Upcoming").click()
    page.keyboard.press("ArrowRight")
    page.evaluate("setState('suspended')")  # as a phone does for a call
    expect(page.locator("#sound-hint")).to_be_visible()
    page.get_by_role("button", name="Turn it on").press("Enter")
    expect(page.locator("#sound-hint")).to_be_hidden()


@pytest.mark.usefixtures("tidy")
def test_it_is_switched_on_in_preferences_where_it_can_be_heard(open_page: OpenPage) -> None:
    page = open_page("/preferences", name="Erik", before=FAKE)
    assert page.evaluate("audio.made") == 0
    expect(page.get_by_label("Play a sound")).not_to_be_checked()
    page.get_by_role("button", name="Play it").click()
    sees(page, lambda: page.evaluate(f"audio.notes === {NOTES}"), "the sound")
    page.get_by_label("Play a sound").check()
    page.get_by_label("Seconds between two sounds").fill("60")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.goto("/")
    expect(page.locator("body")).to_have_attribute("data-sound", "60")
    assert page.evaluate("audio.made") == 1
