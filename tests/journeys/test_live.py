"""An open page stays true while others change things, disturbs nobody, and says so when it cannot."""

import pytest
from playwright.sync_api import Page, expect

from slomix.dev.rehearsal.system import RunningSystem
from tests.journeys.conftest import DAY, NEVER_POLL, Cast, OpenPage, are_looking, set_offline

WATCH_THE_BOARD = """window.mutations = 0;
new MutationObserver((all) => { window.mutations += all.length }).observe(document.getElementById("main"),
  { subtree: true, childList: true, attributes: true, characterData: true });"""
WATCH_WHAT_IS_SAID = """window.said = [];
new MutationObserver(() => window.said.push(document.getElementById("says").textContent)).observe(
  document.getElementById("says"), { subtree: true, childList: true, characterData: true });"""


def test_what_one_says_every_open_page_shows(open_page: OpenPage, cast: Cast) -> None:
    alice, bob, day, stranger = (
        open_page(name="Alice", before=NEVER_POLL),
        open_page(name="Bob", before=NEVER_POLL),
        open_page(f"/day/{DAY}", name="Erik", before=NEVER_POLL),
        open_page("/calendar", before=NEVER_POLL),
    )
    alice.locator(f"#day-{DAY}").get_by_role("button", name="Looking").click()
    expect(bob.locator("#queue li")).to_contain_text("BadBoy")
    expect(bob).to_have_title("[1/6] Slomix")
    expect(alice).to_have_title("[1/6] Slomix")
    expect(day.locator(".said")).to_contain_text("BadBoy")
    expect(stranger.locator(f"#cell-{DAY}")).to_contain_text("1 coming")
    expect(stranger).to_have_title("[1/6] Slomix")


def test_what_has_not_changed_is_not_swapped(open_page: OpenPage, cast: Cast) -> None:
    cast("Alice").set_status(DAY, "AVAILABLE")
    page = open_page(name="Bob")
    cast("Alice").set_status(DAY, "LOOKING")
    expect(page).to_have_title("[1/6] Slomix")
    page.wait_for_timeout(300)
    page.evaluate(WATCH_THE_BOARD)
    with page.expect_response("**/board") as answer:
        cast("Alice").set_status(DAY, "LOOKING")
    assert answer.value.status == 304
    page.wait_for_timeout(300)
    assert page.evaluate("window.mutations") == 0


def test_what_somebody_is_in_the_middle_of_survives_a_change(open_page: OpenPage, cast: Cast) -> None:
    page = open_page("/calendar?month=2026-04", name="Bob")
    page.get_by_role("button", name="Promote", exact=True).click()
    start = page.get_by_role("dialog").get_by_role("textbox", name="Start")
    start.fill("20:30")
    page.get_by_text("Message preview").click()
    start.focus()
    cast("Alice").set_status(DAY, "LOOKING")
    expect(page).to_have_title("[1/6] Slomix")
    expect(start).to_be_focused()
    expect(start).to_have_value("20:30")
    expect(page.locator("#preview-words pre").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#modal")).to_be_hidden()
    page.set_viewport_size({"width": 1280, "height": 400})
    cell = page.locator("#cell-2026-05-01")
    cell.focus()
    before = cell.bounding_box()
    for name in ("Erik", "Franka"):
        cast(name).set_status(DAY, "LOOKING")
    expect(page).to_have_title("[3/6] Slomix")
    expect(cell).to_be_focused()
    assert cell.bounding_box() == before, "the queue above grew, and what is looked at stays where it is"


def assert_locked(page: Page) -> None:
    """Notice and buttons say that nothing can be answered now, and pressing one sends nothing."""
    expect(page.locator("#connection")).to_be_visible()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method) if request.method != "GET" else None)
    today = page.locator(f"#day-{DAY}")
    for button in (today.get_by_role("button", name="Maybe"), today.locator("#day-2026-03-27-available")):
        expect(button).to_have_attribute("aria-disabled", "true")
        button.click(force=True)
    page.locator("#upcoming-2026-03-29").focus()
    page.keyboard.press("2")
    page.wait_for_timeout(300)
    assert sent == []
    expect(today.get_by_role("button", pressed=True)).to_have_count(0)


def assert_unlocked(page: Page) -> None:
    expect(page.locator("#connection")).to_be_hidden()
    expect(page.locator("main [aria-disabled=true]")).to_have_count(0)
    page.locator(f"#day-{DAY}").get_by_role("button", name="Maybe").click()
    expect(page.locator(f"#day-{DAY}").get_by_role("button", pressed=True)).to_have_text("Maybe")


def test_who_was_offline_takes_no_answers_and_catches_up(open_page: OpenPage, cast: Cast) -> None:
    page = open_page(name="Erik", before=NEVER_POLL)
    set_offline(page, True)
    assert_locked(page)
    cast("Alice").set_status(DAY, "LOOKING")
    set_offline(page, False)
    expect(page).to_have_title("[1/6] Slomix")
    expect(page.locator("#queue li")).to_contain_text("BadBoy")
    assert_unlocked(page)


def test_who_loses_the_connection_in_the_modal_is_told_there(open_page: OpenPage) -> None:
    page = open_page(name="Bob")
    page.get_by_role("button", name="Promote", exact=True).click()
    modal = page.get_by_role("dialog")
    expect(modal).to_contain_text("0 players to notify")
    set_offline(page, True)
    expect(modal.get_by_role("button", name="Schedule campaign")).to_have_attribute("aria-disabled", "true")
    expect(modal).to_contain_text("You’re offline")


