"""An evening's message and its event on Discord are switched on with all that they need, or not at all."""

from pathlib import Path

import pytest

from slomix.cli.run_folder import Given
from slomix.cli.up import settings_of
from slomix.config.settings import Settings, SettingsError

MESSAGE, ROOM = "AVAILABILITY_DISCORD_EVENING_MESSAGE_ENABLED", "AVAILABILITY_DISCORD_ANNOUNCE_CHANNEL_ID"
EVENT, GUILD = "AVAILABILITY_DISCORD_SCHEDULED_EVENT_ENABLED", "DISCORD_GUILD_ID"


@pytest.fixture(autouse=True)
def bare_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (MESSAGE, ROOM, EVENT, GUILD):
        monkeypatch.delenv(name, raising=False)


def test_both_are_off_unless_they_are_asked_for() -> None:
    settings = Settings.from_env(None)
    assert (settings.evening_message_enabled, settings.scheduled_event_enabled) == (False, False)


@pytest.mark.parametrize(("switch", "needed"), [(MESSAGE, ROOM), (EVENT, GUILD)])
def test_each_needs_its_place(monkeypatch: pytest.MonkeyPatch, switch: str, needed: str) -> None:
    monkeypatch.setenv(switch, "true # tonight")
    with pytest.raises(SettingsError, match=rf"^{needed}: is not set, and {switch}, which needs it, is on$"):
        Settings.from_env(None)
    monkeypatch.setenv(needed, "901437285516304427")
    settings = Settings.from_env(None)
    assert settings.evening_message_enabled or settings.scheduled_event_enabled


def test_the_simulator_has_both_places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("DISCORD_BOT_TOKEN", "DISCORD_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (("SLOMIX_ENV", "development"), (MESSAGE, "true"), (EVENT, "true")):
        monkeypatch.setenv(name, value)
    settings = settings_of(Given.read(tmp_path))
    assert settings.evening_message_enabled and settings.announce_channel_id and settings.discord_guild_id
    monkeypatch.setenv("DISCORD_BOT_TOKEN", "of-a-real-bot")
    with pytest.raises(SettingsError, match=ROOM):
        settings_of(Given.read(tmp_path))
