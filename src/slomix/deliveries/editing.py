"""Edits messages that were sent, when what they say is no longer true; never by a new message."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import structlog
from sqlalchemy import Row, Select, func, select, update

from slomix import i18n
from slomix.channels.base import Message, MessageEditor, RateLimited, SendError
from slomix.contacts import service as contacts
from slomix.contacts.encryption import CannotDecrypt
from slomix.contacts.models import Contact
from slomix.contacts.rules import ChannelName, Reachability
from slomix.deliveries.finishing import with_buttons, with_stop_link
from slomix.deliveries.models import Delivery
from slomix.deliveries.notices import EditedNotice, Occasion
from slomix.deliveries.rules import DeliveryStatus
from slomix.jobs.rules import Done, Outcome, Retry, Snooze, Wait
from slomix.jobs.runner import Handler, JobContext
from slomix.runtime.context import Runtime

log = structlog.get_logger()

PAUSE_BETWEEN = timedelta(milliseconds=200)


@dataclass(frozen=True)
class MessageEdit:
    """A message that says what is no longer true, and what it says from now on."""

    delivery_id: int
    channel: ChannelName
    room: str
    message_id: str
    message: Message
    edition: str | None


@dataclass(frozen=True)
class MessageEditAnswer:
    """What the provider answered to an edit; None if it was made."""

    edit: MessageEdit
    error: SendError | None


class EditMessages(Handler[MessageEdit, MessageEditAnswer]):
    """Edit the messages of a notice about the job's subject, one by one, whenever they say what is no longer true.

    Waits in between. What a message says is written when it is edited, so only the newest state is ever put. One at a
    time keeps the workers free for messages that leave.
    """

    def __init__(self, notice: EditedNotice) -> None:
        self._notice = notice

    def begin(self, context: JobContext) -> MessageEdit | Outcome:
        if context.is_past_deadline:
            return Done()
        wanted = self._notice.edition(context.session, context.job.subject)
        for row in context.session.execute(self._outdated(context, wanted)):
            edit = self._prepare(context, row, wanted)
            if edit is not None:
                return edit
            row.Delivery.edition = wanted  # nobody is there to read it
        return Wait()

    def act(self, runtime: Runtime, edit: MessageEdit) -> MessageEditAnswer:
        channel = runtime.channels[edit.channel]
        assert isinstance(channel, MessageEditor)
        try:
            channel.edit(edit.room, edit.message_id, edit.message)
        except SendError as error:
            return MessageEditAnswer(edit, error)
        return MessageEditAnswer(edit, None)

    def finish(self, context: JobContext, answer: MessageEditAnswer) -> Outcome:
        """Keep what the message says now; one that cannot be edited is left until things change again."""
        error = answer.error
        if isinstance(error, RateLimited):
            return Snooze(error.retry_after or PAUSE_BETWEEN)
        if error is not None:
            log.info("delivery.not_edited", delivery=answer.edit.delivery_id, error=str(error))
            if not error.permanent:
                return Retry(error.reason, error.retry_after)
        context.session.execute(
            update(Delivery).where(Delivery.id == answer.edit.delivery_id).values(edition=answer.edit.edition)
        )
        return Snooze(PAUSE_BETWEEN, failures=0)

    def is_ready(self, context: JobContext) -> bool:
        """Return whether anything is to be edited; asked again and again, so that no change is missed."""
        wanted = self._notice.edition(context.session, context.job.subject)
        return context.is_past_deadline or context.session.execute(self._outdated(context, wanted)).first() is not None

    def _outdated(self, context: JobContext, wanted: str | None) -> Select[Any]:
        """Select the messages that say something else than they should, with the contacts that they went to."""
        channels = [name for name, channel in context.runtime.channels.items() if isinstance(channel, MessageEditor)]
        theirs = (Contact.player_id == Delivery.player_id) & (Contact.channel == Delivery.channel)
        found: Any = (
            select(Delivery, Contact)
            .outerjoin(Contact, theirs)
            .where(
                Delivery.notice == self._notice.name,
                Delivery.subject == context.job.subject,
                Delivery.status == DeliveryStatus.SENT,
                Delivery.message_id.is_not(None),
                Delivery.channel.in_(channels),
                Delivery.edition.is_distinct_from(wanted),
            )
            # At random, so that one that cannot be edited holds up no other.
            .order_by(func.random())
        )
        return cast("Select[Any]", found)

    def _prepare(self, context: JobContext, row: Row[Any], wanted: str | None) -> MessageEdit | None:
        """Return the edit; None for a player who cannot be written to any more."""
        runtime, session, delivery = context.runtime, context.session, row.Delivery
        reach, room = None, delivery.destination
        if delivery.player_id is not None:
            reach = contacts.reachability_of(session, [delivery.player_id], settings=runtime.settings).get(
                delivery.player_id
            )
            room = _chat(row.Contact, reach, runtime)
        if room is None:
            return None
        occasion = Occasion(runtime, session, delivery, reach, delivery.channel, context.now)
        with i18n.speaking(runtime.settings.language_for(reach.language if reach is not None else None)):
            message = with_buttons(self._notice.edited(occasion), self._notice, occasion)
        message = with_stop_link(runtime, message, reach, self._notice)
        return MessageEdit(delivery.id, delivery.channel, room, delivery.message_id, message, wanted)


def _chat(contact: Contact | None, reach: Reachability | None, runtime: Runtime) -> str | None:
    """Return the chat with a player in which their messages stand, if they may still be written to there."""
    if contact is None or reach is None or not reach.is_linked or reach.has_left:
        return None
    if contact.channel is ChannelName.DISCORD:
        return contact.learned
    try:
        return contacts.address_of_route(contact.route, "", runtime.settings)
    except CannotDecrypt:
        return None
