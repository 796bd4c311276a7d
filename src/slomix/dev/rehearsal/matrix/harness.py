"""Where the evenings are played: one running copy, its cast with the channels they use, and what can be done to it."""

import random
import subprocess
from collections.abc import Callable
from datetime import date
from functools import cached_property
from typing import Any

import httpx2
import redis
from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError

from slomix.accounts.models import Player, User
from slomix.accounts.rules import plain_name
from slomix.campaigns import evening_report as evidence
from slomix.campaigns import queries
from slomix.campaigns.models import Campaign
from slomix.clock import nap, wall_now
from slomix.contacts.models import Contact
from slomix.contacts.rules import ChannelName
from slomix.database.session import JOBS, Database, notify
from slomix.dev.rehearsal.people import Control, Person, Stumbled
from slomix.dev.rehearsal.system import System
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus

PROMOTER = "Bob"
# Who is reached where first; the others have nothing but Discord. Everybody falls back to Discord.
ON = {"telegram": ("Erik", "Franka", "Goran"), "signal": ("Hana", "Jana", "Ivan")}
EVERYBODY = ("Alice", "Bob", "Dora", "Erik", "Franka", "Goran", "Hana", "Ivan", "Jana", "Luka")
PROVIDERS = ("discord", "telegram", "signal")

PATIENCE = 120.0
PAUSE = 0.1


class Stage:
    """One running copy for many evenings."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.control: Control = system.control
        self.random = random.Random()  # every evening brings its own
        self.ids = {entry["name"]: entry["id"] for entry in self.control.people()}
        self._people = {name: Person(system.web_url, self.ids[name], name) for name in EVERYBODY}
        self._beside: list[subprocess.Popen[bytes]] = []

    @cached_property
    def database(self) -> Database:
        return self.system.database()

    @cached_property
    def room(self) -> str:
        """Where summaries are posted."""
        return self.system.environment["AVAILABILITY_PROMOTION_FOLLOWUP_CHANNEL_ID"]

    @cached_property
    def players(self) -> dict[str, str]:
        """The Discord id of every player's name, as the evidence writes it."""
        with self.database.transaction() as session:
            rows = session.execute(select(Player.name, User.discord_id).join(User, User.player_id == Player.id))
            return {plain_name(row.name): row.discord_id for row in rows}

    def open(self) -> None:
        """Everybody logs in; six prove an address on Telegram or Signal, as people do."""
        self.leave_alone()
        self.log_in()
        for name in EVERYBODY:
            self.ask(name, "/api/availability/promotion-preferences", {"allow_promotions": True})
        for channel, names in ON.items():
            for name in names:
                code = self.ask(name, "/api/availability/link-token", {"channel_type": channel})["token"]
                self.control.write(channel, self.ids[name], f"/link {code}")
        total = sum(map(len, ON.values()))
        self.wait("the new addresses", lambda: self._count_addresses() == total)

    def _count_addresses(self) -> int:
        with self.database.transaction() as session:
            query = select(func.count()).where(Contact.channel != ChannelName.DISCORD)
            return session.scalar(query) or 0

    def log_in(self) -> None:
        """Whoever is not logged in, or not any more, does so."""
        for person in self._people.values():
            if not person.get("/api/availability/access").json()["authenticated"]:
                person.log_in()

    def ask(self, name: str, path: str, body: dict[str, Any], *, key: str | None = None) -> dict[str, Any]:
        """Press a button until there is an answer, as somebody does whose connection is bad."""
        return self._insist(name, path, lambda person: person.call(path, body, key=key))

    def _insist(self, name: str, path: str, do: Callable[[Person], httpx2.Response]) -> dict[str, Any]:
        said = ""
        for _ in range(int(PATIENCE / PAUSE)):
            try:
                answer = do(self._people[name])
                if answer.is_success:
                    return dict(answer.json())
                said = f"{answer.status_code} {answer.text[:200]}"
            except httpx2.HTTPError as error:
                said = type(error).__name__
            nap(PAUSE)
        raise Stumbled(f"{name} asked {path} in vain: {said}")

    def say(self, name: str, day: str, status: str) -> None:
        self.ask(name, "/api/availability", {"date": day, "status": status})

    def wait(self, what: str, condition: Callable[[], bool], *, seconds: float = PATIENCE) -> bool:
        """Wait for it; False when it does not come. A database that is away is waited for as well."""
        for _ in range(int(seconds / PAUSE)):
            try:
                if condition():
                    return True
            except (OperationalError, httpx2.HTTPError):
                pass
            nap(PAUSE)
        return False

    def evidence(self, campaign: str) -> dict[str, Any]:
        """What the tables say of it."""
        with self.database.transaction() as session:
            return evidence.gather(session, queries.get(session, int(campaign)))

    def campaigns_of(self, day: str) -> list[str]:
        with self.database.transaction() as session:
            query = select(Campaign.id).where(Campaign.day == date.fromisoformat(day), ~Campaign.dry_run)
            return [str(one) for one in session.scalars(query)]

    def insist_on_killing(self, name: str) -> None:
        """`kill -9`, as soon as it is up."""
        self.wait(name, lambda: self.system.kill(name))

    def end_leases(self) -> None:
        """As if the thirty seconds were over for which a dead worker's jobs are its own."""
        nap(0.2)  # until it is dead
        with self.database.transaction() as session:
            session.execute(update(Job).where(Job.status == JobStatus.RUNNING).values(lease_until=wall_now()))
            notify(session, JOBS)

    def start_beside(self, name: str, number: int) -> None:
        """So many more of this kind, until `leave_alone`."""
        self._beside += [self.system.start_beside(name) for _ in range(number)]

    def leave_alone(self) -> None:
        """Nothing is disturbed any more: no faults, no more processes than usual, everybody out of voice."""
        while self._beside:
            process = self._beside.pop()
            process.kill()
            process.wait()
        self.control.clear_faults()
        self.control.set_clock(speed=1)
        for user_id in self.control.in_voice():
            self.control.walk(user_id, None)

    def flush(self) -> None:
        with redis.Redis.from_url(self.system.environment["REDIS_URL"]) as connection:
            connection.flushall()

    def close(self) -> None:
        self.leave_alone()
        self.database.close()
