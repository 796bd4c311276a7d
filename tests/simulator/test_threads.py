"""Threads as Discord has them: who makes one, who is in it, what an archived one refuses, what is written in it."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from slomix.dev.simulator.people import (
    BOT_USER_ID,
    GAMING_VOICE_CHANNEL,
    GUILD_ID,
    TEXT_CHANNEL,
    environment,
)
from tests.simulators import CAST, Simulator

ALICE, BOB = CAST["Alice"].id, CAST["Bob"].id
PRIVATE = {"name": "Game night", "type": 12, "auto_archive_duration": 1440, "invitable": False}


@pytest.fixture
def bot(simulator: Simulator) -> Iterator[httpx2.Client]:
    with simulator.bot() as bot:
        yield bot


@pytest.fixture
def thread(bot: httpx2.Client) -> str:
    return str(bot.post(f"/channels/{TEXT_CHANNEL}/threads", json=PRIVATE).json()["id"])


def listed(simulator: Simulator) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = simulator.client().get("/control/threads").json()
    return found


def refused(answer: httpx2.Response) -> tuple[int, int]:
    return answer.status_code, answer.json()["code"]


def test_a_thread_is_made_and_is_among_the_active_ones(bot: httpx2.Client, simulator: Simulator) -> None:
    answer = bot.post(f"/channels/{TEXT_CHANNEL}/threads", json=PRIVATE)
    made = answer.json()
    assert (answer.status_code, made["type"], made["name"]) == (201, 12, "Game night")
    assert (made["owner_id"], made["parent_id"]) == (BOT_USER_ID, TEXT_CHANNEL)
    assert (made["thread_metadata"]["archived"], made["thread_metadata"]["invitable"]) == (False, False)
    active = bot.get(f"/guilds/{GUILD_ID}/threads/active").json()
    assert [one["id"] for one in active["threads"]] == [made["id"]]
    assert [(one["id"], one["user_id"]) for one in active["members"]] == [(made["id"], BOT_USER_ID)]
    assert bot.get(f"/channels/{made['id']}").json() == made
    assert listed(simulator) == [
        {"id": made["id"], "name": "Game night", "parent": TEXT_CHANNEL, "members": [], "archived": False}
    ]


def test_a_thread_is_made_whose_answer_does_not_arrive(bot: httpx2.Client, simulator: Simulator) -> None:
    fault = {"provider": "discord", "fault": "cut_after_accept", "times": 1}
    simulator.client().post("/control/faults", json=fault).raise_for_status()
    with pytest.raises(httpx2.TransportError):
        bot.post(f"/channels/{TEXT_CHANNEL}/threads", json=PRIVATE)
    assert [one["name"] for one in listed(simulator)] == ["Game night"]


def test_history_comes_in_pages_newest_first_and_without_nonces(bot: httpx2.Client, simulator: Simulator) -> None:
    room = f"/channels/{TEXT_CHANNEL}/messages"
    ours = bot.post(room, json={"content": "hello", "nonce": "n"}).json()
    chatter = {"user_id": ALICE, "channel": TEXT_CHANNEL, "number": 250}
    simulator.client().post("/control/chatter", json=chatter).raise_for_status()
    first = bot.get(f"{room}?limit=100").json()
    second = bot.get(f"{room}?limit=100&before={first[-1]['id']}").json()
    third = bot.get(f"{room}?limit=100&before={second[-1]['id']}").json()
    assert [len(page) for page in (first, second, third)] == [100, 100, 51]
    assert [int(one["id"]) for one in first + second] == sorted(
        (int(one["id"]) for one in first + second), reverse=True
    )
    assert (third[-1]["id"], third[-1]["content"], "nonce" in third[-1]) == (ours["id"], "hello", False)
    assert {one["author"]["id"] for one in first} == {ALICE}
    after = bot.get(f"{room}?limit=2&after={ours['id']}").json()
    assert [one["content"] for one in after] == ["2: hm", "1: hm"]
    around = bot.get(f"{room}?limit=3&around={ours['id']}").json()
    assert ours["id"] in [one["id"] for one in around]
    assert bot.get(f"{room}?before=x").json()["code"] == 50035
    assert simulator.messages()[0]["text"] == "hello", "and what people write is no message of ours"
    assert len(simulator.messages()) == 1


@pytest.mark.parametrize(
    ("parent", "change", "expected"),
    [
        ("1", {}, (404, 10003)),
        (GAMING_VOICE_CHANNEL, {}, (400, 50024)),
        (CAST["Alice"].dm_channel, {}, (400, 50024)),
        (TEXT_CHANNEL, {"name": ""}, (400, 50035)),
        (TEXT_CHANNEL, {"name": "x" * 101}, (400, 50035)),
        (TEXT_CHANNEL, {"type": 0}, (400, 50035)),
        (TEXT_CHANNEL, {"auto_archive_duration": 7}, (400, 50035)),
    ],
)
def test_what_discord_would_not_make_is_not_made(
    bot: httpx2.Client, simulator: Simulator, parent: str, change: dict[str, Any], expected: tuple[int, int]
) -> None:
    assert refused(bot.post(f"/channels/{parent}/threads", json=PRIVATE | change)) == expected
    assert listed(simulator) == []


def test_people_are_let_in_and_taken_out(bot: httpx2.Client, simulator: Simulator, thread: str) -> None:
    for person in (ALICE, BOB, BOB):
        assert bot.put(f"/channels/{thread}/thread-members/{person}").status_code == 204
    assert listed(simulator)[0]["members"] == [ALICE, BOB]
    assert bot.delete(f"/channels/{thread}/thread-members/{ALICE}").status_code == 204
    assert listed(simulator)[0]["members"] == [BOB]
    assert refused(bot.delete(f"/channels/{thread}/thread-members/{ALICE}")) == (404, 10007)
    assert refused(bot.put(f"/channels/{thread}/thread-members/1")) == (404, 10013)
    assert refused(bot.put(f"/channels/1/thread-members/{ALICE}")) == (404, 10003)


def test_an_archived_thread_lets_nobody_in_and_a_message_opens_it(bot: httpx2.Client, thread: str) -> None:
    said = bot.post(f"/channels/{thread}/messages", json={"content": "Hi"}).json()
    assert bot.patch(f"/channels/{thread}", json={"archived": True}).json()["thread_metadata"]["archived"] is True
    nothing = {"threads": [], "members": [], "has_more": False}
    assert bot.get(f"/guilds/{GUILD_ID}/threads/active").json() == nothing
    assert refused(bot.put(f"/channels/{thread}/thread-members/{ALICE}")) == (400, 50083)
    assert refused(bot.patch(f"/channels/{thread}/messages/{said['id']}", json={"content": "Ho"})) == (400, 50083)
    assert bot.post(f"/channels/{thread}/messages", json={"content": "Hi again"}).status_code == 200
    assert bot.put(f"/channels/{thread}/thread-members/{ALICE}").status_code == 204


def test_a_deleted_thread_is_an_unknown_channel(bot: httpx2.Client, simulator: Simulator, thread: str) -> None:
    assert bot.delete(f"/channels/{thread}").json()["id"] == thread
    assert listed(simulator) == []
    assert refused(bot.put(f"/channels/{thread}/thread-members/{ALICE}")) == (404, 10003)
    assert refused(bot.get(f"/channels/{thread}/messages")) == (404, 10003)
    assert refused(bot.delete(f"/channels/{TEXT_CHANNEL}")) == (403, 50013)


def test_what_is_written_in_it_is_read_edited_and_listed(bot: httpx2.Client, simulator: Simulator, thread: str) -> None:
    first, second = (bot.post(f"/channels/{thread}/messages", json={"content": text}).json() for text in ("one", "two"))
    [before, _] = simulator.messages()
    answer = bot.patch(f"/channels/{thread}/messages/{first['id']}", json={"content": "three"})
    assert (answer.status_code, answer.json()["content"], first["edited_timestamp"]) == (200, "three", None)
    assert answer.json()["edited_timestamp"] is not None
    newest = bot.get(f"/channels/{thread}/messages?limit=1").json()
    assert [(one["id"], one["author"]["id"]) for one in newest] == [(second["id"], BOT_USER_ID)]
    assert [one["content"] for one in bot.get(f"/channels/{thread}/messages").json()] == ["two", "three"]
    [after, _] = simulator.messages()
    assert (before["kind"], before["to"], before["text"], before["edits"]) == ("thread", thread, "one", 0)
    assert (before.pop("edited_at"), after.pop("edited_at") is None) == (None, False)
    assert after == before | {"text": "three", "edits": 1}
    assert refused(bot.patch(f"/channels/{thread}/messages/1", json={"content": "x"})) == (404, 10008)
    assert refused(bot.get(f"/channels/{thread}/messages?limit=101")) == (400, 50035)


def test_another_server_is_not_ours_to_look_into(bot: httpx2.Client) -> None:
    assert refused(bot.get("/guilds/1/threads/active")) == (403, 50001)


def test_a_reset_forgets_threads(simulator: Simulator, thread: str) -> None:
    simulator.client().post("/control/reset").raise_for_status()
    assert listed(simulator) == []


def test_the_page_shows_a_thread_with_its_members_and_not_among_the_public_messages(
    bot: httpx2.Client, simulator: Simulator, thread: str
) -> None:
    bot.put(f"/channels/{thread}/thread-members/{ALICE}")
    said = bot.post(f"/channels/{thread}/messages", json={"content": "**Only** here"}).json()
    bot.patch(f"/channels/{thread}/messages/{said['id']}", json={"content": "Only <here>"})
    page = simulator.client().get("/").text
    public, _, rest = page.partition('id="threads"')
    private = rest.partition('id="direct"')[0]
    assert "Only" not in public
    assert "Game night" in private
    assert "Alice" in private
    assert "Only &lt;here&gt;" in private
    assert "edited" in private


def test_slomix_makes_its_threads_in_the_text_room(simulator: Simulator) -> None:
    settings = environment(simulator.port)
    assert settings["AVAILABILITY_PLANNING_DISCORD_CREATE_THREAD"] == "true"
    assert settings["AVAILABILITY_PLANNING_THREAD_PARENT_CHANNEL_ID"] == TEXT_CHANNEL
