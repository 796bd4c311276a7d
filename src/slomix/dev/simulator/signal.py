"""A signal-cli-rest-api with one registered number, under `/signal`: it writes to phone numbers and is written to."""

import json
import math
import time
from typing import Any

from aiohttp import web

from slomix.dev.simulator.people import PEOPLE_BY_ADDRESS, SIGNAL_SENDER
from slomix.dev.simulator.wire import WORLD, Handler, add_latency, drop_connection, fault_response
from slomix.dev.simulator.world import World

LONGEST_WAIT_SECONDS = 60
BY_NUMBER = PEOPLE_BY_ADDRESS["signal"]

CHALLENGE = (
    "Failed to send message: rate limited. Use the attached challenge tokens to lift the rate limit restrictions "
    "via the '/v1/accounts/{number}/rate-limit-challenge' endpoint."
)


class SignalError(Exception):
    """A refusal in the format of signal-cli and its REST API."""

    def __init__(self, status: int, error: str, *, headers: dict[str, str] | None = None, **more: Any) -> None:
        super().__init__(error)
        self.status, self.headers, self.more = status, headers, more

    def response(self) -> web.Response:
        return web.json_response({"error": str(self), **self.more}, status=self.status, headers=self.headers)


def register(app: web.Application) -> None:
    app.router.add_get("/signal/v1/about", _guarded(_about))
    app.router.add_get("/signal/v1/accounts", _guarded(_accounts))
    app.router.add_post("/signal/v2/send", _guarded(_send))
    app.router.add_get("/signal/v1/receive/{number}", _guarded(_receive))


def _guarded(answer: Handler) -> Handler:
    """Wrap a route's answer in the faults in force and the format of refusals."""

    async def handle(request: web.Request) -> web.StreamResponse:
        if (trouble := await fault_response(request, "signal", _fault)) is not None:
            return trouble
        await add_latency(request, "signal")
        try:
            return await answer(request)
        except SignalError as error:
            return error.response()

    return handle


async def _about(_request: web.Request) -> web.StreamResponse:
    return web.json_response({"versions": ["v1", "v2"], "build": 2, "mode": "normal", "version": "0.0-simulated"})


async def _accounts(_request: web.Request) -> web.StreamResponse:
    return web.json_response([SIGNAL_SENDER])


async def _send(request: web.Request) -> web.StreamResponse:
    world = request.app[WORLD]
    timestamp = _accept_message(world, await _body(request))
    if world.faults.cuts("signal"):
        return drop_connection(request)
    return web.json_response({"timestamp": str(timestamp)}, status=201)


def _fault(status: int, description: str) -> web.Response:
    return SignalError(status, description).response()


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.read())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise SignalError(400, "Couldn't process request - invalid request")
    return body


def _accept_message(world: World, body: dict[str, Any]) -> int:
    """Take a message for all its recipients, or for none."""
    if world.faults.challenges("signal"):
        tokens = ["0c9f1f2e-5b1e-4c8f-9d56-3a6c5b0e7d41"]
        raise SignalError(429, CHALLENGE, account=SIGNAL_SENDER, challenge_tokens=tokens)
    if (wait := world.faults.retry_after("signal")) is not None:
        headers = {"Retry-After": str(math.ceil(wait))}
        raise SignalError(429, "Failed to send message due to rate limiting", headers=headers)
    _check_sender(body.get("number"))
    text, recipients = body.get("message"), body.get("recipients")
    if not isinstance(recipients, list) or not recipients:
        raise SignalError(400, "Couldn't process request - please provide at least one recipient")
    if not isinstance(text, str) or not text:
        raise SignalError(400, "Failed to send message: message is empty")
    for number in recipients:
        person = BY_NUMBER.get(str(number))
        if person is None or world.faults.has_closed_dms("signal", person.id):
            raise SignalError(400, f'Failed to send (some) messages:\n{number}: Unregistered user "{number}"\n')
    timestamp = world.signal.timestamp()
    for number in recipients:
        world.accept("signal", number, text, message_id=str(timestamp))
        world.signal.deliver(BY_NUMBER[number], timestamp)
    return timestamp


async def _receive(request: web.Request) -> web.StreamResponse:
    """Return new envelopes once, waiting for them as long as was asked."""
    inbox = request.app[WORLD].signal
    _check_sender(request.match_info["number"])
    try:
        until = time.monotonic() + min(float(request.query.get("timeout", "1")), LONGEST_WAIT_SECONDS)
    except ValueError:
        raise SignalError(400, "Couldn't process request - timeout needs to be numeric!") from None
    while not inbox.waiting and (left := until - time.monotonic()) > 0:
        await inbox.sleep(left)
    if request.transport is None or request.transport.is_closing():
        # The client is gone; envelopes taken now would be lost.
        return web.Response()
    return web.json_response(inbox.take())


def _check_sender(number: Any) -> None:
    if number != SIGNAL_SENDER:
        raise SignalError(400, f"User {number} is not registered.\n")
