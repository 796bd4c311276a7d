"""What each answer of Discord means, to a message and to the opening of a direct message: one row an answer."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from slomix.channels.base import (
    Address,
    Message,
    MessageRefused,
    RateLimited,
    SendError,
    TokenRefused,
    Unanswered,
)
from slomix.channels.discord import Discord
from slomix.channels.discord_answers import CURED_BY_WAITING, EDITED_TOO_OFTEN, form_errors
from slomix.dev.simulator.faults import CLOUDFLARE_PAGES, REFUSALS, UNREADABLE_BODIES
from slomix.dev.simulator.people import BOT_TOKEN, GUILD_ID
from slomix.reasons.codes import Reason
from tests.simulators import CAST, Simulator

ANN = CAST["Alice"]
HELLO = Message("Tonight at <t:1795204800:t>")
# What is decided.
UNKNOWN = "nobody knows whether it was taken"
AGAIN = "not taken, tried again"
USELESS = "never, and nothing else to this address"
REFUSED = "never, but another message it may take"
BUSY = "not taken, waits for the time it was told"
STOP = "nothing leaves any more, but a probe"
NO_TOKEN = "nothing leaves any more, and the token is wrong"


@dataclass(frozen=True)
class Row:
    """An answer, and what is decided of a message; of an opening what `opening` says, where that differs."""

    fault: str
    parameters: dict[str, Any]
    decided: str
    reason: Reason
    opening: str | None = None
    is_at_one_route: bool = False

    def __str__(self) -> str:
        return " ".join([self.fault, *(f"{value}" for value in self.parameters.values())])


def refusal(code: int, decided: str, reason: Reason = Reason.DISCORD_SAID) -> Row:
    return Row("refusal", {"error": code}, decided, reason, is_at_one_route=True)


def lost(code: int, *, html: bool) -> Iterator[Row]:
    """The same error before a message is taken and after it: nobody can tell them apart."""
    for fault in ("status", "error_after_accept"):
        parameters = {"code": code, "html": html} | ({"times": 1} if fault == "error_after_accept" else {})
        yield Row(fault, parameters, UNKNOWN, Reason.DISCORD_DID_NOT_ANSWER, opening=AGAIN)


TABLE = [
    refusal(50007, USELESS, Reason.DMS_CLOSED),
    refusal(50278, USELESS, Reason.NO_MUTUAL_SERVER),
    *(refusal(code, USELESS) for code in (10003, 10013, 50001, 50013, 50024, 50033)),
    *(refusal(code, REFUSED) for code in (20009, 40001, 40002, 50008, 50009, 50035, 50083, 160005, 200000)),
    # Codes that nobody wrote down for a message: a refusal is a refusal.
    *(refusal(code, REFUSED) for code in (10004, 10008, 20001, 30033, 40005, 40007, 40058, 50006, 50109, 200001)),
    *(refusal(code, STOP, Reason.DISCORD_IS_BUSY) for code in (40003, 40004, 20016, 20028, 40062)),
    refusal(30046, BUSY, Reason.DISCORD_IS_BUSY),
    refusal(40333, STOP, Reason.DISCORD_BLOCKS_US),
    refusal(50014, NO_TOKEN, Reason.DISCORD_TOKEN_REFUSED),
    refusal(130000, AGAIN, Reason.DISCORD_ANSWERED),
    refusal(160006, AGAIN, Reason.DISCORD_ANSWERED),
    *(
        Row("rate_limit", {"retry_after": 7, "scope": scope}, BUSY, Reason.DISCORD_IS_BUSY)
        for scope in ("user", "shared", "global", "body")
    ),
    *(Row("cloudflare", {"page": page}, STOP, Reason.DISCORD_BLOCKS_US) for page in CLOUDFLARE_PAGES),
    Row("token_reset", {}, NO_TOKEN, Reason.DISCORD_TOKEN_REFUSED),
    *(Row("status", {"code": code}, AGAIN, Reason.DISCORD_ANSWERED) for code in (400, 404, 409, 500, 503)),
    *(
        row
        for code in (502, 504, 520, 521, 522, 523, 524, 599)
        for html in (False, True)
        for row in lost(code, html=html)
    ),
    *(row for code in (400, 401, 404, 407, 413, 500, 503) for row in lost(code, html=True)),
    *(
        Row("unreadable", {"body": body}, UNKNOWN, Reason.DISCORD_DID_NOT_ANSWER, AGAIN, is_at_one_route=True)
        for body in UNREADABLE_BODIES
    ),
    Row("cut_after_accept", {"times": 1}, UNKNOWN, Reason.DISCORD_DID_NOT_ANSWER),
]


@pytest.fixture
def channel(simulator: Simulator) -> Iterator[Discord]:
    channel = Discord(f"{simulator.url}/api/v10", BOT_TOKEN, GUILD_ID)
    yield channel
    channel.close()


def failure(simulator: Simulator, channel: Discord, row: Row, to: Address, at: str) -> SendError:
    """The error of a message while this goes wrong at this route."""
    body = {"provider": "discord", "fault": row.fault, **row.parameters}
    if row.is_at_one_route:
        body["at"] = at
    simulator.client().post("/control/faults", json=body).raise_for_status()
    with pytest.raises(SendError) as failed:
        channel.send(to, HELLO, nonce="n")
    return failed.value


def decision(error: SendError) -> str:
    match error:
        case TokenRefused():
            return NO_TOKEN
        case RateLimited(retry_after=pause):
            assert pause is not None
            is_stop = pause >= timedelta(seconds=60) and error.code != EDITED_TOO_OFTEN
            return STOP if is_stop else BUSY
        case Unanswered():
            return UNKNOWN
        case MessageRefused():
            return REFUSED
        case SendError(permanent=True):
            return USELESS
    return AGAIN


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_an_answer_to_a_message(simulator: Simulator, channel: Discord, row: Row) -> None:
    error = failure(simulator, channel, row, Address(ANN.id, learned=ANN.dm_channel), "messages")
    assert (decision(error), error.reason.code) == (row.decided, row.reason)
    assert not error.permanent or row.decided in (USELESS, REFUSED)


@pytest.mark.parametrize("row", [row for row in TABLE if "accept" not in row.fault], ids=str)
def test_an_answer_to_the_opening_of_a_direct_message(simulator: Simulator, channel: Discord, row: Row) -> None:
    error = failure(simulator, channel, row, Address(ANN.id), "open-dm")
    assert (decision(error), error.reason.code) == (row.opening or row.decided, row.reason)
    assert simulator.messages() == []


def test_every_refusal_of_the_simulator_is_in_the_table() -> None:
    assert {row.parameters["error"] for row in TABLE if row.fault == "refusal"} == REFUSALS.keys() - {10007}
    assert CURED_BY_WAITING.isdisjoint({50007, 50278, 50035, 200000})


def test_a_refused_form_says_which_field_is_wrong(simulator: Simulator, channel: Discord) -> None:
    with pytest.raises(SendError) as refused:
        channel.send(Address(ANN.id), Message("x" * 2001), nonce="n")
    assert refused.value.reason.detail == "Invalid Form Body (50035): content: Must be 2000 or fewer in length."


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        (None, []),
        ([], []),
        ({"_errors": [{"code": "A", "message": "All wrong."}]}, ["All wrong."]),
        (
            {"embeds": {"0": {"title": {"_errors": [{"message": "Too long."}, {"message": "Odd."}]}}}},
            ["embeds.0.title: Too long.", "embeds.0.title: Odd."],
        ),
        ({"a": {"_errors": "no list"}, "b": 3}, []),
        ({"a": {"_errors": [7]}}, ["a: None"]),
    ],
)
def test_what_is_wrong_with_a_form(errors: object, said: list[str]) -> None:
    assert list(form_errors(errors)) == said


def test_a_form_without_a_bottom_has_an_end() -> None:
    endless: dict[str, Any] = {}
    endless["a"] = endless
    assert list(form_errors(endless)) == []
