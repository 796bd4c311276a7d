"""Templates show and Python decides: what can be counted of that."""

import re
from pathlib import Path

import pytest

# A branch in these was a rule once; each has a view model now.
MOST_BRANCHES = {"campaigns/_card.html": 12, "admin/_tonight.html": 12, "planning/_teams.html": 13}
BRANCH = re.compile(r"\{%-? *(?:el)?if ")


@pytest.mark.parametrize(("name", "most"), MOST_BRANCHES.items())
def test_a_template_decides_little(root: Path, name: str, most: int) -> None:
    assert len(BRANCH.findall((root / "templates" / name).read_text())) <= most


def test_no_line_is_too_long_to_be_read(root: Path) -> None:
    long = [
        f"{path.relative_to(root)}:{number}"
        for path in sorted((root / "templates").rglob("*.html"))
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if len(line) > 160
    ]
    assert long == []


def test_the_token_of_forms_is_written_in_one_place(root: Path) -> None:
    by_hand = [
        str(path.relative_to(root))
        for path in sorted((root / "templates").rglob("*.html"))
        if path.name != "_form.html" and '<input type="hidden" name="csrf_token"' in path.read_text()
    ]
    assert by_hand == []


def test_no_input_writes_a_time_in_the_language_of_the_browser(root: Path) -> None:
    """Such as 09:00 PM: where a time is typed, `time_input` of `_form.html` does it in every browser alike."""
    astray = [
        str(path.relative_to(root))
        for path in sorted((root / "templates").rglob("*.html"))
        if re.search(r'<input[^>]*type="(time|datetime-local)"', path.read_text())
    ]
    assert astray == []
