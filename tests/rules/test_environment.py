"""How values are written: quotes, comments, line ends, byte order marks; and secrets in files (W70)."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from slomix.cli.run_folder import Given
from slomix.config import types
from slomix.config.environment import LONGEST_SECRET, Environment
from slomix.config.settings import SettingsError, secret_variables, variable_names
from tests.rules.operator import PRODUCTION, STRONG, bare_machine, read

__all__ = ["bare_machine", "read"]

WRITTEN = ["7000", " 7000\t", "7000\r", "7000  # note", '"7000"', "'7000'", '"7000"  # note']
WRITTEN += ["'7000' # it's \"here\"\r", '"7000  # quoted by mistake"', "\ufeff7000", '\ufeff"7000" ', "' 7000 '"]


@pytest.mark.parametrize("text", WRITTEN)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_number_is_read_however_it_is_written(
    read: Any, tmp_path: Path, text: str, line_end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / ".env"
    file.write_text(f"# first{line_end}PORT={text}{line_end}SKIP_HEALTHCHECK='yes' # now{line_end}", newline="")
    assert read(env_file=file).port == 7000
    assert (Given.read(tmp_path).text("PORT"), Given.read(tmp_path).is_on("SKIP_HEALTHCHECK")) == ("7000", True)
    file.unlink()
    monkeypatch.setenv("PORT", text)
    assert read(env_file=file).port == 7000
    assert Given.read(tmp_path).text("PORT") == "7000"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("abc#123", "abc#123"),
        ("abc # rotated in May", "abc"),
        ('"abc # 123"', "abc # 123"),
        ("'abc # 123' # rotated in May", "abc # 123"),
        ('ab"c', 'ab"c'),
        ("it's", "it's"),
        ("'it's'", "it's"),
        ('"say "hi""', 'say "hi"'),
        (r'"say \"hi\" \\ now"', 'say "hi" \\ now'),
        (r"'C:\temp'", r"C:\temp"),
        (r'"C:\temp"', r"C:\temp"),
        ("a$b${c}", "a$b${c}"),
        ('""', ""),
        ("''  # none yet", ""),
    ],
)
def test_a_hash_or_a_quote_inside_a_secret_stays(read: Any, tmp_path: Path, text: str, secret: str) -> None:
    file = tmp_path / ".env"
    file.write_text(f"SESSION_SECRET={text}\n")
    assert read(env_file=file).session_secret.get_secret_value() == secret
    assert read(SESSION_SECRET=text).session_secret.get_secret_value() == secret


@pytest.mark.parametrize("text", ['"abc', "'abc  # a comment", "'abc\"", '"abc # def'])
def test_a_quote_that_is_left_open_is_refused_where_others_would_read_on(read: Any, tmp_path: Path, text: str) -> None:
    file = tmp_path / ".env"
    file.write_text(f"PORT=7000\nSESSION_SECRET={text}\n")
    with pytest.raises(SettingsError) as refused:
        read(env_file=file)
    assert str(refused.value) == ".env, line 2: SESSION_SECRET has a quote that is not closed"


# What neither begins like a comment or a quote nor has a blank at its edge.
WORDS = some.text(some.characters(codec="utf-8", exclude_categories=["C"]), min_size=1).filter(
    lambda text: text == text.strip() and text[0] not in "#'\"\ufeff"
)


@given(WORDS)
def test_whatever_a_secret_is_quotes_keep_it(secret: str) -> None:
    guarded = secret.replace("\\", "\\\\").replace('"', '\\"')
    assert types.strip_value(f'"{guarded}"  # note', is_secret=True) == secret


def test_the_mark_of_a_windows_editor_is_no_part_of_the_first_name(read: Any, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes(b"\xef\xbb\xbfPORT=7100\r\nexport GAME_SERVER_PORT = 27961\r\n")
    settings = read(env_file=file)
    assert (settings.port, settings.game_server_port) == (7100, 27961)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"PORT 7000\n", ".env, line 1: is not NAME=value"),
        (b"\nSESSION_SECRET: hush-hush\n", ".env, line 2: is not NAME=value"),
        (b"PORT=\xff\xfe7000\n", ".env: is not text in UTF-8"),
    ],
)
def test_a_file_that_is_none_is_refused_without_repeating_it(
    read: Any, tmp_path: Path, content: bytes, complaint: str
) -> None:
    file = tmp_path / ".env"
    file.write_bytes(content)
    with pytest.raises(SettingsError) as refused:
        read(env_file=file)
    assert str(refused.value) == complaint


def test_a_folder_called_env_is_refused_and_no_file_is_none(read: Any, tmp_path: Path) -> None:
    assert read(env_file=tmp_path / "nowhere" / ".env").port == 7000
    with pytest.raises(SettingsError, match=r"^.*: cannot be read"):
        read(env_file=tmp_path)


@pytest.fixture
def in_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, bytes], Path]:
    """Put a secret into a file, and name that file."""

    def put(name: str, content: bytes) -> Path:
        file = tmp_path / name.lower()
        file.write_bytes(content)
        monkeypatch.setenv(f"{name}_FILE", str(file))
        return file

    return put


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
@pytest.mark.parametrize("name", sorted(secret_variables()))
def test_every_secret_may_stand_in_a_file(read: Any, in_file: Any, name: str, end: bytes) -> None:
    value = OTHERS.get(name) or PRODUCTION.get(name) or STRONG
    before = read(**PRODUCTION | {name: value})
    os.environ.pop(name)
    in_file(name, value.encode() + end)
    after = read()
    assert after == before
    assert getattr(after, variable_names()[name]).get_secret_value()


# Secrets that have a form of their own.
OTHERS = {
    "DATABASE_OWNER_URL": "postgresql://owner:a-password@database.example.org/slomix",
    "CONTACT_DATA_ENCRYPTION_KEY": "b2YtdGhlLXRlc3RzLWFuZC1vZi1ub3RoaW5nLWVsc2U=",
    "AVAILABILITY_TELEGRAM_BOT_TOKEN": "123456789:of-the-tests",
}


def test_nothing_in_the_file_is_a_comment_or_a_quote(read: Any, in_file: Any) -> None:
    in_file("SESSION_SECRET", b" 'abc' # 123 \n\n")
    assert read().session_secret.get_secret_value() == " 'abc' # 123 \n"


def make_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def make_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


BAD_FILES: list[tuple[Callable[[Path], object], str]] = [
    (lambda file: file.unlink(), "there is no such file"),
    (make_folder, "there is no such file"),
    (make_pipe, "there is no such file"),
    (lambda file: file.write_text("\n"), "the file is empty"),
    (lambda file: file.write_bytes(b"\xff\xfe\xff"), "the file is not text in UTF-8"),
    (lambda file: file.write_text("x" * (LONGEST_SECRET + 1)), "the file is larger than the 16384 bytes"),
]


@pytest.mark.parametrize(("spoil", "complaint"), BAD_FILES, ids=[complaint for _, complaint in BAD_FILES])
def test_a_file_that_holds_no_secret_is_refused_by_name_and_counts_as_meant(
    read: Any, in_file: Any, tmp_path: Path, spoil: Callable[[Path], object], complaint: str
) -> None:
    spoil(in_file("DISCORD_BOT_TOKEN", b"hush-hush"))
    with pytest.raises(SettingsError, match=rf"^DISCORD_BOT_TOKEN_FILE: {complaint}") as refused:
        read()
    assert str(tmp_path) not in str(refused.value), "what stands there may be the secret itself"
    assert Given.read(tmp_path).has_credentials, "so that nothing is simulated"


def test_a_secret_that_is_set_twice_is_refused(read: Any, in_file: Any) -> None:
    in_file("SESSION_SECRET", b"one")
    with pytest.raises(SettingsError, match=r"^SESSION_SECRET: is set twice, and once as SESSION_SECRET_FILE$"):
        read(SESSION_SECRET="another")


def test_however_the_environment_has_it_it_wins_over_the_file(read: Any, in_file: Any, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("SESSION_SECRET=below\n")
    in_file("SESSION_SECRET", b"above\n")
    assert read(env_file=file).session_secret.get_secret_value() == "above"
    file.write_text(f"DISCORD_BOT_TOKEN_FILE={tmp_path / 'nowhere'}\n")
    assert read(env_file=file, DISCORD_BOT_TOKEN="above").discord_bot_token.get_secret_value() == "above"


def test_a_credential_in_a_file_is_a_real_one(in_file: Any, tmp_path: Path) -> None:
    assert not Given.read(tmp_path).has_credentials
    in_file("DISCORD_CLIENT_SECRET", b"real\n")
    assert Given.read(tmp_path).has_credentials


def test_where_each_came_from_is_known(in_file: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_file("SESSION_SECRET", b"hush")
    (tmp_path / ".env").write_text("PORT=7100\nGAME_SERVER_PORT=27961\n")
    monkeypatch.setenv("PORT", "7200")
    sources = Environment.read(tmp_path / ".env", secrets=secret_variables()).sources
    known = {name: source for name, source in sources.items() if name in variable_names()}
    assert known == {"SESSION_SECRET": "file", "PORT": "environment", "GAME_SERVER_PORT": ".env"}
