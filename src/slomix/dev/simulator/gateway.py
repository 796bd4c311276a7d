"""Discord's gateway: shows identified clients the server, tells them who moves, and lets them resume."""

import asyncio
import contextlib
import json
import secrets
import zlib
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

import aiohttp
from aiohttp import web

from slomix.clock import wall_now
from slomix.dev.simulator import shapes
from slomix.dev.simulator.limits import RateWindow
from slomix.dev.simulator.people import BOT_TOKEN, CLIENT_ID, GUILD_ID
from slomix.dev.simulator.wire import WORLD, drop_connection
from slomix.dev.simulator.world import World

DISPATCH, HEARTBEAT, IDENTIFY, RESUME, RECONNECT, INVALID_SESSION, HELLO, ACK = 0, 1, 2, 6, 7, 9, 10, 11
HEARTBEAT_SECONDS = 41.25
REMEMBERED_EVENTS, REMEMBERED_SESSIONS = 1000, 10
GUILDS, VOICE_STATES = 1 << 0, 1 << 7

BAD_JSON, NOT_AUTHENTICATED, AUTHENTICATION_FAILED, ALREADY_AUTHENTICATED = 4002, 4003, 4004, 4005
RATE_LIMITED, TIMED_OUT = 4008, 4009
# https://discord.com/developers/docs/events/gateway#rate-limiting
SEND_LIMIT, SEND_WINDOW = 120, 60.0


class GatewayConnection:
    """A websocket: payloads leave in order, compressed if the client asked for it."""

    def __init__(self, request: web.Request, socket: web.WebSocketResponse) -> None:
        self.request = request
        self.socket = socket
        self._faults = request.app[WORLD].faults
        # A dead connection stays open and says nothing any more, whatever happens to the fault.
        self._is_dead = False
        self._received = RateWindow(SEND_LIMIT, SEND_WINDOW)
        self._encode = _encoder(request.query.get("compress", ""))
        self._waiting: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def put(self, op: int, data: Any, *, seq: int | None = None, event: str | None = None) -> None:
        self._is_dead = self._is_dead or self._faults.is_gateway_dead()
        if not self._is_dead:
            self._waiting.put_nowait({"op": op, "d": data, "s": seq, "t": event})

    def count_frame(self) -> int:
        """Count a frame and return how many came in the last minute. Raise GatewayClosed if they are too many."""
        now = wall_now().timestamp()
        if self._received.wait(now) > 0:
            raise GatewayClosed(RATE_LIMITED, "You are sending payloads to the gateway too quickly.")
        self._received.accept(now)
        return len(self._received.taken)

    async def write(self) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                payload = self._encode(json.dumps(await self._waiting.get()))
                if isinstance(payload, bytes):
                    await self.socket.send_bytes(payload)
                else:
                    await self.socket.send_str(payload)


def _encoder(compress: str) -> Callable[[str], str | bytes]:
    if compress != "zlib-stream":
        # Clients that ask for another compression (discord.py for zstd, from Python 3.14 on) read plain text as well.
        return str
    stream = zlib.compressobj()
    return lambda text: stream.compress(text.encode()) + stream.flush(zlib.Z_SYNC_FLUSH)


class GatewaySession:
    """The events that a client was told, so that they can be repeated."""

    def __init__(self, intents: int) -> None:
        self.id = secrets.token_hex(16)
        self.intents = intents
        self.seq = 0
        self.connection: GatewayConnection | None = None
        self._sent: deque[tuple[int, str, Any]] = deque(maxlen=REMEMBERED_EVENTS)

    def send(self, event: str, data: Any) -> None:
        self.seq += 1
        self._sent.append((self.seq, event, data))
        if self.connection is not None:
            self.connection.put(DISPATCH, data, seq=self.seq, event=event)

    def can_replay(self, seq: int) -> bool:
        """Check whether all events after `seq` can be repeated."""
        return self.seq - len(self._sent) <= seq <= self.seq

    def replay(self, after: int) -> None:
        assert self.connection is not None
        for seq, event, data in self._sent:
            if seq > after:
                self.connection.put(DISPATCH, data, seq=seq, event=event)


