"""The planning room with three people in it at once: a draft, teams by hand, names, and what others see meanwhile."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from slomix.dev.rehearsal.system import RunningSystem
from tests.journeys.axe import Inspector
from tests.journeys.conftest import DAY, OPENING, Cast, OpenPage, are_looking, keep_picture

SIX = ("Alice", "Erik", "Franka", "Goran", "Hana", "Jana")
ROOM = f"/planning/{DAY}"


def side(page: Page, letter: str) -> Locator:
    return page.locator(f"[data-zone={letter}]")


def pool(page: Page) -> Locator:
    return page.locator("[data-zone='']")


def names(zone: Locator) -> list[str]:
    return [one.strip() for one in zone.locator(".player bdi").all_inner_texts()]


@pytest.fixture
def franka(open_page: OpenPage, evening: RunningSystem) -> Page:
    """She opens the room from the board, when six are looking."""
    are_looking(evening, *SIX)
    page = open_page(name="Franka")
    page.get_by_role("button", name="Open planning room").click()
    expect(page.locator("#room")).to_contain_text("6 in")
    return page


def volunteer(page: Page, letter: str) -> None:
    side(page, letter).get_by_role("button", name="Be captain").click()
    expect(side(page, letter).locator(".leads")).to_have_count(1)


def begin(owner: Page) -> None:
    owner.get_by_text("Captains’ draft").click()
    owner.get_by_role("button", name="Begin the draft").click()
    expect(owner.locator(".turn")).to_be_visible()


def test_two_captains_draft_while_everybody_watches(franka: Page, open_page: OpenPage) -> None:
    erik, hana = open_page(ROOM, name="Erik", width=390), open_page(ROOM, name="Hana")
    watcher = open_page(ROOM, name="Alice")
    volunteer(erik, "A")
    expect(side(hana, "A").locator(".leads")).to_contain_text("eRiK|eng")
    volunteer(hana, "B")
    expect(franka.locator(".leads")).to_have_count(2)
    begin(franka)
    expect(erik.locator(".turn")).to_contain_text("Your pick")
    expect(erik).to_have_title("Your pick · Planning room, Fri 27 Mar · Slomix")
    expect(hana.locator(".turn")).to_contain_text("eRiK|eng picks for Team A")
    keep_picture(erik, "draft-390")
    for page in (hana, watcher):
        expect(page.get_by_role("button", name="Pick")).to_have_count(0)
    erik.get_by_role("button", name="Pick PanzerGoran").click()
    for page in (erik, hana, watcher, franka):
        expect(side(page, "A")).to_contain_text("PanzerGoran")
    expect(hana.locator(".turn")).to_contain_text("Your pick")
    hana.get_by_role("button", name="Pick BadBoy").click()
    expect(side(hana, "B")).to_contain_text("BadBoy")
    hana.get_by_role("button", name="Undo the last pick").click()
    expect(side(watcher, "B")).not_to_contain_text("BadBoy")
    hana.get_by_role("button", name="Pick jana<3").click()
    hana.get_by_role("button", name="Pick franka").click()
    expect(erik.locator(".turn")).to_contain_text("Your pick")
    erik.get_by_role("button", name="Pick BadBoy").click()
    for page in (erik, hana, watcher, franka):
        expect(page.locator(".turn")).to_have_count(0)
        assert names(side(page, "A")) == ["eRiK|eng", "PanzerGoran", "BadBoy"]
        assert names(side(page, "B")) == ["Hana*", "jana<3", "franka"]
    keep_picture(franka, "drafted")


def test_whose_turn_and_its_clock_survive_a_reload_and_when_it_is_up_the_first_in_line_is_picked(
    franka: Page, open_page: OpenPage, evening: RunningSystem
) -> None:
    erik, hana = open_page(ROOM, name="Erik"), open_page(ROOM, name="Hana")
    volunteer(erik, "A")
    volunteer(hana, "B")
    expect(franka.locator(".leads")).to_have_count(2)
    begin(franka)
    expect(erik.locator(".clock")).to_have_text(re.compile("0:5[0-8]"))
    erik.reload()
    expect(erik.locator(".turn")).to_contain_text("Your pick")
    left = int(erik.locator(".clock").get_attribute("data-left") or "0")
    assert 30 < left < 60
    evening.control.set_clock(OPENING + timedelta(minutes=3))
    expect(side(hana, "A")).to_contain_text("BadBoy")
    expect(hana.locator(".turn")).to_contain_text("Your pick")


def test_who_leaves_for_the_night_is_gone_from_the_team_on_every_page(franka: Page, open_page: OpenPage) -> None:
    erik = open_page(ROOM, name="Erik", width=390)
    volunteer(erik, "A")
    expect(side(franka, "A")).to_contain_text("eRiK|eng")
    for _ in range(2):  # the second one, after what follows from it was read
        erik.get_by_role("button", name="I’m out tonight").click()
    expect(erik.locator("#room")).to_contain_text("You’re not playing tonight.")
    expect(side(franka, "A")).not_to_contain_text("eRiK|eng")
    erik.get_by_role("button", name="I’m playing after all").click()
    expect(erik.locator("#room")).to_contain_text("You’re in.")
    expect(pool(franka)).to_contain_text("eRiK|eng")
    expect(side(franka, "A")).not_to_contain_text("eRiK|eng")


def test_players_are_dragged_with_a_mouse(franka: Page, open_page: OpenPage) -> None:
    watcher = open_page(ROOM, name="Alice")
    franka.locator(".player", has_text="PanzerGoran").drag_to(side(franka, "A"))
    expect(side(watcher, "A")).to_contain_text("PanzerGoran")
    franka.locator(".player", has_text="PanzerGoran").drag_to(side(franka, "B"))
    expect(side(watcher, "B")).to_contain_text("PanzerGoran")
    franka.locator(".player", has_text="PanzerGoran").drag_to(pool(franka))
    expect(pool(watcher)).to_contain_text("PanzerGoran")
    assert watcher.locator("[draggable]").count() == 0


def test_with_the_keyboard_alone_and_the_focus_stays_where_the_work_is(franka: Page) -> None:
    button = franka.get_by_role("button", name="PanzerGoran to Team A")
    button.focus()
    franka.keyboard.press("Enter")
    expect(side(franka, "A")).to_contain_text("PanzerGoran")
    expect(franka.locator("#teams:focus-within")).to_have_count(1)
    lead = franka.get_by_role("button", name="Make PanzerGoran captain of Team A")
    lead.focus()
    franka.keyboard.press("Space")
    expect(side(franka, "A").locator(".leads")).to_contain_text("PanzerGoran")
    expect(franka.locator("#teams:focus-within")).to_have_count(1)


def test_a_control_that_another_person_takes_away_hands_the_focus_to_the_part_around_it(
    franka: Page, open_page: OpenPage
) -> None:
    franka.get_by_role("button", name="PanzerGoran to Team A").focus()
    other = open_page(ROOM, name="Franka")
    other.get_by_role("button", name="PanzerGoran to Team A").click()
    expect(side(franka, "A")).to_contain_text("PanzerGoran")
    expect(franka.locator("#teams:focus-within")).to_have_count(1)


def test_a_click_on_nothing_leaves_the_focus_nowhere_whatever_others_change(franka: Page, open_page: OpenPage) -> None:
    franka.get_by_role("button", name="PanzerGoran to Team A").focus()
    franka.get_by_role("contentinfo").click(position={"x": 2, "y": 2})
    other = open_page(ROOM, name="Franka")
    other.get_by_role("button", name="PanzerGoran to Team A").click()
    expect(side(franka, "A")).to_contain_text("PanzerGoran")
    expect(franka.locator(":focus")).to_have_count(0)


def test_what_somebody_is_typing_outlives_what_the_others_do(franka: Page, open_page: OpenPage) -> None:
    erik = open_page(ROOM, name="Erik")
    typed = erik.get_by_label("A name for a team")
    typed.fill("Red Dev")
    franka.get_by_role("button", name="PanzerGoran to Team A").click()
    expect(side(erik, "A")).to_contain_text("PanzerGoran")
    expect(typed).to_be_focused()
    expect(typed).to_have_value("Red Dev")
    typed.press_sequentially("ils")
    typed.press("Enter")
    expect(erik.locator("#names")).to_contain_text("Red Devils")
    expect(typed).to_have_value("")
    franka.get_by_role("button", name="Vote for Red Devils").click()
    expect(side(erik, "A")).to_contain_text("Red Devils")
    franka.get_by_role("button", name="Vote for Red Devils").click()
    expect(side(erik, "A")).to_contain_text("Team A")


def test_two_who_change_the_same_at_once_end_in_one_and_the_second_is_told(franka: Page, open_page: OpenPage) -> None:
    bob = open_page(ROOM, name="Bob")
    franka.get_by_role("link", name="Propose teams").click()
    expect(franka.get_by_role("dialog")).to_contain_text("Proposal 3")
    bob.get_by_role("button", name="PanzerGoran to Team A").click()
    expect(side(bob, "A")).to_contain_text("PanzerGoran")
    franka.get_by_role("button", name="Use these teams: Proposal 1").click()
    expect(franka.locator("#flash")).to_contain_text("The teams changed meanwhile")
    franka.get_by_role("button", name="Use these teams: Proposal 1").click()
    expect(franka.locator("#flash")).to_contain_text("Saved")
    for page in (franka, bob):
        expect(page.locator(".side .player")).to_have_count(6)
    franka.get_by_role("button", name="Undo the new teams").click()
    expect(bob.locator(".side .player")).to_have_count(1)


def test_all_of_it_without_scripts(open_page: OpenPage, evening: RunningSystem, cast: Cast) -> None:
    are_looking(evening, *SIX)
    franka, erik = open_page(name="Franka", scripts=False), open_page(name="Erik", scripts=False, width=390)
    franka.get_by_role("button", name="Open planning room").click()
    expect(franka.locator("#flash")).to_contain_text("The room is open")
    erik.goto(ROOM)
    side(erik, "A").get_by_role("button", name="Be captain").click()
    erik.get_by_label("A name for a team").fill("Red Devils")
    erik.get_by_role("button", name="Suggest").click()
    erik.get_by_role("button", name="Vote for Red Devils").click()
    franka.goto(ROOM)
    expect(side(franka, "A")).to_contain_text("Red Devils")
    franka.get_by_role("button", name="Hana* to Team B").click()
    franka.get_by_role("button", name="Make Hana* captain of Team B").click()
    franka.get_by_text("Captains’ draft").click()
    franka.get_by_role("button", name="Begin the draft").click()
    expect(franka.locator(".turn")).to_contain_text("until")
    erik.reload()
    erik.get_by_role("button", name="Pick BadBoy").click()
    expect(side(erik, "A")).to_contain_text("BadBoy")
    franka.reload()
    franka.get_by_role("button", name="Undo the last pick").click()
    franka.get_by_role("button", name="End the draft").click()
    franka.get_by_role("link", name="Propose teams").click()
    franka.get_by_role("button", name="Use these teams: Proposal 2").click()
    expect(franka.locator(".side .player")).to_have_count(6)
    franka.get_by_text("Hand the room over").click()
    franka.get_by_label("To whom").select_option(label="eRiK|eng")
    franka.get_by_role("button", name="Hand over").click()
    franka.locator("#question").get_by_role("button", name="Hand over").click()
    expect(franka.locator("#flash")).to_contain_text("eRiK|eng runs the room now.")


def test_nothing_is_wrong_for_those_who_do_not_see_it_or_not_well(
    franka: Page, open_page: OpenPage, cast: Cast, inspector: Inspector
) -> None:
    calm = {"reduced_motion": "reduce"}
    cast("Luka").set_status(DAY, "MAYBE")
    owner = open_page(ROOM, name="Franka", **calm)
    inspector.look_closely(owner, "a room as its owner sees it")
    owner.get_by_role("link", name="Propose teams").click()
    expect(owner.get_by_role("dialog")).to_contain_text("Proposal 3")
    inspector.look(owner, "proposed teams")
    owner.keyboard.press("Escape")
    erik, hana = open_page(ROOM, name="Erik", **calm), open_page(ROOM, name="Hana", **calm)
    volunteer(erik, "A")
    volunteer(hana, "B")
    erik.get_by_label("A name for a team").fill("Red Devils")
    erik.get_by_role("button", name="Suggest").click()
    erik.get_by_role("button", name="Vote for Red Devils").click()
    expect(owner.locator(".leads")).to_have_count(2)
    owner.get_by_text("Captains’ draft").click()
    inspector.look(owner, "a room before its draft")
    owner.get_by_role("button", name="Begin the draft").click()
    expect(erik.locator(".turn")).to_contain_text("Your pick")
    inspector.look_closely(erik, "a draft as the captain sees it whose pick it is")
    erik.get_by_role("button", name="Pick PanzerGoran").click()
    for path, state in (("/", "a board with a room"), (f"/day/{DAY}", "a day with its teams")):
        owner.goto(path)
        inspector.look(owner, state)
    inspector.look(open_page(ROOM, name="Charlie", **calm), "a room for somebody without a player")
    inspector.look(open_page("/planning/2026-03-20", name="Alice", **calm), "a day without a room")
