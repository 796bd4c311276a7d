"""Messages in a room as Discord keeps them: edited, too often once they are old, and deleted by bot or moderator."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx2
import pytest

from slomix.dev.simulator.people import TEXT_CHANNEL
from tests.simulators import CAST, Simulator

ALICE = CAST["Alice"].id
ROW = {"type": 1, "components": [{"type": 2, "style": 2, "label": "Looking", "custom_id": "a"}]}


@pytest.fixture
def bot(simulator: Simulator) -> Iterator[httpx2.Client]:
    with simulator.bot() as bot:
        yield bot


@pytest.fixture
def posted(bot: httpx2.Client) -> str:
    body = {"content": "Tonight", "components": [ROW]}
    return str(bot.post(f"/channels/{TEXT_CHANNEL}/messages", json=body).json()["id"])


def edit(bot: httpx2.Client, message_id: str, text: str, **more: Any) -> httpx2.Response:
    return bot.patch(f"/channels/{TEXT_CHANNEL}/messages/{message_id}", json={"content": text, **more})


def later(simulator: Simulator, **span: float) -> None:
    with simulator.client() as control:
        now = datetime.fromisoformat(control.get("/control/clock").json()["now"])
        moment = (now + timedelta(**span)).isoformat()
        control.post("/control/clock", json={"now": moment}).raise_for_status()


def test_an_edit_keeps_the_buttons_or_replaces_them(bot: httpx2.Client, simulator: Simulator, posted: str) -> None:
    edit(bot, posted, "Tonight: 3")
    assert simulator.messages()[0]["buttons"] == ["Looking"]
    edit(bot, posted, "Over", components=[])
    [message] = simulator.messages()
    assert (message["text"], message["buttons"], message["edits"]) == ("Over", [], 2)


def test_two_buttons_that_send_the_same_are_refused(bot: httpx2.Client, posted: str) -> None:
    double = [{**ROW, "components": ROW["components"] * 2}]  # type: ignore[operator]
    assert edit(bot, posted, "x", components=double).status_code == 400
    answer = bot.post(f"/channels/{TEXT_CHANNEL}/messages", json={"content": "x", "components": double})
    assert (answer.status_code, answer.json()["code"]) == (400, 50035)
    assert edit(bot, posted, "x", components=[ROW] * 6).json()["code"] == 50035


def test_edits_of_a_room_are_limited(bot: httpx2.Client, posted: str) -> None:
    answers = [edit(bot, posted, str(number)) for number in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]


def test_an_old_message_takes_few_edits_and_others_of_its_room_are_free(
    bot: httpx2.Client, simulator: Simulator, posted: str
) -> None:
    later(simulator, hours=1, seconds=1)
    young = bot.post(f"/channels/{TEXT_CHANNEL}/messages", json={"content": "Young"}).json()["id"]
    assert [edit(bot, posted, str(number)).status_code for number in range(3)] == [200] * 3
    refused = edit(bot, posted, "one too many")
    assert (refused.status_code, refused.json()["code"], refused.json()["global"]) == (429, 30046, False)
    assert 0 < refused.json()["retry_after"] <= 20
    assert float(refused.headers["Retry-After"]) == refused.json()["retry_after"]
    assert edit(bot, young, "Still young").status_code == 200
    assert simulator.messages()[0]["text"] == "2"


def test_what_is_deleted_stands_there_no_more_and_stays_on_record(
    bot: httpx2.Client, simulator: Simulator, posted: str
) -> None:
    path = f"/channels/{TEXT_CHANNEL}/messages"
    assert bot.delete(f"{path}/{posted}").status_code == 204
    assert bot.delete(f"{path}/{posted}").json()["code"] == 10008
    assert edit(bot, posted, "x").json()["code"] == 10008
    assert bot.get(path).json() == []
    assert simulator.messages()[0]["deleted_at"] is not None
    press = {"user_id": ALICE, "message_id": posted, "button": "Looking"}
    assert simulator.client().post("/control/discord/press", json=press).status_code == 422


def test_a_moderator_deletes_by_control_and_on_the_page(bot: httpx2.Client, simulator: Simulator, posted: str) -> None:
    with simulator.client() as browser:
        assert "Delete as a moderator" in browser.get("/").text
        assert browser.post("/page/delete", data={"message_id": posted}).status_code == 303
        assert "Delete as a moderator" not in browser.get("/").text
        assert browser.post("/page/delete", data={"message_id": posted}).status_code == 422
        assert browser.post("/control/discord/delete", json={"message_id": posted}).status_code == 422
        other = bot.post(f"/channels/{TEXT_CHANNEL}/messages", json={"content": "Another"}).json()["id"]
        gone = browser.post("/control/discord/delete", json={"message_id": other})
        assert (gone.status_code, gone.json()["text"]) == (200, "Another")
        assert bot.get(f"/channels/{TEXT_CHANNEL}/messages").json() == []
