"""Telegram's Bot API: whoever wrote to the bot may be written to, and is read until the bot says it has read."""

import concurrent.futures
import time
from typing import Any

import httpx2
import pytest

from slomix.dev.simulator.inboxes import Chats, TelegramInbox
from slomix.dev.simulator.people import PEOPLE, TELEGRAM_BOT_NAME, TELEGRAM_GROUP, TELEGRAM_TOKEN, environment
from slomix.dev.simulator.telegram import LONGEST_WAIT_SECONDS, TOO_OLD
from tests.simulators import CAST, Simulator
from tests.waiting import until

ALICE = CAST["Alice"]


def write(simulator: Simulator, text: str = "/start", **more: Any) -> dict[str, Any]:
    answer = simulator.client().post("/control/telegram", json={"user_id": ALICE.id, "text": text} | more)
    return answer.raise_for_status().json()


def send(bot: httpx2.Client, chat: Any = ALICE.telegram_chat_id, text: str = "Hi") -> httpx2.Response:
    return bot.post("/sendMessage", json={"chat_id": chat, "text": text})


def refusal(answer: httpx2.Response) -> tuple[int, str]:
    body = answer.json()
    assert (body["ok"], body["error_code"]) == (False, answer.status_code)
    return answer.status_code, body["description"]


def updates(bot: httpx2.Client, **asked: Any) -> list[int]:
    return [update["update_id"] for update in bot.post("/getUpdates", json=asked).raise_for_status().json()["result"]]


def test_the_addresses_are_in_the_settings_and_everybody_has_one(simulator: Simulator) -> None:
    settings = environment(simulator.port)
    assert settings["AVAILABILITY_TELEGRAM_API_BASE_URL"] == f"{simulator.url}/telegram"
    assert settings["AVAILABILITY_TELEGRAM_BOT_TOKEN"] == TELEGRAM_TOKEN
    chats = {person.telegram_chat_id for person in PEOPLE}
    assert (len(chats), all(chat > 0 for chat in chats)) == (len(PEOPLE), True)


@pytest.mark.parametrize("token", ["1:wrong", TELEGRAM_TOKEN[:-1]])
def test_a_wrong_token_is_401(simulator: Simulator, token: str) -> None:
    answer = simulator.client().get(f"/telegram/bot{token}/getMe")
    assert answer.json() == {"ok": False, "error_code": 401, "description": "Unauthorized"}
    assert answer.status_code == 401


def test_a_method_that_is_not_there_is_404_and_capitals_do_not_matter(simulator: Simulator) -> None:
    with simulator.telegram() as bot:
        assert refusal(bot.get("/makeCoffee")) == (404, "Not Found")
        assert bot.get("/getme").json()["result"]["username"] == TELEGRAM_BOT_NAME


def test_the_bot_may_not_begin(simulator: Simulator) -> None:
    with simulator.telegram() as bot:
        assert refusal(send(bot)) == (403, "Forbidden: bot can't initiate conversation with a user")
        write(simulator, group=True)
        assert send(bot).status_code == 403, "a group is no private chat"
        write(simulator)
        sent = send(bot, str(ALICE.telegram_chat_id)).json()["result"]
    assert (sent["chat"]["id"], sent["chat"]["type"], sent["text"]) == (ALICE.telegram_chat_id, "private", "Hi")
    [message] = simulator.messages()
    assert (message["provider"], message["kind"], message["to"], message["nonce"]) == ("telegram", "dm", ALICE.id, None)


def test_a_form_and_an_address_are_as_good_as_json(simulator: Simulator) -> None:
    write(simulator)
    with simulator.telegram() as bot:
        asked = {"chat_id": str(ALICE.telegram_chat_id), "text": "Hi"}
        assert bot.post("/sendMessage", data=asked).status_code == 200
        assert bot.get("/sendMessage", params=asked).status_code == 200


