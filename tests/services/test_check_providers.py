"""`slomix check` asks whom the evening needs whether they know us, and let the bot do what it has to."""

import pytest
from click.testing import CliRunner

from slomix.cli import main, providers
from slomix.cli.privileges import PrivilegeFindings
from slomix.config.settings import Settings
from slomix.database.session import Database
from slomix.dev.rehearsal.people import SimulatorControl
from slomix.dev.simulator.people import GAMING_VOICE_CHANNEL, TEXT_CHANNEL, environment
from tests.rules.operator import bare_machine
from tests.simulators import Simulator
from tests.steps import checked

__all__ = ["bare_machine"]

NOBODY = "901437285516304999"
PARTS = [
    "discord",
    "discord gateway",
    "discord server and rooms",
    "discord login",
    "discord commands",
    "telegram",
    "signal",
]


@pytest.fixture(autouse=True)
def evening(bare_machine: None, configured: Database, simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation whose Discord, Telegram and Signal are all there and all know it.

    Its rights are taken for granted: trying them takes longer than all the rest of a check.
    """
    monkeypatch.setattr("slomix.cli.check._rights", lambda settings: PrivilegeFindings("website_app", [], []))
    for name, value in {**environment(simulator.port), "PORT": str(simulator.port)}.items():
        monkeypatch.setenv(name, value)
    registered = CliRunner().invoke(main, ["discord", "register"])
    assert registered.exit_code == 0, registered.output


def said() -> dict[str, str]:
    """Of those outside, by name: what is wrong with them."""
    found = checked()
    assert set(PARTS) <= set(found["parts"])
    return {part: found["reasons"].get(part, "") for part in PARTS}


def wrong() -> dict[str, str]:
    return {part: reason for part, reason in said().items() if reason}


def test_where_all_know_us_nothing_is_wrong_and_nothing_is_written(simulator: Simulator) -> None:
    assert wrong() == {}
    assert simulator.messages() == []


@pytest.mark.parametrize(
    ("name", "value", "part", "reason"),
    [
        ("DISCORD_BOT_TOKEN", "mistyped", "discord", "refuses DISCORD_BOT_TOKEN (401)"),
        (
            "DISCORD_CLIENT_SECRET",
            "mistyped",
            "discord login",
            "refuses DISCORD_CLIENT_ID and DISCORD_CLIENT_SECRET",
        ),
        ("DISCORD_PUBLIC_KEY", "0" * 64, "discord commands", "DISCORD_PUBLIC_KEY is not that of this application"),
        (
            "DISCORD_CLIENT_ID",
            NOBODY,
            "discord login",
            "refuses DISCORD_CLIENT_ID and DISCORD_CLIENT_SECRET",
        ),
        (
            "DISCORD_GUILD_ID",
            NOBODY,
            "discord server and rooms",
            f"DISCORD_GUILD_ID: the bot is not in the server {NOBODY}",
        ),
        (
            "GAMING_VOICE_CHANNELS",
            f"{GAMING_VOICE_CHANNEL},{NOBODY}",
            "discord server and rooms",
            f"GAMING_VOICE_CHANNELS: there is no room {NOBODY} in Slomix game nights (simulated)",
        ),
        (
            "AFK_VOICE_CHANNEL",
            TEXT_CHANNEL,
            "discord server and rooms",
            "AFK_VOICE_CHANNEL: game-night is no voice room",
        ),
        (
            "AVAILABILITY_PLANNING_THREAD_PARENT_CHANNEL_ID",
            GAMING_VOICE_CHANNEL,
            "discord server and rooms",
            "AVAILABILITY_PLANNING_THREAD_PARENT_CHANNEL_ID: Gaming is no text room",
        ),
        (
            "AVAILABILITY_SIGNAL_SENDER",
            "+38640999999",
            "signal",
            "AVAILABILITY_SIGNAL_SENDER: the service has no such number",
        ),
    ],
)
def test_what_somebody_does_not_know_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, part: str, reason: str
) -> None:
    monkeypatch.setenv(name, value)
    found = checked()
    assert (found["parts"][part], found["reasons"][part]) == (False, reason)


def test_an_address_that_logins_cannot_lead_back_to_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Discord's token endpoint does not say so: it answers alike, whatever address it is given."""
    elsewhere = "https://slomix.test/auth/callback"
    monkeypatch.setenv("DISCORD_REDIRECT_URI", elsewhere)
    monkeypatch.setenv("DISCORD_REDIRECT_URI_ALLOWLIST", elsewhere)
    assert wrong() == {
        "discord login": f"DISCORD_REDIRECT_URI: {elsewhere} is not among the redirects of the application"
    }


def test_what_cannot_be_proven_of_logins_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "only a login shows" in checked()["notes"]["discord login"]
    monkeypatch.delenv("DISCORD_BOT_TOKEN")
    assert "DISCORD_BOT_TOKEN" in checked()["notes"]["discord login"]
    monkeypatch.setenv("DISCORD_CLIENT_SECRET", "mistyped")
    assert "discord login" not in checked()["notes"]


@pytest.mark.parametrize("answer", ["html", "not_found", "unauthorized"])
def test_a_token_endpoint_that_says_nothing_of_us_is_away(simulator: Simulator, answer: str) -> None:
    SimulatorControl(simulator.url).add_fault("login", answer=answer)
    assert "Discord does not answer" in wrong()["discord login"]


def test_a_bot_that_telegram_does_not_know_is_named_without_its_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AVAILABILITY_TELEGRAM_BOT_TOKEN", "1:mistyped")
    reason = wrong()["telegram"]
    assert "401" in reason and "mistyped" not in reason


@pytest.mark.parametrize(
    ("service", "reason"),
    [
        ({"mode": "normal"}, "the service runs in mode normal; it has to be json-rpc or json-rpc-native"),
        ({"version": "0.84"}, "the service has version 0.84; it has to be 0.85 or newer"),
    ],
    ids=str,
)
def test_a_signal_service_of_no_use_is_refused_by_name(
    simulator: Simulator, service: dict[str, str], reason: str
) -> None:
    simulator.client().post("/control/signal-service", json=service).raise_for_status()
    assert wrong() == {"signal": reason}


def test_a_room_to_write_to_has_to_let_the_bot_write(simulator: Simulator) -> None:
    SimulatorControl(simulator.url).add_fault("read_only")
    assert wrong() == {
        "discord server and rooms": (
            "AVAILABILITY_PROMOTION_FOLLOWUP_CHANNEL_ID: the bot may not send messages in game-night; "
            "AVAILABILITY_DISCORD_ANNOUNCE_CHANNEL_ID: the bot may not send messages in game-night; "
            "AVAILABILITY_PLANNING_THREAD_PARENT_CHANNEL_ID: "
            "the bot may not create private threads, send messages in threads in game-night"
        )
    }


def test_a_room_to_write_to_has_to_let_the_bot_read_what_is_there(simulator: Simulator) -> None:
    SimulatorControl(simulator.url).add_fault("no_history")
    assert wrong() == {
        "discord server and rooms": (
            "AVAILABILITY_PROMOTION_FOLLOWUP_CHANNEL_ID: the bot may not read message history in game-night; "
            "AVAILABILITY_DISCORD_ANNOUNCE_CHANNEL_ID: the bot may not read message history in game-night; "
            "AVAILABILITY_PLANNING_THREAD_PARENT_CHANNEL_ID: the bot may not read message history in game-night"
        )
    }


def test_events_need_their_rights(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    SimulatorControl(simulator.url).add_fault("no_events")
    assert wrong() == {}
    monkeypatch.setenv("AVAILABILITY_DISCORD_SCHEDULED_EVENT_ENABLED", "on")
    assert wrong() == {
        "discord server and rooms": (
            "AVAILABILITY_DISCORD_SCHEDULED_EVENT_ENABLED: the bot may not create events, manage events"
            " in Slomix game nights (simulated)"
        )
    }
    simulator.client().delete("/control/faults")
    assert wrong() == {}


@pytest.mark.parametrize(
    ("provider", "parts"), [("discord", {"discord"}), ("telegram", {"telegram"}), ("signal", {"signal"})]
)
def test_who_is_away_is_told_as_away(simulator: Simulator, provider: str, parts: set[str]) -> None:
    SimulatorControl(simulator.url).add_fault("status", provider=provider, code=503)
    found = checked()
    silent = {part for part in ("discord", "telegram", "signal") if not found["parts"][part]}
    assert silent == parts
    assert "503" in found["reasons"][provider]


@pytest.mark.parametrize("part", ["discord", "telegram"])
def test_a_surprise_of_one_part_is_its_reason_and_the_others_are_asked(
    monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    """Discord leaves out optional fields, which discord.py reads all the same."""

    def stumble(settings: Settings) -> str:
        raise KeyError("bitrate", settings.telegram_bot_token.get_secret_value())

    monkeypatch.setattr(providers, f"_{part}", stumble)
    found = checked()
    assert found["reasons"][part] == "KeyError: ('bitrate', '…')"
    others = {"discord login", "telegram", "signal"} - {part}
    assert {other for other in others if found["parts"][other]} == others


@pytest.mark.parametrize(
    "name",
    [
        *("_formation", "_rights", "_database_and_processes", "_redis", "_game_server"),
        *("config_warnings.find_warnings", "providers._discord", "providers._login", "providers._signal"),
    ],
)
def test_whatever_surprises_the_rest_is_said_all_the_same(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def stumble(*_: object) -> str:
        raise KeyError("bitrate")

    monkeypatch.setattr(f"slomix.cli.check.{name}", stumble)
    found = checked()
    said = [*found["reasons"].values(), *found["problems"], *found["warnings"]]
    assert "KeyError: 'bitrate'" in said
    assert found["parts"]["telegram"], "and the others are asked"


@pytest.mark.parametrize(
    ("fault", "part", "reason"),
    [
        ({"fault": "cloudflare", "page": 1010}, "discord", "answers 403"),
        ({"fault": "cloudflare", "page": 1015}, "discord", "answers 429"),
        (
            {"fault": "unreadable", "body": "html", "at": "me"},
            "discord",
            "does not answer in a readable way (TypeError)",
        ),
        ({"fault": "unreadable", "body": "object", "at": "guild"}, "discord", "does not answer in a readable way"),
        ({"fault": "refusal", "error": 50013, "at": "guild"}, "discord", "answers 403"),
        (
            {"fault": "unreadable", "body": "no_id", "at": "channel"},
            "discord server and rooms",
            f"GAMING_VOICE_CHANNELS: what Discord says of the room {GAMING_VOICE_CHANNEL} cannot be read",
        ),
    ],
    ids=str,
)
def test_what_discord_did_not_say_is_not_taken_for_what_it_says(
    simulator: Simulator, fault: dict[str, object], part: str, reason: str
) -> None:
    """A page of somebody else's is no "not in the server" and no "there is no such room"."""
    simulator.client().post("/control/faults", json={"provider": "discord"} | fault).raise_for_status()
    assert reason in checked()["reasons"][part]


def test_whom_nobody_asked_for_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AVAILABILITY_SIGNAL_ENABLED")
    monkeypatch.delenv("AVAILABILITY_TELEGRAM_ENABLED")
    monkeypatch.delenv("DISCORD_GUILD_ID")
    found = checked()
    assert not {"signal", "telegram"} & set(found["parts"])
    assert found["parts"]["discord"]
