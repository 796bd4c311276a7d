"""W72: jobs and ledger as admins see them: found, paged, tried again, called off; no words and no addresses."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from slomix.admin import search
from slomix.admin.names import JOB_NAMES
from slomix.availability.rules import Status
from slomix.campaigns import rules
from slomix.contacts.rules import ChannelName
from slomix.deliveries.models import Delivery
from slomix.deliveries.names import NOTICE_NAMES
from slomix.deliveries.rules import DeliveryStatus
from slomix.jobs import service as jobs
from slomix.jobs.models import Job
from slomix.jobs.rules import UNLIMITED, JobStatus
from slomix.jobs.service import NewJob
from slomix.processes import dispatch
from slomix.reasons.codes import Explanation, Reason
from tests.moments import at
from tests.steps import call
from tests.web.conftest import Browse, Browser, is_page, lands, nothing_stored
from tests.workers.pump import pump
from tests.world import World


@pytest.fixture
def campaign(world: World) -> int:
    for name in ("alice", "erik"):
        world.says(name, Status.LOOKING)
    return call(world)[0]


def test_every_kind_of_job_and_of_message_has_words() -> None:
    assert set(JOB_NAMES) == set(dispatch.HANDLERS)
    assert set(NOTICE_NAMES) >= set(dispatch.NOTICES)


def test_what_is_tried_until_its_deadline_shows_no_number_of_tries(world: World, dora: Browser) -> None:
    a_job(world, attempts=1, max_attempts=UNLIMITED)
    assert "<span>1 try</span>" in dora.get("/admin/jobs").text
    a_job(world, attempts=1, max_attempts=5)
    assert "<span>1 of 5 tries</span>" in dora.get("/admin/jobs").text


def a_job(world: World, **values: object) -> int:
    """One of no campaign, in this state."""
    with world.session() as session:
        jobs.schedule(session, [NewJob("check_members", "2026-11-20", run_at=at(20))], now=at(20))
        [one] = session.scalars(select(Job.id).where(Job.kind == "check_members"))
        session.execute(update(Job).where(Job.id == one).values(**values))
    return one


def delivery(world: World, **values: object) -> tuple[int, int]:
    """Alice's reminder in this state, and the job that carries it."""
    with world.session() as session:
        theirs = (Delivery.player_id == world.players["alice"]) & (Delivery.notice == "send_reminder_2045")
        one = session.scalars(select(Delivery.id).where(theirs)).one()
        carrier = (Job.kind == "delivery") & (Job.subject == str(one))
        if values:
            session.execute(update(Delivery).where(Delivery.id == one).values(**values))
            session.execute(
                update(Job)
                .where(carrier)
                .values(status="failed", last_error=Explanation(Reason.DISCORD_ANSWERED, "500"))
            )
        return one, session.scalars(select(Job.id).where(carrier)).one()


def form_of(browser: Browser, path: str) -> dict[str, str]:
    [form] = browser.page(path).by_id("main").all("form")
    return {one.attributes["name"]: one.attributes["value"] for one in form.all("input")}


def status_of(world: World, job_id: int) -> JobStatus:
    with world.session() as session:
        return session.get_one(Job, job_id, populate_existing=True).status


def test_nothing_is_a_sentence(dora: Browser) -> None:
    assert "No such job." in dora.page("/admin/jobs").words
    assert "No such message." in dora.page("/admin/ledger").words


@pytest.mark.parametrize(("who", "status"), [(None, 401), ("charlie", 403), ("alice", 403), ("bob", 403)])
@pytest.mark.parametrize("deed", ["retry", "cancel"])
def test_only_admins_do_it(world: World, browse: Browse, who: str | None, status: int, deed: str) -> None:
    one, browser = a_job(world, status="failed" if deed == "retry" else "pending"), browse(who)
    with nothing_stored(world):
        assert browser.get(f"/admin/jobs/{one}/{deed}").status_code == status
        assert browser.post(f"/admin/jobs/{one}/{deed}").status_code == status


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("", 9),
        ("?status=pending", 8),
        ("?status=failed", 1),
        ("?kind=delivery", 4),
        ("?lane=discord", 4),
        ("?q=CAMPAIGN", 4),
        ("?q=%25", 0),
        ("?late=on", 0),
        ("?status=nonsense&kind=nonsense&lane=nonsense&before=nonsense", 9),
    ],
)
def test_the_filters(world: World, campaign: int, dora: Browser, query: str, number: int) -> None:
    a_job(world, status="failed", last_error=Explanation(Reason.DISCORD_ANSWERED, "500"))
    page = dora.page(f"/admin/jobs{query}").by_id("main")
    assert len(page.all("strong")) == number
    if number == 9:
        assert "Discord answered 500" in page.words


