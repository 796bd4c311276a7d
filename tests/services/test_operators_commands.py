"""What operators ask about an evening, and the switch that stops all sending."""

import json

import pytest
from sqlalchemy import update

from slomix.availability.rules import Status
from slomix.campaigns import evening_report, queries
from slomix.campaigns.models import Campaign
from slomix.channels.base import SendError, Unanswered
from slomix.contacts.rules import ChannelName
from slomix.database.session import Database
from slomix.deliveries import pausing
from slomix.deliveries.models import Attempt, Delivery
from slomix.deliveries.rules import AttemptEvent
from slomix.jobs.models import Job
from slomix.reasons.codes import Explanation, Reason
from tests.configuration import ROOM
from tests.moments import at
from tests.steps import call, do
from tests.workers.pump import pump
from tests.workers.stage import in_voice
from tests.world import World


@pytest.fixture
def evening(installation: World) -> str:
    """Bob called Alice and Erik; Alice came, one try at Erik failed first."""
    world = installation
    for name in ("alice", "erik"):
        world.says(name, Status.LOOKING)
    campaign_id = call(world)[0]
    world.clock.move_to(at(20, 45))
    world.discord.answers = [SendError(Reason.DISCORD_ANSWERED, "500")]
    pump(world)
    world.clock.move_to(at(20, 46))
    pump(world)
    world.clock.move_to(at(21))
    pump(world)
    world.clock.move_to(at(21, 0, 30))
    in_voice(world, alice=ROOM)
    pump(world)
    return str(campaign_id)


def verdict(world: World, campaign_id: str) -> dict[str, bool]:
    with world.session() as session:
        found = evening_report.build_report(session, queries.get_campaign(session, int(campaign_id)))["verdict"]
    return {one["promise"]: one["kept"] for one in found}


def broken(world: World, campaign_id: str) -> list[str]:
    return [promise for promise, kept in verdict(world, campaign_id).items() if not kept]


def test_an_evening_is_shown_on_the_communitys_clock_and_names_it(installation: World, evening: str) -> None:
    answer = do("campaign", "show", evening)
    assert answer.exit_code == 0, answer.output
    for words in (
        f"Campaign {evening} for 2026-11-20, start 21:00:00: followup_sent",
        "called by Bob at 20:30:00, 2 asked, 1 of 2 in voice at the voice check",
        "Times are those of Europe/Ljubljana.",
        "20:45:00  try 1 begun",
        "20:45:00  try 1 ended: pending, Discord answered 500",
        "20:46:00  try 2 ended: sent",
        "kept   exactly one job of each type",
    ):
        assert words in answer.output, answer.output
    assert "19:45" not in answer.output, "nobody lives in UTC"
    assert "BROKEN" not in answer.output


def test_as_json_it_is_the_same_with_moments_and_ids_as_texts(installation: World, evening: str) -> None:
    shown = json.loads(do("campaign", "show", evening, "--json").output)
    assert shown["campaign"]["id"] == evening
    assert (shown["campaign"]["came"], shown["campaign"]["of"]) == (1, 2)
    assert {job["kind"] for job in shown["jobs"]} == {"send_reminder_2045", "send_start_2100", "voice_check_2100"}
    tried = [row for row in shown["ledger"] if row["tries"] == 2]
    assert [half["at"] for half in tried[0]["attempts"]] == [at(20, 45).isoformat()] * 2 + [at(20, 46).isoformat()] * 2
    assert len(shown["verdict"]) == 8
    assert all(one["kept"] for one in shown["verdict"])


def test_there_is_no_evidence_of_what_is_not_there(installation: World) -> None:
    answer = do("campaign", "show", "7")
    assert (answer.exit_code, "no such campaign" in answer.output) == (1, True)


def test_the_list_tells_the_turn_out_and_which_zone(installation: World, evening: str) -> None:
    call(installation, key="try", dry_run=True)
    lines = do("campaign", "list").output.splitlines()
    assert lines[0] == "Times are those of Europe/Ljubljana."
    assert lines[1].split()[:6] == ["2", "2026-11-20", "21:00", "scheduled", "dry", "run"]
    assert lines[2].split() == [
        *(evening, "2026-11-20", "21:00", "followup_sent", "2", "players", "notified"),
        *("1", "of", "2", "in", "voice", "at", "21:00.", "Bob"),
    ]
    assert lines[1].index("Bob") == lines[2].index("Bob"), "in columns"
    dry, real = json.loads(do("campaign", "list", "--json").output)
    assert (dry["dry_run"], dry["came"]) == (True, None)
    assert (real["id"], real["came"], real["of"], real["recipients"]) == (evening, 1, 2, 2)


def test_before_the_first_the_list_says_so(installation: World) -> None:
    assert do("campaign", "list").output == "No campaign yet.\n"


