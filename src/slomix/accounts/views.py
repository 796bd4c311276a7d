"""Login and logout."""

import secrets
from datetime import timedelta

from flask import Blueprint, flash, redirect, request, session, url_for
from flask_login import login_user, logout_user
from werkzeug.wrappers import Response

from slomix import web, words
from slomix.accounts import discord_login, rules, service
from slomix.accounts.discord_login import LoginRefused
from slomix.web import Viewer

blueprint = Blueprint("accounts", __name__)

BROWSER = "browser"


@blueprint.get("/auth/login")
def login() -> Response:
    """Off to Discord. The state stays here; the cookie only says which browser began."""
    settings, now = web.runtime().settings, web.now()
    browser = session.setdefault(BROWSER, secrets.token_urlsafe(16))
    departure = discord_login.depart(settings)
    with web.runtime().transaction() as db_session:
        service.begin_login(
            db_session,
            state=departure.state,
            browser=browser,
            code_verifier=departure.code_verifier,
            next_path=request.args.get("next", "/"),
            expires_at=now + timedelta(seconds=settings.oauth_state_ttl_seconds),
            now=now,
        )
    return redirect(departure.url)


@blueprint.get("/auth/callback")
def callback() -> Response:
    """Back from Discord: consent or not."""
    settings, now = web.runtime().settings, web.now()
    with web.runtime().transaction() as db_session:
        attempt = service.accept_login(
            db_session, state=request.args.get("state", ""), browser=session.get(BROWSER, ""), now=now
        )
        verifier, next_path = attempt.code_verifier, attempt.next_path
    code = request.args.get("code")
    if code is None and request.args.get("error") != "access_denied":
        raise LoginRefused
    if code is None:
        flash(words.LOGIN_DECLINED, "note")
        return redirect(next_path, code=303)
    identity = discord_login.arrive(settings, code=code, code_verifier=verifier)
    with web.runtime().transaction() as db_session:
        user = service.log_in(
            db_session,
            discord_id=identity.discord_id,
            username=identity.username,
            display_name=identity.display_name,
            now=now,
        )
    session.clear()
    login_user(_as_viewer(user.session_key), remember=False)
    if user.player_id is None:
        return redirect(url_for("profile.profile", next=next_path), code=303)
    return redirect(next_path, code=303)


def _as_viewer(session_key: str) -> Viewer:
    """Just enough for the cookie, which holds the key and nothing else."""
    return Viewer(0, session_key, "", "", None, None, is_admin=False, is_promoter=False)


@blueprint.post("/auth/logout")
def logout() -> Response:
    logout_user()
    session.clear()
    flash(words.LOGGED_OUT, "done")
    return redirect("/", code=303)


@blueprint.get("/auth/link/start")
def link_start() -> Response:
    """The banner's button: to the login, or on to the profile."""
    target = url_for("profile.profile", next=rules.own_path(request.args.get("next")))
    if isinstance(web.viewer(), Viewer):
        return redirect(target)
    return redirect(url_for("accounts.login", next=rules.own_path(request.args.get("next"))))


@blueprint.get("/auth/link/status")
def link_status() -> dict[str, object]:
    """Who the viewer is, for scripts."""
    who = web.viewer()
    return {
        "authenticated": bool(who.is_authenticated),
        "linked_discord": who.is_linked,
        "player_linked": who.is_linked,
        "player_name": who.player_name,
    }
