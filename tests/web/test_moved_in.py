"""What pages say of what came from the earlier site: who moved in, and who was told there."""

from slomix.accounts import service as accounts
from slomix.accounts.models import User
from slomix.accounts.rules import LinkAction
from slomix.availability.rules import Status
from slomix.campaigns import rules
from slomix.campaigns.notices import calls
from slomix.contacts.rules import ChannelName
from slomix.deliveries import imports
from tests.moments import TODAY, at
from tests.steps import call
from tests.web.conftest import Browser
from tests.world import World


def test_the_audit_log_says_who_moved_in(world: World, dora: Browser) -> None:
    with world.session() as session:
        alice = session.get_one(User, world.users["alice"])
        now = world.clock.now()
        accounts.record_action(
            session, LinkAction.MOVED_IN, user=alice, actor="command line", now=now, guid="guid-alice"
        )
    log = dora.page("/admin/audit?action=moved_in").by_id("main").words
    assert "moved in from the earlier site" in log
    assert "by an operator" in log
    assert "guid-alice" in log


def test_who_was_told_by_the_earlier_site_is_told_apart(world: World, bob: Browser, alice: Browser) -> None:
    key = calls.START.event_key(TODAY)
    told = imports.ImportedNotice(world.players["alice"], None, key, rules.START, ChannelName.DISCORD, "m1", at(20, 10))
    with world.session() as session:
        assert imports.record_imported(session, told, now=world.clock.now())
        assert not imports.record_imported(session, told, now=world.clock.now()), "it is known already"
    for name in ("alice", "erik"):
        world.says(name, Status.LOOKING)
    campaign_id = call(world)[0]
    for browser in (bob, alice):
        assert "Sent by the earlier site: 1" in browser.page("/").by_id("campaign").words
    assert "sent by the earlier site" in bob.page(f"/campaigns/{campaign_id}").words
