"""Somebody with a keyboard alone: arrows go from day to day, 1 to 4 answer, ? lists the keys."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import DAY, Cast, OpenPage

TOMORROW, UPCOMING, LAST_UPCOMING = "2026-03-28", "2026-03-29", "2026-03-31"


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def writes_of(page: Page) -> list[str]:
    """What this page sends from now on."""
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method != "GET" else None)
    return sent


def test_arrows_move_between_the_days_of_the_board_and_enter_opens_one(open_page: OpenPage) -> None:
    page = open_page(name="Alice")
    press(page, "ArrowRight")
    expect(page.locator(f"#day-{DAY}-link")).to_be_focused()
    press(page, "ArrowLeft")
    expect(page.locator(f"#day-{DAY}-link")).to_be_focused()
    page.locator(f"#day-{DAY}").get_by_role("button", name="Maybe").focus()
    press(page, "ArrowRight")
    expect(page.locator(f"#day-{TOMORROW}-link")).to_be_focused()
    press(page, "ArrowRight")
    expect(page.locator(f"#upcoming-{UPCOMING}")).to_be_focused()
    press(page, *["ArrowRight"] * 5)
    expect(page.locator(f"#upcoming-{LAST_UPCOMING}")).to_be_focused()
    press(page, "ArrowLeft", "ArrowLeft", "ArrowLeft", "Enter")
    expect(page).to_have_url(re.compile(f"/day/{TOMORROW}$"))


def test_the_first_arrow_of_all_goes_to_today_whichever_it_is(open_page: OpenPage) -> None:
    page = open_page("/calendar")
    press(page, "ArrowLeft")
    expect(page.locator(f"#day-{DAY}-link")).to_be_focused()


def test_arrows_move_on_the_calendar_and_over_the_edge_of_its_month(open_page: OpenPage) -> None:
    page = open_page("/calendar", name="Alice")
    page.locator(f"#cell-{DAY}").focus()
    for key, day in (
        ("ArrowRight", "2026-03-28"),
        ("ArrowLeft", "2026-03-27"),
        ("ArrowUp", "2026-03-20"),
        ("ArrowDown", "2026-03-27"),
        ("ArrowDown", "2026-04-03"),  # shown in March, as the end of its last week
        ("ArrowDown", "2026-04-10"),
        ("PageDown", "2026-05-10"),
        ("PageUp", "2026-04-10"),
    ):
        press(page, key)
        expect(page.locator(f"#cell-{day}")).to_be_focused()
    expect(page.get_by_role("heading", name="April 2026")).to_be_visible()
    expect(page).to_have_url(re.compile(r"month=2026-04"))
    page.locator("#cell-2026-03-30").focus()
    press(page, "ArrowLeft")
    expect(page.locator("#cell-2026-03-29")).to_be_focused()
    press(page, "Enter")
    expect(page).to_have_url(re.compile("/day/2026-03-29$"))


def test_arrows_go_to_the_day_before_and_after_on_the_page_of_a_day(open_page: OpenPage) -> None:
    page = open_page(f"/day/{UPCOMING}", name="Alice")
    press(page, "ArrowRight")
    expect(page).to_have_url(re.compile("/day/2026-03-30$"))
    press(page, "ArrowLeft")
    expect(page).to_have_url(re.compile(f"/day/{UPCOMING}$"))
    page.locator(f"#cell-{UPCOMING}").focus()
    press(page, "ArrowDown", "ArrowDown")
    expect(page.locator("#cell-2026-04-12")).to_be_focused()
    expect(page).to_have_url(re.compile(rf"/day/{UPCOMING}\?month=2026-04"))


@pytest.mark.usefixtures("tidy")
def test_1_to_4_answer_for_the_day_that_has_the_focus(open_page: OpenPage) -> None:
    page = open_page("/calendar", name="Alice")
    link, today = page.locator(f"#day-{DAY}-link"), page.locator(f"#day-{DAY}")
    link.focus()
    for key, word in (("2", "Available"), ("3", "Maybe"), ("4", "Not playing"), ("1", "Looking")):
        press(page, key)
        expect(today.get_by_role("button", pressed=True)).to_have_text(word)
        expect(link).to_be_focused()
    expect(page.locator("#queue li")).to_have_count(1)
    upcoming = page.locator(f"#upcoming-{UPCOMING}")
    upcoming.focus()
    for key, word in (("3", "maybe"), ("4", "not playing")):
        press(page, key)
        expect(upcoming).to_contain_text(f"You: {word}")
        expect(page.locator("#says")).to_contain_text(f"You: {word}")
    expect(upcoming).to_be_focused()
    cell = page.locator("#cell-2026-04-02")
    cell.focus()
    for key, word in (("1", "looking"), ("2", "available")):
        press(page, key)
        expect(cell).to_contain_text(f"You: {word}")
        expect(page.locator("#says")).to_have_text(re.compile(f"^2 April [0-9]+ coming: .* You: {word}$"))
    expect(cell).to_be_focused()
    page.goto("/day/2026-04-02")
    card = page.locator("#day-2026-04-02")
    expect(card.get_by_role("button", pressed=True)).to_have_text("Available")
    card.get_by_role("button", name="Looking").focus()
    press(page, "3")
    expect(card.get_by_role("button", pressed=True)).to_have_text("Maybe")


def test_1_to_4_do_nothing_without_a_day_or_in_a_field_or_with_ctrl(open_page: OpenPage) -> None:
    page = open_page(name="Bob")
    sent = writes_of(page)
    press(page, "1", "2")
    page.get_by_role("link", name="Preferences").focus()
    press(page, "1", "?")
    expect(page.locator("#keys")).to_be_hidden()
    page.locator(f"#day-{DAY}-link").focus()
    press(page, "Control+2", "Alt+3", "5", "0")
    page.get_by_role("button", name="Promote", exact=True).click()
    start = page.get_by_role("dialog").get_by_role("textbox", name="Start")
    start.focus()
    press(page, "1", "4")
    expect(start).not_to_have_value("21:00")
    page.wait_for_timeout(300)
    assert sent == []


def test_1_to_4_change_nothing_that_cannot_be_changed(open_page: OpenPage) -> None:
    page = open_page("/calendar", name="Alice")
    sent = writes_of(page)
    page.locator("#cell-2026-03-26").focus()
    press(page, "1", "2")
    page.goto("/day/2026-03-26")
    page.locator("#cell-2026-03-26").focus()
    press(page, "3")
    page.wait_for_timeout(300)
    assert sent == []


def test_1_to_4_send_nothing_for_who_is_no_player(open_page: OpenPage) -> None:
    for page in (open_page("/calendar"), open_page("/calendar", name="Charlie")):
        sent = writes_of(page)
        for place in (f"#day-{DAY}-link", f"#upcoming-{UPCOMING}", f"#cell-{TOMORROW}"):
            page.locator(place).focus()
            press(page, "1", "4")
        page.wait_for_timeout(200)
        assert sent == []
        press(page, "ArrowRight")
        expect(page.locator(f"#cell-{UPCOMING}")).to_be_focused()


def test_the_list_of_keys_opens_and_gives_the_focus_back(open_page: OpenPage) -> None:
    page = open_page(name="Alice")
    page.locator(f"#day-{TOMORROW}-link").focus()
    press(page, "?")
    keys = page.get_by_role("dialog", name="Shortcuts")
    expect(keys).to_be_visible()
    expect(keys).to_contain_text("Not playing")
    press(page, "Escape")
    expect(keys).to_be_hidden()
    expect(page.locator(f"#day-{TOMORROW}-link")).to_be_focused()
    page.get_by_role("button", name="Shortcuts").click()
    keys.get_by_role("button", name="Close").click()
    expect(keys).to_be_hidden()
    expect(page.get_by_role("button", name="Shortcuts")).to_be_focused()


def test_keys_that_are_switched_off_stay_off_and_arrows_stay_on(open_page: OpenPage) -> None:
    page = open_page(name="Alice")
    press(page, "?")
    page.get_by_label("Use these keys").uncheck()
    press(page, "Escape")
    expect(page.locator("body")).to_be_focused()  # a dialog that is hidden keeps the focus until the next frame
    for _ in range(2):
        sent = writes_of(page)
        press(page, "ArrowRight", "1", "?")
        expect(page.locator(f"#day-{DAY}-link")).to_be_focused()
        expect(page.locator("#keys")).to_be_hidden()
        page.wait_for_timeout(200)
        assert sent == []
        page.reload()
    page.get_by_role("button", name="Shortcuts").click()
    page.get_by_label("Use these keys").check()
    press(page, "Escape")
    expect(page.locator("#keys")).to_be_hidden()
    page.locator(f"#day-{DAY}-link").focus()
    press(page, "1")
    expect(page.locator(f"#day-{DAY}").get_by_role("button", pressed=True)).to_have_text("Looking")


def test_the_focus_stays_where_it_was_after_an_answer_and_after_the_modal(open_page: OpenPage) -> None:
    page = open_page(name="Bob")
    looking = page.locator(f"#day-{DAY}").get_by_role("button", name="Looking")
    looking.press("Enter")
    expect(page).to_have_title("[1/6] Slomix")
    expect(looking).to_be_focused()
    promote, modal = page.get_by_role("button", name="Promote", exact=True), page.get_by_role("dialog")
    promote.press("Enter")
    expect(modal.get_by_role("heading", name="Call a game night")).to_be_focused()
    press(page, "Escape")
    expect(promote).to_be_focused()
    promote.press("Enter")
    modal.get_by_role("button", name="Schedule campaign").press("Enter")
    expect(page.locator("#campaign")).to_contain_text("scheduled")
    modal.get_by_role("link", name="To the board").press("Enter")
    expect(page.locator("#campaign")).to_be_focused()


@pytest.mark.parametrize("word", ["Clear", "Cancel campaign"])
def test_the_focus_is_not_lost_with_the_button_that_was_pressed(open_page: OpenPage, cast: Cast, word: str) -> None:
    cast("Bob").set_status(DAY, "LOOKING")
    cast("Bob").promote()
    page = open_page(name="Bob")
    page.on("dialog", lambda question: question.accept())
    button = page.locator("main").get_by_role("button", name=word).first
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        button.press("Enter")
    page.wait_for_timeout(300)
    assert page.evaluate("document.activeElement.id") != ""


@pytest.mark.usefixtures("tidy")
def test_a_key_that_is_held_answers_once(open_page: OpenPage) -> None:
    page = open_page(name="Alice")
    page.locator(f"#upcoming-{UPCOMING}").focus()
    sent = writes_of(page)
    for _ in range(10):
        page.keyboard.down("3")
    page.keyboard.up("3")
    expect(page.locator(f"#upcoming-{UPCOMING}")).to_contain_text("You: maybe")
    assert len(sent) == 1
