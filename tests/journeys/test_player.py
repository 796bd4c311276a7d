"""A player: logs in, finds their profile, says when they play; with and without scripts."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.journeys.conftest import DAY, NEVER_POLL, OpenPage, Visit, keep_picture, set_offline


def today(page: Page) -> Locator:
    return page.locator(f"#day-{DAY}")


def test_a_stranger_sees_how_many_and_no_names(visit: Visit) -> None:
    visit("Alice").locator(f"#day-{DAY}").get_by_role("button", name="Looking").click()
    page = visit()
    expect(page.get_by_role("heading", name="Today")).to_be_visible()
    expect(page.get_by_role("heading", name="Tomorrow")).to_be_visible()
    expect(page.get_by_role("heading", name="Current queue")).to_be_visible()
    expect(page.get_by_role("heading", name="Upcoming")).to_be_visible()
    expect(page.get_by_role("link", name="Link Discord")).to_be_visible()
    expect(page.locator("body")).not_to_contain_text("BadBoy")
    expect(page.get_by_role("button", name="Looking")).to_have_count(2)
    expect(page.get_by_role("button", name="Clear")).to_have_count(0)


def test_a_newcomer_links_a_profile_and_joins_the_queue(visit: Visit) -> None:
    page = visit("Charlie")
    expect(page).to_have_url(re.compile("/profile"))
    page.get_by_label("Find a profile").fill("char")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("button", name=re.compile("^This is me")).first.click()
    expect(page.get_by_role("status").first).to_contain_text("Welcome, ")
    expect(page.get_by_role("heading", name="Want a heads-up?")).to_be_visible()
    for tick in page.get_by_role("checkbox").all():
        expect(tick).not_to_be_checked()
    page.get_by_role("button", name="Not now").click()
    expect(page.get_by_role("status").first).to_contain_text("OK, no messages")
    page.goto("/")
    today(page).get_by_role("button", name="Looking").click()
    expect(page.locator("#queue li")).to_have_count(1)
    page.goto("/profile")
    page.get_by_role("button", name="Unlink").click()
    expect(page.get_by_role("heading", name="Unlink Charlie?")).to_be_visible()
    keep_picture(page, "unlink")
    page.get_by_role("link", name="Keep it").click()
    for _ in range(2):
        page.get_by_role("button", name="Unlink").click()
    expect(page.get_by_role("status").first).to_contain_text("Unlinked")
    page.goto("/")
    expect(page.get_by_role("link", name="Link Discord")).to_be_visible()
    expect(page.locator("#queue")).to_contain_text("Queue is empty")


def test_a_status_is_swapped_in_without_a_new_page(open_page: OpenPage) -> None:
    page = open_page(name="Alice")
    page.evaluate("window.sameUse = true")
    expect(page.locator("#queue")).to_contain_text("Queue is empty")
    today(page).get_by_role("button", name="Looking").click()
    expect(today(page).get_by_role("button", name="Looking")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#queue li")).to_contain_text("BadBoy")
    today(page).get_by_role("button", name="Maybe").click()
    expect(today(page).get_by_role("button", name="Maybe")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#queue")).to_contain_text("Queue is empty")
    today(page).get_by_role("button", name="Clear").click()
    expect(today(page).get_by_role("button", name="Maybe")).to_have_attribute("aria-pressed", "false")
    assert page.evaluate("window.sameUse") is True


def test_everything_works_without_scripts(open_page: OpenPage) -> None:
    page = open_page(name="Erik", scripts=False)
    today(page).get_by_role("button", name="Available").click()
    expect(today(page).get_by_role("button", name="Available")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Open calendar").click()
    expect(page.get_by_role("button", name="Close calendar")).to_be_visible()
    page.get_by_role("link", name=re.compile("^27 March")).first.click()
    expect(page).to_have_url(re.compile(f"/day/{DAY}"))
    today(page).get_by_role("button", name="Not playing").click()
    expect(today(page).get_by_role("button", name="Not playing")).to_have_attribute("aria-pressed", "true")


def test_what_one_sets_the_other_sees_and_keeps_their_focus(open_page: OpenPage) -> None:
    alice, erik = open_page(name="Alice"), open_page(name="Erik", before=NEVER_POLL)
    tomorrow = erik.locator(".day-card").nth(1).get_by_role("button", name="Maybe")
    tomorrow.focus()
    today(alice).get_by_role("button", name="Looking").click()
    expect(erik.locator("#queue li")).to_contain_text("BadBoy")
    expect(tomorrow).to_be_focused()
    expect(erik).to_have_title("[1/6] Slomix")


def test_who_denies_at_discord_is_not_logged_in_and_told_so(visit: Visit) -> None:
    page = visit()
    page.goto("/auth/login")
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_text("nothing was shared")).to_be_visible()
    expect(page.get_by_role("link", name="Log in with Discord")).to_be_visible()


def test_when_the_connection_is_gone_the_page_says_so(open_page: OpenPage) -> None:
    page = open_page(name="Alice")
    expect(page.locator("#connection")).to_be_hidden()
    set_offline(page, True)
    expect(page.locator("#connection")).to_be_visible()
    set_offline(page, False)
    expect(page.locator("#connection")).to_be_hidden()


def test_on_a_phone_nothing_scrolls_sideways(open_page: OpenPage) -> None:
    page = open_page(name="Alice", width=360)
    for path in ("/", "/calendar", f"/day/{DAY}", "/profile", "/preferences"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
    page.goto("/")
    for name in ("Looking", "Available", "Maybe", "Not playing"):
        box = today(page).get_by_role("button", name=name).bounding_box()
        assert box is not None
        assert box["height"] >= 44, name
