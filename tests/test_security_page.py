"""docs/security.md claims nothing without the test that proves it, and names no test that is not there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/security.md").read_text()
NAMED = re.compile(r"tests/[\w/]+(?:\.py)?")


def test_every_claim_names_its_tests() -> None:
    section = PAGE.partition("## From whom, and how")[2].partition("\n## ")[0]
    claims = [paragraph for paragraph in section.split("\n\n") if paragraph.startswith("**")]
    assert len(claims) > 15
    assert [claim.partition("**.")[0][:60] for claim in claims if not NAMED.search(claim)] == []


def test_every_test_that_is_named_exists() -> None:
    named = set(NAMED.findall(PAGE))
    assert len(named) > 30
    assert sorted(path for path in named if not (ROOT / path).exists()) == []
