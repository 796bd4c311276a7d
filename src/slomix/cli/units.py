"""The system as units of systemd: a target, the release command, and a service for each process."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from slomix.cli.formation import WEB, ProcessInstance
from slomix.config.settings import SettingsError
from slomix.supervisor.runner import Runner

GENERATED_BY = (
    "# Made by `slomix export-systemd` from the Procfile; what you change here is lost when it is made again.\n"
)
TARGET = "slomix.target"
RELEASE = "slomix-release.service"
BACKUP, BACKUP_TIMER = "slomix-backup.service", "slomix-backup.timer"
BACKUPS = Path("/var/backups/slomix")
KEEP_DAYS = 14
# Debian's names of the servers. Our processes also wait for servers elsewhere or under another name.
SERVERS = "postgresql.service redis-server.service valkey-server.service"
# Slomix writes no files: the journal has the logs, PostgreSQL has the rest.
HARDENING = """\
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome={home}
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
CapabilityBoundingSet=
SystemCallArchitectures=native
SystemCallFilter=@system-service
UMask=0077
"""


@dataclass(frozen=True)
class UnitHost:
    """The machine that runs it: the checkout with its programs, the account, and the settings file."""

    root: Path
    programs: Path
    user: str
    env_file: Path


def unit_texts(host: UnitHost, release: str | None, processes: list[ProcessInstance]) -> dict[str, str]:
    """Return the text of every unit by its name. Raise SettingsError on what systemd cannot run."""
    services = {_service_name(instance): _service(host, instance) for instance in processes}
    before = {RELEASE: _release(host, release)} if release is not None else {}
    nightly = {BACKUP: _backup(host), BACKUP_TIMER: _backup_timer()}
    return {TARGET: _target([*before, *services, BACKUP_TIMER])} | before | services | nightly


def _service_name(instance: ProcessInstance) -> str:
    return f"slomix-{instance.kind}-{instance.number}.service"


def _target(wanted: list[str]) -> str:
    wants = "".join(f"Wants={name}\n" for name in wanted)
    return f"{GENERATED_BY}[Unit]\nDescription=Slomix\n{wants}\n[Install]\nWantedBy=multi-user.target\n"


def _release(host: UnitHost, command: str) -> str:
    owner = host.env_file.with_name("release.env")
    return (
        f"{GENERATED_BY}[Unit]\nDescription=Slomix, the database's migrations\nPartOf={TARGET}\n"
        f"Wants=network-online.target\nAfter=network-online.target {SERVERS}\n"
        # A migration that waits for a lock blocks others, and one that fails five times will fail a sixth time.
        "StartLimitIntervalSec=600\nStartLimitBurst=5\n\n"
        "[Service]\nType=oneshot\nRemainAfterExit=yes\nTimeoutStartSec=infinity\nRestart=on-failure\nRestartSec=10\n"
        f"{_account_and_folder(host)}# Where the account that migrates is another one than the one that runs.\n"
        f"EnvironmentFile=-{_plain(owner)}\n"
        f"ExecStart={_command(host, command, {})}\nSyslogIdentifier=slomix-release\n{_hardening(host)}"
    )


def _backup(host: UnitHost) -> str:
    """Write the unit of one backup: as root, to whom the folder belongs, and without any of root's powers."""
    owner = host.env_file.with_name("release.env")
    return (
        f"{GENERATED_BY}[Unit]\nDescription=Slomix, one backup of the database\nAfter={SERVERS}\n\n"
        f"[Service]\nType=oneshot\nWorkingDirectory={_plain(host.root)}\nEnvironmentFile={_plain(host.env_file)}\n"
        f"# Where the account that reads everything is another one than the one that runs.\n"
        f"EnvironmentFile=-{_plain(owner)}\n"
        f"ExecStart={_command(host, f'slomix backup --keep {KEEP_DAYS} {BACKUPS}', {})}\n"
        f"ReadWritePaths={BACKUPS}\nSyslogIdentifier=slomix-backup\n{_hardening(host)}"
    )


def _backup_timer() -> str:
    return (
        f"{GENERATED_BY}[Unit]\nDescription=Slomix, a backup every night\nPartOf={TARGET}\n\n"
        "[Timer]\nOnCalendar=05:30\nRandomizedDelaySec=5min\n# After a night that it was off.\nPersistent=yes\n"
    )


def _service(host: UnitHost, instance: ProcessInstance) -> str:
    serves = instance.kind == WEB
    return (
        f"{GENERATED_BY}[Unit]\nDescription=Slomix, {instance.kind} process {instance.number}\nPartOf={TARGET}\n"
        # Wanted, not required: a database that takes long to come up must not end the game night, and a new release is
        # no reason to restart everything at once.
        f"Wants={RELEASE} network-online.target\nAfter={RELEASE} network-online.target {SERVERS}\n"
        "StartLimitIntervalSec=0\n\n"
        f"[Service]\nType={'notify' if serves else 'exec'}\n{_account_and_folder(host)}"
        f"ExecStart={_command(host, instance.command, instance.environment)}\n"
        "Restart=always\nRestartSec=2\n"
        "# The first process passes it on where others belong to it; after that long all are ended by force.\n"
        f"KillSignal=SIGTERM\nKillMode=mixed\nTimeoutStopSec={Runner.grace:.0f}\n"
        f"{'# Each open page is an open file.' if serves else '# Few are needed.'}\n"
        f"LimitNOFILE={65536 if serves else 4096}\n"
        f"SyslogIdentifier={_service_name(instance).removesuffix('.service')}\n{_hardening(host)}"
    )


def _account_and_folder(host: UnitHost) -> str:
    return f"User={_plain(host.user)}\nWorkingDirectory={_plain(host.root)}\nEnvironmentFile={_plain(host.env_file)}\n"


def _hardening(host: UnitHost) -> str:
    # A virtual environment may link to a Python in a home folder.
    used = (host.root, host.programs, (host.programs / "python").resolve())
    at_home = any(path.is_relative_to(home) for path in used for home in ("/home", "/root"))
    return HARDENING.format(home="read-only" if at_home else "yes")


def _command(host: UnitHost, command: str, environment: Mapping[str, str]) -> str:
    """Write the command with `env`, because the settings file would override `Environment=`."""
    words = shlex.split(command)
    if "$" in command or "`" in command:
        raise SettingsError(f"Procfile: {command!r} needs a shell, which systemd has not")
    program = host.programs / words[0]
    if not program.is_file():
        raise SettingsError(f"{words[0]} is not in {host.programs}: install first (make prod does)")
    own = [f"{name}={value}" for name, value in {"SLOMIX_ENV": "production", **environment}.items()]
    path = f"PATH={host.programs}:/usr/local/bin:/usr/bin:/bin"
    return " ".join(["/usr/bin/env", *(_quoted(word) for word in [*own, path, str(program), *words[1:]])])


def _quoted(word: str) -> str:
    """Quote one word of a command line, so that systemd takes it literally."""
    if all(letter.isalnum() or letter in "-_./:=+" for letter in word):
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'


def _plain(value: object) -> str:
    """Escape the rest of a line, which systemd takes literally without quotes. Raise SettingsError on a line end."""
    text = str(value)
    if "\n" in text:
        raise SettingsError(f"{text!r} has a line end in it")
    return text.replace("%", "%%")
