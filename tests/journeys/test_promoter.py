"""A promoter: previews, schedules, and watches the card as the evening goes on."""

from datetime import timedelta

from playwright.sync_api import expect

from slomix.dev.rehearsal.system import RunningSystem
from slomix.dev.rehearsal.verdict import FOLLOW_UP, REMINDER, START, SUMMARY, count_received
from tests.journeys.conftest import DAY, OPENING, OpenPage, keep_picture
from tests.waiting import until

NINE = OPENING + timedelta(minutes=20)


def look(evening: RunningSystem, *names: str) -> dict[str, str]:
    """These are looking tonight; the ids of the cast come back."""
    cast = {entry["name"]: entry for entry in evening.control.people()}
    for name in names:
        evening.person(cast[name]).set_status(DAY, "LOOKING")
    return {name: entry["id"] for name, entry in cast.items()}


def test_an_evening_as_its_promoter_sees_it(open_page: OpenPage, evening: RunningSystem) -> None:
    ids = look(evening, "Alice", "Erik", "Franka")
    page = open_page(name="Bob")
    page.get_by_role("button", name="Promote", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("3 players to notify")
    evening.person({"id": ids["Jana"], "name": "Jana"}).set_status(DAY, "AVAILABLE")
    dialog.get_by_label("Include available").check()
    expect(dialog).to_contain_text("4 players to notify")
    keep_picture(page, "promote")
    dialog.get_by_role("button", name="Schedule campaign").click()
    expect(dialog).to_contain_text("Scheduled. 4 players will be notified")
    page.get_by_role("link", name="To the board").click()
    card = page.locator("#campaign")
    expect(card).to_contain_text("scheduled")
    evening.control.set_clock(NINE - timedelta(minutes=15))
    expect(card).to_contain_text("4 sent")
    evening.control.move_voice(ids["Alice"], "default")
    until(lambda: ids["Alice"] in evening.people_in_voice(), "Alice to be seen in voice")
    # After a jump of a quarter of an hour the picture of the voice rooms is too old, until the next one is there.
    evening.control.set_clock(NINE - timedelta(seconds=3))
    expect(card).to_contain_text("already in voice")
    evening.control.set_clock(NINE + timedelta(seconds=30))
    expect(card).to_contain_text("posted")
    expect(card.locator("header")).to_contain_text("sent")
    expect(card).to_contain_text("1 of 4 in voice at 21:00")
    keep_picture(page, "after")
    got = count_received(evening.control.messages())
    assert set(got[REMINDER]) == {ids[name] for name in ("Alice", "Erik", "Franka", "Jana")}
    assert set(got[START]) == {ids[name] for name in ("Erik", "Franka", "Jana")}
    assert set(got[FOLLOW_UP]) == {ids[name] for name in ("Erik", "Franka", "Jana")}
    assert sum(got[SUMMARY].values()) == 1
    assert all(count == 1 for people in got.values() for count in people.values())


def test_the_second_promoter_is_told_who_was_first_and_nothing_is_lost(
    open_page: OpenPage, evening: RunningSystem
) -> None:
    look(evening, "Alice")
    ivan = open_page(name="Ivan")
    ivan.get_by_role("button", name="Promote", exact=True).click()
    dialog = ivan.get_by_role("dialog")
    expect(dialog).to_contain_text("1 player to notify")
    cast = {entry["name"]: entry for entry in evening.control.people()}
    evening.person(cast["Bob"]).promote()
    dialog.get_by_role("button", name="Schedule campaign").click()
    expect(dialog.get_by_text("already scheduled").first).to_be_visible()
    expect(dialog.get_by_role("button", name="Schedule campaign")).to_be_visible()


def test_nobody_to_ask_is_said_before_and_after_the_button(open_page: OpenPage) -> None:
    page = open_page(name="Bob")
    page.get_by_role("button", name="Promote", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("0 players to notify")
    dialog.get_by_role("button", name="Schedule campaign").click()
    expect(dialog.get_by_text("Nobody to notify yet").first).to_be_visible()


def test_promoting_works_without_scripts_and_can_be_cancelled(open_page: OpenPage, evening: RunningSystem) -> None:
    look(evening, "Alice")
    page = open_page(name="Bob", scripts=False)
    page.get_by_role("button", name="Promote", exact=True).click()
    expect(page.get_by_role("heading", name="Call a game night")).to_be_visible()
    page.get_by_role("button", name="Schedule campaign").click()
    expect(page.locator("#campaign")).to_contain_text("scheduled")
    for _ in range(2):  # the second one, after what follows from it was read
        page.get_by_role("button", name="Cancel campaign").click()
    expect(page.locator("#campaign")).to_contain_text("cancelled")
    evening.control.set_clock(NINE - timedelta(minutes=15))
    page.reload()
    assert evening.control.messages() == []


def test_a_dry_run_is_for_the_promoter_alone(open_page: OpenPage, evening: RunningSystem) -> None:
    ids = look(evening, "Alice")
    page = open_page(name="Bob")
    page.get_by_role("button", name="Promote", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Dry run").check()
    dialog.get_by_role("button", name="Schedule campaign").click()
    expect(dialog).to_contain_text("four messages are on their way, to you only")
    until(lambda: len(evening.control.messages()) >= 4, "the messages of the dry run")
    assert [one["to"] for one in evening.control.messages()] == [ids["Bob"]] * 4


def test_a_player_sees_the_card_and_no_button(open_page: OpenPage, evening: RunningSystem) -> None:
    ids = look(evening, "Alice")
    evening.person({"id": ids["Bob"], "name": "Bob"}).promote()
    page = open_page(name="Alice")
    expect(page.locator("#campaign")).to_contain_text("1 player will be notified")
    expect(page.get_by_role("button", name="Promote")).to_have_count(0)
    expect(page.get_by_role("button", name="Cancel campaign")).to_have_count(0)
    page.goto("/promote")
    expect(page.get_by_text("Only promoters")).to_be_visible()
