"""Threads and mentions against a real process that answers, refuses and cuts as Discord would."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from slomix.channels.base import Address, Message, PostedMessage, RateLimited, SendError, Unanswered
from slomix.channels.discord import Discord, allowed_mentions
from slomix.channels.discord_answers import ARCHIVED, UNKNOWN_CHANNEL, UNKNOWN_MESSAGE
from slomix.channels.discord_threads import DiscordThreads
from slomix.channels.markup import escape_markdown
from slomix.dev.simulator.people import BOT_TOKEN, GAMING_VOICE_CHANNEL, GUILD_ID, TEXT_CHANNEL
from slomix.dev.simulator.rendering import rich
from slomix.reasons.codes import Reason
from tests.simulators import CAST, Simulator

ALICE, BOB = CAST["Alice"].id, CAST["Bob"].id
NIGHT = "Game night 2026-11-20"


@pytest.fixture
def channel(simulator: Simulator) -> Iterator[Discord]:
    channel = Discord(f"{simulator.url}/api/v10", BOT_TOKEN, GUILD_ID)
    yield channel
    channel.close()


@pytest.fixture
def threads(channel: Discord) -> DiscordThreads:
    return DiscordThreads(channel, GUILD_ID)


def break_it(simulator: Simulator, fault: str, **parameters: Any) -> None:
    body = {"provider": "discord", "fault": fault, **parameters}
    simulator.client().post("/control/faults", json=body).raise_for_status()


def listed(simulator: Simulator) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = simulator.client().get("/control/threads").json()
    return found


def refusal(ask: Callable[[], object]) -> SendError:
    with pytest.raises(SendError) as refused:
        ask()
    return refused.value


def test_a_thread_is_found_by_its_room_its_name_and_that_it_is_ours(
    threads: DiscordThreads, simulator: Simulator
) -> None:
    assert threads.find(TEXT_CHANNEL, [NIGHT]) is None
    made = threads.create(TEXT_CHANNEL, NIGHT)
    assert threads.find(TEXT_CHANNEL, [NIGHT]) == made
    assert threads.find(TEXT_CHANNEL, ["Game night 2026-11-21"]) is None
    assert threads.find(GAMING_VOICE_CHANNEL, [NIGHT]) is None
    with simulator.bot() as bot:
        bot.post(f"/channels/{TEXT_CHANNEL}/threads", json={"name": "Public", "type": 11})
    assert threads.find(TEXT_CHANNEL, ["Public"]) is None
    threads.create(TEXT_CHANNEL, NIGHT)
    assert threads.find(TEXT_CHANNEL, [NIGHT]) == made, "of two the first"


def test_a_thread_of_somebody_else_is_not_taken_for_ours(
    threads: DiscordThreads, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads.create(TEXT_CHANNEL, NIGHT)
    monkeypatch.setattr(threads._discord.history, "_own_id", ALICE)
    assert threads.find(TEXT_CHANNEL, [NIGHT]) is None


def test_a_thread_whose_answer_was_lost_is_there_to_be_found(threads: DiscordThreads, simulator: Simulator) -> None:
    break_it(simulator, "cut_after_accept", times=1)
    assert isinstance(refusal(lambda: threads.create(TEXT_CHANNEL, NIGHT)), Unanswered)
    assert threads.find(TEXT_CHANNEL, [NIGHT]) == listed(simulator)[0]["id"]


def test_it_is_private_and_nobody_in_it_can_bring_others(threads: DiscordThreads, simulator: Simulator) -> None:
    made = threads.create(TEXT_CHANNEL, NIGHT)
    with simulator.bot() as bot:
        shape = bot.get(f"/channels/{made}").json()
    assert (shape["type"], shape["thread_metadata"]["invitable"]) == (12, False)
    assert shape["thread_metadata"]["auto_archive_duration"] == 1440


def test_people_are_in_it_once_and_out_again(threads: DiscordThreads, simulator: Simulator) -> None:
    made = threads.create(TEXT_CHANNEL, NIGHT)
    for account in (ALICE, BOB, BOB):
        threads.add(made, account)
    assert listed(simulator)[0]["members"] == [ALICE, BOB]
    for _ in range(2):
        threads.remove(made, ALICE)
    assert listed(simulator)[0]["members"] == [BOB]


def test_who_is_not_in_our_server_stays_out_without_an_error(threads: DiscordThreads, simulator: Simulator) -> None:
    threads.add(threads.create(TEXT_CHANNEL, NIGHT), "1")
    assert listed(simulator)[0]["members"] == []


def test_an_archived_thread_says_so_and_is_opened_again(threads: DiscordThreads, simulator: Simulator) -> None:
    made = threads.create(TEXT_CHANNEL, NIGHT)
    with simulator.bot() as bot:
        bot.patch(f"/channels/{made}", json={"archived": True})
    assert threads.find(TEXT_CHANNEL, [NIGHT]) is None
    error = refusal(lambda: threads.add(made, ALICE))
    assert (error.code, error.permanent) == (ARCHIVED, True)
    threads.reopen(made)
    threads.add(made, ALICE)
    assert listed(simulator)[0]["members"] == [ALICE]


@pytest.mark.parametrize("parent", ["1", GAMING_VOICE_CHANNEL])
def test_a_room_without_threads_is_permanent(threads: DiscordThreads, parent: str) -> None:
    assert refusal(lambda: threads.create(parent, NIGHT)).permanent


def test_a_deleted_thread_is_permanent(threads: DiscordThreads, simulator: Simulator) -> None:
    made = threads.create(TEXT_CHANNEL, NIGHT)
    with simulator.bot() as bot:
        bot.delete(f"/channels/{made}")
    error = refusal(lambda: threads.add(made, ALICE))
    assert (error.code, error.permanent) == (UNKNOWN_CHANNEL, True)


def test_our_message_is_found_by_how_it_begins_and_edited(
    threads: DiscordThreads, channel: Discord, simulator: Simulator
) -> None:
    made = threads.create(TEXT_CHANNEL, NIGHT)
    assert threads.find_message(made, ("Teams",)) is None
    room = Address(made, is_room=True)
    sent = [channel.send(room, Message(text), nonce=text).message_id for text in ("Teams: A", "Others")]
    assert threads.find_message(made, ("Teams",)) == PostedMessage(sent[0], "Teams: A")
    threads.edit(made, sent[0], Message("Teams: A, B"))
    assert threads.find_message(made, ("Teams",)) == PostedMessage(sent[0], "Teams: A, B")
    assert [(one["kind"], one["text"], one["edits"]) for one in simulator.messages()] == [
        ("thread", "Teams: A, B", 1),
        ("thread", "Others", 0),
    ]
    error = refusal(lambda: threads.edit(made, "1", Message("x")))
    assert (error.code, error.permanent) == (UNKNOWN_MESSAGE, True)


def test_our_message_is_found_however_much_was_written_since(
    threads: DiscordThreads, channel: Discord, simulator: Simulator
) -> None:
    made = threads.create(TEXT_CHANNEL, NIGHT)
    posted = channel.send(Address(made, is_room=True), Message("Teams: A"), nonce="a")
    chatter = {"user_id": ALICE, "channel": made, "number": 150}
    simulator.client().post("/control/chatter", json=chatter).raise_for_status()
    assert threads.find_message(made, ("Teams",)) == PostedMessage(posted.message_id, "Teams: A")


@pytest.mark.parametrize("fault", ["no_history", "no_view"])
def test_that_nothing_is_shown_does_not_mean_that_nothing_is_there(
    threads: DiscordThreads, simulator: Simulator, fault: str
) -> None:
    made = threads.create(TEXT_CHANNEL, NIGHT)
    break_it(simulator, fault)
    assert refusal(lambda: threads.find_message(made, ("Teams",))).reason.code in {
        Reason.DISCORD_HIDES_ROOM,
        Reason.DISCORD_SAID,
    }


def test_a_429_says_how_long_to_wait(threads: DiscordThreads, simulator: Simulator) -> None:
    break_it(simulator, "rate_limit", retry_after=2.5, times=1)
    error = refusal(lambda: threads.find(TEXT_CHANNEL, [NIGHT]))
    assert (type(error), error.retry_after) == (RateLimited, timedelta(seconds=2.5))


# Mentions


@pytest.mark.parametrize(
    ("mentions", "allowed"),
    [
        ((), {"parse": []}),
        (("1", "2", "1"), {"parse": [], "users": ["1", "2"]}),
        (tuple(map(str, range(101))), {"parse": [], "users": [str(number) for number in range(100)]}),
    ],
)
def test_a_message_calls_those_it_says_and_nobody_else(mentions: tuple[str, ...], allowed: object) -> None:
    assert allowed_mentions(Message("@everyone <@3>", mentions)) == allowed


def test_the_mentions_are_in_the_request(channel: Discord, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def accept(*_: object, json: object, **__: object) -> str:
        seen.append(json)
        return "1"

    monkeypatch.setattr(channel, "request", accept)
    for mentions in ((), (ALICE,)):
        channel.send(Address(TEXT_CHANNEL, is_room=True), Message("Hi", mentions), nonce="n")
    assert [one["allowed_mentions"] for one in seen] == [{"parse": []}, {"parse": [], "users": [ALICE]}]


@pytest.mark.parametrize("name", ["**bold**", "a_b_c", "<@231415926535897931>", "x\n# y", "[a](http://b)", "\\*"])
def test_what_somebody_chose_reads_as_it_is(name: str) -> None:
    shown = rich(escape_markdown(name)).unescape()
    assert shown == " ".join(name.split()).replace("@", "@\u200b")
