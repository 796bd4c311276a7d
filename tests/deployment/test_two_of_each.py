"""Several of each process behind one proxy are one Slomix: one login, one stream of changes, one of each message."""

import os
import re
import signal
import time
from collections import Counter
from datetime import UTC, datetime
from functools import partial

import httpx2
import pytest

from slomix.dev.rehearsal import verdict
from slomix.dev.simulator.people import PEOPLE, TEXT_CHANNEL
from tests.deployment.conftest import SETTLED, Deployment
from tests.deployment.watching import RETRY_SECONDS, OpenPage, Reloading, process_of
from tests.simulators import CAST
from tests.waiting import PATIENCE, until

ASKED = [person.name for person in PEOPLE if person.role in {"player", "promoter"}]
# What a request to a provider takes while the campaign runs.
LATENCY = 1.2
ALL_ALIVE = {
    (part, state): number if state == "alive" else 0
    for part, number in {"worker": 3, "scheduler": 2, "discord": 1, "inbox": 1}.items()
    for state in ("alive", "missing")
}


def test_every_process_of_the_formation_runs(deployment: Deployment) -> None:
    assert set(deployment.pids()) == {
        *("web.1", "web.2", "worker.1", "worker.2", "worker.3", "scheduler.1", "scheduler.2", "discord", "inbox")
    }
    health = httpx2.get(f"http://127.0.0.1:{deployment.web_ports[1]}/health", verify=False)
    assert health.status_code == 200, health.text
    until(lambda: copies(deployment) == ALL_ALIVE, "a heartbeat of each process")


def test_one_login_holds_at_both_web_processes(deployment: Deployment) -> None:
    both = {deployment.process_at(port) for port in deployment.web_ports}
    alice = deployment.person("Alice")
    pages = [alice.get("/") for _ in range(10)]
    assert all(alice.get("/auth/link/status").json()["authenticated"] for _ in range(6))
    found = [re.search(r'data-mark="([^"]+)"', page.text) for page in pages]
    processes = Counter(process_of(one[1]) for one in found if one)
    assert set(processes) == both
    assert min(processes.values()) >= 4, "they take turns"
    # The form's token is from one process, and the form goes to the other.
    today = datetime.now(UTC).astimezone(deployment.zone).date()
    for status in ("LOOKING", "MAYBE", "AVAILABLE", "NOT_PLAYING"):
        assert alice.post(f"/day/{today}/status", status=status).status_code == 200


def test_what_is_limited_is_counted_for_both_together(deployment: Deployment) -> None:
    charlie = deployment.person("Charlie")
    statuses = Counter(charlie.get("/profile?q=spare").status_code for _ in range(32))
    assert statuses == {200: 29, 429: 3}, "the page after the login counts too"


