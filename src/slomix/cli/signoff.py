"""The ten steps of signing off an evening: four about the system now, the others about the campaign."""

import json
import subprocess
import urllib.error
import urllib.request
from importlib.metadata import version
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from slomix.campaigns import acceptance
from slomix.campaigns.acceptance import AcceptanceCheck
from slomix.campaigns.models import Campaign
from slomix.clock import wall_now
from slomix.config.checks import problems_for_start
from slomix.config.settings import Settings
from slomix.database import migrations
from slomix.database.session import ROOT
from slomix.health import service as health

# The number of steps about the system at this moment; the others are about the campaign.
OF_THE_SYSTEM = 4


def make_read_only(session: Session) -> None:
    """Make the rest of this transaction read-only."""
    session.execute(text("SET TRANSACTION READ ONLY"))


def run_all_checks(
    session: Session, campaign: Campaign, report: dict[str, Any], settings: Settings
) -> list[AcceptanceCheck]:
    """Return all ten steps."""
    return [
        _code(),
        _settings(session, settings),
        _processes(session, settings),
        _health(settings),
        *acceptance.run_checks(session, campaign, report),
    ]


def _code() -> AcceptanceCheck:
    """Name the version that runs, which is always fine."""
    said = [f"slomix {version('slomix')}"]
    for command in (["git", "rev-parse", "--short", "HEAD"], ["git", "status", "--porcelain"]):
        try:
            found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=10, check=True).stdout
        except (OSError, subprocess.SubprocessError):
            continue
        if command[1] == "rev-parse":
            said.append(f"commit {found.strip()}")
        elif found.strip():
            said.append("with changes that are not committed")
    return AcceptanceCheck("the code", True, ", ".join(said))


def _settings(session: Session, settings: Settings) -> AcceptanceCheck:
    problems = problems_for_start(settings)
    current, head = migrations.current(session.connection()), migrations.revisions()[0]
    seen = f"schema {current}" if current == head else f"schema {current}, and this version expects {head}"
    return AcceptanceCheck("settings and schema", not problems and current == head, "; ".join([seen, *problems]))


def _processes(session: Session, settings: Settings) -> AcceptanceCheck:
    parts = health.part_healths(session, health.expected_parts(settings), wall=wall_now())
    seen = ", ".join(
        f"{part.part} {part.problem}" if part.problem is not None else f"{part.part} seen {part.age_seconds:.0f} s ago"
        for part in parts
    )
    return AcceptanceCheck("every process is up", all(part.problem is None for part in parts), seen)


def _health(settings: Settings) -> AcceptanceCheck:
    title, url = "the system says that it is well", f"http://{settings.local_url}:{settings.port}/health"
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return AcceptanceCheck(title, True, f"/health answered {answer.status}")
    except urllib.error.HTTPError as error:
        return AcceptanceCheck(title, False, f"/health answered {error.code}: {_problems_in(error.read(10_000))}")
    except OSError:
        return AcceptanceCheck(title, None, f"no web process answers here on port {settings.port}")


def _problems_in(body: bytes) -> str:
    try:
        parts = json.loads(body)["parts"].items()
    except (ValueError, KeyError, AttributeError):
        return "no word why"
    return ", ".join(f"{name} {part['reason']}" for name, part in parts if not part["ok"])
