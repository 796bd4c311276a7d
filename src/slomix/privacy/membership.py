"""Asks Discord who is still in our server, and ends what a user had as a member when they leave."""

from datetime import date, datetime, timedelta

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from slomix.accounts import rules as accounts_rules
from slomix.accounts import service as accounts
from slomix.accounts.models import GrantedRole, User
from slomix.accounts.rules import Membership
from slomix.availability import service as availability
from slomix.channels.base import SendError
from slomix.clock import local_day, wall_now
from slomix.config.settings import Settings
from slomix.jobs import service as jobs
from slomix.jobs.rules import UNLIMITED, Done, Outcome, Postpone, Retry, Snooze
from slomix.jobs.runner import AnyHandler, Handler, JobContext
from slomix.jobs.service import NewJob
from slomix.planning import service as planning
from slomix.reasons.codes import Explanation, Reason
from slomix.runtime.context import Runtime

CHECK_MEMBERS = "check_members"
# The users and the time of one try: less than the lease of a job, and gentle to Discord.
BATCH_SIZE = 40
TIME_LIMIT = timedelta(seconds=15)
# How often it looks whose answer is too old.
LOOK_EVERY = timedelta(minutes=5)


class CheckMembers(Handler[dict[int, str], dict[int, bool] | Retry]):
    """`check_members`: asks Discord about all linked users and those with rights, some at a time, all day long."""

    def begin(self, context: JobContext) -> Outcome | dict[int, str]:
        """Choose the users to ask about next."""
        if context.runtime.guild_lookup is None:
            return Done()
        now = context.now
        old = User.membership_seen_at.is_(None) | or_(
            User.membership_seen_at <= now - accounts_rules.MEMBERSHIP_VALID_FOR, User.membership_seen_at > now
        )
        has_rights = exists().where(GrantedRole.discord_id == User.discord_id)
        matters = User.player_id.is_not(None) | has_rights
        wanted = select(User.id, User.discord_id).where(matters, old).order_by(User.id)
        asked = {row.id: row.discord_id for row in context.session.execute(wanted.limit(BATCH_SIZE))}
        if asked:
            return asked
        is_of_today = context.job.subject == _today(context.runtime.settings, now).isoformat()
        return Postpone(now + LOOK_EVERY) if is_of_today else Done()

    def act(self, runtime: Runtime, prepared: dict[int, str]) -> dict[int, bool] | Retry:
        """Ask Discord. Users it says nothing about are asked about again, after the others."""
        found: dict[int, bool] = {}
        silence = Retry(Explanation(Reason.NO_MEMBERS_KNOWN))
        until = wall_now() + TIME_LIMIT
        assert runtime.guild_lookup is not None
        for user_id, discord_id in prepared.items():
            try:
                found[user_id] = runtime.guild_lookup.is_member(discord_id)
            except SendError as error:
                silence = Retry(error.reason, error.retry_after, error.is_free)
            if wall_now() > until:
                break
        return found or silence

    def finish(self, context: JobContext, result: dict[int, bool] | Retry) -> Outcome:
        if isinstance(result, Retry):
            return result
        session, settings = context.session, context.runtime.settings
        for user in session.scalars(select(User).where(User.id.in_(result)).order_by(User.id).with_for_update(of=User)):
            record(session, user, result[user.id], settings=settings, now=context.now)
        return Snooze(timedelta(seconds=1))


def plan_membership_check(session: Session, day: date, *, now: datetime) -> None:
    """Schedule the checks of this day, once."""
    jobs.schedule(session, [NewJob(CHECK_MEMBERS, day.isoformat(), run_at=now, max_attempts=UNLIMITED)], now=now)


def record(session: Session, user: User, is_member: bool, *, settings: Settings, now: datetime) -> None:
    """Record whether Discord says that a user is in our server.

    Who leaves loses what was granted to them, and the others what they said about today and later: it is not true any
    more. Their link, contacts and preferences wait for them.
    """
    accounts.lock_users(session, user)
    is_leaving = not is_member and user.membership is not Membership.LEFT
    accounts.record_membership(session, user, is_member, now=now)
    if is_leaving and user.player_id is not None:
        today = _today(settings, now)
        availability.clear_upcoming(session, user.player_id, today)
        planning.release_player(session, user.player_id, today)


def record_sight(session: Session, discord_id: str, *, settings: Settings, now: datetime) -> None:
    """Record that Discord has just shown us this account in our server, if it had left."""
    back = select(User).where(User.discord_id == discord_id, User.membership == Membership.LEFT)
    for user in session.scalars(back):
        record(session, user, True, settings=settings, now=now)


def _today(settings: Settings, now: datetime) -> date:
    return local_day(now, settings.zone, settings.day_starts_at)


HANDLERS: dict[str, AnyHandler] = {CHECK_MEMBERS: CheckMembers()}
