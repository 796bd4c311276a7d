"""The token that opens the metrics to a monitor on another machine."""

import pytest

from slomix.config.settings import Settings, SettingsError
from tests.configuration import make_settings

LONG_ENOUGH = "0123456789abcdef"


def read(monkeypatch: pytest.MonkeyPatch, token: str) -> Settings:
    monkeypatch.setenv("METRICS_TOKEN", token)
    return Settings.from_env(None)


def test_none_is_set_unless_somebody_sets_one() -> None:
    assert make_settings().metrics_token.get_secret_value() == ""


@pytest.mark.parametrize("written", [LONG_ENOUGH, f"{LONG_ENOUGH}  # for the monitor", "p#ss/+=word-with-signs!"])
def test_a_word_of_sixteen_characters_will_do(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    assert read(monkeypatch, written).metrics_token.get_secret_value() == written.partition("  # ")[0]


@pytest.mark.parametrize("written", ["secret", LONG_ENOUGH[:-1], "sixteen and more but in words", "sixteen-and-more-ä"])
def test_a_weak_one_or_one_that_no_header_can_carry_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    with pytest.raises(SettingsError, match="METRICS_TOKEN") as refusal:
        read(monkeypatch, written)
    assert written not in str(refusal.value), "a secret is not repeated"


def test_it_is_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    assert LONG_ENOUGH not in repr(read(monkeypatch, LONG_ENOUGH))
