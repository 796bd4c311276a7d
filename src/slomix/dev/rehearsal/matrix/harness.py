"""The stage of the evenings: a running copy, its cast with their channels, and ways to disturb it."""

import random
import subprocess
from collections.abc import Callable
from datetime import date, datetime
from functools import cached_property
from typing import Any

import httpx2
import redis
from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError

from slomix.accounts.models import Player, User
from slomix.campaigns import evening_report, queries
from slomix.campaigns.models import Campaign
from slomix.clock import nap, wall_now
from slomix.contacts.models import Contact
from slomix.contacts.rules import ChannelName
from slomix.database.session import JOBS_CHANNEL, Database, notify
from slomix.deliveries.models import Attempt, Delivery
from slomix.deliveries.rules import AttemptEvent, DeliveryStatus
from slomix.dev.rehearsal.people import BrowserUser, SimulatorControl, UnexpectedAnswer
from slomix.dev.rehearsal.system import RunningSystem
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus
from slomix.presence.game_names import plain_name

PROMOTER = "Bob"
# The players' preferred channels; the others have only Discord, to which all fall back.
ON = {"telegram": ("Erik", "Franka", "Goran"), "signal": ("Hana", "Jana", "Ivan")}
CAST = ("Alice", "Bob", "Dora", "Erik", "Franka", "Goran", "Hana", "Ivan", "Jana", "Luka")
PROVIDERS = ("discord", "telegram", "signal")
# A text on Signal is lost while no inbox listens; a person sends it again.
SENT_AGAIN, HEARD_WITHIN = 12, 10.0

TIMEOUT_SECONDS = 120.0
RETRY_SECONDS = 0.1