def test_the_cookie_is_for_https_and_for_every_process(deployment: Deployment) -> None:
    [cookie] = httpx2.get(f"{deployment.url}/auth/login", verify=False).headers.get_list("set-cookie")
    assert cookie.startswith("__Host-slomix=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}


def test_what_is_not_for_outside_is_not_there(deployment: Deployment) -> None:
    with httpx2.Client(base_url=deployment.url, verify=False) as client:
        assert client.get("/metrics").status_code == 404
        assert client.get("/metrics/").status_code == 404
        assert client.get("/").headers["Strict-Transport-Security"].startswith("max-age=")
        assert client.post("/", content=b"x" * 200_000).status_code == 413
        # Whoever writes the proxy's headers themselves is not believed.
        forged = {"X-Forwarded-Host": "evil.example", "X-Forwarded-For": "9.9.9.9", "X-Forwarded-Proto": "http"}
        leaving = client.get("/auth/login", headers=forged, follow_redirects=False)
        assert "Secure" in leaving.headers["set-cookie"]
        assert "evil.example" not in client.get("/", headers=forged).text
        assert client.get("/", headers={"Host": "evil.example"}).status_code == 400
    moved = httpx2.get(f"{deployment.plain_url}/day/2026-01-01?x=1", verify=False)
    assert (moved.status_code, moved.headers["location"]) == (301, "https://127.0.0.1/day/2026-01-01?x=1")


def test_a_change_made_at_one_process_is_heard_at_the_other_within_a_second(deployment: Deployment) -> None:
    first, second = (deployment.process_at(port) for port in deployment.web_ports)
    alice = deployment.person("Alice")
    cookies = "; ".join(f"{name}={value}" for name, value in alice._http.cookies.items())
    at_second = f"http://127.0.0.1:{deployment.web_ports[1]}"
    today = datetime.now(UTC).astimezone(deployment.zone).date()
    with OpenPage(deployment.url) as one, OpenPage(deployment.url) as two:
        pages = [one, two]
        until(lambda: {page.process for page in pages} == {first, second}, "a stream at each process")
        deployment.tell("before")
        until(lambda: all(page.moment_of("before", after=0) for page in pages), "both to know all that was said before")
        began = time.monotonic()
        answer = httpx2.post(
            f"{at_second}/api/availability",
            json={"date": str(today), "status": "LOOKING"},
            headers={"Cookie": cookies, "Origin": at_second, "X-Requested-With": "XMLHttpRequest"},
            verify=False,
        )
        took = time.monotonic() - began
        assert answer.status_code == 200, answer.text
        until(lambda: all(page.moment_of("board", after=began) for page in pages), "both pages to hear of it")
        [page] = [page for page in pages if page.process == first]
        heard = page.moment_of("board", after=began)
        assert heard is not None
        assert heard - began < 1 + 2 * took, "more than the request itself tells of how busy the machine is"


def test_restarting_every_process_in_the_middle_of_a_campaign_loses_nothing(deployment: Deployment) -> None:
    control = deployment.control
    control.reset()
    deployment.are_looking(*ASKED)
    bob = deployment.person("Bob")
    time.sleep(max(0.0, SETTLED - (time.monotonic() - deployment.up_since)))
    control.add_fault("latency", seconds=LATENCY)
    with Reloading(deployment.url) as visitor, OpenPage(deployment.url) as one, OpenPage(deployment.url) as two:
        alice = CAST["Alice"].id
        bob.promote(start=f"{datetime.now(UTC).astimezone(deployment.zone):%H:%M}")
        until(lambda: received(deployment)[verdict.START], "the first start notice")
        assert sum(received(deployment)[verdict.START].values()) < len(ASKED) - 3, "no middle to be restarted in"
        for name in ("worker.1", "worker.2", "worker.3"):
            deployment.restart(name)
        until(lambda: alice in received(deployment)[verdict.START], "the notice to Alice")
        control.move_voice(alice, "default")
        for name in ("web.1", "scheduler.1", "web.2", "scheduler.2", "discord", "inbox"):
            deployment.restart(name)
        until(lambda: sum(received(deployment)[verdict.SUMMARY].values()), "the summary")
        control.clear_faults()

        # The pages are back, at whatever process, and hear what is said now.
        began = time.monotonic()
        bob.set_status(str(datetime.now(UTC).astimezone(deployment.zone).date()), "MAYBE")
        for page in (one, two):
            until(partial(page.moment_of, "board", after=began), "an open page to hear of a change")
    everybody = {CAST[name].id for name in ASKED}
    got = received(deployment)
    assert got[verdict.START] == Counter(everybody), "everybody is called, and nobody twice"
    assert got[verdict.FOLLOW_UP] == Counter(everybody - {alice}), "who is missing is asked once"
    assert got[verdict.SUMMARY] == Counter({TEXT_CHANNEL: 1})
    assert not got["other"]
    assert not got[verdict.REMINDER]

    assert set(visitor.answers) == {"200"}, "somebody who reloads notices nothing"
    assert visitor.answers["200"] > 50
    until(lambda: copies(deployment) == ALL_ALIVE, "all that were restarted, and nobody to be missed")
    for page in (one, two):
        assert page.refused == []
        assert len(page.connected) >= 2
        gaps = [back - gone for gone, back in zip(page.ended, page.connected[1:], strict=False)]
        # A reload in the same minutes says how much else the machine does.
        assert max(gaps) < RETRY_SECONDS + 4 * max(1, visitor.slowest), "it is without a stream for a moment only"


def copies(deployment: Deployment) -> dict[tuple[str, str], int]:
    """How many processes of each kind give a sign or are missing, as a monitor reads it."""
    told = httpx2.get(f"http://127.0.0.1:{deployment.web_ports[0]}/metrics", verify=False).text
    found = re.findall(r'^slomix_part_copies\{part="(\w+)",state="(\w+)"\} (\d+)', told, re.MULTILINE)
    return {(part, state): int(number) for part, state, number in found}


def received(deployment: Deployment) -> dict[str, Counter[str]]:
    return verdict.count_received(deployment.control.messages())


def test_a_stop_ends_all_in_time(deployment: Deployment) -> None:
    """Must stay the last of this folder: it ends what the others use."""
    pids = deployment.pids()
    began = time.monotonic()
    deployment.process.send_signal(signal.SIGTERM)
    assert deployment.process.wait(PATIENCE) == 0
    assert time.monotonic() - began < 15
    for pid in pids.values():
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