def test_overdue_is_what_should_have_been_done(world: World, campaign: int, dora: Browser) -> None:
    world.clock.move_to(at(20, 50))
    page = dora.page("/admin/jobs?late=on").by_id("main")
    assert [one.words for one in page.all("strong")] == ["campaign_watch", "send_reminder_2045", "delivery", "delivery"]


@pytest.mark.parametrize("status", [None, JobStatus.PENDING])
def test_every_page_goes_on_where_the_last_one_ended(world: World, campaign: int, status: JobStatus | None) -> None:
    wanted, seen, beyond = search.JobFilter(status=status), [], None
    with world.session() as session:
        while True:
            found, beyond = search.find_jobs(session, wanted, after_id=beyond, now=at(20), wall=at(20), limit=3)
            seen += [(one.run_at, one.id) for one in found]
            if beyond is None:
                break
    assert len(seen) == len(set(seen)) == 8
    assert seen == (sorted(seen) if status else sorted(seen, key=lambda one: -one[1]))


def test_a_failed_job_is_tried_again_after_a_page_that_says_so(world: World, dora: Browser) -> None:
    one = a_job(world, status="failed", last_error=Explanation(Reason.OTHER, "it broke"))
    assert "Retry" in " ".join(dora.page("/admin/jobs").by_id("main").buttons)
    with nothing_stored(world):
        assert "It’s due at once" in dora.page(f"/admin/jobs/{one}/retry").words
    assert lands(dora.post(f"/admin/jobs/{one}/retry", form_of(dora, f"/admin/jobs/{one}/retry"))) == "/admin/jobs"
    assert status_of(world, one) is JobStatus.PENDING
    assert "It’s being retried." in dora.page("/admin/jobs").by_id("flash").words


def test_what_changed_since_the_admin_looked_is_left_alone(world: World, dora: Browser) -> None:
    one = a_job(world, status="pending")
    form = form_of(dora, f"/admin/jobs/{one}/cancel")
    a_job(world, claims=1)
    with nothing_stored(world):
        assert "has changed since you looked" in is_page(dora.post(f"/admin/jobs/{one}/cancel", form), 409)
        assert "has changed since you looked" in is_page(dora.post(f"/admin/jobs/{one}/cancel"), 409)
    dora.post(f"/admin/jobs/{one}/cancel", form_of(dora, f"/admin/jobs/{one}/cancel"))
    assert status_of(world, one) is JobStatus.SKIPPED


@pytest.mark.parametrize(
    ("deed", "values", "said"),
    [
        ("retry", {"status": "sent"}, "Only failed jobs"),
        ("retry", {"status": "failed", "deadline_at": at(20, 5)}, "too late"),
        ("cancel", {"status": "running", "lease_until": at(21)}, "on this job right now"),
        ("cancel", {"status": "failed"}, "This job is over (failed)"),
    ],
)
def test_what_cannot_be_done_is_a_sentence_already_before(
    world: World, dora: Browser, deed: str, values: dict[str, object], said: str
) -> None:
    one = a_job(world, **values)
    with nothing_stored(world):
        assert said in is_page(dora.get(f"/admin/jobs/{one}/{deed}"), 409)


@pytest.mark.parametrize("path", ["jobs/4242/retry", "jobs/4242/cancel", "ledger/4242"])
def test_no_such_thing_is_a_sentence(dora: Browser, path: str) -> None:
    is_page(dora.get(f"/admin/{path}"), 404)


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("", 4),
        ("?day=2026-11-20", 4),
        ("?day=2026-11-19", 0),
        ("?day=9999-12-31&status=x&channel=x&notice=x&campaign=x", 4),
        ("?status=failed", 1),
        ("?channel=telegram", 0),
        ("?notice=send_start_2100", 2),
        ("?q=ali", 2),
        ("?q=^1Alice", 2),
        ("?campaign=999999", 0),
    ],
)
def test_the_ledger_is_filtered_and_counted(
    world: World, campaign: int, dora: Browser, query: str, number: int
) -> None:
    delivery(world, status="failed", reason=Explanation(Reason.DISCORD_ANSWERED, "500"), settled_at=at(20, 45))
    page = dora.page(f"/admin/ledger{query}").by_id("main")
    assert len(page.all("strong")) == number
    tallies = [one.words for one in page.all("ul") if one.attributes.get("class") == "tallies"]
    if query in {"", "?day=2026-11-20"}:
        assert tallies == ["planned 3 failed 1"]
        assert "Reminder → Alice" in page.words