class Harness:
    """A running copy for many evenings."""

    def __init__(self, system: RunningSystem) -> None:
        self.system = system
        self.control: SimulatorControl = system.control
        self.random = random.Random()  # every evening brings its own
        self.ids = {entry["name"]: entry["id"] for entry in self.control.people()}
        self._people = {name: BrowserUser(system.web_url, self.ids[name], name) for name in CAST}
        self._beside: list[subprocess.Popen[bytes]] = []
        # When a provider that was away for everybody came back, in wall time.
        self.back_at: datetime | None = None

    @cached_property
    def database(self) -> Database:
        return self.system.database()

    @cached_property
    def room(self) -> str:
        """Return the room where summaries are posted."""
        return self.system.environment["AVAILABILITY_PROMOTION_FOLLOWUP_CHANNEL_ID"]

    @cached_property
    def players(self) -> dict[str, str]:
        """Map each player's name, as the evidence writes it, to their Discord id."""
        with self.database.transaction() as session:
            rows = session.execute(select(Player.name, User.discord_id).join(User, User.player_id == Player.id))
            return {plain_name(row.name): row.discord_id for row in rows}

    def open(self) -> None:
        """Log the cast in, and link Telegram or Signal for six of them."""
        self.restore_calm()
        self.log_in()
        for name in CAST:
            self.press(name, "/api/availability/promotion-preferences", {"allow_promotions": True})
        codes = [
            (
                channel,
                self.ids[name],
                self.press(name, "/api/availability/link-token", {"channel_type": channel})["token"],
            )
            for channel, names in ON.items()
            for name in names
        ]
        for _ in range(SENT_AGAIN):
            for channel, person, code in codes:
                for text in (f"/link {code}", "/yes"):
                    self.control.type_text(channel, person, text)
            if self.wait(lambda: self._count_addresses() == len(codes), seconds=HEARD_WITHIN):
                return

    def _count_addresses(self) -> int:
        with self.database.transaction() as session:
            query = select(func.count()).where(Contact.channel != ChannelName.DISCORD)
            return session.scalar(query) or 0

    def log_in(self) -> None:
        """Log in everyone who isn't, or isn't any more."""
        for person in self._people.values():
            if not person.get("/api/availability/access").json()["authenticated"]:
                person.log_in()

    def press(self, name: str, path: str, body: dict[str, Any], *, key: str | None = None) -> dict[str, Any]:
        """Repeat a request until there is an answer, as a person with a bad connection does."""
        return self._insist(name, path, lambda person: person.call(path, body, key=key))

    def _insist(self, name: str, path: str, do: Callable[[BrowserUser], httpx2.Response]) -> dict[str, Any]:
        said = ""
        for _ in range(int(TIMEOUT_SECONDS / RETRY_SECONDS)):
            try:
                answer = do(self._people[name])
                if answer.is_success:
                    return dict(answer.json())
                said = f"{answer.status_code} {answer.text[:200]}"
            except httpx2.HTTPError as error:
                said = type(error).__name__
            nap(RETRY_SECONDS)
        raise UnexpectedAnswer(f"{name} asked {path} in vain: {said}")

    def set_status(self, name: str, day: str, status: str) -> None:
        self.press(name, "/api/availability", {"date": day, "status": status})

    def wait(self, condition: Callable[[], bool], *, seconds: float = TIMEOUT_SECONDS) -> bool:
        """Wait for a condition and return False if it doesn't come; ride out a database that is away."""
        for _ in range(int(seconds / RETRY_SECONDS)):
            try:
                if condition():
                    return True
            except (OperationalError, httpx2.HTTPError):
                pass
            nap(RETRY_SECONDS)
        return False

    def evidence(self, campaign: str) -> dict[str, Any]:
        """Return what the tables say of a campaign."""
        with self.database.transaction() as session:
            return evening_report.build_report(session, queries.get_campaign(session, int(campaign)))

    def campaigns_of(self, day: str) -> list[str]:
        with self.database.transaction() as session:
            query = select(Campaign.id).where(Campaign.day == date.fromisoformat(day), ~Campaign.dry_run)
            return [str(campaign_id) for campaign_id in session.scalars(query)]

    def kill_process(self, name: str) -> None:
        """Kill a process as soon as it is up."""
        self.wait(lambda: self.system.kill(name))

    def expire_leases(self) -> None:
        """End all leases now, instead of waiting thirty seconds for those of a dead worker."""
        nap(0.2)  # until it is dead
        with self.database.transaction() as session:
            session.execute(update(Job).where(Job.status == JobStatus.RUNNING).values(lease_until=wall_now()))
            notify(session, JOBS_CHANNEL)

    def has_asked_in_vain(self) -> bool:
        """Check whether a room that a message is on its way to was asked for it, and nothing was learned."""
        with self.database.transaction() as session:
            asked = (Attempt.event == AttemptEvent.ASKED) & (Attempt.status == DeliveryStatus.SENDING)
            is_open = (Delivery.status == DeliveryStatus.SENDING) & Delivery.destination.is_not(None)
            query = select(Attempt.id).join(Delivery, Delivery.id == Attempt.delivery_id).where(asked, is_open)
            return session.scalar(query.limit(1)) is not None

    def start_extra(self, name: str, number: int) -> None:
        """Start more processes of this kind, until `restore_calm`."""
        self._beside += [self.system.start_extra(name) for _ in range(number)]

    def restore_calm(self) -> None:
        """Stop all disturbances: no faults, no extra processes, no person in voice."""
        while self._beside:
            process = self._beside.pop()
            process.kill()
            process.wait()
        self.control.clear_faults()
        self.control.set_clock(speed=1)
        for user_id in self.control.people_in_voice():
            self.control.move_voice(user_id, None)

    def end_outage(self) -> None:
        """Let the providers answer again, and remember when that was."""
        self.control.clear_faults()
        self.back_at = wall_now()

    def flush(self) -> None:
        with redis.Redis.from_url(self.system.environment["REDIS_URL"]) as connection:
            connection.flushall()

    def close(self) -> None:
        self.restore_calm()
        self.database.close()
