"""The button that sends a player a test message."""

from flask import Blueprint
from werkzeug.wrappers import Response

from slomix import words
from slomix.accounts.acting import as_player
from slomix.contacts import service as contacts
from slomix.contacts.rules import ChannelName, NoSuchChannel
from slomix.deliveries import test_message
from slomix.errors import NotFound
from slomix.web import current, responses

blueprint = Blueprint("deliveries", __name__)


class NotLinked(NotFound):
    def __init__(self, channel: ChannelName) -> None:
        super().__init__(words.NOTHING_LINKED.format(channel=words.CHANNELS[channel]))


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
    return responses.redirected("/preferences", done=words.TEST_ON_ITS_WAY.format(channel=words.CHANNELS[to]))
