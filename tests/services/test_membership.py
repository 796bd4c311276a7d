"""Once a day Discord is asked who of the linked is still in our server; who left gets nothing any more."""

import itertools
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from slomix.accounts import logins
from slomix.accounts import service as accounts
from slomix.accounts.models import LinkEvent, User
from slomix.accounts.rules import LinkAction, Membership
from slomix.channels.base import SendError
from slomix.contacts.rules import ChannelName
from slomix.deliveries.rules import DeliveryStatus
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus
from slomix.jobs.runner import execute
from slomix.privacy.membership import BATCH_SIZE, CHECK_MEMBERS, CheckMembers, plan_membership_check
from slomix.reasons.codes import Explanation, Reason
from tests.moments import TODAY
from tests.world import CAST, LINKED, World

from .sending import Post

LATER = itertools.count(1)  # each check of a test is that of a day of its own
SILENT = SendError(Reason.DISCORD_NOT_REACHED, "ConnectError")


@dataclass
class Guild:
    """Discord's member list: who left, about whom it says nothing, and how often it was asked about each."""

    left: set[str] = field(default_factory=set)
    silent_about: set[str] = field(default_factory=set)
    asked: Counter[str] = field(default_factory=Counter)

    def is_member(self, discord_id: str) -> bool:
        self.asked[discord_id] += 1
        if discord_id in self.silent_about:
            raise SILENT
        return discord_id not in self.left


@pytest.fixture
def guild() -> Guild:
    return Guild()


@pytest.fixture
def here(world: World, guild: Guild) -> World:
    return replace(world, runtime=replace(world.runtime, guild_lookup=guild))


def job_of(world: World) -> Job:
    with world.session() as session:
        query = select(Job).where(Job.kind == CHECK_MEMBERS).execution_options(populate_existing=True)
        return session.scalars(query.order_by(Job.id.desc())).first() or Job()


def check(world: World) -> None:
    """Promise a check and try it until it is over or fails."""
    with world.session() as session:
        plan_membership_check(session, TODAY + timedelta(days=next(LATER)), now=world.clock.now())
    for _ in range(20):
        job = try_once(world)
        if job.status is not JobStatus.PENDING or job.last_error is not None:
            return
    raise AssertionError("it never comes to an end")


def try_once(world: World) -> Job:
    with world.session() as session:
        session.execute(update(Job).values(wait_until=None))
    world.clock.move_to(max(world.clock.now(), job_of(world).run_at))
    execute(world.runtime, CheckMembers(), job_of(world).id)
    return job_of(world)


def memberships(world: World) -> dict[str, Membership]:
    by_id = {discord_id: name for name, discord_id in CAST.items()}
    with world.session() as session:
        rows = session.execute(select(User.discord_id, User.membership).where(User.discord_id.in_(by_id)))
        return {by_id[row.discord_id]: row.membership for row in rows}


def log_of(world: World) -> list[tuple[LinkAction, str]]:
    noted = LinkEvent.action.in_([LinkAction.LEFT_GUILD, LinkAction.CAME_BACK])
    with world.session() as session:
        found = session.execute(
            select(LinkEvent.action, User.discord_id)
            .join(User, User.id == LinkEvent.user_id)
            .where(noted)
            .order_by(LinkEvent.id)
        )
        return [(event.action, event.discord_id) for event in found]


def test_everybody_who_is_linked_is_asked_about_once(here: World, guild: Guild) -> None:
    check(here)
    assert guild.asked == Counter({CAST[name]: 1 for name in LINKED}), "Charlie is not linked"
    assert memberships(here) == dict.fromkeys(LINKED, Membership.MEMBER) | {"charlie": Membership.UNKNOWN}
    assert job_of(here).status is JobStatus.SENT
    assert log_of(here) == [], "that somebody is here is no news"


def test_who_left_is_marked_and_logged_once(here: World, guild: Guild) -> None:
    guild.left = {CAST["alice"]}
    for _ in range(3):
        check(here)
        assert memberships(here)["alice"] is Membership.LEFT
        here.clock.forward(timedelta(days=1))
    assert memberships(here)["bob"] is Membership.MEMBER
    assert log_of(here) == [(LinkAction.LEFT_GUILD, CAST["alice"])]
    assert guild.asked[CAST["alice"]] == 3


