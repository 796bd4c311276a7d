"""Sends a player a test message; they just asked for it, so quiet hours do not apply."""

import uuid
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from slomix.channels.base import Message
from slomix.config.settings import Settings
from slomix.contacts.models import Contact
from slomix.contacts.rules import ChannelName
from slomix.deliveries import openings, service
from slomix.deliveries.models import Delivery
from slomix.deliveries.notices import Notice, Occasion
from slomix.deliveries.rules import Budget
from slomix.deliveries.service import NoticePlan
from slomix.errors import TooSoon
from slomix.i18n import _

NOTICE = "test"
MIN_INTERVAL = timedelta(seconds=30)
LIFETIME = timedelta(minutes=5)


class MessageTestTooSoon(TooSoon):
    """Raised because the last test message may still be on its way."""

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__(_("You asked for a test message a moment ago. Give it a little time."), retry_after)


class MessageTestNotice(Notice):
    """The test message."""

    name = NOTICE
    budget = Budget.FREE
    heeds_quiet_hours = False
    keeps_channel = True

    def compose(self, occasion: Occasion) -> Message:
        return Message(
            _("This is how I will call you: it works! You get it because you asked for a test message. {link}").format(
                link=occasion.runtime.settings.base_url + "/preferences"
            )
        )


def plan_test_message(
    session: Session, player_id: int, channel: ChannelName, *, settings: Settings, now: datetime
) -> None:
    """Plan a test message over this channel alone. Raise MessageTestTooSoon within half a minute of the last."""
    # Locked, as two requests at once would both find no earlier message.
    session.execute(
        select(Contact.id).where(Contact.player_id == player_id, Contact.channel == channel).with_for_update()
    )
    earlier = session.scalar(
        select(Delivery.created_at)
        .where(
            Delivery.player_id == player_id, Delivery.notice.in_((NOTICE, openings.NOTICE)), Delivery.channel == channel
        )
        .order_by(Delivery.id.desc())
        .limit(1)
    )
    if earlier is not None and now - MIN_INTERVAL < earlier <= now:
        raise MessageTestTooSoon(earlier + MIN_INTERVAL - now)
    key = f"TEST:{uuid.uuid4()}"
    wanted = NoticePlan(NOTICE, f"test:{player_id}", key, run_at=now, deadline_at=now + LIFETIME, channel=channel)
    service.plan_for_players(session, wanted, [player_id], settings=settings, now=now)
