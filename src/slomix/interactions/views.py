"""The address to which Discord posts interactions."""

import threading
from collections.abc import Mapping
from typing import Any

import structlog
from flask import Blueprint, Response, jsonify, request

from slomix import i18n
from slomix.channels.base import SendError
from slomix.chat.replies import Reply
from slomix.clock import wall_now
from slomix.errors import NotFound
from slomix.i18n import N_, _
from slomix.interactions import service, wire
from slomix.interactions.wire import Interaction, InteractionType, NotFromDiscord
from slomix.runtime.context import Runtime
from slomix.web import current, rate_limits
from slomix.web.refusals import REFUSALS

log = structlog.get_logger()
blueprint = Blueprint("interactions", __name__)

# Discord waits for three seconds; what takes longer than this is finished afterwards.
ANSWER_WITHIN = 2.0
# What a member does, as often as on the pages; autocomplete asks at every key.
COUNTED = (InteractionType.COMMAND, InteractionType.PRESS)


class NoInteractions(NotFound):
    """No public key is set, so Discord has no buttons and commands of ours."""

    sentence = N_("There is no such page.")


@blueprint.post("/discord/interactions")
def interactions() -> tuple[Response, int]:
    """Answer an interaction. 401 for what Discord has not signed, or what was here before."""
    runtime = current.runtime()
    key = runtime.settings.discord_public_key
    if not key:
        raise NoInteractions
    body = request.get_data()
    try:
        wire.verify(
            body,
            signature=request.headers.get("X-Signature-Ed25519", ""),
            timestamp=request.headers.get("X-Signature-Timestamp", ""),
            public_key=key,
            wall=wall_now(),
        )
        asked = wire.parse(body)
        i18n.speak(runtime.settings.language_for(asked.language))  # until it is known who asks
        if asked.type in COUNTED and rate_limits.seconds_until_write(f"discord:{asked.user_id}"):
            return jsonify(wire.answer(Reply(REFUSALS[429]), to=asked)), 200
        return jsonify(_answer(runtime, asked)), 200
    except (NotFromDiscord, service.SeenBefore):
        return jsonify({"error": "invalid request signature"}), 401


def _answer(runtime: Runtime, asked: Interaction) -> Mapping[str, Any]:
    match asked.type:
        case InteractionType.PING:
            return wire.pong()
        case InteractionType.AUTOCOMPLETE:
            return wire.choices(service.autocomplete(runtime, asked))
        case _:
            return _Work(runtime, asked).answer()


class _Work:
    """The work for one interaction, on a thread of its own, so that a slow database does not lose the answer."""

    def __init__(self, runtime: Runtime, asked: Interaction) -> None:
        self._runtime, self._asked = runtime, asked
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._is_deferred = False
        self._result: Reply | Exception = Reply(_("This took too long. Please try again."))

    def answer(self) -> Mapping[str, Any]:
        """Return the answer; where it takes too long, say that it follows. Raise SeenBefore."""
        threading.Thread(target=self._do, daemon=True, name="interaction").start()
        self._done.wait(ANSWER_WITHIN)
        with self._lock:
            if not self._done.is_set():
                self._is_deferred = True
                return wire.deferral()
        if isinstance(self._result, Exception):
            raise self._result
        return wire.answer(self._result, to=self._asked)

    def _do(self) -> None:
        i18n.speak(self._runtime.settings.language_for(self._asked.language))  # until it is known who asks
        try:
            self._result = service.respond(self._runtime, self._asked)
        except service.SeenBefore as error:
            self._result = error
        except Exception:
            log.exception("interaction.failed", command=self._asked.command)
            self._result = Reply(_("That is our mistake, not yours. Nothing was changed; please try again."))
        with self._lock:
            self._done.set()
            if not self._is_deferred:
                return
        self._follow_up()

    def _follow_up(self) -> None:
        """Send the answer that was deferred, by the interaction's own token, which is stored nowhere."""
        if not isinstance(self._result, Reply) or self._runtime.interaction_responses is None:
            return
        try:
            self._runtime.interaction_responses.edit_response(
                self._asked.application_id, self._asked.token, wire.message(self._result)
            )
        except SendError as error:
            log.warning("interaction.not_answered", reason=str(error))
