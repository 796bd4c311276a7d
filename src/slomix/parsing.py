"""Reads numbers from texts that come from outside."""


def parse_int(text: str, lowest: int, highest: int) -> int | None:
    """Read a number in plain digits, without a sign; return None for anything else and for one out of range."""
    # `isdigit` alone takes digits of other scripts, and `int` takes long to read thousands of digits.
    if not (text.isascii() and text.isdigit() and len(text) < 30):
        return None
    number = int(text)
    return number if lowest <= number <= highest else None


def checked_int(text: str, lowest: int, highest: int, refusal: type[Exception]) -> int:
    """Read a number as `parse_int` does. Raise `refusal` where there is none."""
    number = parse_int(text, lowest, highest)
    if number is None:
        raise refusal
    return number