class Gateway:
    """All sessions of the one bot."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._sessions: dict[str, GatewaySession] = {}
        self._is_guild_available = True
        self._resumes = 0
        self._most_frames = 0
        self._closed: Counter[int] = Counter()
        self._closing: set[asyncio.Task[object]] = set()
        world.on_voice.append(self._send_voice_update)
        world.on_reset.append(self.reset)

    def _send_voice_update(self, user_id: str) -> None:
        if self._is_guild_available:
            self._send(VOICE_STATES, "VOICE_STATE_UPDATE", shapes.voice_update(self._world, user_id))

    def _send(self, intent: int, event: str, data: Any) -> None:
        for session in self._sessions.values():
            if session.intents & intent:
                session.send(event, data)

    def connections(self) -> list[GatewayConnection]:
        return [session.connection for session in self._sessions.values() if session.connection]

    def as_json(self) -> dict[str, Any]:
        """Return what clients have asked of the gateway since the last reset."""
        return {
            "connections": len(self.connections()),
            "identifies": self._world.limits.session_starts,
            "resumes": self._resumes,
            "most_frames_per_minute": self._most_frames,
            "closed": {str(code): times for code, times in self._closed.items()},
        }

    def reset(self) -> None:
        self.disturb("guild_available")
        self._resumes = self._most_frames = 0
        self._closed.clear()

    def disturb(self, do: str, *, code: int | None = None) -> int:
        """Do one of `control.DISTURBANCES` to all connections, with `code` to close them; return how many there are."""
        connections = self.connections()
        match do:
            case "guild_unavailable" if self._is_guild_available:
                self._is_guild_available = False
                self._send(GUILDS, "GUILD_DELETE", {"id": GUILD_ID, "unavailable": True})
            case "guild_available" if not self._is_guild_available:
                self._is_guild_available = True
                self._send(GUILDS, "GUILD_CREATE", shapes.guild_create(self._world))
            case "invalidate":
                self._sessions.clear()
        for connection in connections:
            match do:
                case "drop":
                    drop_connection(connection.request)
                case "reconnect":
                    connection.put(RECONNECT, None)
                case "invalidate":
                    connection.put(INVALID_SESSION, False)
                case "close":
                    assert code is not None
                    self._close(connection, code)
        return len(connections)

    def _close(self, connection: GatewayConnection, code: int) -> None:
        self._closed[code] += 1
        closing = asyncio.create_task(connection.socket.close(code=code))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(compress=False, max_msg_size=4096, timeout=1.0)
        await socket.prepare(request)
        connection = GatewayConnection(request, socket)
        writing = asyncio.create_task(connection.write())
        session: GatewaySession | None = None
        connection.put(HELLO, {"heartbeat_interval": int(HEARTBEAT_SECONDS * 1000)})
        try:
            while True:
                frame = await socket.receive(timeout=HEARTBEAT_SECONDS * 1.5)
                if frame.type is not aiohttp.WSMsgType.TEXT:
                    break
                self._most_frames = max(self._most_frames, connection.count_frame())
                session = self._answer(connection, session, *_parse(frame.data))
        except GatewayClosed as closed:
            self._closed[closed.code] += 1
            await socket.close(code=closed.code, message=str(closed).encode())
        except TimeoutError:
            await socket.close(code=TIMED_OUT, message=b"Session timed out.")
        finally:
            writing.cancel()
            if session is not None and session.connection is connection:
                session.connection = None
        return socket

    def _answer(
        self, connection: GatewayConnection, session: GatewaySession | None, op: int, data: Any
    ) -> GatewaySession | None:
        """Answer a frame; return the session that the connection has from then on."""
        if op == HEARTBEAT:
            connection.put(ACK, None)
        elif op in (IDENTIFY, RESUME) and session is not None:
            raise GatewayClosed(ALREADY_AUTHENTICATED, "Already authenticated.")
        elif op == IDENTIFY:
            return self._identify(connection, data)
        elif op == RESUME:
            return self._resume(connection, data)
        elif session is None:
            raise GatewayClosed(NOT_AUTHENTICATED, "Not authenticated.")
        return session

    def _identify(self, connection: GatewayConnection, data: dict[str, Any]) -> GatewaySession | None:
        self._check_token(data)
        if not self._world.limits.start_session(wall_now().timestamp()):
            # https://discord.com/developers/docs/events/gateway#session-start-limit-object
            for other in self.connections():
                self._close(other, AUTHENTICATION_FAILED)
            self._sessions.clear()
            raise GatewayClosed(AUTHENTICATION_FAILED, "Authentication failed.")
        if (code := self._world.faults.close_code()) is not None:
            raise GatewayClosed(code, f"{code}: a fault of the simulator")
        if self._world.faults.refuses_sessions():
            connection.put(INVALID_SESSION, False)
            return None
        session = GatewaySession(int(data.get("intents", 0)))
        session.connection = connection
        self._forget_old_sessions()
        self._sessions[session.id] = session
        session.send(
            "READY",
            {
                "v": 10,
                "user": shapes.BOT_USER | {"verified": True, "mfa_enabled": False, "email": None},
                "guilds": [{"id": GUILD_ID, "unavailable": True}],
                "private_channels": [],
                "session_id": session.id,
                "session_type": "normal",
                "resume_gateway_url": self._world.gateway_url,
                "application": {"id": CLIENT_ID, "flags": 0},
            },
        )
        if session.intents & GUILDS and self._is_guild_available:
            session.send("GUILD_CREATE", shapes.guild_create(self._world))
        return session

    def _forget_old_sessions(self) -> None:
        lost = [session.id for session in self._sessions.values() if session.connection is None]
        for session_id in lost[:-REMEMBERED_SESSIONS]:
            del self._sessions[session_id]

    def _resume(self, connection: GatewayConnection, data: dict[str, Any]) -> GatewaySession | None:
        self._check_token(data)
        self._resumes += 1
        session = self._sessions.get(str(data.get("session_id")))
        seq = data.get("seq")
        if session is None or not isinstance(seq, int) or not session.can_replay(seq):
            connection.put(INVALID_SESSION, False)
            return None
        if (seconds := self._world.faults.slow_resume()) > 0:
            asyncio.get_running_loop().call_later(seconds, _replay, session, connection, seq)
        else:
            _replay(session, connection, seq)
        return session

    def _check_token(self, data: dict[str, Any]) -> None:
        is_ours = str(data.get("token", "")).removeprefix("Bot ") == BOT_TOKEN
        if not is_ours or self._world.limits.is_token_reset:
            raise GatewayClosed(AUTHENTICATION_FAILED, "Authentication failed.")


def _replay(session: GatewaySession, connection: GatewayConnection, seq: int) -> None:
    """Send what a client has missed, unless it is gone again."""
    if not connection.socket.closed:
        session.connection = connection
        session.replay(after=seq)
        session.send("RESUMED", {})


class GatewayClosed(Exception):
    """Raised to close the connection with one of Discord's codes."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def _parse(text: str) -> tuple[int, Any]:
    try:
        frame = json.loads(text)
        op, data = frame["op"], frame.get("d")
    except (ValueError, TypeError, KeyError, AttributeError):
        raise GatewayClosed(BAD_JSON, "Error while decoding payload.") from None
    if op in (IDENTIFY, RESUME) and not isinstance(data, dict):
        raise GatewayClosed(BAD_JSON, "Error while decoding payload.")
    return op, data


def register(app: web.Application) -> Gateway:
    gateway = Gateway(app[WORLD])
    app.router.add_get("/gateway", gateway.serve)
    # discord.py puts a slash before its query.
    app.router.add_get("/gateway/", gateway.serve)

    async def say_goodbye(_app: web.Application) -> None:
        code = aiohttp.WSCloseCode.GOING_AWAY
        await asyncio.gather(*(connection.socket.close(code=code) for connection in gateway.connections()))

    app.on_shutdown.append(say_goodbye)
    return gateway
