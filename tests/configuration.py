"""The settings of the tests."""

from slomix.config.settings import Settings

ROOM = "900000000000000001"
AFK = "900000000000000002"
SUMMARY_ROOM = "900000000000000003"
CONTACT_KEY = "b2YtdGhlLXRlc3RzLWFuZC1vZi1ub3RoaW5nLWVsc2U="


def make_settings(**changes: object) -> Settings:
    """Return the settings of the tests, whatever the machine's environment says."""
    values: dict[str, object] = {
        "environment": "development",
        "port": 7000,
        "session_secret": "a-secret-of-the-tests-and-of-nothing-else",
        "gaming_voice_channels": (ROOM,),
        "afk_voice_channel": AFK,
        "discord_guild_id": "800000000000000001",
        "followup_channel_id": SUMMARY_ROOM,
        "promoter_discord_ids": frozenset({"100000000000000002"}),
        "admin_discord_ids": frozenset({"100000000000000009"}),
        "contact_encryption_key": CONTACT_KEY,
        "telegram_enabled": True,
        "telegram_bot_token": "123456789:of-the-tests",
        "signal_enabled": True,
        "signal_daemon_url": "http://127.0.0.1:9",
        "signal_sender": "+38640000000",
    }
    return Settings(**(values | changes))  # type: ignore[arg-type]
