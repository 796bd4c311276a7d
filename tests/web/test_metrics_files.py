"""The alerts, the dashboard, the runbook and the example of a configuration speak of what there is."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from slomix.availability.rules import Status
from slomix.channels.base import SendError
from slomix.config.settings import Settings
from slomix.database.session import Database
from slomix.dev.embedded import Servers
from slomix.health import views
from slomix.health.probes import Probe
from slomix.health.proofs import Finding, Proof, make_proofs
from slomix.health.rules import BACKUP, CERTIFICATE, DISK, PUBLIC_URL
from slomix.reasons.codes import Reason
from tests.configuration import ROOM
from tests.moments import at
from tests.steps import call
from tests.web.conftest import make_app, with_settings
from tests.web.scraping import scrape
from tests.workers.stage import EVERYBODY, go, in_voice
from tests.world import World

OPERATIONS = Path(__file__).parents[2] / "docs/operations"
RUNBOOK = Path(__file__).parents[2] / "docs/runbook.md"
# What Prometheus itself adds to everything it reads.
GIVEN = {"instance", "job", "le"}

_METRIC = re.compile(r"\b(?P<name>slomix_\w+|process_\w+)(?:\{(?P<labels>[^}]*)\})?")
_NEEDS_PROMTOOL = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")


def rules() -> list[dict[str, Any]]:
    read = yaml.safe_load((OPERATIONS / "prometheus/alerts.yml").read_text())
    return [rule for group in read["groups"] for rule in group["rules"]]


def expressions() -> Iterator[tuple[str, str]]:
    """Every question that alerts and dashboard ask, by where it stands."""
    for rule in rules():
        yield rule["alert"], rule["expr"]
    for panel in json.loads((OPERATIONS / "grafana-dashboard.json").read_text())["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]


def labels_of(labels: str | None) -> set[str]:
    return set(re.findall(r"(\w+)\s*[=!]", re.sub(r'"[^"]*"', '""', labels or "")))


@pytest.fixture
def there_is(world: World, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> dict[str, set[str]]:
    """Every sample, with its labels, that an evening on which something goes wrong brings forth."""
    found = {DISK: Finding("full", {"/": 7.0}), BACKUP: Finding(measured={"age": 7.0})}
    found |= {PUBLIC_URL: Finding(), CERTIFICATE: Finding(measured={"left": 7.0})}
    monkeypatch.setattr(views, "make_proofs", lambda *_: [Proof(tuple(found), 60, Probe(lambda: found))])
    world = with_settings(world, redis_url=SecretStr(servers.redis_url))
    for name in EVERYBODY:
        world.says(name, Status.LOOKING)
    call(world)
    world.discord.answers = [SendError(Reason.DMS_CLOSED, permanent=True)]
    go(world, 20, 45)
    in_voice(world, alice=ROOM)
    world.clock.move_to(at(21) + timedelta(minutes=2))
    app = make_app(world.runtime)
    app.test_client().get("/")
    return scrape(world, app).names()


def test_alerts_and_dashboard_ask_for_nothing_that_is_not_there(there_is: dict[str, set[str]]) -> None:
    asked = 0
    for where, expression in expressions():
        known: set[str] = set(GIVEN)
        for found in _METRIC.finditer(expression):
            asked += 1
            assert found["name"] in there_is, f"{where}: {found['name']}"
            assert labels_of(found["labels"]) <= there_is[found["name"]] | GIVEN, f"{where}: {found[0]}"
            known |= there_is[found["name"]]
        for grouped in re.findall(r"(?:by|on|without|ignoring)\s*\(([^)]*)\)", expression):
            assert {label.strip() for label in grouped.split(",") if label.strip()} <= known, f"{where}: {grouped}"
    assert asked > 50


def test_what_is_measured_is_described_and_what_is_described_is_measured(there_is: dict[str, set[str]]) -> None:
    described = (OPERATIONS / "monitoring.md").read_text()
    ours = {name.removeprefix("slomix_") for name in there_is if name.startswith("slomix_")}
    measured = {re.sub(r"_(bucket|count|sum|gcount|gsum)$", "", name) for name in ours}
    table = described[described.index("## What is measured") : described.index("**Why gauges")]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert {name for cell in cells for name in re.findall(r"`(\w+)", cell)} == measured


def test_whatever_is_measured_has_a_panel_on_the_dashboard(there_is: dict[str, set[str]]) -> None:
    text = (OPERATIONS / "grafana-dashboard.json").read_text()
    shown = {re.sub(r"_bucket$", "", found["name"]) for found in _METRIC.finditer(text)}
    ours = {name for name in there_is if name.startswith("slomix_")}
    assert {re.sub(r"_(bucket|count|sum|gcount|gsum)$", "", name) for name in ours} - shown == set()


def kebab(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


def anchors() -> dict[str, str]:
    """What stands under each heading of the runbook, by the anchor that a heading gets."""
    found = {}
    for part in re.split(r"^## ", RUNBOOK.read_text(), flags=re.MULTILINE)[1:]:
        heading, _, body = part.partition("\n")
        found[re.sub(r"[^\w -]", "", heading.strip().lower()).replace(" ", "-")] = body
    return found


def test_every_alert_says_what_it_is_and_leads_to_its_part_of_the_runbook() -> None:
    parts = anchors()
    for rule in rules():
        alert = rule["alert"]
        assert rule["labels"]["severity"] in {"critical", "warning"}, alert
        assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}, alert
        assert rule["annotations"]["runbook_url"] == f"docs/runbook.md#{kebab(alert)}"
        body = parts[kebab(alert)]
        assert all(f"**{word}.**" in body for word in ("Means", "Look at", "Do")), alert


def test_every_alert_has_been_made_to_fire() -> None:
    tried = (OPERATIONS / "prometheus/alerts_test.yml").read_text()
    assert [rule["alert"] for rule in rules() if f'alertname="{rule["alert"]}"' not in tried] == []


def test_no_panel_of_the_dashboard_hides_another() -> None:
    taken: set[tuple[int, int]] = set()
    panels = json.loads((OPERATIONS / "grafana-dashboard.json").read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        taken |= cells


def promtool(*arguments: str) -> None:
    done = subprocess.run(
        ["promtool", *arguments], cwd=OPERATIONS / "prometheus", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@_NEEDS_PROMTOOL
def test_promtool_takes_the_rules_and_the_example() -> None:
    promtool("check", "rules", "alerts.yml")
    promtool("check", "config", "--syntax-only", "prometheus.yml")


@_NEEDS_PROMTOOL
def test_each_alert_fires_when_it_should_and_only_then() -> None:
    promtool("test", "rules", "alerts_test.yml")


def test_whatever_is_proven_has_an_alert_and_a_part_of_the_runbook() -> None:
    """The next thing that an installation turns out to need is not forgotten here."""
    proofs = make_proofs(Settings.model_validate({"SLOMIX_ENV": "production"}), Database("postgresql://"))
    asked = "\n".join(expression for _, expression in expressions())
    for part in (part for proof in proofs for part in proof.parts):
        assert f'slomix_proven{{part="{part}"}} == 0' in asked, part
        assert f"`{part}`" in RUNBOOK.read_text(), part
        assert f"`{part}`" in (OPERATIONS / "monitoring.md").read_text(), part