@pytest.mark.parametrize(
    ("body", "description"),
    [
        ({"text": "Hi"}, "chat_id is empty"),
        ({"chat_id": "1", "text": "Hi"}, "chat not found"),
        ({"chat_id": ALICE.telegram_chat_id}, "message text is empty"),
        ({"chat_id": ALICE.telegram_chat_id, "text": " "}, "message text is empty"),
        ({"chat_id": ALICE.telegram_chat_id, "text": "x" * 4097}, "message is too long"),
        ([], "can't parse JSON object"),
    ],
)
def test_what_telegram_would_not_take_is_not_taken(simulator: Simulator, body: Any, description: str) -> None:
    write(simulator)
    with simulator.telegram() as bot:
        assert refusal(bot.post("/sendMessage", json=body)) == (400, f"Bad Request: {description}")
    assert simulator.messages() == []


def test_an_update_is_given_until_it_is_confirmed(simulator: Simulator) -> None:
    numbers = [write(simulator, text)["update_id"] for text in ("one", "two", "three")]
    assert numbers == list(range(numbers[0], numbers[0] + 3))
    with simulator.telegram() as bot:
        assert updates(bot) == updates(bot) == numbers
        assert updates(bot, limit=1) == numbers[:1]
        assert updates(bot, offset=numbers[1]) == numbers[1:]
        assert updates(bot) == numbers[1:], "the first has vanished"
        assert updates(bot, offset=-1) == numbers[2:]
        assert updates(bot, offset=numbers[2] + 1) == []
        assert updates(bot) == []


def test_an_update_says_who_wrote_and_where(simulator: Simulator) -> None:
    alone = write(simulator, "/start ABC")["message"]
    assert (alone["from"]["id"], alone["from"]["first_name"]) == (ALICE.telegram_chat_id, "Alice")
    assert (alone["chat"]["id"], alone["chat"]["type"]) == (ALICE.telegram_chat_id, "private")
    assert alone["entities"] == [{"offset": 0, "length": 6, "type": "bot_command"}]
    together = write(simulator, "hello", group=True)["message"]
    assert (str(together["chat"]["id"]), together["chat"]["type"]) == (TELEGRAM_GROUP, "supergroup")
    assert together["chat"]["id"] < 0


def test_a_long_poll_is_answered_when_somebody_writes(simulator: Simulator) -> None:
    with simulator.telegram() as bot, concurrent.futures.ThreadPoolExecutor() as pool:
        asking = pool.submit(updates, bot, timeout=LONGEST_WAIT_SECONDS)
        until(lambda: simulator.is_polled("telegram"), "the request to wait")
        number = write(simulator)["update_id"]
        assert asking.result(LONGEST_WAIT_SECONDS / 2) == [number], "before it would end by itself"


def test_a_long_poll_ends_when_nobody_does(simulator: Simulator) -> None:
    began = time.monotonic()
    with simulator.telegram() as bot:
        assert updates(bot, timeout=1) == []
    assert time.monotonic() - began >= 0.9


def test_of_two_who_ask_the_first_is_sent_away(simulator: Simulator) -> None:
    with simulator.telegram() as bot, concurrent.futures.ThreadPoolExecutor() as pool:
        first = pool.submit(bot.post, "/getUpdates", json={"timeout": LONGEST_WAIT_SECONDS})
        until(lambda: simulator.is_polled("telegram"), "the first request to wait")
        assert updates(bot) == []
        assert refusal(first.result(LONGEST_WAIT_SECONDS / 2))[0] == 409


def test_a_webhook_and_asking_exclude_each_other(simulator: Simulator) -> None:
    with simulator.telegram() as bot:
        number = write(simulator)["update_id"]
        assert bot.post("/setWebhook", json={"url": "https://slomix.example/hook"}).json()["result"] is True
        assert refusal(bot.post("/getUpdates"))[0] == 409
        bot.post("/deleteWebhook", json={})
        assert updates(bot) == [number]
        bot.post("/deleteWebhook", json={"drop_pending_updates": True})
        assert updates(bot) == []


def test_a_rate_limit_has_telegrams_shape_and_spares_who_reads(simulator: Simulator) -> None:
    write(simulator)
    fault = {"provider": "telegram", "fault": "rate_limit", "retry_after": 4.2, "times": 1}
    simulator.client().post("/control/faults", json=fault)
    with simulator.telegram() as bot:
        assert len(updates(bot)) == 1
        answer = send(bot)
        assert refusal(answer) == (429, "Too Many Requests: retry after 5")
        assert answer.json()["parameters"] == {"retry_after": 5}
        assert send(bot).status_code == 200


