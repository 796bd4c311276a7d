"""The profile: which player a user is, where they are logged in, and how they leave."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_login import logout_user
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from slomix.accounts import claims, logins
from slomix.accounts import service as accounts
from slomix.accounts.acting import check_fresh_login
from slomix.accounts.discord_login import DiscordDown
from slomix.accounts.models import Player, User
from slomix.accounts.rules import Membership, local_path
from slomix.channels.base import SendError
from slomix.contacts import preferences
from slomix.contacts.rules import MESSAGES_A_DAY
from slomix.deliveries import budget
from slomix.deliveries.names import NOTICE_NAMES
from slomix.i18n import N_, _, listed, looked_up
from slomix.presence.game_names import plain_name
from slomix.privacy import membership, unlinking
from slomix.web import current, gates, questions, rate_limits
from slomix.web.gates import Viewer
from slomix.web.reading import reading

blueprint = Blueprint("profile", __name__)


UNLINK_CONSEQUENCES = (
    N_("No more messages are sent to you."),
    N_(
        "Your addresses on Telegram and Signal and your preferences are deleted. To have "
        "them back, link and choose anew."
    ),
    N_("What you said about today and later days is cleared. You lose your place in the queue and on tonight’s team."),
    N_("The profile is free for anyone to pick."),
)


@blueprint.get("/profile")
@rate_limits.searches
def profile() -> str:
    """Show the viewer's profile, and profiles to pick from for an unlinked viewer or a search."""
    who, now = gates.require_user(), current.now()
    wanted = request.args.get("q", "").strip()
    known = _membership(who)
    with reading() as db_session:
        user = db_session.get_one(User, who.user_id)
        found = _found_profiles(db_session, user, wanted) if known is Membership.MEMBER else []
        shown: dict[str, Any] = {
            "found": found,
            "taken": accounts.linked_player_ids(db_session, found),
            "claim": claims.pending_request(db_session, user.id),
            "messages": budget.messages_of_day(db_session, who.profile_id or 0, current.today(now)),
            "logins": logins.open_logins(db_session, user.id, who.session_key, now=now),
        }
    return render_template(
        "board/profile.html",
        wanted=wanted,
        membership=known,
        next_path=local_path(request.args.get("next")),
        most_messages=MESSAGES_A_DAY,
        held_back=listed(NOTICE_NAMES.get(notice, notice) for notice in shown["messages"].held_back),
        needs_approval=current.runtime().settings.player_link_approval,
        **shown,
    )


def _found_profiles(db_session: Session, user: User, wanted: str) -> list[Player]:
    return accounts.search_profiles(db_session, wanted) if wanted else accounts.suggest_profiles(db_session, user)


def _membership(who: Viewer) -> Membership:
    """Return whether the viewer may see names of players; ask Discord if it was never asked, or never answered."""
    lookup = current.runtime().guild_lookup
    if lookup is None or who.is_member:
        return Membership.MEMBER
    if who.has_left:
        return Membership.LEFT
    try:
        is_member = lookup.is_member(who.discord_id)
    except SendError:
        return Membership.UNKNOWN
    _record(who, is_member)
    return Membership.MEMBER if is_member else Membership.LEFT


def _record(who: Viewer, is_member: bool) -> None:
    settings, now = current.runtime().settings, current.now()
    with current.runtime().transaction() as db_session:
        membership.record(db_session, db_session.get_one(User, who.user_id), is_member, settings=settings, now=now)