def test_a_server_that_does_not_answer_is_noticed_too(open_page: OpenPage, cast: Cast) -> None:
    page = open_page(name="Erik", before=NEVER_POLL)
    page.wait_for_timeout(300)
    page.context.route("**/board", lambda route: route.fulfill(status=502, body="Bad gateway"))
    cast("Alice").set_status(DAY, "LOOKING")
    assert_locked(page)
    page.context.unroute("**/board")
    expect(page).to_have_title("[1/6] Slomix")
    assert_unlocked(page)


# Fifteen seconds are a long time for a test.
POLL_SOON = "const every = setInterval; window.setInterval = (what, time) => every(what, time === 15000 ? 500 : time);"


@pytest.mark.parametrize("how", ["cut off", "refused"])
def test_a_page_whose_stream_alone_is_blocked_asks_now_and_then(open_page: OpenPage, cast: Cast, how: str) -> None:
    page = open_page("/nowhere", name="Erik", before=POLL_SOON)
    page.route("**/events", lambda route: route.abort() if how == "cut off" else route.fulfill(status=502, body=""))
    page.goto("/")
    cast("Alice").set_status(DAY, "LOOKING")
    expect(page).to_have_title("[1/6] Slomix")
    cast("Alice").set_status(DAY, "MAYBE")
    expect(page).to_have_title("[0/6] Slomix")
    assert_unlocked(page)


def test_a_stream_that_has_fallen_silent_is_noticed(open_page: OpenPage) -> None:
    """Nothing is cut: the server, or what stands between, has just stopped to speak."""
    soon = "const after = setTimeout; window.setTimeout = (what, time) => after(what, time === 37500 ? 700 : time);"
    page = open_page("/nowhere", name="Erik", before=soon)
    page.goto("/")
    page.wait_for_timeout(300)
    page.context.route("**/board", lambda route: route.abort())
    assert_locked(page)
    page.context.unroute("**/board")
    assert_unlocked(page)


def test_a_burst_of_changes_is_read_aloud_once_with_what_came_of_it(
    open_page: OpenPage, evening: RunningSystem, cast: Cast
) -> None:
    page = open_page(name="Erik")
    page.evaluate(WATCH_WHAT_IS_SAID)
    for name in ("Alice", "Franka", "Goran"):
        are_looking(evening, name)
    expect(page.locator("#says")).to_have_text("3 of 6 looking to play tonight.")
    assert page.evaluate("window.said") == ["3 of 6 looking to play tonight."]
    cast("Alice").set_status("2026-03-28", "MAYBE")
    cast("Alice").set_status("2026-03-28", "")
    page.wait_for_timeout(2200)
    assert len(page.evaluate("window.said")) == 1, "another day is not tonight"


def test_of_two_tabs_one_holds_the_stream_and_both_follow(open_page: OpenPage, cast: Cast) -> None:
    first = open_page("/nowhere", name="Erik")
    streams: list[Page] = []
    first.context.on(
        "request", lambda request: streams.append(request.frame.page) if "/events" in request.url else None
    )
    with first.expect_request("**/events"):
        first.goto("/")
    second = first.context.new_page()
    with second.expect_request("**/events"):
        second.goto("/")
    cast("Alice").set_status(DAY, "LOOKING")
    for tab in (first, second):
        expect(tab).to_have_title("[1/6] Slomix")
    assert streams == [first, second], "the tab looked at last takes over"
    second.close()
    cast("Alice").set_status(DAY, "MAYBE")
    expect(first).to_have_title("[0/6] Slomix")
    assert streams == [first, second, first], "and gives it back"


def test_back_shows_what_was_there_and_so_does_a_reload(open_page: OpenPage) -> None:
    page = open_page(name="Alice")
    page.get_by_role("button", name="Open calendar").click()
    expect(page.get_by_role("heading", name="March 2026")).to_be_visible()
    expect(page.get_by_role("button", name="Close calendar")).to_be_focused()
    page.get_by_role("link", name="Next month").click()
    expect(page.get_by_role("heading", name="April 2026")).to_be_visible()
    page.locator("#cell-2026-04-15").click()
    expect(page.locator("#day-2026-04-15 h1")).to_have_text("Wednesday")
    page.go_back()
    expect(page.get_by_role("heading", name="April 2026")).to_be_visible()
    expect(page.get_by_role("button", name="Close calendar")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="April 2026")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="March 2026")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("button", name="Open calendar")).to_be_visible()
    page.go_forward()
    expect(page.get_by_role("heading", name="March 2026")).to_be_visible()


def test_every_month_and_every_day_has_an_address(open_page: OpenPage) -> None:
    page = open_page("/calendar?month=2026-05")
    expect(page.get_by_role("heading", name="May 2026")).to_be_visible()
    page.goto("/day/2026-03-29")
    expect(page.get_by_role("heading", name="Sunday")).to_be_visible()
    expect(page).to_have_title("Sunday, Sun 29 Mar · Slomix")
    page.get_by_role("link", name="Next month").click()
    expect(page.get_by_role("heading", name="April 2026")).to_be_visible()
    expect(page.get_by_role("heading", name="Sunday")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="April 2026")).to_be_visible()
