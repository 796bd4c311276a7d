"""An ET:Legacy server over UDP that answers `getstatus`; its players, or that it is down, are set from outside."""

import asyncio
from typing import Any, cast

from aiohttp import web

from slomix.dev.simulator.wire import WORLD
from slomix.dev.simulator.world import World

HEADER = b"\xff\xff\xff\xff"
INFO = {
    "version": "ET Legacy v2.83.2 linux-x86_64 (simulated)",
    "protocol": "84",
    "gamename": "legacy",
    "sv_hostname": "^1Game ^7nights (simulated)",
    "mapname": "supply",
    "g_gametype": "3",
    "sv_maxclients": "64",
}


class SimulatedGameServer(asyncio.DatagramProtocol):
    """Answers queries, unless it is down: then it stays silent."""

    def __init__(self, world: World) -> None:
        self._world = world

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, address: Any) -> None:
        names = self._world.on_server
        if names is not None and data.startswith(HEADER):
            command, *challenge = data.removeprefix(HEADER).rstrip(b"\n\x00").split(None, 1)[:2] or [b""]
            if command.lower() == b"getstatus":
                self._transport.sendto(status_response(names, b"".join(challenge)), address)


def status_response(names: list[str], challenge: bytes) -> bytes:
    """Write the server's info, then a line for each player: score, ping, name."""
    info = INFO | ({"challenge": challenge.decode(errors="replace")} if challenge else {})
    lines = ["statusResponse", "".join(f"\\{key}\\{value}" for key, value in info.items())]
    lines += [f'{score} {48 + score % 30} "{name}"' for score, name in enumerate(names)]
    return HEADER + "".join(f"{line}\n" for line in lines).encode()


def register(app: web.Application) -> None:
    """Listen as long as the application runs, on the port after that of Slomix."""
    app.cleanup_ctx.append(_listening)


async def _listening(app: web.Application) -> Any:
    world = app[WORLD]
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: SimulatedGameServer(world), local_addr=("127.0.0.1", world.port + 1)
    )
    yield
    transport.close()
