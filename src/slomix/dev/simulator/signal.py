"""A signal-cli-rest-api with one registered number, under `/signal`.

Shapes and texts follow the sources that docs/operations/signal.md names.
"""

import asyncio
import json
from typing import Any

from aiohttp import WSMsgType, web

from slomix.dev.simulator.people import PEOPLE_BY_ADDRESS, SIGNAL_SENDER
from slomix.dev.simulator.wire import WORLD, Handler, add_latency, drop_connection, fault_response, lost_answer
from slomix.dev.simulator.world import World

BY_ADDRESS = PEOPLE_BY_ADDRESS["signal"]

FAILED = "Failed to send message"
RATE_LIMITED = "Failed to send message due to rate limiting"
CHALLENGE = (
    f"{RATE_LIMITED}. Use the attached challenge tokens to lift the rate limit restrictions "
    "via the '/v1/accounts/{number}/rate-limit-challenge' endpoint."
)
NO_UPGRADE = (
    "websocket: the client is not using the websocket protocol: 'upgrade' token not found in 'Connection' header"
)
# Before this version an account's id is taken for a user name.
TAKES_IDS = (0, 85)

TOKEN = "0c9f1f2e-5b1e-4c8f-9d56-3a6c5b0e7d41"
DAY_SECONDS = 86_400


class SignalError(Exception):
    """An error in the words of signal-cli and its REST interface, without any header."""

    def __init__(self, status: int, error: str, **more: Any) -> None:
        super().__init__(error)
        self.status, self.more = status, more

    def response(self) -> web.Response:
        return web.json_response({"error": str(self), **self.more}, status=self.status)


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


async def _about(request: web.Request) -> web.StreamResponse:
    service = request.app[WORLD].signal.service
    return web.json_response(
        {"versions": ["v1", "v2"], "build": 2, "mode": service.mode, "version": service.version, "capabilities": {}}
    )


async def _accounts(_request: web.Request) -> web.StreamResponse:
    return web.json_response([SIGNAL_SENDER])


async def _send(request: web.Request) -> web.StreamResponse:
    world, body = request.app[WORLD], await _body(request)
    if (kind := world.faults.mishap("signal")) is not None:
        return _mishap(world, body, kind)
    timestamp = _accept_message(world, body)
    if (lost := lost_answer(request, "signal", _fault)) is not None:
        return lost
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
        raise SignalError(429, CHALLENGE, account=SIGNAL_SENDER, challenge_tokens=[TOKEN])
    if world.faults.retry_after("signal") is not None:
        # The service never says how long, and lists an empty token for each recipient that needs none.
        raise SignalError(429, CHALLENGE, account=SIGNAL_SENDER, challenge_tokens=[""])
    _check_sender(body.get("number"))
    text, recipients = body.get("message"), body.get("recipients")
    if not isinstance(recipients, list) or not recipients:
        raise SignalError(400, "Couldn't process request - please provide at least one recipient")
    if not isinstance(text, str) or not text:
        raise SignalError(400, f"{FAILED}: message is empty")
    for address in recipients:
        _check_recipient(world, str(address))
    timestamp = world.signal.timestamp()
    for address in recipients:
        world.accept("signal", address, text, message_id=str(timestamp))
        world.signal.deliver(BY_ADDRESS[address], timestamp)
    return timestamp


def _check_recipient(world: World, address: str) -> None:
    service, person = world.signal.service, BY_ADDRESS.get(address)
    is_known = person is not None and not world.faults.has_closed_dms("signal", person.id)
    if not address.startswith("+") and service.number < TAKES_IDS:
        is_known = False
    if is_known:
        return
    if service.is_json_rpc:
        raise SignalError(400, FAILED)
    raise SignalError(400, f'Failed to send (some) messages:\n{address}: Unregistered user "{address}"\n')


def _mishap(world: World, body: dict[str, Any], kind: str) -> web.Response:
    """Answer in a way that is easily misread; some of these answers come after the message was sent."""
    if kind in ("empty", "html", "killed", "socket_timeout"):
        _accept_message(world, body)
    match kind:
        case "empty":
            return web.Response(status=201)
        case "html":
            return web.Response(text="<html><body>Just a moment…</body></html>", content_type="text/html")
        case "recipients":
            failed = [{"recipient": name, "error": "UNREGISTERED_FAILURE"} for name in body.get("recipients", [])]
            return web.json_response(
                {"timestamp": str(world.signal.timestamp()), "errors": {"recipients": failed}}, status=201
            )
    return SignalError(400, MISHAPS[kind]).response()


def _result(kind: str, **more: Any) -> str:
    """Build the results that signal-cli prints before its error."""
    result = {"recipientAddress": {"uuid": None, "number": None}, "type": kind, **more}
    return json.dumps({"timestamp": 1764268800000, "results": [result]})


# Errors of a send, by their names in `/control/faults`; all are a 400 with a text.
MISHAPS = {
    "failed": FAILED,
    "unregistered": f"{_result('UNREGISTERED_FAILURE')}\n{FAILED}",
    "rate_limit": f"{_result('RATE_LIMIT_FAILURE', retryAfterSeconds=240)}\n{RATE_LIMITED}",
    "proof": f"{_result('RATE_LIMIT_FAILURE', token=TOKEN, retryAfterSeconds=DAY_SECONDS)}\n{RATE_LIMITED}",
    "identity": f"{_result('IDENTITY_FAILURE')}\nFailed to send message due to untrusted identities",
    "network": f"{_result('NETWORK_FAILURE')}\n{FAILED}",
    "socket_timeout": "Error while sending message: SocketTimeoutException",
    "killed": "process killed as timeout reached",
    "sender": f"User {SIGNAL_SENDER} is not registered.\n",
}


async def _receive(request: web.Request) -> web.StreamResponse:
    """Push to a websocket what comes in while it is open; earlier texts are gone."""
    inbox = request.app[WORLD].signal
    if not inbox.service.is_json_rpc:
        return web.json_response([])
    if request.headers.get("Upgrade", "").lower() != "websocket":
        error = json.dumps({"error": NO_UPGRADE})
        return web.Response(text=f"Bad Request\n{error}", status=400)
    # The real one accepts any number; for one that it does not serve nothing ever comes.
    if request.match_info["number"] != SIGNAL_SENDER:
        return await _listen(request, asyncio.Queue())
    with inbox.listening() as envelopes:
        return await _listen(request, envelopes)


async def _listen(request: web.Request, envelopes: "asyncio.Queue[Any]") -> web.StreamResponse:
    """Push until either side has gone; None in the queue cuts the connection."""
    socket = web.WebSocketResponse()
    await socket.prepare(request)

    async def pass_on() -> None:
        while (envelope := await envelopes.get()) is not None:
            await socket.send_json(envelope)
        drop_connection(request)

    passing = asyncio.create_task(pass_on())
    try:
        async for message in socket:
            if message.type is WSMsgType.ERROR:
                break
    finally:
        passing.cancel()
    return socket


def _check_sender(number: Any) -> None:
    if number != SIGNAL_SENDER:
        raise SignalError(400, f"User {number} is not registered.\n")
