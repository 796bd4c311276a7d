"""Being reached: a code from a chat, a test message, one click to stop, a channel that breaks, a dispute."""

import re
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from slomix.dev.rehearsal.system import RunningSystem
from tests.journeys.conftest import DAY, NEVER_POLL, OPENING, Cast, OpenPage, keep_picture
from tests.waiting import until


def link(page: Page, evening: RunningSystem, cast: Cast, channel: str, name: str) -> None:
    """As the page says: a code, sent from the chat."""
    page.goto("/preferences")
    page.get_by_role("button", name=f"Link {channel}", exact=True).click()
    expect(page.get_by_text("Waiting for your message")).to_be_visible()
    keep_picture(page, f"code-{channel}")
    evening.control.type_text(channel.lower(), cast(name).discord_id, page.locator(".code code").inner_text())
    expect(page.get_by_text("One step left")).to_be_visible()
    keep_picture(page, f"asked-{channel}")
    evening.control.type_text(channel.lower(), cast(name).discord_id, "/yes")
    expect(page.get_by_text("Linked.")).to_be_visible()


@pytest.mark.parametrize(
    ("button", "seen"), [("Link Telegram", "Waiting for your message"), ("Send me a test message", "on its way")]
)
def test_what_was_ticked_is_saved_before_another_button_is_followed(
    open_page: OpenPage, button: str, seen: str
) -> None:
    page = open_page("/preferences", name="Erik")
    tick = page.get_by_role("checkbox", name=re.compile("Play a sound"))
    tick.check()
    page.get_by_role("button", name=button).first.click()
    expect(page.get_by_text(seen).first).to_be_visible()
    page.goto("/preferences")
    expect(tick).to_be_checked()
    tick.uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").first).to_contain_text("Saved.")


def told(evening: RunningSystem, cast: Cast, name: str, provider: str) -> list[str]:
    return [
        message["text"]
        for message in evening.control.messages()
        if message["provider"] == provider and message["to"] == cast(name).discord_id
    ]


@pytest.mark.parametrize("channel", ["Telegram", "Signal"])
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_chat_is_linked_tried_and_unlinked(
    open_page: OpenPage, evening: RunningSystem, cast: Cast, channel: str, scripts: bool
) -> None:
    page = open_page(name="Erik", scripts=scripts)
    page.goto("/preferences")
    page.get_by_role("button", name=f"Link {channel}", exact=True).click()
    code = page.locator(".code code").inner_text()
    assert re.fullmatch(r"/link [A-Za-z0-9_-]{32}", code)
    evening.control.type_text(channel.lower(), cast("Erik").discord_id, code)
    until(lambda: told(evening, cast, "Erik", channel.lower()), "the question in the chat")
    evening.control.type_text(channel.lower(), cast("Erik").discord_id, "/yes")
    if scripts:
        expect(page.get_by_text("Linked.")).to_be_visible()
    until(lambda: len(told(evening, cast, "Erik", channel.lower())) > 1, "the answer in the chat")
    page.goto("/preferences")
    mine = page.locator(f"#contact-{channel.lower()}")
    expect(mine).to_contain_text("••••••")
    mine.get_by_role("button", name="Send me a test message").click()
    expect(page.get_by_role("status").first).to_contain_text("on its way")
    if scripts:
        expect(mine).to_contain_text("Last message")
    until(lambda: len(told(evening, cast, "Erik", channel.lower())) > 2, "the test message")
    said = told(evening, cast, "Erik", channel.lower())
    assert [text.split(".")[0] for text in said[1:]] == [
        "This chat is linked to eRiK|eng",
        "This is how I will call you: it works! You get it because you asked for a test message",
    ]
    mine.get_by_role("button", name="Unlink").click()
    keep_picture(page, f"unlink-{channel}")
    page.get_by_role("button", name=f"Unlink {channel}").click()
    expect(mine).to_contain_text("Not linked.")


def test_a_reminder_on_telegram_can_be_stopped_by_whoever_reads_it(
    open_page: OpenPage, evening: RunningSystem, cast: Cast, tidy: None
) -> None:
    link(open_page(name="Alice"), evening, cast, "Telegram", "Alice")
    cast("Alice").set_status(DAY, "LOOKING")
    cast("Bob").promote()
    evening.control.set_clock(OPENING + timedelta(minutes=5, seconds=1))
    page = open_page(name=None)

    def reminders() -> list[str]:
        return [text for text in told(evening, cast, "Alice", "telegram") if "Game night starts at 21:00" in text]

    [reminder] = until(reminders, "the reminder")
    assert not [text for text in told(evening, cast, "Alice", "discord") if "Game night" in text]
    address = re.search(r"http\S+/stop/\S+", reminder)
    assert address is not None
    page.goto(address[0])
    expect(page.get_by_role("heading", name="Why did I get this?")).to_be_visible()
    keep_picture(page, "stop")
    page.get_by_role("button", name="Stop these messages").click()
    expect(page.get_by_role("heading", name="Stopped")).to_be_visible()
    theirs = open_page("/preferences", name="Alice")
    expect(theirs.get_by_role("checkbox", name="Call me to game nights")).not_to_be_checked()


