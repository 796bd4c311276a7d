"""What an admin does stays on record under an id that outlives their account, with the old and the new value."""

import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update

from slomix.accounts import claims, roles
from slomix.accounts import service as accounts
from slomix.accounts.models import LinkEvent, User
from slomix.accounts.rules import LinkAction, Membership, Role
from slomix.availability.rules import Status
from slomix.campaigns import rules as campaign_rules
from slomix.clock import wall_now
from slomix.deliveries import pausing
from slomix.health import service as health
from slomix.jobs import service as jobs
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus
from slomix.jobs.runner import JobContext
from slomix.jobs.service import NewJob
from slomix.privacy import unlinking
from slomix.privacy.membership import CHECK_MEMBERS, CheckMembers
from tests.moments import at
from tests.steps import call
from tests.web.conftest import Browse, Browser
from tests.web.steps import settle
from tests.world import World

CSV = "guid,name,aliases\nguid-alice,Bob,\nguid-new,New,\n"


@pytest.fixture
def dora(world: World, browse: Browse) -> Browser:
    """An admin by grant, as the others are by the settings."""
    with world.session() as session:
        roles.grant(session, world.discord_ids["dora"], Role.ADMIN, actor=None, now=world.clock.now())
    return browse("dora")


def a_claim(world: World) -> int:
    with world.session() as session:
        charlie = session.get_one(User, world.users["charlie"])
        made = claims.request_profile(
            session, charlie, accounts.get_profile(session, "guid-goran"), "", now=world.clock.now()
        )
        session.flush()
        return made.id


def a_job(world: World, status: JobStatus) -> dict[str, str]:
    with world.session() as session:
        jobs.schedule(session, [NewJob(CHECK_MEMBERS, "x", run_at=at(20))], now=at(20))
        session.execute(update(Job).where(Job.kind == CHECK_MEMBERS).values(status=status))
        [job] = session.scalars(select(Job).where(Job.kind == CHECK_MEMBERS))
        return {"id": str(job.id), "status": status.value, "claims": str(job.claims), "message": ""}


def a_campaign(world: World) -> int:
    world.says("alice", Status.LOOKING)
    return call(world, key=secrets.token_hex(4))[0]


def grant_claim(world: World, dora: Browser) -> Any:
    form = {"owner": str(world.users["goran"]), "before": ""}
    return dora.post(f"/admin/claims/{a_claim(world)}/grant", form)


def retry_campaign(world: World, dora: Browser) -> Any:
    campaign = a_campaign(world)
    settle(world, "failed", notice=campaign_rules.REMINDER)
    return dora.post(f"/campaigns/{campaign}/retry")


def pause_then_resume(world: World, dora: Browser) -> Any:
    with world.session() as session:
        pausing.pause(session, by="command line", now=world.clock.now())
    return dora.post("/admin/sending/resume")


def operate(deed: str, status: JobStatus) -> Callable[[World, Browser], Any]:
    def act(world: World, dora: Browser) -> Any:
        job = a_job(world, status)
        return dora.post(f"/admin/jobs/{job.pop('id')}/{deed}", job)

    return act


def dismiss(world: World, dora: Browser) -> Any:
    wall = wall_now()
    with world.session() as session:
        health.record_heartbeat(session, "worker", "old/worker.1", wall=wall - timedelta(minutes=5))
        health.record_heartbeat(session, "worker", "new/worker.2", wall=wall)
    return dora.post("/admin/tonight/dismiss", {"part": "worker", "copy": "old/worker.1"})


def by(path: str, **form: str) -> Callable[[World, Browser], Any]:
    return lambda world, dora: dora.post(path.format(**world.users), form)


