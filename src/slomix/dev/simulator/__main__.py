"""Runs the simulator beside a Slomix: `PORT=7000 SLOMIX_CLOCK_FILE=… python -m slomix.dev.simulator` is on 7001."""

import logging
import os
import sys
from pathlib import Path

from aiohttp import web

from slomix.dev.simulator import (
    control,
    events,
    gameserver,
    gateway,
    interactions,
    oauth,
    page,
    rest,
    signal,
    telegram,
    threads,
)
from slomix.dev.simulator.timekeeping import SimulatorClock
from slomix.dev.simulator.wire import WORLD, record_exchange, refuse_foreign_pages, refuse_unnamed_clients
from slomix.dev.simulator.world import World


def create_app(world: World) -> web.Application:
    app = web.Application(middlewares=[record_exchange, refuse_unnamed_clients, refuse_foreign_pages])
    app[WORLD] = world
    threads.register(app)
    events.register(app)
    interactions.register(app)
    rest.register(app)
    oauth.register(app)
    telegram.register(app)
    signal.register(app)
    gameserver.register(app)
    control.register(app, gateway.register(app))
    page.register(app)
    return app


def main() -> None:
    try:
        port = int(os.environ["PORT"])
        clock_file = Path(os.environ["SLOMIX_CLOCK_FILE"])
    except (KeyError, ValueError) as error:
        sys.exit(f"The simulator needs PORT (a number) and SLOMIX_CLOCK_FILE (a path): {error!r}")
    logging.basicConfig(level=logging.WARNING)
    app = create_app(World(port, SimulatorClock(clock_file), clock_file.with_name("telegram-chats.json")))
    web.run_app(app, host="127.0.0.1", port=port + 1, access_log=None, print=None, shutdown_timeout=0.5)


if __name__ == "__main__":
    main()
