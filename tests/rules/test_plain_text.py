"""What is written for Discord reads as plain text elsewhere, with times in the reader's zone."""

from datetime import UTC, datetime

import pytest

from slomix.channels.markup import escape_markdown
from slomix.deliveries.formatting import PlainStyle, discord_timestamp, plain_text, safe_name
from tests.moments import LJUBLJANA

NOW = datetime(2026, 11, 20, 19, 45, tzinfo=UTC)
STYLE = PlainStyle(LJUBLJANA, NOW)
START = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("**Today**: Looking", "Today: Looking"),
        ("**a** and **b**", "a and b"),
        (f"at {discord_timestamp(START)}", "at 21:00"),
        (f"at {discord_timestamp(START)} ({discord_timestamp(START, 'R')})", "at 21:00 (in 15 minutes)"),
        ("<https://slomix.example/stop/x_y_z>", "https://slomix.example/stop/x_y_z"),
        ("https://slomix.example/a_b", "https://slomix.example/a_b"),
        ("nothing to see", "nothing to see"),
        ("<t:soon:t> ** \\", "<t:soon:t> ** \\"),
    ],
)
def test_markup_is_read_away(written: str, read: str) -> None:
    assert plain_text(written, STYLE) == read


def test_a_time_long_ago_is_no_mistake() -> None:
    assert plain_text("<t:-9999999999:t> <t:9999999999:R>", STYLE)


@pytest.mark.parametrize("name", ["**bold**", "a_b*c", "@everyone", "<t:1:t>", "[x](y)", "\\", "Škrjanc", "#1 > 2"])
def test_a_name_that_was_made_harmless_is_itself_again(name: str) -> None:
    assert plain_text(escape_markdown(name), STYLE) == name
    assert plain_text(f"**{safe_name(name)}**: Looking", STYLE) == f"{name}: Looking"
