"""What Discord, Telegram and Signal say to our credentials."""

import httpx2

from slomix.channels.base import SendError
from slomix.discord_app import rooms
from slomix.settings import Settings
from slomix.wiring import signal_of, telegram_of


def reasons(settings: Settings) -> dict[str, str]:
    """By the name of each that is switched on why it is of no use; nothing for those that are well."""
    found = _discord(settings)
    if settings.discord_client_id and settings.discord_client_secret.get_secret_value():
        found["discord login"] = _login(settings)
    if "telegram" in settings.channels_on:
        found["telegram"] = _telegram(settings)
    if "signal" in settings.channels_on:
        found["signal"] = _signal(settings)
    return found


def _discord(settings: Settings) -> dict[str, str]:
    """The bot; and, where it is known, its server and rooms."""
    if not settings.discord_bot_token.get_secret_value():
        return {"discord": "DISCORD_BOT_TOKEN is not set"}
    try:
        objections = rooms.look(settings)
    except rooms.BadToken:
        return {"discord": "refuses DISCORD_BOT_TOKEN (401)"}
    except rooms.Silent as error:
        return {"discord": str(error)}
    return {"discord": "", "discord server and rooms": "; ".join(objections)}


def _login(settings: Settings) -> str:
    """Exchange a code that nobody was given: who we are is looked at before the code is."""
    form = {"grant_type": "authorization_code", "code": "none", "redirect_uri": settings.login_redirect_uri}
    who = httpx2.BasicAuth(settings.discord_client_id, settings.discord_client_secret.get_secret_value())
    try:
        answer = httpx2.post(settings.discord_token_url, data=form, auth=who, timeout=5)
    except httpx2.HTTPError as error:
        return f"does not answer ({type(error).__name__})"
    if answer.status_code == 401 or "invalid_client" in answer.text:
        return f"refuses DISCORD_CLIENT_ID and DISCORD_CLIENT_SECRET ({answer.status_code})"
    return "" if answer.status_code == 400 else f"answers {answer.status_code}"


def _telegram(settings: Settings) -> str:
    telegram = telegram_of(settings, connections=1)
    try:
        telegram.username()
    except SendError as error:
        return str(error)
    finally:
        telegram.close()
    return ""


def _signal(settings: Settings) -> str:
    signal = signal_of(settings, connections=1)
    try:
        is_ours = signal.is_registered()
    except SendError as error:
        return str(error)
    finally:
        signal.close()
    return "" if is_ours else "AVAILABILITY_SIGNAL_SENDER: the service has no such number"
