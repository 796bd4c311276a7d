"""A planning room's thread on Discord is switched on with all that it needs, or not at all."""

import pytest

from slomix.config.settings import Settings, SettingsError

PARENT, GUILD = "AVAILABILITY_PLANNING_THREAD_PARENT_CHANNEL_ID", "DISCORD_GUILD_ID"
SWITCH = "AVAILABILITY_PLANNING_DISCORD_CREATE_THREAD"


@pytest.fixture(autouse=True)
def bare_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (PARENT, GUILD, SWITCH):
        monkeypatch.delenv(name, raising=False)


def test_it_is_off_unless_it_is_asked_for() -> None:
    settings = Settings.from_env(None)
    assert (settings.planning_create_thread, settings.planning_thread_parent) == (False, "")


@pytest.mark.parametrize(("missing", "given"), [(PARENT, GUILD), (GUILD, PARENT)])
def test_it_needs_a_room_to_hang_in_and_a_server(monkeypatch: pytest.MonkeyPatch, missing: str, given: str) -> None:
    monkeypatch.setenv(SWITCH, "true")
    monkeypatch.setenv(given, "901437288624291893")
    with pytest.raises(SettingsError, match=rf"^{missing}: is not set, and {SWITCH}, which needs it, is on"):
        Settings.from_env(None)
    monkeypatch.setenv(missing, "901437285516304427")
    assert Settings.from_env(None).planning_create_thread
