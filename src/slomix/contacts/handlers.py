"""Asks Discord once a day who of the linked users and of those with rights is still in our server."""

from datetime import date, datetime, timedelta

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from slomix.accounts import rules as accounts_rules
from slomix.accounts import service as accounts
from slomix.accounts.models import GrantedRole, User
from slomix.channels.base import SendError
from slomix.clock import wall_now
from slomix.jobs import service as jobs
from slomix.jobs.rules import Done, Outcome, Retry, Snooze
from slomix.jobs.runner import AnyHandler, Handler, JobContext
from slomix.jobs.service import NewJob
from slomix.reasons.codes import Explanation, Reason
from slomix.runtime.context import Runtime

CHECK_MEMBERS = "check_members"
# The users and the time of one try: less than the lease of a job, and gentle to Discord.
BATCH_SIZE = 40
TIME_LIMIT = timedelta(seconds=15)


class CheckMembers(Handler[dict[int, str], dict[int, bool] | Retry]):
    """`check_members`: asks Discord about all linked users, some at a time."""

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
        return asked or Done()

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
        session = context.session
        for user in session.scalars(select(User).where(User.id.in_(result)).order_by(User.id).with_for_update(of=User)):
            accounts.record_membership(session, user, result[user.id], now=context.now)
        return Snooze(timedelta(seconds=1))


def plan_membership_check(session: Session, day: date, *, now: datetime) -> None:
    """Schedule the check of this day, once."""
    jobs.schedule(session, [NewJob(CHECK_MEMBERS, day.isoformat(), run_at=now)], now=now)


HANDLERS: dict[str, AnyHandler] = {CHECK_MEMBERS: CheckMembers()}
