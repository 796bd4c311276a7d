"""Every page in every state is clean for axe (WCAG 2.2 AA), in light and in dark, at a desk and on a phone."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from slomix.dev.rehearsal.system import RunningSystem
from tests.journeys.axe import Inspector
from tests.journeys.conftest import DAY, OPENING, Cast, OpenPage, are_looking, set_offline

PLAYERS = ("Alice", "Erik", "Franka", "Goran", "Hana", "Jana")
LATER, PAST, TOO_FAR = "2026-03-29", "2026-03-20", "2027-03-27"


def test_what_strangers_see(open_page: OpenPage, cast: Cast, inspector: Inspector) -> None:
    page = open_page(reduced_motion="reduce")
    inspector.look(page, "an empty board")
    cast("Alice").set_status(DAY, "LOOKING")
    page.goto("/calendar")
    inspector.look(page, "the calendar")
    page.goto(f"/day/{DAY}")
    inspector.look(page, "a day")
    for status, path, title in ((401, "/preferences", "Log in to continue"), (404, "/nowhere", "Not found")):
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_have_text(title)
        inspector.look(page, f"error {status}")


def test_what_somebody_without_a_player_sees(open_page: OpenPage, inspector: Inspector) -> None:
    page = open_page(name="Charlie", reduced_motion="reduce")
    inspector.look(page, "the board")
    page.goto("/profile")
    inspector.look(page, "profiles to pick")
    page.goto("/profile?q=zzzz")
    expect(page.get_by_text("No profile has")).to_be_visible()
    inspector.look(page, "a search without result")
    page.goto("/profile?q=bob")
    page.get_by_text("Taken – is this you?").click()
    inspector.look(page, "a profile that somebody has")
    page.goto("/preferences")
    expect(page.get_by_text("until you link your player")).to_be_visible()
    inspector.look(page, "preferences of nobody")
    page.goto("/admin")
    expect(page.locator(".code")).to_have_text("403")
    inspector.look(page, "error 403")


def test_what_a_player_sees(open_page: OpenPage, cast: Cast, inspector: Inspector) -> None:
    said = {"Alice": "LOOKING", "Erik": "LOOKING", "Franka": "AVAILABLE", "Goran": "MAYBE", "Hana": "NOT_PLAYING"}
    for name, status in said.items():
        cast(name).set_status(DAY, status)
    page = open_page(name="Alice", reduced_motion="reduce")
    inspector.look_closely(page, "the board")
    page.get_by_role("button", name="Shortcuts").click()
    expect(page.get_by_role("dialog", name="Shortcuts")).to_be_visible()
    inspector.look(page, "the keys")
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    set_offline(page, True)
    expect(page.locator("#connection")).to_be_visible()
    inspector.look(page, "a board without connection")
    set_offline(page, False)
    for state, day in (("today", DAY), ("a later day", LATER), ("a past day", PAST), ("a day too far away", TOO_FAR)):
        page.goto(f"/day/{day}")
        inspector.look(page, state)
    page.goto("/calendar")
    inspector.look(page, "the calendar")


@pytest.mark.usefixtures("tidy")
def test_profile_and_preferences(open_page: OpenPage, inspector: Inspector) -> None:
    page = open_page("/profile", name="Alice", reduced_motion="reduce")
    inspector.look(page, "the profile")
    page.goto("/preferences")
    inspector.look(page, "preferences")
    page.get_by_label("From").fill("22:00")
    with page.expect_response("/preferences") as answer:
        page.get_by_role("button", name="Save").click()
    assert answer.value.status == 422
    inspector.look(page, "a mistake in preferences")
    page.get_by_label("From").fill("")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    inspector.look(page, "preferences that are saved")
    page.get_by_role("button", name="Link Telegram").click()
    expect(page.get_by_text("Waiting for your message")).to_be_visible()
    inspector.look(page, "a code")
    for path in ("/welcome", "/profile/delete"):
        page.goto(path)
        inspector.look(page, path)


def test_what_an_admin_sees(open_page: OpenPage, inspector: Inspector) -> None:
    page = open_page(name="Dora", reduced_motion="reduce")
    for path in (
        "/admin",
        "/admin/tonight",
        "/admin/jobs",
        "/admin/ledger",
        "/admin/claims",
        "/admin/links",
        "/admin/roles",
        "/admin/audit",
        "/admin/players",
    ):
        page.goto(path)
        inspector.look(page, path)


def test_what_a_promoter_sees_of_an_evening(
    open_page: OpenPage, evening: RunningSystem, cast: Cast, inspector: Inspector
) -> None:
    page = open_page(name="Bob", reduced_motion="reduce")
    promote, modal = page.get_by_role("button", name="Promote", exact=True), page.get_by_role("dialog")
    promote.click()
    expect(modal).to_contain_text("0 players to notify")
    inspector.look(page, "the modal with nobody to ask")
    are_looking(evening, *PLAYERS)
    page.keyboard.press("Escape")
    promote.click()
    expect(modal).to_contain_text("6 players to notify")
    inspector.look(page, "the modal")
    page.keyboard.press("Escape")
    expect(modal).to_be_hidden()
    expect(page.locator("#ready")).to_contain_text("Game on!")
    inspector.look_closely(page, "a board that is ready")
    page.goto("/promote")
    inspector.look(page, "the modal as a page")
    campaign = f"/campaigns/{cast('Bob').promote()}"
    page.goto("/")
    expect(page.locator("#campaign")).to_contain_text("scheduled")
    inspector.look(page, "a board with a campaign")
    evening.control.set_clock(OPENING + timedelta(minutes=21))
    expect(page.locator("#ready")).to_contain_text("Game night is on")
    inspector.look(page, "a board when the evening has begun")
    page.goto(campaign)
    expect(page.locator("#campaign")).to_contain_text("6 sent")
    evening.control.set_clock(OPENING + timedelta(minutes=22))  # the voice check counts from when the start has left
    expect(page.locator("#campaign")).to_contain_text("posted")
    expect(page.get_by_role("heading", name="Every message")).to_be_visible()
    inspector.look(page, "a campaign as promoters see it")
    inspector.look(open_page(campaign, name="Alice", reduced_motion="reduce"), "a campaign as players see it")