def test_who_came_back_is_marked_and_logged_once(here: World, guild: Guild) -> None:
    guild.left = {CAST["alice"]}
    check(here)
    guild.left = set()
    for _ in range(2):
        here.clock.forward(timedelta(days=1))
        check(here)
    assert memberships(here)["alice"] is Membership.MEMBER
    assert log_of(here) == [(LinkAction.LEFT_GUILD, CAST["alice"]), (LinkAction.CAME_BACK, CAST["alice"])]


def test_what_was_asked_a_moment_ago_is_not_asked_again(here: World, guild: Guild) -> None:
    check(here)
    here.clock.forward(timedelta(minutes=14))
    check(here)
    assert set(guild.asked.values()) == {1}
    here.clock.forward(timedelta(minutes=2))
    check(here)
    assert set(guild.asked.values()) == {2}


def test_an_error_about_one_keeps_the_answers_so_far(here: World, guild: Guild) -> None:
    guild.left, guild.silent_about = {CAST["alice"]}, {CAST["erik"]}
    check(here)
    known = memberships(here)
    assert (known["alice"], known["bob"], known["erik"]) == (
        Membership.LEFT,
        Membership.MEMBER,
        Membership.UNKNOWN,
    )
    assert guild.asked[CAST["alice"]] == 1, "nobody whose answer is known is asked about again"
    assert job_of(here).last_error == SILENT.reason
    guild.silent_about = set()
    while try_once(here).status is JobStatus.PENDING:
        pass
    assert Membership.UNKNOWN not in {known for name, known in memberships(here).items() if name != "charlie"}
    assert guild.asked[CAST["alice"]] == 1


def test_while_discord_is_silent_nobody_is_taken_for_gone(here: World, guild: Guild) -> None:
    guild.left, guild.silent_about = {CAST["alice"]}, set(CAST.values())
    check(here)
    assert set(memberships(here).values()) == {Membership.UNKNOWN}
    assert (job_of(here).status, job_of(here).last_error) == (JobStatus.PENDING, SILENT.reason)


def test_many_are_asked_about_in_portions_until_all_are(here: World, guild: Guild) -> None:
    now = here.clock.now()
    new = [str(200000000000000000 + number) for number in range(2 * BATCH_SIZE + 5)]
    with here.session() as session:
        accounts.import_players(session, [(f"guid-{one}", one, []) for one in new], now=now)
        for one in new:
            user = logins.log_in(session, discord_id=one, username=one, display_name=one, now=now)
            accounts.link_player(session, user, f"guid-{one}", now=now)
    with here.session() as session:
        plan_membership_check(session, TODAY + timedelta(days=1), now=now)
    try_once(here)
    assert sum(guild.asked.values()) == BATCH_SIZE
    tries = 1
    while job_of(here).status is JobStatus.PENDING:
        try_once(here)
        tries += 1
        assert tries < 10
    assert guild.asked == Counter(dict.fromkeys([*(CAST[name] for name in LINKED), *new], 1))
    assert (job_of(here).status, job_of(here).last_error) == (JobStatus.SENT, None)


def test_who_was_unlinked_meanwhile_is_no_trouble(here: World, guild: Guild) -> None:
    guild.left = {CAST["alice"]}
    with here.session() as session:
        accounts.unlink_player(session, session.get_one(User, here.users["alice"]), now=here.clock.now())
    check(here)
    assert CAST["alice"] not in guild.asked
    assert memberships(here)["alice"] is Membership.UNKNOWN


def test_where_no_server_is_configured_nobody_is_asked(world: World) -> None:
    free = replace(world, runtime=replace(world.runtime, guild_lookup=None))
    check(free)
    assert job_of(free).status is JobStatus.SENT
    assert set(memberships(free).values()) == {Membership.UNKNOWN}


def test_the_check_of_a_day_is_promised_once(here: World) -> None:
    for _ in range(3):
        with here.session() as session:
            plan_membership_check(session, TODAY, now=here.clock.now())
    with here.session() as session:
        assert len(session.scalars(select(Job).where(Job.kind == CHECK_MEMBERS)).all()) == 1