# What an admin may do, by endpoint: how, and what the log then says of it. A new one has to be listed here.
ACTS: dict[str, tuple[Callable[[World, Browser], Any], LinkAction, dict[str, Any]]] = {
    "admin.disputes.grant": (grant_claim, LinkAction.PLAYER_LINKED, {"guid": "guid-goran"}),
    "admin.disputes.refuse": (
        lambda world, dora: dora.post(f"/admin/claims/{a_claim(world)}/refuse"),
        LinkAction.CLAIM_REFUSED,
        {"guid": "guid-goran"},
    ),
    "admin.jobs.cancel": (
        operate("cancel", JobStatus.PENDING),
        LinkAction.JOB_CANCELLED,
        {"old": "pending", "new": "skipped", "kind": CHECK_MEMBERS},
    ),
    "admin.jobs.retry": (
        operate("retry", JobStatus.FAILED),
        LinkAction.JOB_RETRIED,
        {"old": "failed", "new": "pending", "kind": CHECK_MEMBERS},
    ),
    "admin.links.see": (
        by("/admin/links/seen", until=at(20, 30).isoformat()),
        LinkAction.LINKS_SEEN,
        {"old": None, "new": at(20, 30).isoformat()},
    ),
    "admin.links.sign_out": (
        by("/admin/links/{bob}/sign-out"),
        LinkAction.SIGNED_OUT,
        {"old": "0 logins", "new": None},
    ),
    "admin.links.unlink": (
        by("/admin/links/{bob}/unlink", guid="guid-bob"),
        LinkAction.PLAYER_UNLINKED,
        {"old_guid": "guid-bob"},
    ),
    "admin.tonight.dismiss": (dismiss, LinkAction.PROCESS_DISMISSED, {"old": "worker old/worker.1", "new": None}),
    "admin.players.confirm": (
        by("/admin/players/import/confirm", text=CSV),
        LinkAction.PLAYERS_IMPORTED,
        {
            "guids": ["guid-new"],
            "old": {"guid-alice": {"name": "^1Alice", "aliases": ["alice_old"], "rating": None}},
            "new": {"guid-alice": {"name": "Bob", "aliases": [], "rating": None}},
        },
    ),
    "admin.rights.grant": (
        by("/admin/roles/grant", discord_id="555555555555555555", role="admin"),
        LinkAction.ROLE_GRANTED,
        {"old": None, "new": "admin"},
    ),
    "admin.rights.revoke": (
        lambda world, dora: dora.post(f"/admin/roles/{world.discord_ids['dora']}/admin/revoke"),
        LinkAction.ROLE_REVOKED,
        {"old": "admin", "new": None},
    ),
    "admin.sending.pause": (by("/admin/sending/pause"), LinkAction.SENDING_PAUSED, {"old": "on", "new": "paused"}),
    "admin.sending.resume": (pause_then_resume, LinkAction.SENDING_RESUMED, {"old": "paused", "new": "on"}),
    "campaigns.cancel": (
        lambda world, dora: dora.post(f"/campaigns/{a_campaign(world)}/cancel"),
        LinkAction.CAMPAIGN_CANCELLED,
        {"old": "scheduled", "new": "cancelled"},
    ),
    "campaigns.retry": (retry_campaign, LinkAction.CAMPAIGN_RETRIED, {"old": "scheduled", "new": "1 again"}),
    "campaigns_api.cancel": (
        lambda world, dora: dora.call("POST", f"/api/availability/promotions/campaigns/{a_campaign(world)}/cancel"),
        LinkAction.CAMPAIGN_CANCELLED,
        {"old": "scheduled", "new": "cancelled"},
    ),
}
# Only shows what another one would do.
NO_ACTS = {"admin.players.preview"}
# The same function as `campaigns.retry`.
ELSEWHERE = {"campaigns_api.retry"}


