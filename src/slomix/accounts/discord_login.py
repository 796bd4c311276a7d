"""OAuth2 with Discord: sends browsers there, and learns who came back. No token is kept."""

import functools
import ssl
from dataclasses import dataclass
from typing import Any

import httpx2
from authlib.common.security import generate_token
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.httpx_client import OAuth2Client

from slomix import words
from slomix.config.settings import Settings
from slomix.errors import Invalid, Unavailable

SCOPE = "identify"


class DiscordDown(Unavailable):
    """Discord did not answer, or not as its API should."""

    sentence = words.DISCORD_SILENT


class LoginRefused(Invalid):
    """Discord did not accept what came back."""

    sentence = words.LOGIN_REFUSED


@dataclass(frozen=True)
class LoginRedirect:
    """Where to send a browser that logs in, and what to remember until it comes back."""

    url: str
    state: str
    code_verifier: str


@dataclass(frozen=True)
class DiscordIdentity:
    """The account that Discord says this is."""

    discord_id: str
    username: str
    display_name: str


@functools.cache
def _certificates() -> ssl.SSLContext:
    """Read the machine's certificates once: that takes longer than all the rest of a login."""
    return httpx2.create_ssl_context()


def _client(settings: Settings) -> Any:
    return OAuth2Client(
        client_id=settings.discord_client_id,
        client_secret=settings.discord_client_secret.get_secret_value(),
        redirect_uri=settings.login_redirect_uri,
        scope=SCOPE,
        code_challenge_method="S256",
        timeout=10,
        verify=_certificates(),
    )


def start_login(settings: Settings) -> LoginRedirect:
    """Make the address that the browser is sent to, with a fresh state and PKCE challenge."""
    verifier = generate_token(64)
    with _client(settings) as client:
        url, state = client.create_authorization_url(settings.discord_authorize_url, code_verifier=verifier)
    return LoginRedirect(url, state, verifier)


def is_client_known(settings: Settings) -> bool:
    """Check whether Discord knows our client id and secret. Raise DiscordDown.

    Ask it to exchange an invented code: the client is checked before the code is (RFC 6749, 5.2).
    """
    form = {"grant_type": "authorization_code", "code": "none", "redirect_uri": settings.login_redirect_uri}
    us = httpx2.BasicAuth(settings.discord_client_id, settings.discord_client_secret.get_secret_value())
    try:
        answer = httpx2.post(settings.discord_token_url, data=form, auth=us, timeout=5, verify=_certificates())
    except httpx2.HTTPError as error:
        raise DiscordDown from error
    if answer.status_code not in {400, 401}:
        raise DiscordDown
    return answer.status_code == 400 and "invalid_client" not in answer.text


def fetch_identity(settings: Settings, *, code: str, code_verifier: str) -> DiscordIdentity:
    """Exchange the code and ask who it is, then forget the token. Raise DiscordDown or LoginRefused."""
    try:
        with _client(settings) as client:
            client.fetch_token(settings.discord_token_url, code=code, code_verifier=code_verifier)
            answer = client.get(f"{settings.discord_api_base_url}/users/@me")
            answer.raise_for_status()
            body = answer.json()
        return DiscordIdentity(
            discord_id=str(body["id"]),
            username=str(body["username"]),
            display_name=str(body.get("global_name") or body["username"]),
        )
    except OAuthError as error:
        raise LoginRefused from error
    except (httpx2.HTTPError, ValueError, KeyError, TypeError) as error:
        raise DiscordDown from error
