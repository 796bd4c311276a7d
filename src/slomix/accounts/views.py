"""Login and logout."""

import secrets
from collections.abc import Mapping
from datetime import timedelta

import structlog
from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_login import login_user, logout_user
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from slomix.accounts import discord_login, logins, rules, service
from slomix.accounts.models import User
from slomix.channels.base import SendError
from slomix.i18n import _
from slomix.presence.game_names import plain_name
from slomix.web import current, gates, languages, rate_limits
from slomix.web.gates import Viewer

log = structlog.get_logger()

blueprint = Blueprint("accounts", __name__)

BROWSER = "browser"
# What was pressed before the login, in the cookie of the login: the day and the status.
PRESSED = "pressed"
LONGEST_PRESSED = 40


@blueprint.get("/auth/login")
@rate_limits.logins
def login() -> Response:
    """Send the browser to Discord."""
    return redirect(_start_login(request.args.get("next", "/")))


@blueprint.post("/auth/login")
@rate_limits.logins
def login_by_status() -> str:
    """Show a stranger who pressed a status a page that goes on to Discord; it is said when they come back.

    A form has brought it, with its token, and only the browser that began the login gets it back: nobody's status is
    said by a link. It is no redirect, as browsers let no form lead to another site than our Content-Security-Policy
    names, however many redirects are between.
    """
    return render_template("on_to_discord.html", departure=_start_login("/", pressed_in(request.form)))


def pressed_in(form: Mapping[str, str]) -> str:
    """Return the day and the status that were pressed, as they came; empty if they can be neither."""
    pressed = f"{form.get('day', '')} {form.get('status', '')}"
    return pressed if len(pressed) <= LONGEST_PRESSED else ""


def _start_login(next_path: str, pressed: str = "") -> str:
    """Begin a login and return Discord's page for it.

    The state stays here; the cookie only says which browser began.
    """
    settings, now = current.runtime().settings, current.now()
    browser = session.setdefault(BROWSER, secrets.token_urlsafe(16))
    departure = discord_login.start_login(settings)
    with current.runtime().transaction() as db_session:
        logins.create_login_attempt(
            db_session,
            state=departure.state,
            browser=browser,
            code_verifier=departure.code_verifier,
            next_path=next_path,
            pressed=pressed,
            expires_at=now + timedelta(seconds=settings.oauth_state_ttl_seconds),
            now=now,
        )
    return departure.url


@blueprint.get("/auth/callback")
@rate_limits.logins
def callback() -> Response:
    """Log in a browser that comes back from Discord, if its user consented."""
    settings, now = current.runtime().settings, current.now()
    state = request.args.get("state", "")
    try:
        with current.runtime().transaction() as db_session:
            attempt = logins.use_login_attempt(db_session, state=state, browser=session.get(BROWSER, ""), now=now)
            verifier, next_path, pressed = attempt.code_verifier, attempt.next_path, attempt.pressed
    except logins.LoginNotStarted:
        return _stay_logged_in(state)
    code, error = request.args.get("code", ""), request.args.get("error")
    if error == "access_denied":  # the button Cancel
        flash(_("You did not log in, and nothing was shared. You can change your mind any time."), "note")
        return redirect(next_path, code=303)
    if error is not None:
        raise discord_login.refusal_at_consent(error)
    identity = discord_login.fetch_identity(settings, code=code, code_verifier=verifier)
    with current.runtime().transaction() as db_session:
        user = logins.log_in(
            db_session,
            discord_id=identity.discord_id,
            username=identity.username,
            display_name=identity.display_name,
            now=now,
        )
        if user.language is None:
            user.language = languages.chosen_here()
        _forget_earlier(db_session)
        browser = rules.name_browser(request.headers.get("User-Agent", ""))
        key = logins.open_login_session(db_session, user, browser=browser, now=now)
        log.info("login.succeeded", user=user.id)
    # Nothing of before stays: neither what a stranger may have planted, nor who was logged in here.
    session.clear()
    session.permanent = True
    login_user(_as_viewer(key), remember=False)
    if pressed:
        session[PRESSED] = pressed
        next_path = "/pressed"
    if user.player_id is None:
        _learn_membership(user)
        if pressed:
            flash(_("Choose your player, and what you pressed is saved."), "note")
        return redirect(url_for("profile.profile", next=next_path), code=303)
    return redirect(next_path, code=303)


def _learn_membership(user: User) -> None:
    """Ask Discord whether a user without a player is in our server, as rights may wait for them.

    What it does not say now is asked again later, as it is about everybody else.
    """
    lookup = current.runtime().guild_lookup
    if lookup is None:
        return
    try:
        is_member = lookup.is_member(user.discord_id)
    except SendError as error:
        log.info("login.membership_unknown", reason=str(error))
        return
    with current.runtime().transaction() as db_session:
        service.record_membership(db_session, db_session.get_one(User, user.id), is_member, now=current.now())


def _stay_logged_in(state: str) -> Response:
    """Lead a viewer who is logged in already, by another tab or a second press, to where they wanted to go.

    Raise LoginNotStarted if they are not.
    """
    with current.runtime().transaction() as db_session:
        if not gates.viewer().is_authenticated:
            raise logins.LoginNotStarted
        next_path = logins.next_path_of(db_session, state)
    flash(_("You are logged in already."), "note")
    return redirect(next_path, code=303)


def _as_viewer(session_key: str) -> Viewer:
    """Make just enough of a viewer for the cookie, which holds the key and nothing else."""
    return Viewer(0, session_key, "", "", None, None)


def _forget_earlier(db_session: Session) -> None:
    """Delete the session that this browser's cookie names."""
    key = session.get("_user_id")
    if isinstance(key, str):
        logins.close_login_session(db_session, key)


@blueprint.post("/auth/logout")
def logout() -> Response:
    with current.runtime().transaction() as db_session:
        _forget_earlier(db_session)
    return _logged_out(_("You are logged out."))


@blueprint.post("/auth/logout/<number>")
def logout_one(number: str) -> Response:
    """End one of the viewer's logins, in whatever browser it is."""
    who = gates.require_user()
    with current.runtime().transaction() as db_session:
        logins.close_one_login_session(db_session, who.user_id, number)
    flash(_("That browser is logged out."), "done")
    return redirect("/profile#account-title", code=303)


@blueprint.post("/auth/logout/everywhere")
def logout_everywhere() -> Response:
    """End every session of this account, as after the loss of a phone."""
    who = gates.require_user()
    with current.runtime().transaction() as db_session:
        logins.close_all_login_sessions(db_session, db_session.get_one(User, who.user_id), now=current.now())
    return _logged_out(_("You are logged out everywhere, here too."))


def _logged_out(sentence: str) -> Response:
    logout_user()
    session.clear()
    flash(sentence, "done")
    return redirect("/", code=303)


@blueprint.get("/auth/link/start")
def link_start() -> Response:
    """Lead to the profile of a viewer who is logged in, else to the login."""
    page = "profile.profile" if isinstance(gates.viewer(), Viewer) else "accounts.login"
    return redirect(url_for(page, next=rules.local_path(request.args.get("next"))))


@blueprint.get("/auth/link/status")
def link_status() -> dict[str, object]:
    """Tell scripts who the viewer is."""
    who = gates.viewer()
    return {
        "authenticated": bool(who.is_authenticated),
        "linked_discord": who.is_linked,
        "player_linked": who.is_linked,
        "player_name": plain_name(who.player_name) if who.player_name else None,
    }