@pytest.mark.parametrize("channel", [None, ChannelName.TELEGRAM, ChannelName.SIGNAL])
def test_who_left_gets_no_message_over_any_channel_and_the_ledger_says_why(
    post: Post, channel: ChannelName | None
) -> None:
    if channel is not None:
        post.world.has("alice", channel, "4242" if channel is ChannelName.TELEGRAM else "+38640123456")
    post.plan("alice", "erik")
    guild = Guild(left={CAST["alice"]})
    check(replace(post.world, runtime=replace(post.world.runtime, guild_lookup=guild)))
    for name in ("alice", "erik"):
        post.carry(post.row(name))
    assert (post.row("alice").status, post.row("alice").reason) == (
        DeliveryStatus.SKIPPED,
        Explanation(Reason.LEFT_OUR_SERVER),
    )
    assert post.row("erik").status is DeliveryStatus.SENT
    assert [len(one.sent) for one in (post.wire, post.telegram, post.signal)] == [1, 0, 0]


def test_a_test_message_to_who_left_does_not_leave_either(post: Post) -> None:
    post.greeting.kind, post.greeting.heeds_quiet_hours = None, False
    post.plan("alice")
    with post.world.session() as session:
        user = session.get_one(User, post.world.users["alice"])
        accounts.record_membership(session, user, False, now=post.world.clock.now())
    post.carry(post.row("alice"))
    assert (post.row("alice").reason, post.wire.sent) == (Explanation(Reason.LEFT_OUR_SERVER), [])


def test_who_came_back_is_written_to_again(post: Post) -> None:
    with post.world.session() as session:
        user = session.get_one(User, post.world.users["alice"])
        for is_member in (False, True):
            accounts.record_membership(session, user, is_member, now=post.world.clock.now())
    assert post.send("alice").status is DeliveryStatus.SENT


def test_one_about_whom_discord_never_says_anything_blocks_nobody(here: World, guild: Guild) -> None:
    guild.silent_about = {CAST["alice"]}
    guild.left = {CAST["goran"]}
    check(here)
    with here.session() as session:
        found = {user.discord_id: user.membership for user in session.scalars(select(User))}
    assert found[CAST["goran"]] is Membership.LEFT
    assert found[CAST["alice"]] is Membership.UNKNOWN


# All day long


def of_today(world: World) -> None:
    with world.session() as session:
        plan_membership_check(session, TODAY, now=world.clock.now())
    until_it_rests(world)


def until_it_rests(world: World) -> None:
    """Run what is due now, until the job waits for a later moment."""
    for _ in range(30):
        if job_of(world).status is not JobStatus.PENDING or job_of(world).run_at > world.clock.now():
            return
        try_once(world)
    raise AssertionError("it never rests")


def test_who_leaves_in_the_middle_of_the_day_is_found_within_twenty_minutes(here: World, guild: Guild) -> None:
    of_today(here)
    assert job_of(here).status is JobStatus.PENDING
    guild.left = {CAST["alice"]}
    left_at = here.clock.now()
    while memberships(here)["alice"] is not Membership.LEFT:
        try_once(here)
        assert here.clock.now() - left_at <= timedelta(minutes=20)
    assert memberships(here)["bob"] is Membership.MEMBER


def test_the_checks_of_a_day_end_with_it(here: World, guild: Guild) -> None:
    of_today(here)
    here.clock.forward(timedelta(days=1))
    until_it_rests(here)
    assert job_of(here).status is JobStatus.SENT


def test_however_long_discord_is_out_nobody_is_taken_for_gone_and_who_left_meanwhile_is_found_after(
    here: World, guild: Guild
) -> None:
    of_today(here)
    guild.left, guild.silent_about = {CAST["alice"]}, set(CAST.values())
    here.clock.forward(timedelta(minutes=16))
    for _ in range(100):
        try_once(here)
    assert memberships(here)["alice"] is Membership.MEMBER
    guild.silent_about = set()
    here.clock.forward(timedelta(minutes=3))
    until_it_rests(here)
    assert memberships(here)["alice"] is Membership.LEFT
    assert memberships(here)["bob"] is Membership.MEMBER
