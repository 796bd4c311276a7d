"""Checks our credentials at Discord, Telegram and Signal."""

import json

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from slomix.accounts import discord_login
from slomix.accounts.discord_login import DiscordDown, LoginRefused, LoginSetUpWrongly
from slomix.channels.base import SendError
from slomix.cli.parts import ask
from slomix.config.settings import Settings
from slomix.interactions import commands
from slomix.processes.discord import rooms
from slomix.runtime.factory import make_commands, make_signal, make_telegram

GATEWAY_WITHIN = 5.0
# The gateway's first frame: https://discord.com/developers/docs/events/gateway#hello-event
HELLO = 10


def provider_problems(settings: Settings) -> dict[str, str]:
    """Return the problem of each provider that is switched on; empty if it is well."""
    found = ask("discord", _discord, settings)
    if settings.discord_bot_token.get_secret_value():
        found |= ask("discord gateway", _gateway, settings)
    if settings.discord_client_id and settings.discord_client_secret.get_secret_value():
        found |= ask("discord login", _login, settings)
    if settings.discord_public_key:
        found |= ask("discord commands", _commands, settings)
    if "telegram" in settings.channels_on:
        found |= ask("telegram", _telegram, settings)
    if "signal" in settings.channels_on:
        found |= ask("signal", _signal, settings)
    return found


def _discord(settings: Settings) -> dict[str, str]:
    """Check the bot and, if it is accepted, its server and rooms."""
    if not settings.discord_bot_token.get_secret_value():
        return {"discord": "DISCORD_BOT_TOKEN is not set"}
    try:
        objections = rooms.check_rooms(settings)
    except rooms.InvalidBotToken:
        return {"discord": "refuses DISCORD_BOT_TOKEN (401)"}
    except rooms.DiscordSilent as error:
        return {"discord": str(error)}
    return {"discord": "", "discord server and rooms": "; ".join(objections)}


def _gateway(settings: Settings) -> str:
    """Check that the gateway greets; nobody logs in, as sessions are few."""
    address = f"{settings.discord_gateway_url}?v=10&encoding=json"
    try:
        with connect(address, open_timeout=GATEWAY_WITHIN, close_timeout=1, max_size=None) as socket:
            greeting = json.loads(socket.recv(timeout=GATEWAY_WITHIN))
    except (OSError, WebSocketException, ValueError) as error:
        reason = str(error) or "does not answer"
        return f"{settings.discord_gateway_url} cannot be used: {reason}"
    return "" if greeting.get("op") == HELLO else f"{settings.discord_gateway_url} is no gateway of Discord"


def _login(settings: Settings) -> str:
    """Check the client by a token of its own, and the address that logins lead back to by the bot's application."""
    try:
        discord_login.check_client(settings)
    except DiscordDown as error:
        return str(error)
    except (LoginRefused, LoginSetUpWrongly):
        return "refuses DISCORD_CLIENT_ID and DISCORD_CLIENT_SECRET"
    return _redirect_problem(settings) if settings.discord_bot_token.get_secret_value() else ""


def _redirect_problem(settings: Settings) -> str:
    """Say if logins cannot lead back to us; only the application's own bot may ask."""
    discord = make_commands(settings)
    try:
        application = discord.application()
    except SendError as error:
        return f"DISCORD_REDIRECT_URI could not be checked: {error}"
    finally:
        discord.close()
    if application.get("id") != settings.discord_client_id:
        return f"DISCORD_BOT_TOKEN is of another application ({application.get('id')}) than DISCORD_CLIENT_ID"
    if settings.login_redirect_uri not in application.get("redirect_uris", ()):
        return f"DISCORD_REDIRECT_URI: {settings.login_redirect_uri} is not among the redirects of the application"
    return ""


def login_note(settings: Settings) -> str:
    """Say what no check can prove about logins."""
    if not settings.discord_bot_token.get_secret_value():
        return "only with DISCORD_BOT_TOKEN can be seen whether DISCORD_REDIRECT_URI is registered"
    return f"only a login shows whether browsers reach {settings.login_redirect_uri}"


def _commands(settings: Settings) -> str:
    """Check that Discord has our key, our address and our commands."""
    client = make_commands(settings)
    try:
        application = client.application()
        if application.get("verify_key") != settings.discord_public_key:
            return "DISCORD_PUBLIC_KEY is not that of this application"
        url = f"{settings.base_url}/discord/interactions"
        if application.get("interactions_endpoint_url") != url:
            return f"Discord does not post to {url}: slomix discord register --endpoint"
        registered = client.registered(str(application.get("id")), settings.discord_guild_id)
    except SendError as error:
        return str(error)
    finally:
        client.close()
    ours = commands.definitions(settings.languages)
    return "" if commands.is_same(ours, registered) else "are others: slomix discord register"


def _telegram(settings: Settings) -> str:
    telegram = make_telegram(settings, connections=1)
    try:
        telegram.username()
    except SendError as error:
        return str(error)
    finally:
        telegram.close()
    return ""


def _signal(settings: Settings) -> str:
    signal = make_signal(settings, connections=1)
    try:
        return signal.service_problem() or ""
    except SendError as error:
        return str(error)
    finally:
        signal.close()