@pytest.mark.parametrize("channel", ["Telegram", "Signal"])
def test_a_reminder_is_answered_in_the_chat_and_seen_on_anothers_board(
    open_page: OpenPage, evening: RunningSystem, cast: Cast, tidy: None, channel: str
) -> None:
    """Also when the process that listens was killed in between."""
    link(open_page(name="Alice"), evening, cast, channel, "Alice")
    cast("Alice").set_status(DAY, "LOOKING")
    cast("Bob").promote()
    evening.control.set_clock(OPENING + timedelta(minutes=5, seconds=1))
    board = open_page(name="Bob", before=NEVER_POLL)
    expect(board.locator("#queue li")).to_contain_text("BadBoy")

    def reminders() -> list[dict[str, Any]]:
        return [
            message
            for message in evening.control.messages()
            if message["provider"] == channel.lower() and "Game night starts at 21:00" in message["text"]
        ]

    [reminder] = until(reminders, "the reminder")
    old = evening.pid("inbox")

    def choose(number: int, label: str) -> None:
        if channel == "Signal":
            evening.control.type_text("signal", cast("Alice").discord_id, str(number))
        else:
            seen = evening.control.press("telegram", cast("Alice").discord_id, reminder["id"], label)
            assert seen["message_id"] == reminder["id"]

    choose(3, "Can't tonight")
    expect(board.get_by_text("Queue is empty")).to_be_visible()
    assert evening.kill("inbox")
    until(lambda: _is_another(evening, old) and evening.control.polls()[channel.lower()], "the next one to listen")
    choose(1, "I'm in")
    expect(board.locator("#queue li")).to_contain_text("BadBoy")
    said = told(evening, cast, "Alice", channel.lower())
    assert said[-1].endswith("→ Today: Looking")
    if channel == "Telegram":
        simulator = open_page(f"http://127.0.0.1:{int(evening.web_url.rpartition(':')[2]) + 1}/", name=None)
        expect(simulator.locator("#telegram").get_by_role("button", name="Can't tonight")).to_be_visible()
        keep_picture(simulator, "simulator-telegram")


def _is_another(evening: RunningSystem, old: int) -> bool:
    """Whether an inbox has taken the place of the one that was killed."""
    with suppress(KeyError):  # nobody has yet
        return evening.pid("inbox") != old
    return False


def test_who_blocks_the_bot_is_told_on_discord_and_sees_it_on_the_next_visit(
    open_page: OpenPage, evening: RunningSystem, cast: Cast
) -> None:
    page = open_page(name="Franka")
    link(page, evening, cast, "Telegram", "Franka")
    evening.control.add_fault("closed_dm", provider="telegram", user_id=cast("Franka").discord_id)
    cast("Franka").set_status(DAY, "LOOKING")
    cast("Bob").promote()
    evening.control.set_clock(OPENING + timedelta(minutes=5, seconds=1))
    until(lambda: told(evening, cast, "Franka", "discord"), "the reminder on Discord")
    assert len(told(evening, cast, "Franka", "discord")) == 1
    page.goto("/")
    expect(page.get_by_text("We can’t reach you on Telegram")).to_be_visible()
    keep_picture(page, "broken")
    page.get_by_role("link", name="Fix it").click()
    expect(page.locator("#contact-telegram")).to_contain_text("Not working since")


def test_a_dispute_is_asked_for_and_settled(open_page: OpenPage, evening: RunningSystem, cast: Cast) -> None:
    page = open_page("/profile?q=luka", name="Kilian")
    page.get_by_text("Taken – is this you?").click()
    page.get_by_label("What should an admin know?").fill("I am <b>the</b> real one")
    page.get_by_role("button", name="Ask an admin").click()
    expect(page.locator("body")).to_contain_text("An admin will review")
    keep_picture(page, "asked")
    admin = open_page("/admin/claims", name="Dora")
    expect(admin.locator("main")).to_contain_text("I am <b>the</b> real one")
    keep_picture(admin, "claims")
    admin.get_by_role("link", name=re.compile("^Refuse")).first.click()
    admin.get_by_role("button", name=re.compile("^Refuse")).click()
    expect(admin.locator("main")).not_to_contain_text("the real one")
    page.reload()
    expect(page.locator("body")).not_to_contain_text("An admin will review")
