"""One name from a request through the jobs it set off to the messages they sent."""

import io
import re

import pytest
from sqlalchemy import select

from slomix.availability.rules import Status
from slomix.jobs import service as jobs
from slomix.jobs.models import Job
from slomix.jobs.service import NewJob
from slomix.runtime import logs
from tests.web.conftest import Browse, Browser
from tests.workers.pump import pump
from tests.workers.stage import go
from tests.world import World

FORM = {"include_available": "on", "start": "21:00", "key": "traced"}


def field(line: str, name: str) -> str | None:
    found = re.search(rf"(?:^| ){name}=(\S+)", line)
    return found[1] if found else None


def test_an_evening_can_be_followed_by_one_name(world: World, browse: Browse, logged: io.StringIO) -> None:
    for name in ("alice", "erik", "franka"):
        world.says(name, Status.LOOKING)
    answer = browse("bob").post("/campaigns", FORM)
    assert answer.status_code == 303, answer.text
    trace = answer.headers["X-Request-ID"]
    go(world, 20, 45)
    go(world, 21)
    pump(world)
    lines = [line for line in logged.getvalue().splitlines() if field(line, "trace") == trace]
    events = {field(line, "event") for line in lines}
    assert events >= {"web.request", "job.released", "job.tried", "delivery.tried"}
    kinds = {field(line, "kind") for line in lines if field(line, "event") == "job.tried"}
    assert kinds >= {"send_reminder_2045", "send_start_2100", "delivery"}
    told = [line for line in lines if field(line, "event") == "delivery.tried"]
    assert len({field(line, "job") for line in told}) == len(told) >= 6, "each names its own job"
    with world.session() as session:
        assert set(session.scalars(select(Job.trace).where(Job.kind == "delivery"))) == {trace}


def test_every_answer_has_a_name_of_its_own_and_of_our_making(anonymous: Browser) -> None:
    names = {anonymous.client.get("/", headers={"X-Request-ID": "forged"}).headers["X-Request-ID"] for _ in range(3)}
    assert len(names) == 3
    assert "forged" not in names


def test_reading_writes_no_line_and_what_fails_does(anonymous: Browser, alice: Browser, logged: io.StringIO) -> None:
    alice.get("/")
    assert logged.getvalue() == ""
    anonymous.get("/stop/a-secret-in-an-address")
    anonymous.get("/nowhere/a-secret-in-an-address")
    assert [field(line, "status") for line in logged.getvalue().splitlines()] == ["404", "404"]
    assert "a-secret-in-an-address" not in logged.getvalue()


def test_a_mistake_of_ours_shows_the_name_under_which_it_stands_in_the_logs(
    alice: Browser, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr("slomix.accounts.claims.request_profile", breaks)
    answer = alice.post("/profile/claim", {"guid": "guid-bob", "note": ""})
    trace = answer.headers["X-Request-ID"]
    assert trace in answer.text
    assert [field(line, "trace") for line in logged.getvalue().splitlines() if "web.error" in line] == [trace]
    assert trace not in alice.get("/nowhere").text


def test_what_nobody_asked_for_is_named_by_its_own_job(world: World, logged: io.StringIO) -> None:
    with world.session() as session:
        jobs.schedule(session, [NewJob("check_members", "2026-11-20", world.clock.now())], now=world.clock.now())
    pump(world)
    with world.session() as session:
        job = session.scalars(select(Job.id).where(Job.kind == "check_members")).one()
    traces = {field(line, "trace") for line in logged.getvalue().splitlines() if field(line, "job") == str(job)}
    assert traces == {f"job-{job}"}
    assert logs.current_trace() is None, "and nothing of it is left"
