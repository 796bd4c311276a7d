"""Discord's login: the page that asks who you are, and tokens with PKCE really verified."""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlencode

from aiohttp import web

from slomix.clock import wall_now
from slomix.dev.simulator import shapes
from slomix.dev.simulator.people import CLIENT_ID, CLIENT_SECRET, PEOPLE, PEOPLE_BY_ID
from slomix.dev.simulator.rendering import page
from slomix.dev.simulator.wire import WORLD, DiscordError, Handler, add_latency, discord_json, fault_response

CODE_LIFETIME = timedelta(seconds=60)
TOKEN_LIFETIME = timedelta(days=7)
SCOPES = {"identify", "guilds", "guilds.members.read", "email", "openid"}
ASKED = ("client_id", "redirect_uri", "response_type", "scope", "state", "code_challenge", "code_challenge_method")


@dataclass(frozen=True)
class OAuthGrant:
    """A person's consent, waiting to be exchanged for a token."""

    user_id: str
    redirect_uri: str
    challenge: str
    scope: str
    expires_at: datetime


@dataclass(frozen=True)
class OAuthToken:
    """The person that a bearer token speaks for."""

    user_id: str
    refresh_token: str
    expires_at: datetime


class OAuthStore:
    """The codes and tokens in circulation."""

    def __init__(self) -> None:
        self.codes: dict[str, OAuthGrant] = {}
        self.tokens: dict[str, OAuthToken] = {}


OAUTH_STORE: web.AppKey[OAuthStore] = web.AppKey("ledger", OAuthStore)


class OAuthError(Exception):
    """An error of the token endpoint, by its name in RFC 6749."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error, self.status = error, status


def register(app: web.Application) -> None:
    app[OAUTH_STORE] = OAuthStore()
    app.router.add_get("/oauth2/authorize", show_consent)
    app.router.add_post("/oauth2/authorize", handle_consent)
    for prefix in ("/api", "/api/v10"):
        app.router.add_post(f"{prefix}/oauth2/token", _for_client(_exchange))
        app.router.add_post(f"{prefix}/oauth2/token/revoke", _for_client(_revoke))


async def show_consent(request: web.Request) -> web.StreamResponse:
    asked = {name: request.query.get(name, "") for name in ASKED}
    if complaint := _complaint(asked, request.app[WORLD].port):
        return page(request, "refused.html", status=400, complaint=complaint)
    return page(request, "authorize.html", asked=asked, people=PEOPLE)


async def handle_consent(request: web.Request) -> web.StreamResponse:
    form = await request.post()
    asked = {name: str(form.get(name, "")) for name in ASKED}
    user_id = str(form.get("user_id", ""))
    complaint = _complaint(asked, request.app[WORLD].port)
    if not complaint and user_id not in PEOPLE_BY_ID and "deny" not in form:
        complaint = "There is no person with that id here."
    if complaint:
        return page(request, "refused.html", status=400, complaint=complaint)
    if "deny" in form:
        return _back(asked, error="access_denied", error_description="The resource owner denied the request")
    code = secrets.token_urlsafe(24)
    request.app[OAUTH_STORE].codes[code] = OAuthGrant(
        user_id, asked["redirect_uri"], asked["code_challenge"], asked["scope"], wall_now() + CODE_LIFETIME
    )
    return _back(asked, code=code)


def _back(asked: Mapping[str, str], **answer: str) -> web.Response:
    location = f"{asked['redirect_uri']}?{urlencode(answer | {'state': asked['state']})}"
    return web.Response(status=302, headers={"Location": location})


def _complaint(asked: Mapping[str, str], port: int) -> str | None:
    """Return what is wrong with a login request, or None."""
    scopes = set(asked["scope"].split())
    if asked["client_id"] != CLIENT_ID:
        return f"There is no application with the client_id {asked['client_id']!r}."
    if asked["redirect_uri"] not in shapes.redirect_uris(port):
        return f"The redirect_uri {asked['redirect_uri']!r} is not registered for this application."
    if asked["response_type"] != "code":
        return "The response_type has to be 'code'."
    if "identify" not in scopes or scopes - SCOPES:
        return f"The scope {asked['scope']!r} has to name 'identify', and nothing that Discord does not know."
    if not asked["state"]:
        return "There is no state: this login could not be told from a forged one."
    if asked["code_challenge_method"] != "S256" or not asked["code_challenge"]:
        return "There is no code_challenge with the code_challenge_method 'S256'."
    return None


def _for_client(answer: Callable[[OAuthStore, Mapping[str, str]], dict[str, Any]]) -> Handler:
    """Wrap what an application is answered in its authentication and the format of refusals."""

    async def handle(request: web.Request) -> web.StreamResponse:
        if (trouble := await _trouble(request)) is not None:
            return trouble
        try:
            return discord_json(answer(request.app[OAUTH_STORE], await _client_form(request)))
        except OAuthError as refused:
            return discord_json({"error": refused.error, "error_description": str(refused)}, status=refused.status)

    return handle


async def _trouble(request: web.Request) -> web.StreamResponse | None:
    """Return the answer of a fault in force, if any."""
    faults = request.app[WORLD].faults
    if (trouble := await fault_response(request, "discord", _fault)) is not None:
        return trouble
    if (wait := faults.retry_after("discord")) is not None:
        body = {"message": "You are being rate limited.", "retry_after": round(wait, 3), "global": False}
        return discord_json(body, status=429, headers={"Retry-After": f"{wait:.0f}", "Via": "1.1 sim"})
    await add_latency(request, "discord")
    return _WRONG_ANSWERS[answer]() if (answer := faults.login()) is not None else None


def _fault(status: int, description: str) -> web.Response:
    return DiscordError(status, 0, description).response()


def _oauth_error(error: str, description: str, status: int = 400) -> web.Response:
    return discord_json({"error": error, "error_description": description}, status=status)


# As Discord writes them.
_WRONG_ANSWERS: dict[str, Callable[[], web.Response]] = {
    "invalid_client": lambda: _oauth_error("invalid_client", "", status=401),
    "redirect_uri": lambda: _oauth_error("invalid_grant", 'Invalid "redirect_uri" in request.'),
    "invalid_grant": lambda: _oauth_error("invalid_grant", 'Invalid "code" in request.'),
    "malformed": lambda: discord_json({"client_id": ['Value "slomix" is not snowflake.']}, status=400),
    "html": lambda: web.Response(text="<html>Just a moment…</html>", content_type="text/html", status=403),
    "not_found": lambda: DiscordError(404, 0, "404: Not Found").response(),
    "unauthorized": lambda: DiscordError(401, 0, "401: Unauthorized").response(),
}


def _exchange(ledger: OAuthStore, form: Mapping[str, str]) -> dict[str, Any]:
    if form.get("grant_type") == "client_credentials":
        return _exchange_for_owner(ledger, form)
    if form.get("grant_type") != "authorization_code":
        raise OAuthError("unsupported_grant_type", "Only authorization_code is known here.")
    # Removed before it is checked: a code is good for one attempt.
    grant = ledger.codes.pop(form.get("code", ""), None)
    if grant is None or grant.expires_at <= wall_now():
        raise OAuthError("invalid_grant", 'Invalid "code" in request.')
    if form.get("redirect_uri") != grant.redirect_uri:
        raise OAuthError("invalid_grant", 'Invalid "redirect_uri" in request.')
    if not _verifies(form.get("code_verifier", ""), grant.challenge):
        raise OAuthError("invalid_grant", 'Invalid "code_verifier" in request.')
    token = _new_token(ledger, grant.user_id, grant.scope)
    return token | {"refresh_token": ledger.tokens[token["access_token"]].refresh_token}


def _exchange_for_owner(ledger: OAuthStore, form: Mapping[str, str]) -> dict[str, Any]:
    """Give a token that speaks for the application's owner."""
    scopes = set(form.get("scope", "").split())
    if not scopes or scopes - SCOPES:
        raise OAuthError("invalid_scope", "The requested scope is invalid, unknown, or malformed.")
    return _new_token(ledger, shapes.OWNER.id, form["scope"])