def test_a_blocked_bot_and_a_cut_connection(simulator: Simulator) -> None:
    write(simulator)
    with simulator.client() as control, simulator.telegram() as bot:
        control.post("/control/faults", json={"provider": "telegram", "fault": "cut_after_accept", "times": 1})
        with pytest.raises(httpx2.TransportError):
            send(bot)
        assert len(simulator.messages()) == 1
        control.post("/control/faults", json={"provider": "telegram", "fault": "closed_dm", "user_id": ALICE.id})
        assert refusal(send(bot)) == (403, "Forbidden: bot was blocked by the user")


def test_a_begun_chat_outlives_the_simulator(tmp_path: Any) -> None:
    file = tmp_path / "chats.json"
    Chats(file).add(ALICE)
    assert ALICE in Chats(file)
    assert CAST["Bob"] not in Chats(file)
    file.write_text("half a fi")
    assert ALICE not in Chats(file)


def test_a_chat_takes_one_message_a_second_and_short_bursts(simulator: Simulator) -> None:
    luka = CAST["Luka"]
    write(simulator, user_id=luka.id)
    with simulator.telegram() as bot:
        answers = [send(bot, luka.telegram_chat_id) for _ in range(6)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429]
        wait = answers[-1].json()["parameters"]["retry_after"]
        assert 1 <= wait <= 5
        assert refusal(answers[-1]) == (429, f"Too Many Requests: retry after {wait}")


def test_the_bot_sends_thirty_messages_in_a_second() -> None:
    inbox = TelegramInbox()
    assert [inbox.limit(str(chat), 0.5) for chat in range(31)] == [None] * 30 + [1]
    assert inbox.limit("31", 1.6) is None


def test_an_impatient_server_waits_for_nothing(simulator: Simulator) -> None:
    with simulator.telegram() as bot:
        fault = {"provider": "telegram", "fault": "impatient"}
        simulator.client().post("/control/faults", json=fault).raise_for_status()
        began = time.monotonic()
        bot.post("/getUpdates", json={"timeout": 50})
        assert time.monotonic() - began < 50


def test_the_webhook_can_be_looked_at(simulator: Simulator) -> None:
    with simulator.telegram() as bot:
        bot.post("/setWebhook", json={"url": "https://slomix.example/hook"})
        assert bot.post("/getWebhookInfo").json()["result"]["url"] == "https://slomix.example/hook"
        bot.post("/deleteWebhook")
        assert bot.post("/getWebhookInfo").json()["result"]["url"] == ""


# Buttons


def keys(*buttons: dict[str, Any]) -> dict[str, Any]:
    return {"inline_keyboard": [list(buttons)]}


def offer(bot: httpx2.Client, *buttons: dict[str, Any]) -> httpx2.Response:
    body = {"chat_id": ALICE.telegram_chat_id, "text": "Come?", "reply_markup": keys(*buttons)}
    return bot.post("/sendMessage", json=body)


YES = {"text": "Yes", "callback_data": "y" * 64}


@pytest.mark.parametrize(
    ("button", "said"),
    [
        ({"text": "Yes", "callback_data": "y" * 65}, "BUTTON_DATA_INVALID"),
        ({"text": "Yes", "callback_data": "ü" * 33}, "BUTTON_DATA_INVALID"),
        ({"text": "Yes", "callback_data": ""}, "BUTTON_DATA_INVALID"),
        ({"text": "Yes"}, "BUTTON_DATA_INVALID"),
        ({"text": " ", "callback_data": "y"}, "inline keyboard button text must be non-empty"),
        (
            {"text": "Yes", "url": "http://localhost:7000/"},
            "inline keyboard button URL 'http://localhost:7000/' is invalid: Wrong HTTP URL",
        ),
        ({"callback_data": "y"}, "object expected as reply markup"),
    ],
    ids=str,
)
def test_a_keyboard_that_telegram_would_not_take_is_refused(
    simulator: Simulator, button: dict[str, Any], said: str
) -> None:
    write(simulator)
    with simulator.telegram() as bot:
        assert refusal(offer(bot, button)) == (400, f"Bad Request: {said}")
        assert offer(bot, YES).is_success
    assert len(simulator.messages()) == 1


