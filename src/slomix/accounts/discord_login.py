"""OAuth2 with Discord: sends browsers there, and learns who came back. No token is kept."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx2
import structlog
from authlib.common.security import generate_token
from authlib.integrations.httpx_client import OAuth2Client

from slomix.channels.discord import HEADERS
from slomix.channels.http import as_object, certificates, decode_json, retry_delay
from slomix.config.settings import Settings
from slomix.errors import DomainError, Invalid, Unavailable
from slomix.i18n import N_

log = structlog.get_logger()

SCOPE = "identify"
# A pause that Discord asks for is passed on to browsers, but no longer one than this.
LONGEST_PAUSE = timedelta(hours=1)

# RFC 6749, 4.1.2.1 and 5.2: what Discord says of itself, and of how this site is set up.
_AWAY = frozenset({"server_error", "temporarily_unavailable"})
_SET_UP_WRONGLY = frozenset(
    {
        *("invalid_client", "invalid_request", "invalid_scope", "unauthorized_client"),
        *("unsupported_grant_type", "unsupported_response_type"),
    }
)


class DiscordDown(Unavailable):
    """Discord did not answer, or not as its API should."""

    sentence = N_("Discord does not answer right now. Nothing is lost; please try again in a moment.")


class LoginRefused(Invalid):
    """Discord did not accept what came back."""

    sentence = N_("Discord did not accept this login. Please start again.")


class LoginSetUpWrongly(Unavailable):
    """Discord does not know this site, or not as it is set up; only an operator can mend that."""

    sentence = N_(
        "Discord refuses logins for this site: it is set up wrongly. That is not your fault; please tell an admin."
    )


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


def _client(settings: Settings) -> Any:
    client = OAuth2Client(
        client_id=settings.discord_client_id,
        client_secret=settings.discord_client_secret.get_secret_value(),
        redirect_uri=settings.login_redirect_uri,
        scope=SCOPE,
        code_challenge_method="S256",
        headers=HEADERS,
        timeout=10,
        verify=certificates(),
    )
    client.register_compliance_hook("access_token_response", _check_token_answer)
    return client


def start_login(settings: Settings) -> LoginRedirect:
    """Make the address that the browser is sent to, with a fresh state and PKCE challenge."""
    verifier = generate_token(64)
    with _client(settings) as client:
        url, state = client.create_authorization_url(settings.discord_authorize_url, code_verifier=verifier)
    return LoginRedirect(url, state, verifier)


def check_client(settings: Settings) -> None:
    """Prove client id, secret and scope by a token for the application itself, and give it back.

    Raise DiscordDown, or LoginRefused or LoginSetUpWrongly if Discord does not know them.
    """
    try:
        with _client(settings) as client:
            client.fetch_token(settings.discord_token_url, grant_type="client_credentials", scope=SCOPE)
            client.revoke_token(f"{settings.discord_token_url}/revoke")
    except httpx2.HTTPError as error:
        raise DiscordDown from error


def fetch_identity(settings: Settings, *, code: str, code_verifier: str) -> DiscordIdentity:
    """Exchange the code and ask who it is, then forget the token.

    Raise DiscordDown, LoginRefused or LoginSetUpWrongly.
    """
    if not code:
        raise LoginRefused
    try:
        with _client(settings) as client:
            client.fetch_token(settings.discord_token_url, code=code, code_verifier=code_verifier)
            body = _object_in(client.get(f"{settings.discord_api_base_url}/users/@me"))
        return DiscordIdentity(
            discord_id=str(body["id"]),
            username=str(body["username"]),
            display_name=str(body.get("global_name") or body["username"]),
        )
    except (httpx2.HTTPError, KeyError) as error:
        raise DiscordDown from error


def refusal_at_consent(error: str) -> DomainError:
    """Return what an error means that a browser brings back instead of a code."""
    if error in _AWAY:
        return DiscordDown()
    return _set_up_wrongly(error) if error in _SET_UP_WRONGLY else LoginRefused()


def _check_token_answer(response: httpx2.Response) -> httpx2.Response:
    """Return the token endpoint's answer if it has a token. Raise whose fault it is that it has none."""
    body = as_object(decode_json(response))
    if response.is_success and isinstance(body.get("access_token"), str) and isinstance(body.get("token_type"), str):
        return response
    error, description = body.get("error"), str(body.get("error_description", ""))
    if response.status_code == 400 and body and error is None:  # a field is malformed, such as a client id of letters
        raise _set_up_wrongly(response.text)
    if response.status_code not in {400, 401} or not isinstance(error, str) or error in _AWAY:
        raise _down(response)
    if error == "invalid_grant" and "redirect_uri" not in description:
        raise LoginRefused
    raise _set_up_wrongly(f"{error}: {description}")


def _object_in(response: httpx2.Response) -> dict[str, Any]:
    """Return the object that Discord answers with. Raise DiscordDown."""
    if not response.is_success:
        raise _down(response)
    return as_object(decode_json(response))


def _down(response: httpx2.Response) -> DiscordDown:
    log.warning("login.discord_down", status=response.status_code)
    asked = response.headers.get("Retry-After") or as_object(decode_json(response)).get("retry_after")
    pause = retry_delay(asked, otherwise=None)
    return DiscordDown(retry_after=min(pause, LONGEST_PAUSE) if pause is not None else None)


def _set_up_wrongly(said: str) -> LoginSetUpWrongly:
    """Tell the operator what Discord says; the player is told whom to ask."""
    log.error("login.set_up_wrongly", said=said[:200], hint="`slomix check` names the setting")
    return LoginSetUpWrongly()
