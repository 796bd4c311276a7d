"""The webhook to which Telegram posts messages, for operators who prefer that to polling."""

import hmac

from flask import Blueprint, current_app, request

from slomix.channels.telegram import parse_update
from slomix.chat.responder import Responder
from slomix.errors import NotFound
from slomix.i18n import N_
from slomix.web import current

blueprint = Blueprint("inbox", __name__)


class NoWebhook(NotFound):
    """The webhook is off, or the caller is not Telegram; callers do not learn which."""

    sentence = N_("There is no such page.")


@blueprint.post("/inbox/telegram")
def telegram() -> tuple[str, int]:
    """Answer an update. A status other than 200 makes Telegram send it again."""
    secret = current.runtime().settings.telegram_webhook_secret.get_secret_value()
    given = request.headers.get("X-Telegram-Bot-Api-Secret-Token", "")
    is_on = "telegram" in current.runtime().settings.channels_on
    if not is_on or not secret or not hmac.compare_digest(given.encode(), secret.encode()):
        raise NoWebhook
    update = parse_update(request.get_json(force=True, silent=True))
    if update is not None:
        desk = current_app.extensions.setdefault("slomix_desk", Responder(current.runtime()))
        desk.answer_update(update)
    return "", 200
