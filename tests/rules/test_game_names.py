"""Names with colours: shown, compared, and who is on the game server by the name they wear there."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from slomix.campaigns.notices import calls
from slomix.campaigns.notices.calls import FOLLOW_UP, REMINDER, Facts, Links
from slomix.campaigns.notices.summary import SummaryFacts
from slomix.campaigns.notices.summary import text as summary_text
from slomix.deliveries.formatting import DiscordStyle, safe_name
from slomix.presence import places
from slomix.presence.game_names import (
    InvalidName,
    Letters,
    clean_name,
    coloured_name,
    name_key,
    plain_name,
    usable_name,
)
from slomix.presence.rules import recognised_players
from tests.configuration import make_settings
from tests.moments import at

ALICE, BOB = 1, 2
START = at(21)
LINKS = Links("http://b/", "http://b/stop/me", "https://discord.com/channels/1/2", "et.example.org:27960")

# As the game takes them: any character but another ^.
COLOURS = st.characters(exclude_characters="^", exclude_categories=["Cs"]).map(lambda one: f"^{one}")
LETTERS = st.text(st.characters(exclude_characters="^", exclude_categories=["Cs"]), max_size=20)


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("Alice", "Alice"),
        ("^1Bad^7Boy", "BadBoy"),
        ("^aKrogt", "Krogt"),
        ("^?Hana^*", "Hana"),
        # The game takes a blank for a colour too.
        ("A^ B", "AB"),
        ("A^  B", "A B"),
        ("A^\tB", "AB"),
        # What begins no code is left out with the codes.
        ("^^1Bob", "Bob"),
        ("Bob^", "Bob"),
        ("Bo^^b", "Bo"),
        ("^9žŠč^7", "žŠč"),
        ("  ^1Luka  ", "Luka"),
        ("^5^6jana^7<3", "jana<3"),
        # A name of nothing but colours keeps them: it must not match everybody, nor nobody.
        ("^1^2", "^1^2"),
        ("   ", "unnamed"),
        ("", "unnamed"),
        # Marks of direction would turn the text around a name.
        ("\u202egro.live\u202c", "gro.live"),
        ("\u2066\u200fBob\u2069", "Bob"),
        ("\u200e", "unnamed"),
    ],
)
def test_a_name_is_read_without_its_colours_and_is_never_empty(name: str, plain: str) -> None:
    assert plain_name(name) == plain


@given(st.text(max_size=40))
def test_whatever_somebody_calls_themselves_has_a_name_to_show(name: str) -> None:
    assert plain_name(name).strip()


@pytest.mark.parametrize(
    ("name", "pieces"),
    [
        ("Alice", [("7", "Alice")]),
        ("^1Bad^7Boy", [("1", "Bad"), ("7", "Boy")]),
        ("^1Red^2Green^*Star", [("1", "Red"), ("2", "Green"), ("*", "Star")]),
        # A letter is a colour too, whichever its case.
        ("^Aa^1b^ab", [("a", "a"), ("1", "b"), ("a", "b")]),
        ("Bob^", [("7", "Bob")]),
        ("^1A^ B", [("1", "A"), (" ", "B")]),
        ("^^1Bob", [("1", "Bob")]),
        ("^1^2", [("7", "^1^2")]),
        ("", [("7", "unnamed")]),
        ("\u202e^1Bob", [("1", "Bob")]),
    ],
)
def test_a_name_is_shown_in_pieces_of_one_colour_each(name: str, pieces: list[tuple[str, str]]) -> None:
    assert coloured_name(name) == tuple(Letters(colour, text) for colour, text in pieces)


names = st.one_of(
    st.text(max_size=40),
    st.text("^^^^17aZ *<&\u202e\u200f", max_size=40),
)


@given(names)
@example("^1 A^2 ")
@example("^1A ^7")
@example("^1 A")
def test_the_pieces_of_a_coloured_name_are_together_its_plain_name(name: str) -> None:
    pieces = coloured_name(name)
    assert "".join(piece.text for piece in pieces) == plain_name(name)
    assert all(piece.colour and piece.text for piece in pieces)


@given(names)
@example("\u202e^1B\u2066ob\u200f")
def test_no_name_turns_the_text_around_it(name: str) -> None:
    assert not {"\u200e", "\u200f", "\u202a", "\u202e", "\u2066", "\u2069"} & set(plain_name(name))


@pytest.mark.parametrize("name", ["A^ B", "A^\tB", "^^1A^xB", "AB^", "A^1^2B", "A^žB"])
def test_shown_or_compared_a_name_loses_the_same_codes(name: str) -> None:
    assert plain_name(name) == "AB"
    assert name_key(name) == "ab"


@pytest.mark.parametrize(
    ("known", "worn"),
    [
        ("Alice", "Alice"),
        ("^1Bad^7Boy", "BadBoy"),
        ("BadBoy", "^aBad^xB^*o^!y"),
        ("BadBoy", "^XBadBoy"),
        ("bad boy", "BAD BOY"),
        (" alice ", "^7alice^7 "),
        ("žŠč", "Žšč"),
        ("žŠč", "z\u030cs\u030cc\u030c"),
        ("žŠč", "zsc"),
        ("Đorđe Łukasz", "dorde lukasz"),
        ("Straße", "STRASSE"),
        ("|^2alice^7|", "|alice|"),
        ("Ω", "ω"),
        ("玩家", "^1玩^2家"),
    ],
)
def test_a_name_is_known_again_whatever_its_colours_and_case(known: str, worn: str) -> None:
    assert recognised_players({ALICE: [known]}, [worn]) == {ALICE}


@pytest.mark.parametrize(
    ("known", "worn"),
    [
        ("alice", "alice2"),
        ("alice", "al ice"),
        ("žŠč", "-----"),
        ("player1", "player1 0 1.2.3.4:27960"),
        ("|alice|", "alice"),
        ("", ""),
        ("^1", "^7"),
        ("  ", "^1 "),
        ("\u200b", "\u200e"),
        ("unnamed", ""),
    ],
)
def test_another_name_or_an_empty_one_is_nobodys(known: str, worn: str) -> None:
    assert recognised_players({ALICE: [known]}, [worn]) == frozenset()


def test_any_known_name_will_do_and_who_is_not_there_is_not_named() -> None:
    known = {ALICE: ["^1Alice", "bad.girl"], BOB: ["Bob"]}
    assert recognised_players(known, ["^3BAD^7.girl", "stranger"]) == {ALICE}
    assert recognised_players(known, []) == frozenset()


def test_a_name_that_two_of_them_had_tells_of_neither() -> None:
    known = {ALICE: ["Alice", "ETPlayer"], BOB: ["Bob", "^1etplayer"]}
    assert recognised_players(known, ["ETPlayer"]) == frozenset()
    assert recognised_players(known, ["ETPlayer", "bob"]) == {BOB}


def test_a_name_that_one_had_twice_is_still_theirs() -> None:
    assert recognised_players({ALICE: ["Alice", "^1alice"]}, ["alice"]) == {ALICE}


@given(st.lists(st.tuples(LETTERS, COLOURS), max_size=6), LETTERS)
def test_colour_codes_never_matter(pieces: list[tuple[str, str]], last: str) -> None:
    plain = "".join(text for text, _ in pieces) + last
    coloured = "".join(text + colour for text, colour in pieces) + last
    assert name_key(coloured) == name_key(plain)
    assert recognised_players({ALICE: [plain]}, [coloured]) == ({ALICE} if name_key(plain) else frozenset())


@given(LETTERS)
def test_a_name_key_is_bare_already(name: str) -> None:
    assert name_key(name_key(name)) == name_key(name)
    assert name_key(name) == name_key(name.strip())


# What is said about it


def facts(awaited: list[str], on_server: list[str], *, with_names: bool = True) -> SummaryFacts:
    return SummaryFacts(1, 61, at(21), awaited, 59, 60, presence_known=True, with_names=with_names, on_server=on_server)


def test_the_summary_says_who_is_on_the_server_and_not_in_voice() -> None:
    assert summary_text(facts(["Erik", "Franka"], ["Franka"])).splitlines() == [
        f"Game night is on – 1 of 61 in voice at <t:{at(21).timestamp():.0f}:t>.",
        "Waiting for: Erik, Franka",
        "On the server, not in voice: Franka",
        "follow-up 59/60",
    ]
    assert "On the server" not in summary_text(facts(["Erik"], []))


def test_without_names_it_says_how_many() -> None:
    text = summary_text(facts(["Erik", "Franka"], ["Franka"], with_names=False))
    assert "On the server, not in voice: 1" in text
    assert "Franka" not in text


WORST = ["*" * 40, "@everyone" * 5, "<@&123>" * 5, "\\" * 40, "a\nb" * 12, "\U0001f600" * 40]


@pytest.mark.parametrize("name", [*WORST, "player"], ids=ascii)
def test_sixty_missing_stay_below_the_limit_and_no_name_is_cut(name: str) -> None:
    names = [name] * 60
    text = f"[Dry run, only you see this]\n{summary_text(facts(names, names))}"
    assert len(text.encode("utf-16-le")) // 2 < 2000
    assert "@everyone" not in text
    assert "<@&" not in text
    assert text.endswith("follow-up 59/60")
    _, awaited, on_server, _ = text.splitlines()[1:]
    for line in (awaited, on_server):
        listed, _, more = line.partition(": ")[2].rpartition(" and ")
        shown = listed.split(", ")
        assert set(shown) == {safe_name(name)}
        assert len(shown) + int(re.fullmatch(r"(\d+) more", more)[1]) == 60  # type: ignore[index]


def test_twenty_names_of_usual_length_are_shown() -> None:
    text = summary_text(facts([f"^{number % 8}player {number}" for number in range(60)], []))
    assert "player 19 and 40 more" in text


def test_the_calls_say_how_to_get_onto_the_server_and_the_reminder_does_not() -> None:
    style = DiscordStyle()
    for call in (
        calls.START.text(Facts(START, START, LINKS, style)),
        FOLLOW_UP.text(Facts(START, START, LINKS, style)),
    ):
        assert "Server: /connect et.example.org:27960" in call.splitlines()
    assert "/connect" not in REMINDER.text(Facts(START, at(20, 45), LINKS, style))
    nowhere = Links("http://b/", "http://b/stop/me", None)
    assert "/connect" not in calls.START.text(Facts(START, START, nowhere, style))


def test_who_is_on_the_server_is_told_so_and_needs_only_voice() -> None:
    text = FOLLOW_UP.text(Facts(START, START, LINKS, DiscordStyle(), is_on_server=True))
    assert "on the server, not in voice" in text
    assert "https://discord.com/channels/1/2" in text
    assert "http://b/stop/me" in text
    assert "/connect" not in text


@pytest.mark.parametrize(
    ("host", "address"),
    [("et.example.org", "et.example.org:27960"), ("10.0.0.1", "10.0.0.1:27960"), ("::1", "[::1]:27960"), ("", None)],
)
def test_the_address_is_written_as_the_game_reads_it(host: str, address: str | None) -> None:
    assert places.game_server_address(make_settings(game_server_host=host)) == address


# What is taken in


@pytest.mark.parametrize(
    ("typed", "taken"),
    [
        ("  ^1Bad   ^7Boy ", "^1Bad ^7Boy"),
        ("^1^2^3Bob^4^5", "^3Bob"),
        ("Ali\u200bce", "Alice"),
        ("\u202egro.live\u061c", "gro.live"),
        ("S\u030ckrjanc", "Škrjanc"),
        ("🏴\u200d☠\ufe0f Pirates", "🏴\u200d☠\ufe0f Pirates"),
        ("👨\u200d👩\u200d👧 Family", "👨\u200d👩\u200d👧 Family"),
        ("Al\u200dice\ufe0f", "Alice"),
        ("🏴\u200d Bob", "🏴 Bob"),
        ("ệệ", "ệệ"),
        ("x" * 64, "x" * 64),
        ("^1x" * 64, "^1" + "x" * 64),
        ("玩家", "玩家"),
        ("7", "7"),
    ],
)
def test_a_name_is_taken_as_what_can_be_seen_of_it(typed: str, taken: str) -> None:
    assert clean_name(typed) == taken
    assert clean_name(taken) == taken
    assert name_key(taken) == name_key(typed)


@given(st.text(st.characters(codec="ascii"), max_size=40))
@example("  a   b ")
@example(" ")
@example("a\tb")
@example("a\x7fb")
def test_the_colour_that_all_names_begin_with_changes_nothing(name: str) -> None:
    """Without any code a plain name is read the short way."""
    assert usable_name(f"^7{name}") == usable_name(name)
    assert name_key(f"^7{name}") == name_key(name)
    if name_key(name):
        assert coloured_name(f"^7{name}") == coloured_name(name)


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "letter or a digit"),
        ("^1^2", "letter or a digit"),
        ("<>", "letter or a digit"),
        ("👨\u200d👩\u200d👧", "letter or a digit"),
        ("\u0301\u0302", "letter or a digit"),
        ("a\nb", "line break"),
        ("a\x00b", "cannot be shown"),
        ("a\ud800b", "cannot be shown"),
        ("Z" + "\u0301" * 5, "at most 4"),
        ("x" * 65, "1 to 64 characters; this one has 65"),
        ("x" * 100_000, "1 to 64 characters"),
    ],
    ids=lambda text: ascii(text)[:20],
)
def test_what_is_no_name_is_refused_with_its_reason(typed: str, why: str) -> None:
    with pytest.raises(InvalidName, match=why) as refused:
        clean_name(typed, what="The name of a bee")
    assert str(refused.value).startswith("The name of a bee ")
    assert usable_name(typed) == ""


# Unicode's Default_Ignorable_Code_Point, and what is drawn as a blank.
INVISIBLE = [
    *(0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFEFF, 0xFFA0, 0x2800, 0x1D159),
    *(*range(0x180B, 0x1810), *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070)),
    *(*range(0xFE00, 0xFE10), *range(0xFFF0, 0xFFF9), *range(0x1BCA0, 0x1BCA4), *range(0x1D173, 0x1D17B)),
    *(0xE0000, 0xE0001, 0xE0041, 0xE0100, 0xE0FFF, 0xA0, 0x2003, 0x3000),
]


@pytest.mark.parametrize("code", INVISIBLE, ids=hex)
def test_what_shows_nothing_makes_no_name_and_no_difference(code: int) -> None:
    with pytest.raises(InvalidName, match="letter or a digit"):
        clean_name(chr(code) * 3)
    assert plain_name(chr(code) * 3) == "unnamed"
    assert name_key(chr(code) + "Alice" + chr(code)) == "alice"
    assert clean_name(chr(code) + "Alice" + chr(code)) == "Alice"


@given(names)
@example("e^1\u0301")
@example("e\u200b\u0301")
@example("^ ^\x01x")
def test_what_was_taken_is_taken_again_as_it_is(name: str) -> None:
    try:
        taken = clean_name(name)
    except InvalidName:
        return
    assert clean_name(taken) == taken
    assert plain_name(taken) == plain_name(name)
    assert name_key(taken) == name_key(name)
    assert 1 <= len(plain_name(taken)) <= 64


def test_a_name_from_before_these_rules_does_not_swell_a_page() -> None:
    assert len(plain_name("x" * 100_000)) == 64
    assert plain_name("Z" + "\u0301" * 400) == "Ź" + "\u0301" * 3
