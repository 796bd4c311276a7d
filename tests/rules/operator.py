"""An operator at a bare machine: reads settings from what they set, and has a set with which production starts."""

from pathlib import Path
from typing import Any

import pytest

from slomix.config.settings import Settings, secret_variables, variable_names
from tests.discord_description import VARIABLE as DESCRIPTION

STRONG = "kJ7-vQ2x_Zr9TbLm4WcYd8HsNf3GpAe6"
KEY = "b2YtdGhlLXRlc3RzLWFuZC1vZi1ub3RoaW5nLWVsc2U="
PRODUCTION = {
    "DATABASE_URL": "postgresql://website_app:Yd8HsNf3@db.slomix.test/slomix?sslmode=verify-full",
    "REDIS_URL": "rediss://:Yd8HsNf3@redis.slomix.test:6379/0",
    "SESSION_SECRET": STRONG,
    "PUBLIC_URL": "https://slomix.test",
    "DISCORD_CLIENT_ID": "1187503316824064071",
    "DISCORD_CLIENT_SECRET": "client-secret-of-the-tests",
    "DISCORD_BOT_TOKEN": "token-of-the-bot-of-the-tests",
    "DISCORD_GUILD_ID": "901437285516304427",
}


@pytest.fixture(autouse=True)
def bare_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of our variables is set, nor that of the tests, which begins like one."""
    for name in (
        *variable_names(),
        *(f"{secret}_FILE" for secret in secret_variables()),
        "SKIP_HEALTHCHECK",
        DESCRIPTION,
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch, bare_machine: None) -> Any:
    """The settings once these are set too."""

    def read(*, env_file: Path | None = None, **environment: str) -> Settings:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return Settings.from_env(env_file)

    return read