def test_every_act_of_an_admin_is_listed(dora: Browser) -> None:
    rules = dora.client.application.url_map.iter_rules()
    deeds = {
        rule.endpoint
        for rule in rules
        if (rule.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"}
        and (rule.rule.startswith("/admin") or "campaign_id" in rule.arguments)
    }
    assert deeds == {*ACTS, *NO_ACTS, *ELSEWHERE}


@pytest.mark.parametrize("endpoint", ACTS)
def test_every_act_of_an_admin_is_in_the_log_with_old_and_new_values(
    world: World, dora: Browser, endpoint: str
) -> None:
    act, action, values = ACTS[endpoint]
    answer = act(world, dora)
    assert answer.status_code < 400, answer.text
    with world.session() as session:
        event = session.scalars(select(LinkEvent).order_by(LinkEvent.id.desc()).limit(1)).one()
        assert (event.action, event.actor) == (action, str(world.users["dora"]))
        assert values.items() <= event.details.items()
    assert dora.get("/admin/audit").status_code == 200


def test_who_deletes_their_account_does_not_take_what_they_did_with_them(
    world: World, dora: Browser, browse: Browse
) -> None:
    dora.post("/admin/roles/grant", {"discord_id": "555555555555555555", "role": "admin"})
    dora.post("/admin/links/{bob}/sign-out".format(**world.users))
    with world.session() as session:
        unlinking.delete_account(session, session.get_one(User, world.users["dora"]), now=world.clock.now())
    with world.session() as session:
        acts = session.scalars(select(LinkEvent).where(LinkEvent.actor == str(world.users["dora"]))).all()
        assert [act.action for act in acts] == [LinkAction.ROLE_GRANTED, LinkAction.SIGNED_OUT]
        roles.grant(session, world.discord_ids["bob"], Role.ADMIN, actor=None, now=world.clock.now())
    page = browse("bob").page("/admin/audit")
    assert f"by a deleted account #{world.users['dora']}" in page.words
    assert world.discord_ids["dora"] not in page.words


def test_the_log_holds_no_discord_account(world: World, dora: Browser) -> None:
    for act, _, _ in ACTS.values():
        with world.session() as session:
            roles.grant(session, world.discord_ids["dora"], Role.ADMIN, actor=None, now=world.clock.now())
        assert act(world, dora).status_code < 400
        with world.session() as session:
            session.execute(text("UPDATE availability_promotion_campaigns SET status = 'cancelled'"))
    with world.session() as session:
        assert {action for _, action, _ in ACTS.values()} <= set(session.scalars(select(LinkEvent.action)))
        rows = " ".join(session.scalars(text("SELECT log::text FROM account_link_audit_log AS log")))
    for discord_id in (*world.discord_ids.values(), "555555555555555555"):
        assert discord_id not in rows


@pytest.mark.parametrize("table", ["account_link_audit_log", "delivery_attempts"])
@pytest.mark.parametrize("deed", ["DELETE FROM {}", "UPDATE {} SET id = id"])
def test_the_role_that_runs_can_only_add(world: World, table: str, deed: str) -> None:
    with pytest.raises(Exception, match="permission denied"), world.session() as session:
        session.execute(text(deed.format(table)))


# Rights that outlive their ground


@pytest.mark.parametrize("role", Role)
def test_a_granted_right_ends_when_its_owner_leaves_the_server(world: World, browse: Browse, role: Role) -> None:
    hana = browse("alice")
    with world.session() as session:
        roles.grant(session, world.discord_ids["alice"], role, actor=None, now=world.clock.now())
    path = "/admin" if role is Role.ADMIN else "/promote"
    assert hana.get(path).status_code == 200
    with world.session() as session:
        user = session.get_one(User, world.users["alice"])
        accounts.record_membership(session, user, False, now=world.clock.now())
    assert hana.get(path).status_code == 403
    with world.session() as session:
        event = session.scalars(select(LinkEvent).order_by(LinkEvent.id.desc()).limit(1)).one()
        assert (event.action, event.actor, event.user_id) == (LinkAction.ROLE_REVOKED, "discord", user.id)
        assert (event.details["old"], event.details["new"]) == (role.value, None)
        accounts.record_membership(session, session.get_one(User, world.users["alice"]), True, now=world.clock.now())
    assert hana.get(path).status_code == 403, "coming back brings no right back"


def test_who_is_known_to_have_left_has_no_granted_right_even_while_the_grant_stands(
    world: World, browse: Browse
) -> None:
    with world.session() as session:
        roles.grant(session, world.discord_ids["alice"], Role.ADMIN, actor=None, now=world.clock.now())
        session.execute(update(User).where(User.id == world.users["alice"]).values(membership=Membership.LEFT))
    assert browse("alice").get("/admin").status_code == 403


def test_the_daily_look_asks_about_everybody_with_a_right(world: World) -> None:
    with world.session() as session:
        roles.grant(session, world.discord_ids["charlie"], Role.ADMIN, actor=None, now=world.clock.now())
        jobs.schedule(session, [NewJob(CHECK_MEMBERS, "today", run_at=at(20))], now=at(20))
        [job] = session.scalars(select(Job).where(Job.kind == CHECK_MEMBERS))
        asked = CheckMembers().begin(JobContext(world.runtime, session, job, world.clock.now()))
        assert isinstance(asked, dict)
        assert world.users["charlie"] in asked, "who is linked to no player"


# Unlinking by an admin holds


def test_whom_an_admin_unlinked_needs_one_for_the_next_link(world: World, dora: Browser, browse: Browse) -> None:
    alice = browse("alice")
    dora.post("/admin/links/{alice}/unlink".format(**world.users), {"guid": "guid-alice"})
    alice.post("/profile/link", {"guid": "guid-spare"})
    with world.session() as session:
        assert session.get_one(User, world.users["alice"]).player_id is None
        claim = claims.pending_request(session, world.users["alice"])
        assert claim is not None
        claim_id = claim.id
    assert dora.post(f"/admin/claims/{claim_id}/grant", {"owner": "", "before": ""}).status_code == 303
    with world.session() as session:
        assert session.get_one(User, world.users["alice"]).player_id is not None
    alice.post("/profile/unlink")
    alice.post("/profile/link", {"guid": "guid-alice"})
    with world.session() as session:
        assert session.get_one(User, world.users["alice"]).player_id == world.players["alice"], "trusted again"


def test_who_hops_from_profile_to_profile_is_stopped_by_an_admin(world: World, browse: Browse) -> None:
    with world.session() as session:
        accounts.import_players(session, [(f"free-{n}", f"Free {n}", []) for n in range(5)], now=world.clock.now())
    charlie = browse("charlie")
    taken = []
    for number in range(5):
        charlie.post("/profile/link", {"guid": f"free-{number}"})
        with world.session() as session:
            player = session.get_one(User, world.users["charlie"]).player
            taken.append(player.guid if player else None)
    assert taken == ["free-0", "free-1", "free-2", "free-2", "free-2"]
