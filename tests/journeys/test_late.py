"""Late: a button that appears once somebody plays, pressed on one board and seen on another."""

import pytest
from playwright.sync_api import expect

from slomix.dev.rehearsal.system import RunningSystem
from tests.journeys.conftest import DAY, NEVER_POLL, OpenPage, are_looking, keep_picture


@pytest.mark.parametrize("from_page", ["board", "day"])
def test_who_is_late_says_so_by_one_press_and_every_open_page_shows_it(
    open_page: OpenPage, evening: RunningSystem, from_page: str
) -> None:
    are_looking(evening, "Bob", "Erik", "Franka")
    alice = open_page("/" if from_page == "board" else f"/day/{DAY}", name="Alice", before=NEVER_POLL)
    bob = open_page(name="Bob", before=NEVER_POLL, width=390, color_scheme="dark")
    button, card = alice.get_by_role("button", name="15 min late"), alice.locator(f"#day-{DAY}")
    expect(button).to_have_count(0)
    card.get_by_role("button", name="Maybe").click()
    expect(button).to_have_attribute("aria-pressed", "false")
    button.click()
    expect(card).to_contain_text("You come about 21:15.")
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(bob.locator("#queue")).to_contain_text("comes about 21:15")
    expect(bob.locator(f"#day-{DAY} .said")).to_contain_text("15 min late")
    keep_picture(alice, f"late-{from_page}-1280-light")
    alice.set_viewport_size({"width": 390, "height": 800})
    keep_picture(alice, f"late-{from_page}-390-light")
    alice.emulate_media(color_scheme="dark")
    keep_picture(alice, f"late-{from_page}-390-dark")
    alice.set_viewport_size({"width": 1280, "height": 800})
    keep_picture(alice, f"late-{from_page}-1280-dark")
    alice.get_by_role("button", name="Undo").click()
    expect(card).to_contain_text("You said maybe.")
    expect(bob.locator("#queue")).not_to_contain_text("21:15")
