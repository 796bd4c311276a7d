"""What an installation needs is tried: room on disks, a backup, an address that leads to us."""

import datetime as dt
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy.exc import OperationalError

from slomix.clock import wall_now
from slomix.config.settings import Settings
from slomix.database.session import Database
from slomix.health import proofs
from slomix.health.models import BACKUP_ID, Backup
from slomix.health.probes import Probe
from slomix.health.proofs import Finding, Proof
from slomix.health.rules import BACKUP, CERTIFICATE, DISK, PUBLIC_URL
from tests.simulators import NOBODY
from tests.waiting import PATIENCE, until
from tests.world import World

SECRET = "of-the-tests-and-of-nothing-else-at-all"


def settings_for(url: str) -> Settings:
    return Settings.model_validate({"PUBLIC_URL": url, "SESSION_SECRET": SECRET, "SLOMIX_ENV": "production"})


@contextmanager
def answering(body: str | None, *, status: int = 200, chain: Path | None = None) -> Iterator[int]:
    """A web server; without `body` it answers the challenge as this installation does."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            challenge = self.path.partition("challenge=")[2]
            said = body if body is not None else proofs.identify(SECRET, challenge)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(said.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    if chain is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def certificate(folder: Path, *, days: int) -> Path:
    """A certificate of 127.0.0.1 that is its own authority, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=90))
        .not_valid_after(now + timedelta(days=days, hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (file := folder / "chain.pem").write_bytes(signed.public_bytes(pem) + secret)
    return file


def trust(monkeypatch: pytest.MonkeyPatch, chain: Path) -> None:
    make = ssl.create_default_context
    monkeypatch.setattr("slomix.health.proofs.ssl.create_default_context", lambda: make(cafile=str(chain)))


def test_an_address_that_leads_to_us_is_well() -> None:
    with answering(None) as port:
        assert proofs.find_ourselves(settings_for(f"http://127.0.0.1:{port}")) == {PUBLIC_URL: Finding()}


@pytest.mark.parametrize(
    ("body", "status", "problem"),
    [
        ('{"status":"ok"}', 200, "somebody else than this installation answers at"),
        ("Welcome to nginx!", 200, "somebody else than this installation answers at"),
        ("Bad Gateway", 502, "answers with status 502"),
        ("", 301, "answers with status 301"),
    ],
)
def test_an_address_at_which_somebody_else_answers_is_not(body: str, status: int, problem: str) -> None:
    with answering(body, status=status) as port:
        found = proofs.find_ourselves(settings_for(f"http://127.0.0.1:{port}"))[PUBLIC_URL]
    assert found.problem is not None and problem in found.problem


@pytest.mark.parametrize("url", [f"http://127.0.0.1:{NOBODY}", "https://no-such-name.invalid"])
def test_an_address_that_cannot_be_reached_is_not(url: str) -> None:
    found = proofs.find_ourselves(settings_for(url))[PUBLIC_URL]
    assert found.problem is not None and "cannot be reached" in found.problem


@pytest.mark.parametrize(("days", "problem"), [(60, None), (13, f"its last day is in {13} days")])
def test_a_certificate_whose_last_day_is_near_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, problem: str | None
) -> None:
    trust(monkeypatch, chain := certificate(tmp_path, days=days))
    with answering(None, chain=chain) as port:
        found = proofs.find_ourselves(settings_for(f"https://127.0.0.1:{port}"))
    assert (found[PUBLIC_URL].problem, found[CERTIFICATE].problem) == (None, problem)
    assert round(found[CERTIFICATE].measured["left"] / 86_400) == days


@pytest.mark.parametrize("days", [-1, 60], ids=["expired", "of nobody whom browsers trust"])
def test_a_certificate_that_browsers_refuse_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    chain = certificate(tmp_path, days=days)
    if days < 0:
        trust(monkeypatch, chain)
    with answering(None, chain=chain) as port:
        found = proofs.find_ourselves(settings_for(f"https://127.0.0.1:{port}"))
    assert found[CERTIFICATE].problem
    assert "a certificate that browsers refuse" in (found[PUBLIC_URL].problem or "")


@pytest.mark.parametrize(
    ("blocks", "free", "is_well"),
    [
        (1 << 20, 1 << 19, True),  # 4 GiB, half of it free
        (1 << 20, 1 << 16, False),  # 4 GiB, 256 MiB free
        (1 << 30, 1 << 19, True),  # 4 TiB, 2 GiB free
        (50_000, 40_000, True),  # a small one
        (50_000, 0, False),
    ],
)
def test_a_disk_with_little_room_is_told(
    database: Database, monkeypatch: pytest.MonkeyPatch, blocks: int, free: int, is_well: bool
) -> None:
    disk = SimpleNamespace(f_fsid=1, f_blocks=blocks, f_bavail=free, f_frsize=4096)
    monkeypatch.setattr("slomix.health.proofs.os.statvfs", lambda _place: disk)
    found = proofs.find_room(database, ("/", "/tmp", "/no such place"))[DISK]
    assert (found.problem is None, found.measured) == (is_well, {"/": free * 4096})


def test_a_database_whose_disk_is_full_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Any:
        raise OperationalError("", {}, psycopg.errors.DiskFull("No space left on device"))

    database = Database(world.runtime.database.url)
    assert "the database's disk is full" not in (proofs.find_room(database)[DISK].problem or "")
    monkeypatch.setattr(database, "transaction", refuse)
    assert "the database's disk is full" in (proofs.find_room(database)[DISK].problem or "")
    database.close()


def test_to_look_for_room_writes_files_beside_the_tables_and_leaves_none(owner: Database) -> None:
    """A sort that fits into memory would prove nothing."""
    spilled = "SELECT temp_bytes FROM pg_stat_database WHERE datname = current_database()"
    with psycopg.connect(owner.url.replace("+psycopg", ""), autocommit=True) as admin:

        def written() -> int:
            admin.execute("SELECT pg_stat_force_next_flush()")
            row = admin.execute(spilled).fetchone()
            assert row is not None
            return int(row[0])

        before = written()
        proofs.find_room(owner)
        owner.close()
        until(lambda: written() - before >= proofs._MEGABYTES << 20, "what the sort wrote to be counted")
        assert admin.execute("SELECT count(*) FROM pg_ls_tmpdir()").fetchall() == [(0,)]


@pytest.mark.parametrize(("hours", "problem"), [(35, None), (37, f"the last one is {37} hours old")])
def test_a_backup_that_is_old_is_told(database: Database, hours: int, problem: str | None) -> None:
    assert proofs.find_backup(database, wall_now())[BACKUP].problem == "there is none yet"
    wall = wall_now()
    with database.transaction() as session:
        session.add(Backup(id=BACKUP_ID, finished_at=wall - timedelta(hours=hours)))
    found = proofs.find_backup(database, wall)[BACKUP]
    assert (found.problem, found.measured["age"]) == (problem, hours * 3600)


def test_a_proof_is_told_with_its_age_and_asked_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = [1000.0]
    monkeypatch.setattr("slomix.health.probes.time.monotonic", lambda: moments[0])
    asked: list[float] = []

    def question() -> dict[str, Finding]:
        asked.append(moments[0])
        return {DISK: Finding("full" if len(asked) == 2 else None)}

    proof = Proof((DISK,), 60, Probe(question))
    assert [(part.ok, part.age_seconds) for part in proof.health(wait=PATIENCE)] == [(True, 0)]
    moments[0] += 59
    assert [(part.ok, part.age_seconds) for part in proof.health(wait=0)] == [(True, 59)]
    assert len(asked) == 1
    moments[0] += 1
    until(lambda: proof.health(wait=0)[0].reason == "full", "the answer of the second time")


def test_a_proof_that_nobody_asked_for_is_no_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    """An old answer is shown while it is asked anew; only a question that hangs is trouble."""
    moments, may_answer = [1000.0], threading.Event()
    monkeypatch.setattr("slomix.health.probes.time.monotonic", lambda: moments[0])
    may_answer.set()

    def question() -> dict[str, Finding]:
        assert may_answer.wait(PATIENCE)
        return {DISK: Finding()}

    proof = Proof((DISK,), 60, Probe(question))
    assert proof.health(wait=PATIENCE)[0].ok
    may_answer.clear()
    moments[0] += 600
    assert [(part.ok, part.age_seconds) for part in proof.health(wait=0)] == [(True, 600)]
    moments[0] += 31
    assert not proof.health(wait=0)[0].ok, "it hangs"
    may_answer.set()
    until(lambda: proof.health(wait=0)[0].ok, "the answer")


def test_a_proof_without_an_answer_is_not_well_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """What hangs, and what fails unexpectedly, was not proven."""
    moments = [1000.0]
    monkeypatch.setattr("slomix.health.probes.time.monotonic", lambda: moments[0])

    def question() -> dict[str, Finding]:
        raise RuntimeError

    proof = Proof((DISK,), 60, Probe(question))
    assert [(part.ok, part.reason) for part in proof.health(wait=PATIENCE)] == [(True, "not tried yet")]
    moments[0] += 91
    assert [part.ok for part in proof.health(wait=0)] == [False]


def test_development_proves_nothing(world: World) -> None:
    assert proofs.make_proofs(Settings.model_validate({"SLOMIX_ENV": "development"}), world.runtime.database) == []
