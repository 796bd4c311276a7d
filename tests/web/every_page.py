"""Every page of the application, and an evening on which each shows something."""

import pytest
from sqlalchemy import select, update

from slomix.accounts import claims, roles
from slomix.accounts import service as accounts
from slomix.accounts.models import User
from slomix.accounts.rules import Membership, Role
from slomix.contacts import service as contacts
from slomix.contacts import unsubscribe
from slomix.contacts.rules import MessageKind
from slomix.deliveries.models import Delivery
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus
from tests.moments import TODAY
from tests.steps import call
from tests.web.planning import arranged
from tests.web.steps import settle
from tests.workers.stage import go
from tests.world import World

# Every page of the application for a browser, by its endpoint. A new one has to be listed here.
PAGES = {
    "accounts.link_start": "/auth/link/start",
    "accounts.link_status": "/auth/link/status",
    "addresses.channels": "/preferences/channels",
    "addresses.waiting": "/contacts/telegram/waiting",
    "admin.audit.show": "/admin/audit",
    "admin.disputes.confirm_grant": "/admin/claims/{claim}/grant",
    "admin.disputes.confirm_refuse": "/admin/claims/{claim}/refuse",
    "admin.disputes.show": "/admin/claims",
    "admin.jobs.confirm_cancel": "/admin/jobs/{pending}/cancel",
    "admin.jobs.confirm_retry": "/admin/jobs/{failed}/retry",
    "admin.jobs.show": "/admin/jobs",
    "admin.ledger.show": "/admin/ledger",
    "admin.ledger.show_one": "/admin/ledger/{delivery}",
    "admin.links.confirm_unlink": "/admin/links/{user}/unlink",
    "admin.links.show": "/admin/links",
    "admin.overview.show": "/admin",
    "admin.players.show": "/admin/players?q=alice",
    "admin.rights.confirm_revoke": "/admin/roles/{admin}/admin/revoke",
    "admin.rights.show": "/admin/roles?q=alice",
    "admin.sending.confirm": "/admin/sending/pause",
    "admin.tonight.show": "/admin/tonight",
    "admin.tonight.show_live": "/admin/tonight/live",
    "board.board": "/",
    "board.calendar": "/calendar?month=2026-12",
    "board.fragment": "/board",
    "campaigns.preview": "/promote/preview",
    "campaigns.promote": "/promote",
    "campaigns.show": "/campaigns/{campaign}",
    "campaigns.show_all": "/campaigns",
    "campaigns.show_live": "/campaigns/{campaign}/live",
    "contacts.show": "/preferences",
    "contacts.welcome": "/welcome",
    "days.day_live": f"/day/{TODAY}/live",
    "days.day_page": f"/day/{TODAY}",
    "feed.show": "/preferences/calendar",
    "my_data.download": "/profile/data.json",
    "planning.show": f"/planning/{TODAY}",
    "planning.show_live": f"/planning/{TODAY}/live",
    "planning.show_proposals": f"/planning/{TODAY}/proposals",
    "planning.tonight": "/planning",
    "privacy.show": "/privacy",
    "profile.confirm_delete": "/profile/delete",
    "profile.profile": "/profile?q=alice",
    "site.offline": "/offline",
    "stop.ask": "{stop}",
}


@pytest.fixture
def ids(world: World) -> dict[str, object]:
    """An evening with something of everything; Dora is admin and promoter."""
    arranged(world)
    campaign, now = call(world)[0], world.clock.now()
    go(world, 20, 46)
    settle(world, "failed", most=1)
    with world.session() as session:
        # Of who was never asked about, Discord is asked once, before the page.
        session.execute(update(User).values(membership=Membership.MEMBER))
        for role in Role:
            roles.grant(session, world.discord_ids["dora"], role, actor=None, now=now)
        charlie = session.get_one(User, world.users["charlie"])
        claim = claims.request_profile(session, charlie, accounts.get_profile(session, "guid-goran"), "", now=now)
        session.flush()
        alice = world.players["alice"]
        reach = contacts.reachability_of(session, [alice], settings=world.runtime.settings)[alice]
        empty = unsubscribe.reader_of(reach, settings=world.runtime.settings).unsubscribe_link
        stop = unsubscribe.fill_link(empty, reach, MessageKind.CAMPAIGNS, settings=world.runtime.settings)
        one_of = {
            status: session.scalars(select(Job.id).where(Job.status == status).order_by(Job.id)).first()
            for status in (JobStatus.PENDING, JobStatus.FAILED)
        }
        return {
            "claim": claim.id,
            "campaign": campaign,
            "pending": one_of[JobStatus.PENDING],
            "failed": one_of[JobStatus.FAILED],
            "delivery": session.scalars(select(Delivery.id)).first(),
            "user": world.users["goran"],
            "admin": world.discord_ids["dora"],
            "stop": stop.removeprefix(world.runtime.settings.base_url),
        }
