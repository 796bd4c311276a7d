"""Light, dark, or what the system says: chosen by everybody for their own browser."""

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import DAY, OpenPage, keep_picture

GROUND = {"light": "rgb(239, 241, 237)", "dark": "rgb(14, 21, 19)"}


def looks(page: Page) -> str:
    """Light or dark, by the colour of the ground."""
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return next(scheme for scheme, colour in GROUND.items() if colour == ground)


def choose(page: Page, name: str) -> None:
    button = page.get_by_role("group", name="Appearance").get_by_role("button", name=name)
    with page.expect_response("/appearance"):
        button.click()
    expect(button).to_have_attribute("aria-pressed", "true")


def test_without_a_choice_it_follows_the_system(open_page: OpenPage) -> None:
    page = open_page()
    assert looks(page) == "light"
    keep_picture(page, "light")
    page.emulate_media(color_scheme="dark")
    assert looks(page) == "dark"
    keep_picture(page, "dark")
    pressed = page.get_by_role("group", name="Appearance").get_by_role("button", pressed=True)
    expect(pressed).to_have_text("System")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_choice_holds_at_once_and_on_every_page_until_it_is_given_back(open_page: OpenPage, scripts: bool) -> None:
    page = open_page(scripts=scripts)
    choose(page, "Dark")
    assert looks(page) == "dark"
    expect(page).to_have_url(page.url)
    page.reload()
    assert looks(page) == "dark"
    page.goto(f"/day/{DAY}")
    assert looks(page) == "dark"
    choose(page, "Light")
    page.emulate_media(color_scheme="dark")
    assert looks(page) == "light"
    assert page.url.endswith(f"/day/{DAY}")
    page.goto("/nowhere")
    assert looks(page) == "light"
    choose(page, "System")
    assert looks(page) == "dark"
    assert "theme" not in {cookie["name"] for cookie in page.context.cookies()}
    page.goto("/")
    assert looks(page) == "dark"


def test_it_takes_effect_before_the_server_has_answered(open_page: OpenPage) -> None:
    page = open_page(name="Alice")
    page.route("**/appearance", lambda route: None)
    page.get_by_role("button", name="Dark").click()
    assert looks(page) == "dark"
