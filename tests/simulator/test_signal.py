"""The signal-cli-rest-api: one number that writes to people's phones and is written to."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from slomix.dev.simulator.faults import KINDS
from slomix.dev.simulator.people import PEOPLE, SIGNAL_SENDER, environment
from slomix.dev.simulator.signal import MISHAPS
from tests.simulators import CAST, Simulator
from tests.waiting import PATIENCE, until

ALICE = CAST["Alice"]
OURS = f"/v1/receive/{SIGNAL_SENDER.replace('+', '%2B')}"
# For so long nothing comes that is not to come.
MOMENT = 0.2


def control(simulator: Simulator, path: str, **body: Any) -> None:
    simulator.client().post(f"/control/{path}", json=body).raise_for_status()


def write(simulator: Simulator, text: str, **more: Any) -> None:
    control(simulator, "signal", user_id=ALICE.id, text=text, **more)


def send(api: httpx2.Client, *recipients: str, sender: str = SIGNAL_SENDER) -> httpx2.Response:
    return api.post("/v2/send", json={"message": "Hi", "number": sender, "recipients": list(recipients)})


@contextmanager
def listening(simulator: Simulator, path: str = OURS) -> Iterator[ClientConnection]:
    with connect(f"{simulator.url.replace('http', 'ws')}/signal{path}", open_timeout=PATIENCE) as socket:
        if path == OURS:
            until(lambda: simulator.is_polled("signal"), "the simulator to know who listens")
        yield socket


def heard(socket: ClientConnection) -> dict[str, Any]:
    """The next envelope."""
    said = json.loads(socket.recv(timeout=PATIENCE))
    assert said["account"] == SIGNAL_SENDER
    return dict(said["envelope"])


def test_the_addresses_are_in_the_settings_and_everybody_has_two(simulator: Simulator) -> None:
    settings = environment(simulator.port)
    assert settings["AVAILABILITY_SIGNAL_DAEMON_URL"] == f"{simulator.url}/signal"
    assert settings["AVAILABILITY_SIGNAL_SENDER"] == SIGNAL_SENDER
    addresses = {address for person in PEOPLE for address in (person.signal_number, person.signal_aci)}
    assert len(addresses | {SIGNAL_SENDER}) == 2 * len(PEOPLE) + 1
    assert ALICE.signal_number == "+38640000001"
    with simulator.signal() as api:
        about = api.get("/v1/about").json()
        assert (about["mode"], about["version"]) == ("json-rpc", "0.98")
        assert api.get("/v1/accounts").json() == [SIGNAL_SENDER]


@pytest.mark.parametrize("address", [ALICE.signal_number, ALICE.signal_aci])
def test_a_message_is_taken_for_a_number_and_for_an_account(simulator: Simulator, address: str) -> None:
    with simulator.signal() as api, listening(simulator) as socket:
        answers = [send(api, address) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [201, 201]
        assert len({answer.json()["timestamp"] for answer in answers}) == 2
        assert [heard(socket)["receiptMessage"]["isDelivery"] for _ in range(2)] == [True, True]
    message = simulator.messages()[0]
    assert (message["provider"], message["kind"], message["to"], message["text"]) == ("signal", "dm", ALICE.id, "Hi")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"message": "Hi", "number": "+38641999999", "recipients": [ALICE.signal_number]}, "is not registered"),
        ({"message": "Hi", "number": SIGNAL_SENDER, "recipients": []}, "at least one recipient"),
        ({"message": "", "number": SIGNAL_SENDER, "recipients": [ALICE.signal_number]}, "empty"),
        ({"message": "Hi", "number": SIGNAL_SENDER, "recipients": ["+38699999999"]}, "Failed to send message"),
        (
            {"message": "Hi", "number": SIGNAL_SENDER, "recipients": [ALICE.signal_number, "+38699999999"]},
            "Failed to send message",
        ),
        ([], "invalid request"),
    ],
    ids=str,
)
def test_what_signal_would_not_take_is_not_taken(simulator: Simulator, body: Any, error: str) -> None:
    with simulator.signal() as api:
        answer = api.post("/v2/send", json=body)
    assert (answer.status_code, error in answer.json()["error"]) == (400, True)
    assert simulator.messages() == []


def test_only_without_json_rpc_the_service_says_who_is_unknown(simulator: Simulator) -> None:
    with simulator.signal() as api:
        assert send(api, "+38699999999").json()["error"] == "Failed to send message"
        control(simulator, "signal-service", mode="normal")
        assert 'Unregistered user "+38699999999"' in send(api, "+38699999999").json()["error"]


def test_before_version_0_85_an_account_is_no_recipient(simulator: Simulator) -> None:
    control(simulator, "signal-service", version="0.84")
    with simulator.signal() as api:
        assert send(api, ALICE.signal_aci).status_code == 400
        assert send(api, ALICE.signal_number).status_code == 201


def test_what_people_write_is_pushed_to_everybody_who_listens(simulator: Simulator) -> None:
    with listening(simulator) as one, listening(simulator) as other:
        until(lambda: simulator.client().get("/control/polls").json()["signal"] == 2, "both to listen")
        write(simulator, "LINK ABC")
        write(simulator, "hello", group=True)
        for socket in (one, other):
            typing, alone, together = (heard(socket) for _ in range(3))
            assert "dataMessage" not in typing
            assert (alone["sourceUuid"], alone["sourceName"]) == (ALICE.signal_aci, "Alice")
            assert alone["dataMessage"]["message"] == "LINK ABC"
            assert "groupInfo" not in alone["dataMessage"]
            assert together["dataMessage"]["groupInfo"]["groupId"]


def test_a_number_is_told_only_to_whom_has_written_and_never_when_it_is_hidden(simulator: Simulator) -> None:
    def number_of(text: str, **more: Any) -> Any:
        write(simulator, text, group=True, **more)
        envelope = heard(socket)
        assert envelope["source"] == (envelope["sourceNumber"] or ALICE.signal_aci)
        return envelope["sourceNumber"]

    with simulator.signal() as api, listening(simulator) as socket:
        assert number_of("first") is None
        send(api, ALICE.signal_aci)
        heard(socket)
        assert number_of("second") == ALICE.signal_number
        assert number_of("third", hides_number=True) is None
        assert number_of("fourth") is None


def test_what_is_written_while_nobody_listens_is_gone(simulator: Simulator) -> None:
    write(simulator, "too early", group=True)
    with listening(simulator) as socket:
        write(simulator, "in time", group=True)
        assert heard(socket)["dataMessage"]["message"] == "in time"
        control(simulator, "signal-service", drop=True)
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=PATIENCE)
        write(simulator, "too late", group=True)
    with listening(simulator) as socket, pytest.raises(TimeoutError):
        socket.recv(timeout=MOMENT)


def test_another_number_may_listen_and_never_hears(simulator: Simulator) -> None:
    with listening(simulator, "/v1/receive/%2B38641999999") as socket:
        write(simulator, "hello", group=True)
        with pytest.raises(TimeoutError):
            socket.recv(timeout=MOMENT)


def test_each_mode_receives_in_one_way_only(simulator: Simulator) -> None:
    with simulator.signal() as api:
        plain = api.get(OURS, params={"timeout": 1})
        assert (plain.status_code, "not using the websocket protocol" in plain.text) == (400, True)
        control(simulator, "signal-service", mode="native")
        assert api.get("/v1/about").json()["mode"] == "native"
        assert api.get(OURS).json() == []
        with pytest.raises(InvalidStatus), listening(simulator):
            pass


@pytest.mark.parametrize("body", [{"mode": "fast"}, {"version": "new"}, {"version": 1}, {"moed": "normal"}], ids=str)
def test_a_service_that_does_not_exist_is_refused(simulator: Simulator, body: Any) -> None:
    assert simulator.client().post("/control/signal-service", json=body).status_code == 422


def test_every_misleading_answer_has_a_name() -> None:
    assert set(KINDS) == {*MISHAPS, "recipients", "empty", "html"}


def test_what_goes_wrong_on_purpose(simulator: Simulator) -> None:
    with simulator.signal() as api:

        def switch_on(fault: str, **parameters: Any) -> None:
            control(simulator, "faults", provider="signal", fault=fault, **parameters)

        switch_on("challenge", times=1)
        challenged = send(api, ALICE.signal_number)
        assert (challenged.status_code, challenged.json()["account"]) == (429, SIGNAL_SENDER)
        assert all(challenged.json()["challenge_tokens"])
        switch_on("rate_limit", retry_after=4.2, times=1)
        limited = send(api, ALICE.signal_number)
        assert (limited.status_code, limited.json()["challenge_tokens"]) == (429, [""])
        assert "Retry-After" not in limited.headers
        switch_on("cut_after_accept", times=1)
        with pytest.raises(httpx2.TransportError):
            send(api, ALICE.signal_number)
        assert len(simulator.messages()) == 1
        switch_on("closed_dm", user_id=ALICE.id)
        assert send(api, ALICE.signal_number).status_code == 400
        assert send(api, CAST["Bob"].signal_number).status_code == 201
        refused = simulator.client().post(
            "/control/faults", json={"provider": "signal", "fault": "mishap", "kind": "odd"}
        )
        assert refused.status_code == 422
