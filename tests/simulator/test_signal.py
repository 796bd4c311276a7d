"""The signal-cli-rest-api: one number that writes to people's phones and is written to."""

import concurrent.futures
from typing import Any

import httpx2
import pytest

from slomix.dev.simulator.people import PEOPLE, SIGNAL_SENDER, environment
from slomix.dev.simulator.signal import LONGEST_WAIT_SECONDS
from tests.simulators import CAST, Simulator
from tests.waiting import until

ALICE = CAST["Alice"]
OURS = f"/v1/receive/{SIGNAL_SENDER.replace('+', '%2B')}"


def write(simulator: Simulator, text: str, **more: Any) -> None:
    body = {"user_id": ALICE.id, "text": text, **more}
    simulator.client().post("/control/signal", json=body).raise_for_status()


def send(api: httpx2.Client, *numbers: str, sender: str = SIGNAL_SENDER) -> httpx2.Response:
    return api.post("/v2/send", json={"message": "Hi", "number": sender, "recipients": list(numbers)})


def received(api: httpx2.Client, timeout: float = 0) -> list[dict[str, Any]]:
    answer = api.get(OURS, params={"timeout": timeout}).raise_for_status().json()
    assert all(one["account"] == SIGNAL_SENDER for one in answer)
    return [one["envelope"] for one in answer]


def test_the_addresses_are_in_the_settings_and_everybody_has_one(simulator: Simulator) -> None:
    settings = environment(simulator.port)
    assert settings["AVAILABILITY_SIGNAL_DAEMON_URL"] == f"{simulator.url}/signal"
    assert settings["AVAILABILITY_SIGNAL_SENDER"] == SIGNAL_SENDER
    assert len({person.signal_number for person in PEOPLE} | {SIGNAL_SENDER}) == len(PEOPLE) + 1
    assert ALICE.signal_number == "+38640000001"
    with simulator.signal() as api:
        assert "v2" in api.get("/v1/about").json()["versions"]


def test_a_message_is_taken_and_its_phone_says_so(simulator: Simulator) -> None:
    with simulator.signal() as api:
        answers = [send(api, ALICE.signal_number) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [201, 201]
        assert len({answer.json()["timestamp"] for answer in answers}) == 2
        receipts = [envelope["receiptMessage"]["isDelivery"] for envelope in received(api)]
    assert receipts == [True, True]
    message = simulator.messages()[0]
    assert (message["provider"], message["kind"], message["to"], message["text"]) == ("signal", "dm", ALICE.id, "Hi")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"message": "Hi", "number": "+38641999999", "recipients": [ALICE.signal_number]}, "is not registered"),
        ({"message": "Hi", "number": SIGNAL_SENDER, "recipients": []}, "at least one recipient"),
        ({"message": "", "number": SIGNAL_SENDER, "recipients": [ALICE.signal_number]}, "empty"),
        (
            {"message": "Hi", "number": SIGNAL_SENDER, "recipients": ["+38699999999"]},
            'Unregistered user "+38699999999"',
        ),
        (
            {"message": "Hi", "number": SIGNAL_SENDER, "recipients": [ALICE.signal_number, "+38699999999"]},
            'Unregistered user "+38699999999"',
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


def test_what_people_write_is_given_once(simulator: Simulator) -> None:
    write(simulator, "LINK ABC")
    write(simulator, "hello", group=True)
    with simulator.signal() as api:
        typing, alone, together = received(api)
        assert received(api) == []
    assert "dataMessage" not in typing
    assert (alone["sourceNumber"], alone["sourceName"]) == (ALICE.signal_number, "Alice")
    assert alone["dataMessage"]["message"] == "LINK ABC"
    assert "groupInfo" not in alone["dataMessage"]
    assert together["dataMessage"]["groupInfo"]["groupId"]


def test_only_our_own_number_can_be_read(simulator: Simulator) -> None:
    with simulator.signal() as api:
        assert api.get("/v1/receive/%2B38641999999").status_code == 400
        assert api.get(OURS, params={"timeout": "soon"}).status_code == 400


def test_asking_waits_for_somebody_to_write(simulator: Simulator) -> None:
    with simulator.signal() as api, concurrent.futures.ThreadPoolExecutor() as pool:
        asking = pool.submit(received, api, LONGEST_WAIT_SECONDS)
        until(lambda: simulator.is_polled("signal"), "the request to wait")
        write(simulator, "hello", group=True)
        [envelope] = asking.result(LONGEST_WAIT_SECONDS / 2)  # before it would end by itself
    assert envelope["dataMessage"]["message"] == "hello"


def test_what_goes_wrong_on_purpose(simulator: Simulator) -> None:
    with simulator.client() as control, simulator.signal() as api:

        def switch_on(fault: str, **parameters: Any) -> None:
            body = {"provider": "signal", "fault": fault, **parameters}
            control.post("/control/faults", json=body).raise_for_status()

        switch_on("challenge", times=1)
        challenged = send(api, ALICE.signal_number)
        assert (challenged.status_code, challenged.json()["account"]) == (429, SIGNAL_SENDER)
        assert challenged.json()["challenge_tokens"]
        switch_on("rate_limit", retry_after=4.2, times=1)
        limited = send(api, ALICE.signal_number)
        assert (limited.status_code, limited.headers["Retry-After"]) == (429, "5")
        assert "challenge_tokens" not in limited.json()
        switch_on("cut_after_accept", times=1)
        with pytest.raises(httpx2.TransportError):
            send(api, ALICE.signal_number)
        assert len(simulator.messages()) == 1
        switch_on("closed_dm", user_id=ALICE.id)
        assert "Unregistered user" in send(api, ALICE.signal_number).json()["error"]
        assert send(api, CAST["Bob"].signal_number).status_code == 201