def _new_token(ledger: OAuthStore, user_id: str, scope: str) -> dict[str, Any]:
    access_token = secrets.token_urlsafe(24)
    ledger.tokens[access_token] = OAuthToken(user_id, secrets.token_urlsafe(24), wall_now() + TOKEN_LIFETIME)
    return {
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": int(TOKEN_LIFETIME.total_seconds()),
        "scope": scope,
    }


def _verifies(verifier: str, challenge: str) -> bool:
    digest = hashlib.sha256(verifier.encode()).digest()
    return hmac.compare_digest(base64.urlsafe_b64encode(digest).rstrip(b"="), challenge.encode())


def _revoke(ledger: OAuthStore, form: Mapping[str, str]) -> dict[str, Any]:
    given = form.get("token")
    for access_token, token in list(ledger.tokens.items()):
        if given in (access_token, token.refresh_token):
            del ledger.tokens[access_token]
    return {}


async def _client_form(request: web.Request) -> dict[str, str]:
    """Return the form of an application that has authenticated, by HTTP Basic or in the form. Raise Refused."""
    form = {name: str(value) for name, value in (await request.post()).items()}
    client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            decoded = base64.b64decode(credentials, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            decoded = ""
        client_id, secret = (unquote(part) for part in decoded.partition(":")[::2])
    if client_id != CLIENT_ID or not hmac.compare_digest(secret.encode(), CLIENT_SECRET.encode()):
        raise OAuthError("invalid_client", "The client_id or the client_secret is wrong.", status=401)
    return form


async def current_user(request: web.Request) -> web.StreamResponse:
    """Return the user of this bearer token."""
    if (trouble := await _trouble(request)) is not None:
        return trouble
    given = request.headers["Authorization"].removeprefix("Bearer ")
    token = request.app[OAUTH_STORE].tokens.get(given)
    if token is None or token.expires_at <= wall_now():
        return DiscordError(401, 0, "401: Unauthorized").response()
    return discord_json(shapes.own_account(shapes.user(PEOPLE_BY_ID[token.user_id])))
