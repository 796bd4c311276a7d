"""Numbers from outside are read in one way."""

import pytest

from slomix.parsing import parse_int


@pytest.mark.parametrize(
    ("text", "number"),
    [("1", 1), ("10", 10), ("007", 7), ("120", 120)],
)
def test_digits_are_a_number(text: str, number: int) -> None:
    assert parse_int(text, 1, 120) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "0",
        "121",
        "-1",
        "+1",
        " 7",
        "7\n",
        "7.0",
        "1e2",
        "1_0",
        "0x7",
        "seven",
        "٣",
        "²",
        "７",
        "9" * 5000,
    ],
)
def test_anything_else_and_what_is_out_of_range_is_none(text: str) -> None:
    assert parse_int(text, 1, 120) is None


def test_both_ends_are_in_range() -> None:
    assert (parse_int("3", 3, 5), parse_int("5", 3, 5)) == (3, 5)
    assert (parse_int("2", 3, 5), parse_int("6", 3, 5)) == (None, None)
