"""Ids of Discord, search terms without wildcards, and logins that lead nowhere else."""

import pytest

from slomix.accounts.rules import is_discord_id, like_pattern, local_path


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
    assert local_path(path) == path


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
        "////evil.example",
        "/%2Fevil.example",
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
        "/day/..//auth/login",
        "/%61uth//login",
    ],
)
def test_a_login_leads_nowhere_else(target: str | None) -> None:
    assert local_path(target) == "/"
