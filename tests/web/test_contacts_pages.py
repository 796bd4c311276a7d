"""The channels on the preferences page: linking one by a code, seeing how it does, trying it out, giving it up."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import time, timedelta

import pytest
import segno
from pydantic import SecretStr
from sqlalchemy import select

from slomix.channels.base import SendError
from slomix.channels.telegram import Telegram
from slomix.contacts import link_views, links
from slomix.contacts import service as contacts
from slomix.contacts.models import LinkCode
from slomix.contacts.rules import ChannelName, QuietHours
from slomix.deliveries.models import Delivery
from slomix.dev.simulator.people import TELEGRAM_TOKEN
from slomix.reasons.codes import Reason
from tests.simulators import NOBODY, Simulator
from tests.web.conftest import (
    Browse,
    Browser,
    browser_of,
    is_page,
    lands,
    make_app,
    nothing_stored,
    with_settings,
)
from tests.web.reading import Element, read
from tests.web.steps import code_in
from tests.workers.pump import pump
from tests.world import CAST, World

TELEGRAM, SIGNAL = ChannelName.TELEGRAM, ChannelName.SIGNAL


def shown_code(browser: Browser, channel: str) -> str:
    answer = browser.post(f"/contacts/{channel}/code")
    assert answer.status_code == 200, answer.text
    return code_in(read(answer.text))


def comes_from(world: World, code: str, address: str, channel: ChannelName = TELEGRAM) -> None:
    """Somebody sends this code from there."""
    with world.session() as session:
        links.confirm_code(session, channel, code, address, settings=world.runtime.settings, now=world.clock.now())


def linked(world: World, name: str) -> set[str]:
    with world.session() as session:
        session.expire_all()
        return {channel.value for channel in contacts.contacts_of(session, world.players[name])}


def block(browser: Browser, channel: str) -> Element:
    return browser.page("/preferences").by_id(f"contact-{channel}")


# Codes


@pytest.mark.parametrize("channel", ["telegram", "signal"])
def test_the_page_of_a_code_shows_it_this_once_and_is_kept_nowhere(world: World, alice: Browser, channel: str) -> None:
    answer = alice.post(f"/contacts/{channel}/code")
    code = code_in(read(answer.text))
    assert answer.headers["Cache-Control"] == "no-store"
    assert "until 21:00" in read(answer.text).words
    for path in ("/preferences", "/preferences/channels", f"/contacts/{channel}/waiting", "/profile/data.json", "/"):
        assert code not in alice.get(path).text, path
    assert alice.get(f"/contacts/{channel}/code").status_code == 405, "a reload shows no other"
    with world.session() as session:
        assert code not in str([vars(one) for one in session.scalars(select(LinkCode))])


def test_another_code_within_half_a_minute_has_to_wait(world: World, alice: Browser) -> None:
    code = shown_code(alice, "telegram")
    with nothing_stored(world):
        page = read(alice.post("/contacts/telegram/code").text)
        assert "It still works" in page.words, "that is no error"
        assert "another in 30 s" in page.words
        assert "Waiting for your message" in page.by_id("waiting").words
        assert code not in page.words
    assert shown_code(alice, "signal") != code, "each channel by itself"
    world.clock.forward(timedelta(seconds=30))
    assert shown_code(alice, "telegram") != code


def waiting(browser: Browser, channel: str = "telegram") -> str:
    return read(browser.get(f"/contacts/{channel}/waiting").text).by_id("waiting").words


def test_the_page_follows_until_the_code_was_sent(world: World, alice: Browser) -> None:
    code = shown_code(alice, "telegram")
    assert "Waiting for your message" in waiting(alice)
    comes_from(world, code, "4242")
    assert "Linked. Messages can reach you on Telegram now." in waiting(alice)
    part = read(alice.get("/contacts/telegram/waiting").text).by_id("waiting")
    assert part.attributes["data-says"] == "Linked."


def test_the_page_says_that_the_chat_has_to_say_yes(world: World, alice: Browser) -> None:
    code, now = shown_code(alice, "telegram"), world.clock.now()
    with world.session() as session:
        links.spend_code(session, ChannelName.TELEGRAM, code, "4242", settings=world.runtime.settings, now=now)
    assert "One step left: we asked you in that chat whether to link it. Answer /yes there." in waiting(alice)
    assert "Not linked" in block(alice, "telegram").words
    with world.session() as session:
        links.confirm_chat(session, ChannelName.TELEGRAM, "4242", settings=world.runtime.settings, now=now)
    assert "Linked." in waiting(alice)


def test_after_a_minute_the_page_says_that_the_code_may_be_lost(world: World, alice: Browser) -> None:
    """It refreshes by itself: what is lost makes no event."""
    page = read(alice.post("/contacts/signal/code").text).by_id("waiting")
    assert "data-ages" in page.attributes
    for seconds, is_told in ((59, False), (1, True)):
        world.clock.forward(timedelta(seconds=seconds))
        part = read(alice.get(page.attributes["data-live"] or "").text).by_id("waiting")
        assert ("Nothing arrived? Send it again." in part.words) is is_told


def test_the_page_says_when_a_code_is_over(world: World, alice: Browser) -> None:
    shown_code(alice, "telegram")
    world.clock.forward(timedelta(minutes=29, seconds=59))
    assert "Waiting" in waiting(alice)
    world.clock.forward(timedelta(seconds=1))
    assert "This code has expired" in waiting(alice)


def test_a_new_code_leaves_the_working_link_alone_until_it_is_sent(world: World, alice: Browser) -> None:
    """W33: asking for another code cut the working link off."""
    world.has("alice", TELEGRAM, "4242")
    code = shown_code(alice, "telegram")
    assert "Waiting" in waiting(alice)
    assert block(alice, "telegram").all("bdi")[0].words.endswith("2")
    comes_from(world, code, "5353")
    assert block(alice, "telegram").all("bdi")[0].words.endswith("3")


@pytest.mark.parametrize("channel", ["discord", "pigeon", "Telegram", "telegram%00"])
def test_other_channels_have_no_codes(world: World, alice: Browser, channel: str) -> None:
    with nothing_stored(world):
        assert "no such channel" in is_page(alice.post(f"/contacts/{channel}/code"), 422)
        is_page(alice.get(f"/contacts/{channel}/waiting"), 422)
        is_page(alice.post(f"/contacts/{channel}/remove"), 422)


@pytest.mark.parametrize(("who", "status"), [("charlie", 403), (None, 401)], ids=["charlie", "a stranger"])
def test_who_is_not_linked_gets_no_code(world: World, browse: Browse, who: str | None, status: int) -> None:
    browser = browse(who)
    with nothing_stored(world):
        is_page(browser.post("/contacts/telegram/code"), status)
        is_page(browser.get("/contacts/telegram/waiting"), status)
        is_page(browser.post("/contacts/telegram/test"), status)


# Where to send it


@pytest.fixture
def forgotten_names() -> Iterator[None]:
    link_views._bot_name.cache_clear()
    yield
    link_views._bot_name.cache_clear()


def with_telegram_at(world: World, url: str) -> Browser:
    here = with_settings(
        world, telegram_api_base_url=url, telegram_bot_token=SecretStr(TELEGRAM_TOKEN), signal_sender="+38640111222"
    )
    telegram = Telegram(url, TELEGRAM_TOKEN, connections=1)
    here = replace(here, runtime=replace(here.runtime, channels={**here.runtime.channels, "telegram": telegram}))
    return browser_of(make_app(here.runtime), here, "alice")


def links_out(page: Element) -> list[str]:
    return [
        one.attributes["href"] for one in page.by_id("main").all("a") if "primary" in one.attributes.get("class", "")
    ]


def test_the_bots_name_leads_straight_to_its_chat(world: World, simulator: Simulator, forgotten_names: None) -> None:
    alice = with_telegram_at(world, f"{simulator.url}/telegram")
    name = simulator.telegram().post("/getMe").json()["result"]["username"]
    page = read(alice.post("/contacts/telegram/code").text)
    assert f"@{name}" in page.words
    assert links_out(page) == [f"{simulator.url}/telegram/{name}?start={code_in(page)}"]


@pytest.mark.usefixtures("forgotten_names")
def test_while_telegram_is_silent_there_is_a_code_and_no_link(world: World) -> None:
    alice = with_telegram_at(world, f"http://127.0.0.1:{NOBODY}")
    answer = alice.post("/contacts/telegram/code")
    assert answer.status_code == 200
    page = read(answer.text)
    assert code_in(page)
    assert links_out(page) == []
    assert "to our bot" in page.words


@pytest.mark.usefixtures("forgotten_names")
def test_on_signal_the_link_opens_a_chat_with_our_number(world: World) -> None:
    alice = with_telegram_at(world, f"http://127.0.0.1:{NOBODY}")
    page = read(alice.post("/contacts/signal/code").text)
    assert links_out(page) == ["https://signal.me/#p/+38640111222"]
    assert "+38640111222" in page.words


# What the page shows


def test_addresses_are_shown_to_their_owner_masked(world: World, alice: Browser, bob: Browser) -> None:
    world.has("alice", TELEGRAM, "987654321")
    world.has("alice", SIGNAL, "+38640123456")
    for path in ("/preferences", "/preferences/channels"):
        text = alice.get(path).text
        assert "987654321" not in text
        assert "38640123456" not in text
        assert "••••••21" in text
        assert "••••••56" in text
        assert CAST["alice"] not in text, "the name of the account, not its number"
    assert "••••••" not in bob.get("/preferences").text


def test_an_address_that_no_key_opens_is_shown_as_one_that_is_there(world: World) -> None:
    world.has("alice", TELEGRAM, "987654321")
    other = with_settings(world, contact_encryption_key=SecretStr("QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="))
    alice = browser_of(make_app(other.runtime), other, "alice")
    assert "Unlink : Telegram" in block(alice, "telegram").buttons


def test_removing_forgets_mine_and_nobody_elses(world: World, alice: Browser) -> None:
    world.has("alice", TELEGRAM, "4242")
    world.has("alice", SIGNAL, "+38640123456")
    world.has("bob", TELEGRAM, "5353")
    code = shown_code(alice, "telegram")
    assert lands(alice.post("/contacts/telegram/remove")) == "/preferences"
    assert "Not linked" in block(alice, "telegram").words
    assert (linked(world, "alice"), linked(world, "bob")) == ({"discord", "signal"}, {"discord", "telegram"})
    with pytest.raises(links.CodeNotValid):
        comes_from(world, code, "4242")
    with nothing_stored(world):
        alice.post("/contacts/telegram/remove")
    assert "Telegram is not linked" in alice.page("/preferences").by_id("flash").words


@pytest.mark.parametrize("channel", ["telegram", "signal"])
@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"telegram_enabled": False, "signal_enabled": False}, "switched off here"),
        ({"contact_encryption_key": SecretStr("")}, "keeps no addresses"),
    ],
    ids=["off", "no key"],
)
def test_a_channel_that_cannot_be_linked_says_why(
    world: World, channel: str, settings: dict[str, object], sentence: str
) -> None:
    here = with_settings(world, **settings)
    alice = browser_of(make_app(here.runtime), here, "alice")
    shown = block(alice, channel)
    assert sentence in shown.words
    assert shown.buttons == []
    with nothing_stored(world):
        assert sentence in is_page(alice.post(f"/contacts/{channel}/code"), 503)
        is_page(alice.post(f"/contacts/{channel}/test"), 422)


# A test message


def tryouts_of(world: World, name: str) -> list[Delivery]:
    with world.session() as session:
        query = select(Delivery).where(Delivery.player_id == world.players[name], Delivery.notice == "test")
        return list(session.scalars(query.order_by(Delivery.id)))


@pytest.mark.parametrize("channel", ["discord", "telegram", "signal"])
def test_a_test_message_goes_to_oneself_over_that_channel_once(world: World, alice: Browser, channel: str) -> None:
    world.has("alice", TELEGRAM, "4242")
    world.has("alice", SIGNAL, "+38640123456")
    world.has("bob", TELEGRAM, "5353")
    world.prefers("alice", called=False)
    assert lands(alice.post(f"/contacts/{channel}/test")) == "/preferences"
    with nothing_stored(world):
        assert lands(alice.post(f"/contacts/{channel}/test")) == "/preferences"
        assert "moment ago" in alice.page("/preferences").by_id("flash").words
    pump(world)
    sent = {
        name: [to.value for to, _, _ in box.sent]
        for name, box in (("discord", world.discord), ("telegram", world.telegram), ("signal", world.signal))
    }
    mine = {"discord": CAST["alice"], "telegram": "4242", "signal": "+38640123456"}
    assert sent == {"discord": [], "telegram": [], "signal": []} | {channel: [mine[channel]]}
    world.clock.forward(timedelta(seconds=30))
    assert alice.post(f"/contacts/{channel}/test").status_code == 303
    assert len(tryouts_of(world, "alice")) == 2
    assert tryouts_of(world, "bob") == []


@pytest.mark.parametrize(("channel", "status"), [("telegram", 404), ("signal", 404), ("pigeon", 422)])
def test_there_is_no_test_to_what_is_not_linked(world: World, alice: Browser, channel: str, status: int) -> None:
    world.has("bob", TELEGRAM, "5353")
    with nothing_stored(world):
        is_page(alice.post(f"/contacts/{channel}/test"), status)


# The introduction on Discord


def introductions(world: World, name: str) -> list[Delivery]:
    with world.session() as session:
        query = select(Delivery).where(Delivery.player_id == world.players[name], Delivery.notice == "introduction")
        return list(session.scalars(query.order_by(Delivery.id)))


def switch_on_by_form(browser: Browser) -> None:
    lands(browser.post("/preferences", {"allow_promotions": "on"}))


def switch_on_by_welcome(browser: Browser) -> None:
    lands(browser.post("/welcome", {"allow_promotions": "on"}))


def switch_on_by_script(browser: Browser) -> None:
    answer = browser.call("POST", "/api/availability/promotion-preferences", {"allow_promotions": True})
    assert answer.status_code == 200


WAYS = [switch_on_by_form, switch_on_by_welcome, switch_on_by_script]


@pytest.mark.parametrize("switch_on", WAYS)
def test_who_switches_messages_on_is_shown_at_once_how_they_will_be_called(
    world: World, alice: Browser, switch_on: Callable[[Browser], None]
) -> None:
    world.prefers("alice", called=False, quiet=QuietHours(time(0), time(23, 59)))
    switch_on(alice)
    switch_on(alice)
    pump(world)
    assert [message.text.split("!")[0] for _, message, _ in world.discord.sent] == [
        "This is how I will call you: it works"
    ]
    with world.session() as session:
        mine = contacts.contacts_of(session, world.players["alice"])[ChannelName.DISCORD]
        contacts.apply_update(session, contacts.after_opening(mine.route, "7001"))
    switch_on(alice)
    pump(world)
    assert len(introductions(world, "alice")) == 1, "the way is known"


@pytest.mark.parametrize("switch_on", WAYS)
def test_who_is_called_elsewhere_first_is_not_introduced_to(
    world: World, alice: Browser, switch_on: Callable[[Browser], None]
) -> None:
    world.prefers("alice", called=False)
    world.has("alice", TELEGRAM, "4242")
    switch_on(alice)
    pump(world)
    assert introductions(world, "alice") == []


def test_who_switches_off_again_before_it_left_is_told_nothing(world: World, alice: Browser) -> None:
    world.prefers("alice", called=False)
    switch_on_by_form(alice)
    assert alice.call("POST", "/api/availability/promotion-preferences", {"allow_promotions": False}).status_code == 200
    pump(world)
    assert (world.discord.sent, introductions(world, "alice")) == ([], [])


def test_closed_dms_are_told_at_once_with_what_to_do_and_saving_tries_again(world: World, alice: Browser) -> None:
    world.prefers("alice", called=False)
    world.discord.answers = [SendError(Reason.DMS_CLOSED, permanent=True, code=50007)]
    switch_on_by_form(alice)
    pump(world)
    mine = alice.page("/preferences").by_id("contact-discord").words
    assert "DMs from the bot are blocked" in mine
    assert "Privacy Settings" in mine
    switch_on_by_form(alice)
    pump(world)
    assert len(world.discord.sent) == 1
    assert "Privacy Settings" not in alice.page("/preferences").words


def test_a_phones_camera_reads_the_same_link_as_the_button(world: World) -> None:
    with_sender = with_settings(world, signal_sender="+38640000000")
    page = browser_of(make_app(with_sender.runtime), with_sender, "alice").post("/contacts/signal/code")
    [link] = [
        one.attributes["href"] for one in read(page.text).all("a") if "primary" in one.attributes.get("class", "")
    ]
    [drawn] = re.findall(r'<path class="qrline"[^>]* d="([^"]+)"', page.text)
    assert f'd="{drawn}"' in segno.make(link, error="m", micro=False).svg_inline(border=4)
    assert f'd="{drawn}"' not in segno.make(link + "x", error="m", micro=False).svg_inline(border=4)
