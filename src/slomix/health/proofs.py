"""Proves what an installation needs beside its processes: room on disks, a backup, an address that leads to us.

Each proof takes long or costs something, so `/health` reports the last one with its age, and asks anew in between.
"""

import hashlib
import hmac
import http.client
import os
import secrets
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from slomix.clock import wall_now
from slomix.config.settings import Settings
from slomix.database.session import Database
from slomix.health.models import BACKUP_ID, Backup
from slomix.health.probes import GIVE_UP_AFTER, Probe
from slomix.health.rules import BACKUP, CERTIFICATE, DISK, PUBLIC_URL, PartHealth, joined
from slomix.i18n import N_, later

# Where Debian keeps what grows; a database on another disk or host is asked itself.
PLACES = ("/", "/var/lib/postgresql", "/var/log", "/var/backups")
# A disk is full enough to wake somebody when less is free than both.
LEAST_FREE, LEAST_SHARE = 1 << 30, 0.1
# A sort that does not fit into memory writes so many megabytes beside the tables, and removes them at once.
_MEGABYTES = 32
_SPILL = text(
    "SELECT sum(length(filler)) FROM (SELECT n, repeat('x', 1048576) || n AS filler"
    " FROM generate_series(1, :megabytes) AS n ORDER BY n DESC OFFSET 0) AS sorted"
)
# One a night, and half a day to notice and repeat one.
BACKUP_EVERY = timedelta(hours=36)
NO_BACKUP = N_("there is none yet")
CERTIFICATE_LEFT = timedelta(days=14)
ASK_WITHIN = 3.0
_IDENTITY = b"slomix: who answers at PUBLIC_URL\0"


@dataclass(frozen=True)
class Finding:
    """What was found about a part: what is wrong with it, and what was measured, by label."""

    problem: str | None = None
    measured: Mapping[str, float] = field(default_factory=dict)


Findings = dict[str, Finding]


@dataclass(frozen=True)
class Proof:
    """A question about some parts, asked again every so many seconds."""

    parts: tuple[str, ...]
    every: float
    probe: Probe[Findings]

    def health(self, *, wait: float) -> list[PartHealth]:
        """Return how these parts are, by the last answer."""
        found = self.probe.latest(every=self.every, wait=wait)
        age, silence = self.probe.seconds_silent, self.probe.seconds_without_answer
        hangs = later("could not be tried for {seconds} s", seconds=round(silence)) if silence > GIVE_UP_AFTER else None
        found = found or {part: Finding() for part in self.parts}
        return [
            PartHealth(
                part,
                ok=finding.problem is None and hangs is None,
                age_seconds=None if age is None else round(age, 1),
                reason=finding.problem or hangs or (later("not tried yet") if age is None else None),
                is_vital=part == DISK,
            )
            for part, finding in found.items()
        ]

    def measured(self) -> Findings:
        """Return what was found last."""
        return self.probe.latest(every=self.every, wait=0) or {}


def make_proofs(settings: Settings, database: Database) -> list[Proof]:
    """Return the proofs of an installation; none in development, which has nothing to lose."""
    if settings.is_development:
        return []
    return [
        Proof((DISK,), 60, Probe(lambda: find_room(database))),
        Proof((BACKUP,), 60, Probe(lambda: find_backup(database, wall_now()))),
        Proof((PUBLIC_URL, CERTIFICATE), 300, Probe(lambda: find_ourselves(settings))),
    ]


def find_room(database: Database, places: tuple[str, ...] = PLACES) -> Findings:
    """Look whether there is room on this machine's disks, and on the database's."""
    disks = {place: os.statvfs(place) for place in places if Path(place).is_dir()}
    # Of places on one disk the first stands for all.
    apart = {(disk.f_fsid, disk.f_blocks): place for place, disk in reversed(disks.items())}
    free = {place: disks[place].f_bavail * disks[place].f_frsize for place in sorted(apart.values())}
    problems = [
        later("{place} has {megabytes} MB left", place=place, megabytes=bytes_free >> 20)
        for place, bytes_free in free.items()
        if bytes_free < LEAST_FREE and bytes_free < LEAST_SHARE * disks[place].f_blocks * disks[place].f_frsize
    ]
    if not _has_room(database):
        problems.append(later("the database's disk is full"))
    measured = {place: float(bytes_free) for place, bytes_free in free.items()}
    return {DISK: Finding(joined(problems), measured)}


