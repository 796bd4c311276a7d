"""What arrived although nobody heard of it, asked of a real process that shows and hides as Discord does."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from slomix.channels.base import Address, Button, Message, SendError, Unanswered
from slomix.channels.discord import Discord
from slomix.channels.discord_history import (
    ADMINISTRATOR,
    MAY_READ,
    READ_MESSAGE_HISTORY,
    VIEW_CHANNEL,
    has_mark,
    permissions,
)
from slomix.clock import wall_now
from slomix.dev.simulator.people import BOT_TOKEN, GUILD_ID, TEXT_CHANNEL
from slomix.reasons.codes import Reason
from tests.simulators import CAST, Simulator

MARK, OTHER = "q3RfA0bC1dE2fG3hI4jK", "zzRfA0bC1dE2fG3hI4jK"
ROOM = Address(TEXT_CHANNEL, is_room=True)
ALICE = Address(CAST["Alice"].id)
KNOWN_ALICE = Address(CAST["Alice"].id, learned=CAST["Alice"].dm_channel)
EVERYWHERE = pytest.mark.parametrize("to", [ROOM, ALICE, KNOWN_ALICE], ids=["room", "DM never opened", "DM"])


def marked(mark: str, text: str = "Hello") -> Message:
    return Message(text, buttons=(Button("Open Slomix", link=f"https://slomix.example/#{mark}"),))


@pytest.fixture
def channel(simulator: Simulator) -> Iterator[Discord]:
    channel = Discord(f"{simulator.url}/api/v10", BOT_TOKEN, GUILD_ID)
    yield channel
    channel.close()


def break_it(simulator: Simulator, fault: str, **parameters: Any) -> None:
    body = {"provider": "discord", "fault": fault, **parameters}
    simulator.client().post("/control/faults", json=body).raise_for_status()


def find(channel: Discord, to: Address, mark: str = MARK, *, ago: timedelta = timedelta(minutes=1)) -> str | None:
    found = channel.history.find(to, mark, since=wall_now() - ago)
    return found.message_id if found is not None else None


def refusal(channel: Discord, to: Address = ROOM) -> SendError:
    with pytest.raises(SendError) as refused:
        find(channel, to)
    return refused.value


@EVERYWHERE
@pytest.mark.parametrize("fault", ["cut_after_accept", "error_after_accept"])
def test_what_was_taken_is_found_by_its_mark(channel: Discord, simulator: Simulator, to: Address, fault: str) -> None:
    break_it(simulator, fault, times=1, **({"code": 504} if fault == "error_after_accept" else {}))
    assert find(channel, to) is None
    with pytest.raises(Unanswered):
        channel.send(to, marked(MARK), nonce=MARK)
    assert find(channel, to) is not None
    assert find(channel, to, OTHER) is None
    assert len(simulator.messages()) == 1


def test_the_receipt_of_a_dm_names_its_room(channel: Discord) -> None:
    sent = channel.send(ALICE, marked(MARK), nonce=MARK)
    assert channel.history.find(ALICE, MARK, since=wall_now() - timedelta(minutes=1)) == sent


def test_another_installation_of_the_same_bot_says_the_same_and_is_not_us(
    channel: Discord, simulator: Simulator
) -> None:
    channel.send(ROOM, marked(OTHER), nonce="theirs")
    assert find(channel, ROOM) is None


def test_a_person_who_repeats_our_mark_is_not_us(channel: Discord, monkeypatch: pytest.MonkeyPatch) -> None:
    channel.send(ROOM, marked(MARK), nonce=MARK)
    monkeypatch.setattr(channel.history, "_own_id", CAST["Bob"].id)
    assert find(channel, ROOM) is None


@pytest.mark.parametrize("before", [0, 30])
def test_all_pages_are_read(channel: Discord, simulator: Simulator, before: int) -> None:
    """However many messages came before ours and after it."""
    chat = {"user_id": CAST["Bob"].id, "channel": TEXT_CHANNEL}
    with simulator.client() as control:
        if before:
            control.post("/control/chatter", json=chat | {"number": before}).raise_for_status()
        ours = channel.send(ROOM, marked(MARK), nonce=MARK).message_id
        control.post("/control/chatter", json=chat | {"number": 230 - before}).raise_for_status()
        assert find(channel, ROOM) == ours
        assert find(channel, ROOM, OTHER) is None
        theirs = channel.send(ROOM, marked(OTHER), nonce=OTHER).message_id
    assert find(channel, ROOM, OTHER) == theirs


def test_what_is_older_is_not_looked_at(channel: Discord) -> None:
    channel.send(ROOM, marked(MARK), nonce=MARK)
    assert find(channel, ROOM, ago=-timedelta(seconds=5)) is None


@pytest.mark.parametrize(
    ("fault", "reason"), [("no_history", Reason.DISCORD_HIDES_ROOM), ("no_view", Reason.DISCORD_SAID)]
)
def test_a_room_that_seems_empty_is_not_taken_for_one(
    channel: Discord, simulator: Simulator, fault: str, reason: Reason
) -> None:
    channel.send(ROOM, marked(MARK), nonce=MARK)
    channel.send(ALICE, marked(MARK), nonce=MARK)
    break_it(simulator, fault)
    assert refusal(channel).reason.code is reason
    assert find(channel, ALICE) is not None, "which no room's permissions concern"


@EVERYWHERE
@pytest.mark.parametrize("status", [500, 502, 503])
def test_who_cannot_be_asked_has_not_said_no(channel: Discord, simulator: Simulator, to: Address, status: int) -> None:
    break_it(simulator, "status", code=status)
    refusal(channel, to)


def garble(channel: Discord, monkeypatch: pytest.MonkeyPatch, part: str, answer: Any) -> None:
    """Have Discord answer so to what is asked at addresses with this part."""
    ask = channel._http.request

    def garbled(method: str, path: str, **more: Any) -> httpx2.Response:
        return httpx2.Response(200, json=answer) if part in path else ask(method, path, **more)

    monkeypatch.setattr(channel._http, "request", garbled)


@pytest.mark.parametrize("answer", [None, {}, [None], [{"content": "no id"}], [{"id": "x"}], "a page"], ids=str)
def test_what_cannot_be_read_is_no_answer(channel: Discord, monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    garble(channel, monkeypatch, "/messages", answer)
    assert refusal(channel, KNOWN_ALICE).reason.code is Reason.DISCORD_DID_NOT_ANSWER


@pytest.mark.parametrize("hidden", ["/members/", "/guilds/", f"/channels/{TEXT_CHANNEL}", "/users/@me"])
def test_rights_that_cannot_be_read_are_none(channel: Discord, monkeypatch: pytest.MonkeyPatch, hidden: str) -> None:
    garble(channel, monkeypatch, hidden, None)
    refusal(channel)


def test_a_dm_that_another_bot_had_opened_is_opened_by_ours(channel: Discord) -> None:
    channel.send(ALICE, marked(MARK), nonce=MARK)
    assert find(channel, Address(ALICE.value, learned="1")) is not None


@pytest.mark.parametrize(
    "message",
    [
        {"content": f"See <https://slomix.example/#{MARK}>"},
        {"components": [{"type": 1, "components": [{"type": 2, "style": 5, "url": f"https://a.example/#{MARK}"}]}]},
        {"components": [{"type": 1, "components": [{"type": 2, "style": 1, "custom_id": f"in:{MARK}:x"}]}]},
        {"components": [{"type": 17, "components": [{"type": 1, "components": [{"custom_id": MARK}]}]}]},
    ],
    ids=["link", "link button", "button", "nested"],
)
def test_a_mark_stands_in_a_link_or_in_a_button(message: dict[str, Any]) -> None:
    assert has_mark(message, MARK)
    assert not has_mark(message, OTHER)


BOT, ROLE, GUILD = "1", "7", "9"


def overwrite(who: str, *, allow: int = 0, deny: int = 0) -> dict[str, str]:
    return {"id": who, "allow": str(allow), "deny": str(deny)}


@pytest.mark.parametrize(
    ("everybody", "role", "overwrites", "may"),
    [
        (MAY_READ, 0, [], True),
        (VIEW_CHANNEL, READ_MESSAGE_HISTORY, [], True),
        (VIEW_CHANNEL, 0, [], False),
        (READ_MESSAGE_HISTORY, 0, [], False),
        (0, ADMINISTRATOR, [overwrite(GUILD, deny=MAY_READ)], True),
        (MAY_READ, 0, [overwrite(GUILD, deny=READ_MESSAGE_HISTORY)], False),
        (MAY_READ, 0, [overwrite(ROLE, allow=MAY_READ), overwrite(GUILD, deny=MAY_READ)], True),
        (MAY_READ, 0, [overwrite(BOT, allow=MAY_READ), overwrite(ROLE, deny=MAY_READ)], True),
        (MAY_READ, 0, [overwrite(BOT, deny=VIEW_CHANNEL), overwrite(ROLE, allow=MAY_READ)], False),
        (MAY_READ, 0, [overwrite("8", deny=MAY_READ)], True),
    ],
)
def test_rights_are_those_of_everybody_then_of_the_roles_then_of_the_bot(
    everybody: int, role: int, overwrites: list[dict[str, str]], may: bool
) -> None:
    roles = [{"id": GUILD, "permissions": str(everybody)}, {"id": ROLE, "permissions": str(role)}]
    guild, channel = {"id": GUILD, "owner_id": "2", "roles": roles}, {"permission_overwrites": overwrites}
    allowed = permissions(guild, channel, account=BOT, roles=[ROLE])
    assert (allowed & MAY_READ == MAY_READ) is may
    assert permissions(guild | {"owner_id": BOT}, channel, account=BOT, roles=[]) & MAY_READ == MAY_READ
    assert not permissions(guild, channel, account=BOT, roles=None)
    assert not permissions(guild, {}, account=BOT, roles=[ROLE])
