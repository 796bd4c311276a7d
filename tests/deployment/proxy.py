"""The nginx of docs/operations/nginx.conf: that very file, with ports, certificate and folders of a test."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from slomix.database.session import ROOT
from slomix.supervisor.process import die_with_parent
from tests.waiting import PATIENCE, until

EXAMPLE = ROOT / "docs/operations/nginx.conf"
# Where nginx keeps what it has not passed on yet.
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def program() -> str:
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip("nginx is not installed: nobody tries the proxy in front of two web processes")
    return found


def certify(folder: Path) -> None:
    """A certificate for this machine, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "slomix")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "privkey.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def rendered(folder: Path, *, port: int, plain_port: int, web_ports: list[int]) -> str:
    """The example with what it tells its reader to change, and nothing else, changed."""
    text = EXAMPLE.read_text()
    for example, ours in (
        ("user www-data;\n", "daemon off;\nuser root;\n" if os.geteuid() == 0 else "daemon off;\n"),
        ("worker_processes auto;", "worker_processes 1;"),
        ("pid /run/nginx.pid;", f"pid {folder}/nginx.pid;\nerror_log {folder}/error.log warn;"),
        ("include /etc/nginx/mime.types;", "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in TEMPORARY)),
        ("    listen [::]:80;\n", ""),
        ("    listen [::]:443 ssl http2;\n", ""),
        ("listen 80;", f"listen 127.0.0.1:{plain_port};"),
        ("listen 443 ssl http2;", f"listen 127.0.0.1:{port} ssl http2;"),
        ("server 127.0.0.1:7000 ", f"server 127.0.0.1:{web_ports[0]} "),
        ("server 127.0.0.1:7001 ", f"server 127.0.0.1:{web_ports[1]} "),
        ("/etc/letsencrypt/live/slomix.example.org/fullchain.pem", f"{folder}/fullchain.pem"),
        ("/etc/letsencrypt/live/slomix.example.org/privkey.pem", f"{folder}/privkey.pem"),
        ("/var/log/nginx/slomix.log", f"{folder}/access.log"),
        ("/var/log/nginx/slomix-error.log", f"{folder}/slomix-error.log"),
    ):
        assert text.count(example) == 1, f"{EXAMPLE.name} says {example!r} {text.count(example)} times"
        text = text.replace(example, ours)
    return text.replace("server_name slomix.example.org;", "server_name 127.0.0.1;")


@contextmanager
def running(folder: Path, *, port: int, plain_port: int, web_ports: list[int]) -> Iterator[None]:
    certify(folder)
    (folder / "nginx.conf").write_text(rendered(folder, port=port, plain_port=plain_port, web_ports=web_ports))
    command = [program(), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    said = subprocess.run([*command, "-t"], capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    with (folder / "said.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=lambda: die_with_parent(signal.SIGTERM))
    try:

        def answers() -> bool:
            assert process.poll() is None, (folder / "said.log").read_text()
            with suppress(httpx2.TransportError):
                return bool(httpx2.get(f"http://127.0.0.1:{plain_port}/", verify=False).status_code)
            return False

        until(answers, "nginx to answer")
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)