@blueprint.post("/profile/link")
@rate_limits.searches
def link() -> Response:
    """Link the viewer to a player or, where an admin confirms links, ask for it."""
    who, now = gates.require_user(), current.now()
    is_member = _ask_discord(who)
    guid, next_path = request.form.get("guid", ""), local_path(request.form.get("next"))
    if is_member is not None:
        _record(who, is_member)
    if is_member is False:
        raise accounts.NotAMember
    with current.runtime().transaction() as db_session:
        user = db_session.get_one(User, who.user_id)
        old, player = user.player, accounts.get_profile(db_session, guid)
        needs_approval = current.runtime().settings.player_link_approval
        if not unlinking.choose_profile(
            db_session, user, player, needs_approval=needs_approval, today=current.today(now), now=now
        ):
            flash(_("An admin will review your request for {player}.").format(player=plain_name(player.name)), "done")
            return redirect("/profile", code=303)
        if old is not None and old.id != player.id:
            names = {"old": plain_name(old.name), "new": plain_name(player.name)}
            questions.confirm(
                _("Give up {old} and become {new}?").format(**names),
                looked_up(UNLINK_CONSEQUENCES),
                do=_("Become {new}").format(**names),
                back="/profile",
            )
        is_first = not preferences.has_preferences(db_session, player.id)
    flash(_("Welcome, {player}!").format(player=plain_name(player.name)), "done")
    return redirect(url_for("contacts.welcome", next=next_path) if is_first else next_path, code=303)


def _ask_discord(who: Viewer) -> bool | None:
    """Check whether a viewer is in our server; None where no server is configured. Raise DiscordDown."""
    lookup = current.runtime().guild_lookup
    if lookup is None:
        return None
    try:
        return lookup.is_member(who.discord_id)
    except SendError as error:
        raise DiscordDown from error


@blueprint.post("/profile/membership")
@rate_limits.searches
def look_again() -> Response:
    """Ask Discord again whether a viewer who is not in our server has joined it."""
    who = gates.require_user()
    is_member = _ask_discord(who)
    _record(who, is_member is not False)  # where no server is configured, every user counts as a member
    if is_member is False:
        flash(_("Discord says that you are not in our server yet."), "problem")
    else:
        flash(_("Welcome back!") if who.profile_id else _("Welcome! Now pick your player."), "done")
    return redirect("/profile", code=303)


@blueprint.post("/profile/unlink")
def unlink() -> Response:
    """Unlink the viewer: nothing is sent to them any more, and their statuses for the days ahead are gone."""
    who, now = gates.require_user(), current.now()
    with current.runtime().transaction() as db_session:
        user = db_session.get_one(User, who.user_id)
        title = _("Unlink {player}?").format(player=plain_name(user.player.name)) if user.player is not None else ""
        unlinking.unlink_profile(db_session, user, today=current.today(now), now=now)
        if title:
            questions.confirm(title, looked_up(UNLINK_CONSEQUENCES), do=_("Unlink"), back="/profile")
    flash(_("Unlinked. You get no messages any more."), "done")
    return redirect("/profile", code=303)


@blueprint.post("/profile/claim")
@rate_limits.profile_requests
def claim() -> Response:
    """Claim a profile that another account has."""
    who, now = gates.require_user(), current.now()
    if _ask_discord(who) is False:
        raise accounts.NotAMember
    with current.runtime().transaction() as db_session:
        player = accounts.get_profile(db_session, request.form.get("guid", ""))
        user = db_session.get_one(User, who.user_id)
        if user.player_id != player.id:
            claims.request_profile(db_session, user, player, request.form.get("note", ""), now=now)
    flash(_("An admin will review your request for {player}.").format(player=plain_name(player.name)), "done")
    return redirect("/profile", code=303)


@blueprint.post("/profile/claim/withdraw")
def withdraw_claim() -> Response:
    who = gates.require_user()
    with current.runtime().transaction() as db_session:
        claims.withdraw_request(db_session, who.user_id, now=current.now())
    flash(_("Request withdrawn."), "done")
    return redirect("/profile", code=303)


@blueprint.get("/profile/delete")
def confirm_delete() -> str:
    """Show what a deletion erases and what stays."""
    with reading() as db_session:
        check_fresh_login(db_session)
    return render_template("board/delete_account.html")


@blueprint.post("/profile/delete")
def delete() -> Response:
    """Delete the viewer's account."""
    who, now = gates.require_user(), current.now()
    with current.runtime().transaction() as db_session:
        check_fresh_login(db_session)
        unlinking.delete_account(db_session, db_session.get_one(User, who.user_id), now=now)
    logout_user()
    session.clear()
    flash(_("Your account is deleted. Nothing is sent to you any more. Thank you for playing!"), "done")
    return redirect("/", code=303)