def test_a_button_is_pressed_by_its_reader_and_by_its_label(simulator: Simulator) -> None:
    write(simulator)
    with simulator.telegram() as bot:
        message_id = str(
            offer(bot, YES, {"text": "Look", "url": "https://slomix.example/"}).json()["result"]["message_id"]
        )
    for change in ({"button": "No"}, {"button": "Look"}, {"message_id": "1"}, {"user_id": CAST["Bob"].id}):
        body = {"user_id": ALICE.id, "message_id": message_id, "button": "Yes"} | change
        assert simulator.client().post("/control/telegram/press", json=body).status_code == 422, change


def test_an_edit_is_refused_where_nothing_changes_or_stands(simulator: Simulator) -> None:
    write(simulator)
    with simulator.telegram() as bot:
        sent = offer(bot, YES).json()["result"]
        body = {"chat_id": ALICE.telegram_chat_id, "message_id": sent["message_id"], "text": "Come?"}
        code, said = refusal(bot.post("/editMessageText", json=body | {"reply_markup": sent["reply_markup"]}))
        assert (code, said.startswith("Bad Request: message is not modified: ")) == (400, True)
        assert bot.post("/editMessageText", json=body).json()["result"].get("reply_markup") is None
        assert refusal(bot.post("/editMessageText", json=body | {"message_id": 1}))[1].endswith("to edit not found")
        bobs = {"chat_id": CAST["Bob"].telegram_chat_id}
        write(simulator, user_id=CAST["Bob"].id)
        assert refusal(bot.post("/editMessageText", json=body | bobs))[1].endswith("to edit not found")


def test_a_bot_that_did_not_ask_for_presses_hears_of_none() -> None:
    inbox = TelegramInbox()
    message = {"message_id": 1}
    for allowed, heard in ((None, 1), (["message"], 1), (["message", "callback_query"], 2)):
        inbox.allowed = allowed
        inbox.press(ALICE, message, "y")
        assert len(inbox.waiting) == heard


def test_the_page_shows_buttons_and_presses_them(simulator: Simulator) -> None:
    write(simulator)
    with simulator.telegram() as bot, simulator.client() as browser:
        offer(bot, YES)
        [message] = simulator.messages()
        page = browser.get("/").text
        assert 'action="/page/telegram/press"' in page
        assert '<button name="button" value="Yes">Yes</button>' in page
        form = {"user_id": ALICE.id, "message_id": message["id"], "button": "Yes"}
        with concurrent.futures.ThreadPoolExecutor() as pool:
            pressing = pool.submit(lambda: simulator.client().post("/page/telegram/press", data=form))

            def queries() -> list[dict[str, Any]]:
                found = bot.post("/getUpdates", json={"timeout": 1}).json()["result"]
                return [one["callback_query"] for one in found if "callback_query" in one]

            [asked] = until(queries, "the press")
            assert (asked["from"]["id"], asked["data"]) == (ALICE.telegram_chat_id, YES["callback_data"])
            assert bot.post("/answerCallbackQuery", json={"callback_query_id": asked["id"]}).json()["result"] is True
            body = {"chat_id": ALICE.telegram_chat_id, "message_id": int(message["id"]), "text": "Good."}
            bot.post("/editMessageText", json=body).raise_for_status()
            assert pressing.result().headers["Location"] == f"/?as={ALICE.id}#telegram"
        page = browser.get("/").text
        assert "Good." in page
        assert "edited" in page


def test_a_query_that_is_not_known_is_too_old(simulator: Simulator) -> None:
    with simulator.telegram() as bot:
        answer = bot.post("/answerCallbackQuery", json={"callback_query_id": "1"})
        assert refusal(answer) == (400, TOO_OLD)