def _has_room(database: Database) -> bool:
    """Let the database write a file that is removed at once; one that is away says nothing of its disk."""
    try:
        with database.transaction() as session:
            session.execute(text("SET LOCAL work_mem = '64kB'"))
            session.execute(_SPILL, {"megabytes": _MEGABYTES})
    except DBAPIError as error:
        return not isinstance(error.orig, psycopg.errors.DiskFull)
    except SQLAlchemyError:
        pass
    return True


def find_backup(database: Database, wall: datetime) -> Findings:
    """Look how old the last backup is."""
    try:
        with database.transaction() as session:
            last = session.scalar(select(Backup.finished_at).where(Backup.id == BACKUP_ID))
    except SQLAlchemyError:
        return {BACKUP: Finding(later("not known while the database is away"))}
    if last is None:
        return {BACKUP: Finding(later(NO_BACKUP))}
    age = wall - last
    hours = round(age / timedelta(hours=1))
    problem = later("the last one is {hours} hours old", hours=hours) if age > BACKUP_EVERY else None
    return {BACKUP: Finding(problem, {"age": age.total_seconds()})}


def identify(secret: str, challenge: str) -> str:
    """Answer a challenge as only an installation with this secret can."""
    return hmac.new(secret.encode(), _IDENTITY + challenge.encode(), hashlib.sha256).hexdigest()


def find_ourselves(settings: Settings) -> Findings:
    """Ask at PUBLIC_URL who answers there: the name, the certificate and the proxy have to lead to us."""
    address = urlsplit(settings.base_url)
    challenge = secrets.token_hex(16)
    context = ssl.create_default_context()
    connection = (
        http.client.HTTPSConnection(address.hostname or "", address.port, timeout=ASK_WITHIN, context=context)
        if address.scheme == "https"
        else http.client.HTTPConnection(address.hostname or "", address.port, timeout=ASK_WITHIN)
    )
    certificate: Findings = {}
    try:
        connection.connect()
        if isinstance(connection.sock, ssl.SSLSocket):
            certificate = {CERTIFICATE: _judge_certificate(connection.sock, wall_now())}
        connection.request("GET", f"{address.path}/health/live?challenge={challenge}", headers={"User-Agent": "slomix"})
        answer = connection.getresponse()
        said = answer.read(4096).decode(errors="replace")
    except ssl.SSLCertVerificationError as error:
        problem = later(
            "{url} has a certificate that browsers refuse: {reason}", url=settings.base_url, reason=error.verify_message
        )
        return {PUBLIC_URL: Finding(problem), CERTIFICATE: Finding(error.verify_message)}
    except (OSError, http.client.HTTPException) as error:
        reason = str(error) or type(error).__name__
        return {PUBLIC_URL: Finding(later("{url} cannot be reached: {reason}", url=settings.base_url, reason=reason))}
    finally:
        connection.close()
    return {PUBLIC_URL: Finding(_judge_answer(settings, challenge, answer.status, said)), **certificate}


def _judge_answer(settings: Settings, challenge: str, status: int, said: str) -> str | None:
    if identify(settings.session_secret.get_secret_value(), challenge) in said:
        return None
    if status == http.HTTPStatus.OK:
        return later("somebody else than this installation answers at {url}", url=settings.base_url)
    return later("{url} answers with status {status}", url=settings.base_url, status=status)


def _judge_certificate(sock: ssl.SSLSocket, wall: datetime) -> Finding:
    until = ssl.cert_time_to_seconds(str((sock.getpeercert() or {})["notAfter"]))
    left = until - wall.timestamp()
    days = int(left // 86_400)
    problem = later("its last day is in {days} days", days=days) if left < CERTIFICATE_LEFT.total_seconds() else None
    return Finding(problem, {"left": left})