def change(world: World | Database, table: type, notice: str, **values: object) -> None:
    """Break what the code would never."""
    with world.session() if isinstance(world, World) else world.transaction() as session:
        row = session.query(Delivery).filter_by(notice=notice).order_by(Delivery.id).first()
        assert row is not None
        where = Delivery.id == row.id if table is Delivery else Attempt.delivery_id == row.id
        session.execute(update(table).where(where).values(**values))


def test_every_promise_can_be_seen_to_be_broken(installation: World, owner: Database, evening: str) -> None:
    assert broken(installation, evening) == []
    change(owner, Attempt, "send_start_2100", at=at(21, 15))
    assert broken(installation, evening) == ["nothing left after its deadline"]
    change(owner, Attempt, "send_start_2100", at=at(21))
    change(
        installation, Delivery, "send_start_2100", status="unknown", reason=Explanation(Reason.OTHER, "nobody knows")
    )
    assert broken(installation, evening) == ["unknown is only what got no answer"]
    change(installation, Delivery, "send_start_2100", status="failed", reason=None)
    assert broken(installation, evening) == ["what was not sent has its reason"]
    change(installation, Delivery, "send_start_2100", status="sent", reason=None)
    with installation.session() as session:
        session.query(Job).filter_by(kind="send_start_2100").delete()
    assert broken(installation, evening) == ["exactly one job of each type"]
    assert do("campaign", "show", evening).exit_code == 1


def row_of(world: World, notice: str) -> Delivery:
    with world.session() if isinstance(world, World) else world.transaction() as session:
        row = session.query(Delivery).filter_by(notice=notice).order_by(Delivery.id).first()
        assert row is not None
        return row


def log_try(world: World, row: Delivery, claim: int, event: AttemptEvent, status: str) -> None:
    with world.session() as session:
        when = {"at": at(21), "wall_at": at(21)}
        session.add(Attempt(delivery_id=row.id, claim=claim, event=event, status=status, **when))


def test_a_try_after_it_was_sent_is_seen(installation: World, evening: str) -> None:
    log_try(installation, row_of(installation, "send_start_2100"), 9, AttemptEvent.BEGUN, "sending")
    found = broken(installation, evening)
    assert found == ["nothing was tried again after it was sent", "every try has its end, but where a worker was lost"]


def test_a_lost_worker_leaves_a_try_without_end_and_that_is_no_fault(
    installation: World, owner: Database, evening: str
) -> None:
    row = row_of(installation, "send_start_2100")
    with owner.transaction() as session:
        session.query(Attempt).filter_by(delivery_id=row.id).delete()
        session.execute(update(Job).where(Job.kind == "delivery", Job.subject == str(row.id)).values(claims=2))
    log_try(installation, row, 1, AttemptEvent.BEGUN, "sending")
    assert broken(installation, evening) == []
    log_try(installation, row, 2, AttemptEvent.BEGUN, "sending")
    assert broken(installation, evening) == ["every try has its end, but where a worker was lost"]
    log_try(installation, row, 2, AttemptEvent.ENDED, "sent")
    assert broken(installation, evening) == []


def test_what_got_no_answer_is_rightly_unknown(installation: World) -> None:
    installation.has("alice", ChannelName.TELEGRAM, "4711")
    installation.says("alice", Status.LOOKING)
    campaign_id = str(call(installation)[0])
    installation.clock.move_to(at(20, 45))
    installation.telegram.answers = [Unanswered(Reason.TELEGRAM_DID_NOT_ANSWER, "ReadError")]
    pump(installation)
    assert row_of(installation, "send_reminder_2045").status == "unknown"
    assert broken(installation, campaign_id) == []


def test_turn_out_leaves_out_what_nobody_knows(installation: World, evening: str) -> None:
    with installation.session() as session:
        session.execute(update(Campaign).values(came=None, counted=None))
    assert "in voice" not in do("campaign", "list").output
    assert json.loads(do("campaign", "show", evening, "--json").output)["campaign"]["came"] is None


def test_the_switch_says_what_it_did_also_when_nothing_changed(installation: World) -> None:
    assert do("pause").output == "Messages go out.\n"
    assert do("pause", "off").output == "Sending was not paused.\n"
    assert do("pause", "on").output == "Sending is paused. What is due waits, until its deadline.\n"
    with installation.session() as session:
        found = pausing.current_pause(session)
        assert found is not None
        assert found.by == "command line"
        found.since = at(20, 31)
    since = "since 2026-11-20 20:31 Europe/Ljubljana by command line.\n"
    assert do("pause", "on").output == f"Sending is paused already, {since}"
    assert do("pause", "status").output == do("pause").output == f"Sending is paused, {since}"
    assert do("pause", "off").output == "Messages go out again.\n"
    assert do("pause", "status").output == "Messages go out.\n"


def test_what_is_no_switch_is_a_sentence(installation: World) -> None:
    answer = do("pause", "maybe")
    assert (answer.exit_code, "Traceback" in answer.output) == (2, False)
    with installation.session() as session:
        assert pausing.current_pause(session) is None
