"""Asking the game server who is on it, against real sockets: those of the simulator, and of whoever answers badly."""

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from slomix.channels import game_server
from slomix.channels.game_server import GameServer, NoTelemetry
from slomix.runtime.factory import make_game_server
from tests.configuration import make_settings
from tests.simulators import Simulator
from tests.waiting import PATIENCE

IN_PRODUCTION = game_server.TIMEOUT_SECONDS
HEADER = b"\xff\xff\xff\xffstatusResponse\n"
INFO = b"\\sv_hostname\\^1Here\\mapname\\supply\n"

Answer = Callable[[int], bytes | None]


class Server:
    """A UDP socket that answers the n-th question with `answer(n)`, or not at all."""

    def __init__(self, answer: Answer) -> None:
        self.questions: list[bytes] = []
        self._answer = answer
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            question, who = self._socket.recvfrom(4096)
            if question == b"stop":
                return
            self.questions.append(question)
            answer = self._answer(len(self.questions))
            if answer is not None:
                self._socket.sendto(answer, who)

    def stop(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            end.sendto(b"stop", ("127.0.0.1", self.port))
        self._thread.join()
        self._socket.close()


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], Server]]:
    servers: list[Server] = []

    def serve(answer: Answer) -> Server:
        servers.append(Server(answer))
        return servers[-1]

    yield serve
    for server in servers:
        server.stop()


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that answers does so in time, however busy the machine."""
    monkeypatch.setattr(game_server, "TIMEOUT_SECONDS", PATIENCE)


@pytest.fixture
def impatient(patient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(game_server, "TIMEOUT_SECONDS", 0.1)


def ask(server: Server) -> list[str]:
    return GameServer("127.0.0.1", server.port).player_names()


def test_the_names_come_as_they_are_worn(simulator: Simulator) -> None:
    worn = ["^1Bad^7Boy", "žŠč", "  ^xHana^7*  ", "", "^5jana^7<3", "a 0 1.2.3.4:27960"]
    simulator.client().post("/control/gameserver", json={"names": worn}).raise_for_status()
    assert GameServer("127.0.0.1", simulator.port + 1).player_names() == worn


def test_an_empty_server_is_telemetry_too(simulator: Simulator) -> None:
    assert GameServer("localhost", simulator.port + 1).player_names() == []


def test_a_server_that_is_down_is_asked_twice_and_then_there_is_no_telemetry(
    simulator: Simulator, impatient: None
) -> None:
    simulator.client().post("/control/gameserver", json={"names": None}).raise_for_status()
    with pytest.raises(NoTelemetry):
        GameServer("127.0.0.1", simulator.port + 1).player_names()


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (b'5 48 "Alice"', "Alice"),
        (b'-3 999 "Alice"', "Alice"),
        (b'5 48 "say "hi""', 'say "hi"'),
        (b'5 48 "back\\slash"', "back\\slash"),
        (b'5 48 "ends in \\"', "ends in \\"),
        ('5 48 "žŠč"'.encode(), "žŠč"),
        (b'5 48 "\x8ei\x9eek"', "\x8ei\x9eek"),  # from before UTF-8: another name, but never one with letters missing
        (b'5 48 "^XAlice^1234567"', "^XAlice^1234567"),
        (b'5 48 ""', ""),
    ],
    ids=ascii,
)
def test_whatever_stands_between_the_quotation_marks_is_the_name(
    serve: Callable[[Answer], Server], line: bytes, name: str
) -> None:
    server = serve(lambda _: HEADER + INFO + line + b"\n")
    assert ask(server) == [name]
    assert server.questions == [b"\xff\xff\xff\xffgetstatus\n"], "asked once, and in these words"


def test_half_a_line_names_nobody(serve: Callable[[Answer], Server]) -> None:
    assert ask(serve(lambda _: HEADER + INFO + b'5 48 "Alice"\n3 50 "Bo')) == ["Alice"]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\n",
        b"\xff\xff\xff\xff",
        HEADER,
        HEADER[:10],
        INFO,
        b"\xff\xff\xff\xffinfoResponse\n" + INFO,
        b"\xff\xff\xff\xffprint\nRcon: bad password\n",
        HEADER + b'5 48 "Alice"\n',
        bytes(range(256)) * 8,
    ],
    ids=lambda answer: ascii(answer)[:40],
)
def test_garbage_is_no_telemetry(serve: Callable[[Answer], Server], answer: bytes) -> None:
    server = serve(lambda _: answer)
    with pytest.raises(NoTelemetry):
        ask(server)
    assert len(server.questions) == 2


def test_silence_is_no_telemetry_and_nobody_is_asked_more_than_twice(
    serve: Callable[[Answer], Server], impatient: None
) -> None:
    server = serve(lambda _: None)
    with pytest.raises(NoTelemetry):
        ask(server)
    assert len(server.questions) == 2


def test_an_answer_that_was_lost_is_asked_for_again(
    serve: Callable[[Answer], Server], impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(number: int) -> bytes | None:
        if number == 2:
            return HEADER + INFO + b'5 48 "Alice"\n'
        monkeypatch.setattr(game_server, "TIMEOUT_SECONDS", PATIENCE)  # the second try is waited for
        return None

    assert ask(serve(answer)) == ["Alice"]


def test_two_tries_are_over_long_before_a_job_is_given_to_somebody_else() -> None:
    assert IN_PRODUCTION == 2


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 70, "x." + "y" * 64])
def test_a_host_that_does_not_exist_is_no_telemetry(host: str, impatient: None) -> None:
    with pytest.raises(NoTelemetry):
        GameServer(host, 27960).player_names()


def test_nobody_is_asked_where_no_server_is_configured_or_asking_is_switched_off() -> None:
    assert make_game_server(make_settings()) is None
    assert make_game_server(make_settings(game_server_host="127.0.0.1", server_check_enabled=False)) is None
    assert make_game_server(make_settings(game_server_host="127.0.0.1")) is not None
