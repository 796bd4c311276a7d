"""What a monitor reads at /metrics, for tests to ask."""

from dataclasses import dataclass

from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from tests.web.conftest import browser_of, make_app
from tests.world import World


@dataclass(frozen=True)
class Scrape:
    """One reading of everything, as Prometheus' own parser understands it."""

    text: str

    def of(self, name: str, **labels: str) -> list[tuple[dict[str, str], float]]:
        """The samples of this name that carry these labels."""
        return [
            (sample.labels, sample.value)
            for family in text_string_to_metric_families(self.text)
            for sample in family.samples
            if sample.name == f"slomix_{name}" and labels.items() <= sample.labels.items()
        ]

    def sum(self, name: str, **labels: str) -> float | None:
        """All of them together; None where there is none."""
        found = [value for _, value in self.of(name, **labels)]
        return sum(found) if found else None

    def names(self) -> dict[str, set[str]]:
        """The labels of every sample there is, by its name."""
        found: dict[str, set[str]] = {}
        for family in text_string_to_metric_families(self.text):
            for sample in family.samples:
                found.setdefault(sample.name, set()).update(sample.labels)
        return found


def scrape(world: World, app: Flask | None = None) -> Scrape:
    """As a monitor on this machine does."""
    answer = browser_of(app or make_app(world.runtime), world, None).get("/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    return Scrape(answer.text)