def test_the_ledger_goes_on_where_the_last_page_ended(world: World, campaign: int) -> None:
    settings, wanted = world.runtime.settings, search.DeliveryFilter(channel=ChannelName.DISCORD)
    with world.session() as session:
        first, before = search.find_deliveries(session, wanted, settings=settings, limit=3)
        rest, end = search.find_deliveries(session, wanted, before_id=before, settings=settings, limit=3)
    ids = [line.row.id for line in (*first, *rest)]
    assert ids == sorted(ids, reverse=True)
    assert (len(ids), end) == (4, None)


def test_a_message_is_shown_with_its_tries_and_without_its_words(world: World, campaign: int, dora: Browser) -> None:
    world.clock.move_to(at(20, 45))
    pump(world)
    one, _ = delivery(world)
    answer = dora.get(f"/admin/ledger/{one}").text + dora.get("/admin/ledger").text
    assert "Attempt 1 began" in " ".join(answer.split())
    for private in ("Game night starts", world.discord_ids["alice"]):
        assert private not in answer


def test_a_failed_message_is_tried_again_and_an_unknown_one_with_a_warning(
    world: World, campaign: int, dora: Browser
) -> None:
    world.clock.move_to(at(20, 46))
    one, job = delivery(
        world, status="unknown", reason=Explanation(Reason.OTHER, "no answer"), settled_at=at(20, 45), text="Come!"
    )
    assert "Retry" in dora.page(f"/admin/ledger/{one}").by_id("main").buttons
    page = dora.page(f"/admin/jobs/{job}/retry").by_id("main")
    assert "may have arrived already, and would then arrive twice" in page.words
    form = form_of(dora, f"/admin/jobs/{job}/retry")
    with nothing_stored(world):
        unaware = {name: value for name, value in form.items() if name != "twice"}
        assert "may have arrived" in is_page(dora.post(f"/admin/jobs/{job}/retry", unaware), 409)
    assert lands(dora.post(f"/admin/jobs/{job}/retry", form)) == f"/admin/ledger/{one}"
    assert status_of(world, job) is JobStatus.PENDING
    world.clock.move_to(at(21) + timedelta(seconds=1))
    delivery(world, status="failed", reason=Explanation(Reason.OTHER, "it broke"))
    assert "Retry" not in dora.page(f"/admin/ledger/{one}").by_id("main").buttons, "a reminder after the start is none"


def test_a_planned_message_is_called_off(world: World, campaign: int, dora: Browser) -> None:
    one, job = delivery(world)
    assert "skipped: cancelled by an operator" in dora.page(f"/admin/jobs/{job}/cancel").by_id("main").words
    form = form_of(dora, f"/admin/jobs/{job}/cancel")
    assert lands(dora.post(f"/admin/jobs/{job}/cancel", form)) == f"/admin/ledger/{one}"
    with world.session() as session:
        row = session.get_one(Delivery, one, populate_existing=True)
        assert (row.status, row.reason) == (DeliveryStatus.SKIPPED, Explanation(Reason.CANCELLED_BY_OPERATOR))
    page = dora.page(f"/admin/ledger/{one}")
    assert page.by_id("main").buttons == []
    assert "Cancelled. The ledger" in page.by_id("flash").words


def test_whoever_cancels_a_phase_is_told_how_many_messages_went_with_it(
    world: World, campaign: int, dora: Browser
) -> None:
    with world.session() as session:
        phase = session.scalars(select(Job.id).where(Job.kind == rules.REMINDER)).one()
        waiting = session.scalars(select(func.count(Delivery.id)).where(Delivery.notice == rules.REMINDER)).one()
    dora.post(f"/admin/jobs/{phase}/cancel", form_of(dora, f"/admin/jobs/{phase}/cancel"))
    assert waiting > 0
    assert f"with {waiting} unsent messages." in dora.page("/admin/jobs").by_id("flash").words
