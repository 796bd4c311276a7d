"""For those who use a keyboard, large letters or a small screen, see no colours, or get dizzy."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import DAY, Cast, OpenPage

WORDS = ["Looking", "Available", "Maybe", "Not playing"]

# Everything that Tab may stop at, and what there is to see of the stop: an outline, or a shadow that was not there.
STOPS = "[...document.querySelectorAll('a[href], button, input, summary, [tabindex=\"0\"]')]"
REACHABLE = STOPS + ".filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.disabled).length"
HERE = """() => {
  const one = document.activeElement;
  if (one === document.body || one.seen) return null;
  one.seen = true;
  const look = () => { const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(one);
                       return { line: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2, boxShadow } };
  const focused = look();
  const { x, y, width, height } = one.getBoundingClientRect();
  const top = document.elementFromPoint(x + width / 2, y + height / 2);
  one.blur();
  const isSeen = focused.line || focused.boxShadow !== look().boxShadow;
  one.focus();
  const isCovered = !(top && (one.contains(top) || top.contains(one)));
  return { name: one.id || one.outerHTML.slice(0, 90), isSeen, isCovered };
}"""


def tab_through(page: Page) -> list[dict[str, Any]]:
    stops: list[dict[str, Any]] = []
    while True:
        page.keyboard.press("Tab")
        stop = page.evaluate(HERE)
        if stop is None:
            return stops
        stops.append(stop)


@pytest.mark.parametrize("width", [1280, 390])
def test_tab_reaches_every_control_of_the_board_and_its_focus_can_be_seen(
    open_page: OpenPage, cast: Cast, width: int
) -> None:
    cast("Bob").set_status(DAY, "LOOKING")
    page = open_page("/calendar", name="Bob", width=width)
    stops = tab_through(page)
    assert len(stops) == page.evaluate(REACHABLE)
    assert [one["name"] for one in stops if not one["isSeen"]] == [], "the focus is not seen"
    assert [one["name"] for one in stops if one["isCovered"]] == [], "something lies over what has the focus"


TOO_WIDE = """document.documentElement.scrollWidth > window.innerWidth && [...document.querySelectorAll("body *")]
  .filter((one) => one.getBoundingClientRect().right > window.innerWidth + 1)
  .map((one) => one.outerHTML.slice(0, 90)).slice(0, 3)"""
CUT_OFF = """[...document.querySelectorAll("main a, main button")]
  .filter((one) => one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 1)
  .map((one) => `${one.id} ${one.innerText.replaceAll("\\n", " ")}`)"""


def with_letters(page: Page, width: int, size: str) -> Page:
    """The same page on a screen of this width, with letters of this size."""
    page.set_viewport_size({"width": width, "height": 800})
    page.evaluate("(size) => { document.documentElement.style.fontSize = size }", size)
    return page


def sideways(page: Page, state: str) -> list[str]:
    """What makes this page scroll sideways: on the narrowest screen, and with letters of twice the size."""
    ways = [(320, "100%"), (390, "200%"), (1280, "200%")]
    too_wide = {way: with_letters(page, *way).evaluate(TOO_WIDE) for way in ways}
    return [f"{state}, {way}: {what}" for way, what in too_wide.items() if what]


def test_no_page_scrolls_sideways_on_a_small_screen_or_with_large_letters(open_page: OpenPage, cast: Cast) -> None:
    for name in ("Alice", "Bob"):
        cast(name).set_status(DAY, "LOOKING")
    page = open_page(name="Bob")
    page.get_by_role("button", name="Shortcuts").click()
    found = sideways(page, "the keys")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Promote", exact=True).click()
    expect(page.get_by_role("dialog")).to_contain_text("2 players to notify")
    found += sideways(page, "the modal")
    campaign = f"/campaigns/{cast('Bob').promote()}"
    for path in ("/calendar", f"/day/{DAY}", "/profile", "/preferences", "/promote", campaign, "/nowhere"):
        page.goto(path)
        found += sideways(page, path)
    for path in ("/", "/profile"):
        found += sideways(open_page(path, name="Charlie"), f"{path} for who is no player yet")
    admin = open_page("/admin", name="Dora")
    for path in ("/admin", "/admin/claims", "/admin/links", "/admin/roles", "/admin/audit", "/admin/players"):
        admin.goto(path)
        found += sideways(admin, path)
    assert found == []


@pytest.mark.parametrize(
    ("width", "size"),
    [
        (1280, "100%"),
        (320, "100%"),
        (1280, "200%"),
        (390, "200%"),
    ],
)
def test_no_control_of_the_board_cuts_off_what_it_says(open_page: OpenPage, width: int, size: str) -> None:
    page = open_page("/calendar?month=2026-04", name="Bob")
    assert with_letters(page, width, size).evaluate(CUT_OFF) == []


MOVING = """[...document.querySelectorAll("*")].flatMap((one) => ["", "::before", "::after"].map((part) => {
  const { transitionDuration, animationName, animationDuration } = getComputedStyle(one, part);
  const isStill = [transitionDuration, animationName === "none" ? "0s" : animationDuration].every(
    (all) => all.split(", ").every((one) => parseFloat(one) === 0));
  return isStill ? null : `${one.tagName} ${one.id} ${one.className}${part}`;
})).filter(Boolean)"""


def test_who_wants_less_motion_gets_none(open_page: OpenPage) -> None:
    page = open_page(name="Bob", reduced_motion="reduce")
    page.get_by_role("button", name="Promote", exact=True).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert page.evaluate(MOVING) == []
    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate(MOVING) != [], "the test sees no motion anywhere"


def test_a_status_is_an_icon_and_a_word_and_not_a_colour_alone(open_page: OpenPage, cast: Cast) -> None:
    cast("Alice").set_status(DAY, "MAYBE")
    page = open_page(name="Alice")
    today = page.locator(f"#day-{DAY}")
    buttons = today.locator("button.status")
    expect(buttons).to_have_text(WORDS)
    icons = buttons.locator("use").evaluate_all(
        "(uses) => uses.map((one) => document.querySelector(one.getAttribute('href')).innerHTML)"
    )
    assert len(set(icons)) == len(WORDS)
    expect(today.get_by_role("button", pressed=True)).to_have_text("Maybe")
    expect(today.locator(".answer")).to_contain_text("You said maybe.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_pressed_status_stays_pressed_to_the_eye_under_the_pointer(
    open_page: OpenPage, cast: Cast, scheme: str
) -> None:
    cast("Alice").set_status(DAY, "LOOKING")
    page = open_page(name="Alice", color_scheme=scheme, reduced_motion="reduce")
    button = page.locator(f"#day-{DAY}").get_by_role("button", name="Looking")
    fill = "(one) => getComputedStyle(one).backgroundColor"
    before = button.evaluate(fill)
    button.hover()
    assert button.evaluate(fill) == before


def test_on_a_phone_the_four_buttons_share_the_bar_at_the_thumb(open_page: OpenPage) -> None:
    page = open_page(name="Alice", width=390)
    boxes = [button.bounding_box() for button in page.locator(".hero .is-today .choices .choice").all()]
    left, right = boxes[0], boxes[-1]
    assert len(boxes) == 4
    assert left and right
    assert left["x"] == pytest.approx(390 - right["x"] - right["width"], abs=1), (
        "as far from the left as from the right"
    )
    assert all(box and box["width"] == pytest.approx(left["width"], abs=1) for box in boxes)
