"""What somebody means who writes to us (W35)."""

from datetime import date

import pytest

from slomix.availability.rules import Status
from slomix.chat.rules import Command, ParsedCommand, ParsedStatus, parse_command, parse_day, parse_number, parse_status

TODAY = date(2026, 11, 20)
TOMORROW = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("text", "command", "said"),
    [
        ("/link abc", Command.LINK, ("abc",)),
        ("/link", Command.LINK, ()),
        ("  /LINK   abc  ", Command.LINK, ("abc",)),
        ("/link@SlomixBot abc", Command.LINK, ("abc",)),
        ("/link\nabc", Command.LINK, ("abc",)),
        ("/link a b", Command.LINK, ("a", "b")),
        ("/start abc", Command.LINK, ("abc",)),
        ("/start@SlomixBot abc", Command.LINK, ("abc",)),
        ("/start", Command.HELP, ()),
        ("/unlink", Command.UNLINK, ()),
        ("/today", Command.TODAY, ()),
        ("/today@SlomixBot looking", Command.TODAY, ("looking",)),
        ("/Tomorrow", Command.TOMORROW, ()),
        ("/avail not playing", Command.AVAIL, ("not", "playing")),
        ("/help", Command.HELP, ()),
        ("/unknown", Command.HELP, ()),
        ("/linkabc", Command.HELP, ()),
        ("/", Command.HELP, ()),
        ("//link abc", Command.HELP, ()),
        ("link abc", Command.HELP, ()),
        ("please /link abc", Command.HELP, ()),
        ("/link@ abc", Command.HELP, ()),
        ("", Command.HELP, ()),
        ("👋", Command.HELP, ()),
        ("/" * 4000, Command.HELP, ()),
    ],
)
def test_a_message_is_a_command_or_asks_for_help(text: str, command: Command, said: tuple[str, ...]) -> None:
    assert parse_command(text) == ParsedCommand(command, said)


@pytest.mark.parametrize(
    ("said", "day", "status"),
    [
        ("looking", TODAY, Status.LOOKING),
        ("LOOKING", TODAY, Status.LOOKING),
        ("l", TODAY, Status.LOOKING),
        ("available", TODAY, Status.AVAILABLE),
        ("a", TODAY, Status.AVAILABLE),
        ("maybe", TODAY, Status.MAYBE),
        ("m", TODAY, Status.MAYBE),
        *[(one, TODAY, Status.NOT_PLAYING) for one in ("not playing", "not_playing", "not-playing", "notplaying")],
        *[(one, TODAY, Status.NOT_PLAYING) for one in ("not", "no", "n")],
        *[(one, TODAY, None) for one in ("clear", "remove", "delete", "unset", "none")],
        ("today maybe", TODAY, Status.MAYBE),
        ("maybe today", TODAY, Status.MAYBE),
        ("tomorrow looking", TOMORROW, Status.LOOKING),
        ("Looking Tomorrow", TOMORROW, Status.LOOKING),
        ("2026-11-22 not playing", date(2026, 11, 22), Status.NOT_PLAYING),
        ("clear 2026-11-22", date(2026, 11, 22), None),
        ("friday maybe", TODAY, Status.MAYBE),
        ("not playing Monday", date(2026, 11, 23), Status.NOT_PLAYING),
        ("clear thu", date(2026, 11, 26), None),
    ],
)
def test_an_answer_is_a_status_and_perhaps_a_day(said: str, day: date, status: Status | None) -> None:
    assert parse_status(tuple(said.split()), TODAY) == ParsedStatus(day, status)


@pytest.mark.parametrize(
    "said", ["", "today", "playing", "maybe looking", "2026-13-40 looking", "20261122 looking", "22.11. looking", "yes"]
)
def test_what_makes_no_sense_is_no_answer(said: str) -> None:
    assert parse_status(tuple(said.split()), TODAY) is None


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("today", TODAY),
        ("Tomorrow", TOMORROW),
        ("sun", date(2026, 11, 22)),
        ("2026-12-24", date(2026, 12, 24)),
        ("today tomorrow", TOMORROW),
        ("", None),
        ("sunday looking", None),
        ("su", None),
    ],
)
def test_a_day_alone_is_a_question(said: str, day: date | None) -> None:
    assert parse_day(tuple(said.split()), TODAY) == day


@pytest.mark.parametrize(
    ("text", "number"),
    [("1", 1), (" 2. ", 2), ("12)", 12), ("0", 0), ("123", None), ("1 2", None), ("-1", None), ("", None), ("١", None)],
)
def test_a_number_alone_is_a_choice(text: str, number: int | None) -> None:
    assert parse_number(text) == number
