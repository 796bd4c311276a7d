"""The switch of languages in the footer, with and without scripts, and that longer words find room on a phone."""

import re

import pytest
from playwright.sync_api import Page, expect

from slomix.dev.rehearsal.system import RunningSystem
from tests.journeys.axe import Inspector
from tests.journeys.conftest import DAY, Cast, OpenPage

PAGES = ("/", "/calendar", f"/day/{DAY}", "/day/2026-03-29", "/profile?q=bob", "/preferences", "/privacy", "/nowhere")
BEYOND_THE_EDGE = """() => [...document.querySelectorAll('main *, footer *')]
  .filter((one) => !one.closest('.sr, svg, [hidden]') && one.getBoundingClientRect().right > innerWidth + 1)
  .map((one) => one.outerHTML.slice(0, 80))"""


@pytest.fixture(autouse=True)
def as_before(evening: RunningSystem) -> None:
    """Nobody has chosen a language."""
    database = evening.database_as_owner()
    with database.transaction() as session:
        session.connection().exec_driver_sql("UPDATE website_users SET language = NULL")
    database.close()


def choose(page: Page, name: str) -> None:
    page.get_by_role("contentinfo").get_by_role("button", name=name, exact=True).click()
    expect(page.get_by_role("contentinfo").get_by_role("button", name=name, exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )


@pytest.mark.parametrize("scripts", [True, False])
def test_a_language_holds_on_every_page_and_in_another_browser_of_the_player(
    open_page: OpenPage, scripts: bool
) -> None:
    page = open_page(f"/day/{DAY}", name="Alice", scripts=scripts)
    expect(page.get_by_role("heading", level=1)).to_have_text("Today")
    choose(page, "Slovenščina")
    expect(page).to_have_url(re.compile(f"/day/{DAY}$"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Danes")
    expect(page.locator("html")).to_have_attribute("lang", "sl")
    elsewhere = open_page(name="Alice", scripts=scripts)
    expect(elsewhere.get_by_role("heading", name="Trenutna vrsta")).to_be_visible()
    choose(elsewhere, "English")
    page.goto("/")
    expect(page.get_by_role("heading", name="Current queue")).to_be_visible()


def test_what_was_not_saved_yet_is_saved_before_another_language_is_spoken(open_page: OpenPage) -> None:
    page = open_page("/preferences", name="Erik")
    sound = page.get_by_role("checkbox", name="Play a sound when a session is ready")
    was_on = sound.is_checked()
    sound.set_checked(not was_on)
    choose(page, "Slovenščina")
    sound = page.get_by_role("checkbox", name="Predvajaj zvok, ko je dovolj igralcev")
    expect(sound).to_be_checked(checked=not was_on)
    sound.set_checked(was_on)
    page.get_by_role("button", name="Shrani").click()
    expect(page.get_by_text("Shranjeno.")).to_be_visible()


@pytest.mark.parametrize("width", [320, 390])
def test_slovene_finds_room_on_a_phone(open_page: OpenPage, cast: Cast, inspector: Inspector, width: int) -> None:
    for name, status in {"Alice": "LOOKING", "Erik": "MAYBE", "Hana": "NOT_PLAYING"}.items():
        cast(name).set_status(DAY, status)
    page = open_page(name="Alice", width=width, locale="sl", reduced_motion="reduce")
    for path in PAGES:
        page.goto(path)
        expect(page.locator("html")).to_have_attribute("lang", "sl")
        assert page.evaluate(BEYOND_THE_EDGE) == [], path
        inspector.look(page, f"{path} in Slovene at {width}")
