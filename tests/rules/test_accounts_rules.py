"""Names without colours, search terms without wildcards, and logins that lead nowhere else."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from slomix.accounts.rules import Letters, coloured_name, is_discord_id, like_pattern, own_path, plain_name


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("Alice", "Alice"),
        ("^1Bad^7Boy", "BadBoy"),
        ("^aKrogt", "Krogt"),
        ("^?Hana^*", "Hana"),
        ("^^1Bob", "Bob"),
        ("Bob^", "Bob"),
        ("A^ B", "A B"),
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
        ("^Aa^aa", [("a", "a"), ("a", "a")]),
        ("Bob^", [("7", "Bob")]),
        ("^1A^ B", [("1", "A"), ("1", " B")]),
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


@pytest.mark.parametrize("text", ["1", "100000000000000001", "9" * 20])
def test_an_id_of_discord_is_a_number(text: str) -> None:
    assert is_discord_id(text)


@pytest.mark.parametrize("text", ["", " ", "alice", "-1", "1.0", "9" * 21, "１２３", "²", "1 ", "1\n"])
def test_nothing_else_is_one(text: str) -> None:
    assert not is_discord_id(text)


@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        ("b", "%b%"),
        ("100%", r"%100\%%"),
        ("a_b", r"%a\_b%"),
        ("a\\b", r"%a\\b%"),
        ("\\%_", r"%\\\%\_%"),
        ("", "%%"),
    ],
)
def test_wildcards_in_a_search_are_letters(words: str, pattern: str) -> None:
    assert like_pattern(words) == pattern


@pytest.mark.parametrize("path", ["/", "/day/2026-11-20", "/profile?next=/day/2026-11-20#c", "/a//b", "/ž", "/@x.si"])
def test_a_login_leads_to_a_path_of_ours(path: str) -> None:
    assert own_path(path) == path


@pytest.mark.parametrize(
    "target",
    [
        None,
        "",
        "day/2026-11-20",
        "https://evil.example",
        "https:evil.example",
        "https:",
        "javascript:alert(1)",
        "//evil.example",
        "///evil.example",
        "//[evil",
        "/\\evil.example",
        "\\/evil.example",
        "\\\\evil.example",
        "/a\\b",
        "/\t/evil.example",
        "/\n/evil.example",
        "\t//evil.example",
        " /day",
        "/day\r\nSet-Cookie: a=b",
        "/day\x00",
        "/\x7f/evil.example",
        "?next=/",
        "@evil.example",
        # Nor into a login again, which would never end.
        "/auth/login",
        "/auth/logout",
        "/auth/callback?code=1&state=2",
    ],
)
def test_a_login_leads_nowhere_else(target: str | None) -> None:
    assert own_path(target) == "/"
