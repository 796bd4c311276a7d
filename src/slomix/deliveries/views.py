"""The button that sends a player a test message."""

from flask import Blueprint
from werkzeug.wrappers import Response

from slomix.accounts.acting import as_player
from slomix.contacts import service as contacts
from slomix.contacts.rules import CHANNEL_NAMES, ChannelName, NoSuchChannel
from slomix.deliveries import test_message
from slomix.errors import NotFound
from slomix.i18n import _
from slomix.web import current, responses

blueprint = Blueprint("deliveries", __name__)


class NotLinked(NotFound):
    def __init__(self, channel: ChannelName) -> None:
        super().__init__(_("{channel} is not linked.").format(channel=CHANNEL_NAMES[channel]))


@blueprint.post("/contacts/<channel>/test")
def send_test(channel: str) -> Response:
    """Plan a test message to the viewer's own address on this channel."""
    settings = current.runtime().settings
    with as_player() as (session, player_id):
        if channel not in settings.channels_on:
            raise NoSuchChannel
        to = ChannelName(channel)
        if to not in contacts.contacts_of(session, player_id):
            raise NotLinked(to)
        try:
            test_message.plan_test_message(session, player_id, to, settings=settings, now=current.now())
        except test_message.MessageTestTooSoon as error:
            return responses.redirected("/preferences", done=str(error), kind="note")
    return responses.redirected(
        "/preferences", done=_("A test message is on its way to {channel}.").format(channel=CHANNEL_NAMES[to])
    )
