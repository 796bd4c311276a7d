"""Probes the providers that are out, until they answer; workers take turns, so that each is asked every few seconds."""

import threading
from collections.abc import Mapping

import structlog
from sqlalchemy.exc import SQLAlchemyError

from slomix.channels.base import SendError
from slomix.clock import wall_now
from slomix.health import outages
from slomix.health.models import Outage
from slomix.runtime.context import Runtime

log = structlog.get_logger()

LOOK_EVERY, LOOK_EVERY_IN_PEACE = 0.5, 2.0


class Prober:
    """One worker's share of the probes."""

    def __init__(self, runtime: Runtime, stopping: threading.Event) -> None:
        self._runtime, self._stopping = runtime, stopping
        self._known: set[str] = set()

    def run(self) -> None:
        """Probe until told to stop; a database that is away is waited for."""
        is_new = True
        while not self._stopping.is_set():
            is_any = False
            try:
                if is_new:
                    with self._runtime.transaction() as session:
                        outages.probe_soon(session, wall=wall_now())
                    is_new = False
                is_any = self.step()
            except SQLAlchemyError as error:
                log.warning("prober.database_away", error=type(error).__name__)
            self._stopping.wait(LOOK_EVERY if is_any else LOOK_EVERY_IN_PEACE)

    def step(self) -> bool:
        """Begin the probes that are due, each in its own thread; return whether any provider is out."""
        with self._runtime.transaction() as session:
            found = outages.current(session)
            is_any = bool(found)
            due = outages.claim_probes(session, list(self._runtime.channels), wall=wall_now()) if is_any else []
        self._log_new(found)
        for channel in due:
            threading.Thread(target=self.probe, args=(channel,), daemon=True, name=f"probe-{channel}").start()
        return is_any

    def probe(self, channel: str) -> None:
        """Ask a provider once, and record the result."""
        failure: SendError | None = None
        try:
            self._runtime.channels[channel].ping()
        except SendError as error:
            failure = error
        try:
            with self._runtime.transaction() as session:
                if failure is None:
                    outages.record_probe_answer(session, channel, wall=wall_now())
                else:
                    outages.record_probe_failure(session, channel, failure, wall=wall_now())
        except SQLAlchemyError as error:
            log.warning("prober.database_away", error=type(error).__name__)
            return
        if failure is None:
            log.info("provider.answers", channel=channel)

    def _log_new(self, found: Mapping[str, Outage]) -> None:
        """Log each outage once."""
        out = {channel for channel, outage in found.items() if outage.is_confirmed}
        for channel in out - self._known:
            log.error(
                "provider.out", channel=channel, since=str(found[channel].since), reason=str(found[channel].reason)
            )
        self._known = out
