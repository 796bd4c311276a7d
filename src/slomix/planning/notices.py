"""The post that asks for more players: it mentions only players who want that."""

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from slomix.availability import service as availability
from slomix.availability.rules import Status
from slomix.channels.base import Message
from slomix.config.settings import Settings
from slomix.contacts import service as contacts
from slomix.contacts.models import StoredPreferences
from slomix.contacts.rules import MessageKind, refusal_reason
from slomix.deliveries import budget
from slomix.deliveries.formatting import DiscordStyle
from slomix.deliveries.notices import Notice, Occasion
from slomix.deliveries.rules import Budget, Skip
from slomix.i18n import ngettext
from slomix.planning import queries, rules
from slomix.planning.models import Room
from slomix.planning.service import ASK
from slomix.reasons.codes import Reason

# Discord's limits for one message.
MAX_MENTIONS = 100
LONGEST_POST = 2000


class MoreNeeded(Notice):
    """A post in a Discord room; quiet hours matter only for the players it mentions."""

    name = ASK
    budget = Budget.FREE
    keeps_channel = True

    def compose(self, occasion: Occasion) -> Message | Skip:
        session, settings = occasion.session, occasion.runtime.settings
        room = session.get_one(Room, queries.room_id_of(occasion.delivery.subject))
        committed = sum(participant.status.is_committed for participant in queries.participants_of(session, room.day))
        number = rules.players_needed(committed, settings.ready_threshold)
        if not number:
            return Skip(Reason.ENOUGH_BY_NOW)
        link = DiscordStyle().quiet_link(f"{settings.base_url}/planning/{room.day}")
        text = ngettext(
            "One more and we can play tonight: {link}", "{number} more and we can play tonight: {link}", number
        ).format(link=link)
        accounts = whom_to_mention(session, room.day, settings=settings, now=occasion.now)
        while len(text) + sum(len(account) + 4 for account in accounts) > LONGEST_POST:
            accounts = accounts[:-1]
        mentions = " ".join(f"<@{account}>" for account in accounts)
        return Message(f"{text}\n{mentions}" if mentions else text, mentions=tuple(accounts))


def whom_to_mention(session: Session, day: date, *, settings: Settings, now: datetime) -> list[str]:
    """Return the Discord accounts of players who want this message, haven't said no and aren't in already.

    Whose messages of the day are used up is left in peace too.
    """
    wanting = session.scalars(select(StoredPreferences.player_id).where(StoredPreferences.more_needed)).all()
    said = availability.statuses_of_day(session, day, wanting)
    asked = [player_id for player_id in wanting if said.get(player_id) in {None, Status.MAYBE}]
    enough = budget.used_up(session, asked, day)
    reaches = contacts.reachability_of(session, asked, settings=settings)
    # A mention in a room needs no contact that works, so this asks for less than a message of their own would.
    found = [
        reach
        for reach in (reaches[player_id] for player_id in asked if player_id in reaches and player_id not in enough)
        if MessageKind.MORE_NEEDED in reach.allows and refusal_reason(reach, now, kind=None) is None
    ]
    return [reach.discord_id for reach in found if reach.discord_id is not None][:MAX_MENTIONS]


NOTICES: tuple[Notice, ...] = (MoreNeeded(),)
