"""Names without colours, search terms without wildcards, and logins that lead nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix.accounts.rules import like_pattern, own_path, plain_name


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
    ],
)
def test_a_name_is_read_without_its_colours_and_is_never_empty(name: str, plain: str) -> None:
    assert plain_name(name) == plain


@given(st.text(max_size=40))
def test_whatever_somebody_calls_themselves_has_a_name_to_show(name: str) -> None:
    assert plain_name(name).strip()


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
    ],
)
def test_a_login_leads_nowhere_else(target: str | None) -> None:
    assert own_path(target) == "/"
