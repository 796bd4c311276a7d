"""The simulated game server speaks getstatus over UDP, and people walk on and off it."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from slomix.dev.simulator.people import environment
from tests.simulators import CAST, Simulator
from tests.waiting import PATIENCE

QUESTION = b"\xff\xff\xff\xffgetstatus"


@pytest.fixture
def player(simulator: Simulator) -> Iterator[socket.socket]:
    """Somebody who asks."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(PATIENCE)
        asking.connect(("127.0.0.1", simulator.port + 1))
        yield asking


def asked(player: socket.socket, question: bytes = QUESTION) -> bytes:
    player.send(question)
    return player.recv(65536)


def put(simulator: Simulator, names: object) -> None:
    answer = simulator.client().post("/control/gameserver", json={"names": names})
    assert (answer.status_code, answer.json()) == (200, {"names": names})


@pytest.mark.parametrize("end", [b"", b"\n", b"\x00"])
def test_it_says_what_it_is_and_who_is_on_it(simulator: Simulator, player: socket.socket, end: bytes) -> None:
    put(simulator, ["^1Bad^7Boy", "žŠč"])
    header, info, *lines = asked(player, QUESTION + end).split(b"\n")
    assert header == b"\xff\xff\xff\xffstatusResponse"
    assert info.startswith(b"\\version\\ET Legacy")
    assert lines == [b'0 48 "^1Bad^7Boy"', '1 49 "žŠč"'.encode(), b""]


def test_it_repeats_the_challenge_that_it_was_given(player: socket.socket) -> None:
    assert b"\\challenge\\xyz\n" in asked(player, QUESTION + b" xyz\n")


@pytest.mark.parametrize("question", [b"getstatus", b"\xff\xff\xff\xff", b"\xff\xff\xff\xffrcon x status", b"\x00"])
def test_to_anything_else_it_says_nothing(player: socket.socket, question: bytes) -> None:
    player.send(question)
    assert b"\\challenge\\next\n" in asked(player, QUESTION + b" next"), "the first answer is that to the next question"


def test_when_it_is_down_nobody_hears_anything_until_it_is_up_again(
    simulator: Simulator, player: socket.socket
) -> None:
    put(simulator, None)
    player.send(QUESTION + b" down")
    assert simulator.client().get("/control/gameserver").json() == {"names": None}
    simulator.client().post("/control/reset").raise_for_status()
    assert simulator.client().get("/control/gameserver").json() == {"names": []}
    assert b"\\challenge\\up\n" in asked(player, QUESTION + b" up"), "the first answer is that to the later question"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"names": "Alice"},
        {"names": [1]},
        {"names": [None]},
        {"names": ['say "hi"']},
        {"names": ["back\\slash"]},
        {"names": ["two\nlines"]},
        {"names": ["x" * 36]},
        {"names": ["x"] * 65},
        {"names": [], "up": True},
    ],
    ids=lambda body: str(body)[:50],
)
def test_names_that_nobody_can_wear_are_refused_and_nothing_changes(simulator: Simulator, body: Any) -> None:
    put(simulator, ["Alice"])
    answer = simulator.client().post("/control/gameserver", json=body)
    assert answer.status_code == 422
    assert answer.json()["detail"]
    assert simulator.client().get("/control/gameserver").json() == {"names": ["Alice"]}


def test_slomix_is_told_where_it_is() -> None:
    settings = environment(7000)
    assert (settings["GAME_SERVER_HOST"], settings["GAME_SERVER_PORT"]) == ("127.0.0.1", "7001")


def test_on_the_page_the_cast_walks_on_and_off(simulator: Simulator) -> None:
    name = CAST["Alice"].player_name
    with simulator.client() as browser:

        def do(**form: str) -> str:
            answer = browser.post("/page/gameserver", data=form)
            assert (answer.status_code, answer.headers["Location"]) == (303, "/#gameserver")
            return browser.get("/").text

        def on_it() -> Any:
            return browser.get("/control/gameserver").json()["names"]

        page = browser.get("/").text
        assert "Up, with 0 on it." in page
        assert 'aria-label="Join: Alice"' in page
        page = do(name=name)
        assert on_it() == [name]
        assert 'aria-label="Leave: Alice"' in page
        assert "Up, with 1 on it." in page
        assert do(name=name).count("Join: Alice") == 1
        assert on_it() == []
        page = do(power="down")
        assert on_it() is None
        assert "Down: it answers nobody." in page
        assert "Join: Alice" not in page
        assert browser.post("/page/gameserver", data={"name": name}).status_code == 422
        do(power="up")
        assert on_it() == []


def test_a_stranger_on_the_server_is_shown_and_cannot_break_the_page(simulator: Simulator) -> None:
    put(simulator, ["<b>stranger</b>"])
    page = simulator.client().get("/").text
    assert "&lt;b&gt;stranger&lt;/b&gt;" in page
    assert "<b>stranger</b>" not in page
