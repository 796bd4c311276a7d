"""Links between accounts and players: found, and ended by an admin."""

from datetime import UTC, datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from slomix.accounts import claims, logins
from slomix.accounts.models import Player, User
from slomix.admin import queries
from slomix.admin.request_args import ChangedSince, check_unchanged, page_number, search_text
from slomix.errors import Invalid
from slomix.i18n import N_, _
from slomix.presence.game_names import plain_name
from slomix.privacy import unlinking
from slomix.web import current, gates
from slomix.web.reading import reading

blueprint = Blueprint("links", __name__, url_prefix="/links")


class NoSuchMoment(Invalid):
    sentence = N_("That’s not a moment. Reload the page and press the button there.")


@blueprint.get("")
def show() -> str:
    """Show the links; new ones stay new until the admin marks them as seen."""
    who, now = gates.require_admin(), current.now()
    with reading() as session:
        me = session.get_one(User, who.user_id)
        shown = {
            "linked": queries.linked_accounts(session, search_text(), seen_by=me, number=page_number()),
            "new": claims.count_new_links(session, me.id),
            "wanted": search_text(),
            "now": now,
        }
    return render_template("admin/links.html", **shown)


@blueprint.post("/seen")
def see() -> Response:
    """Mark the links on the page as seen; links made since then stay new."""
    who, now = gates.require_admin(), current.now()
    until = _moment(request.form.get("until", ""))
    with current.runtime().transaction() as session:
        claims.mark_links_seen(session, session.get_one(User, who.user_id), until, now=now)
    flash(_("Marked as seen."), "done")
    return redirect(url_for("admin.links.show"), code=303)


@blueprint.get("/<id:user_id>/unlink")
def confirm_unlink(user_id: int) -> str:
    with reading() as session:
        user = queries.get_account(session, user_id)
        player = _player(user)
    return render_template("admin/unlink.html", user=user, player=player)


@blueprint.post("/<id:user_id>/unlink")
def unlink(user_id: int) -> Response:
    """Unlink an account and clear everything that hung on the link."""
    who, now = gates.require_admin(), current.now()
    with current.runtime().transaction() as session:
        user = queries.get_account(session, user_id)
        player = _player(user)
        check_unchanged("guid", player.guid)
        unlinking.unlink_profile(session, user, today=current.today(now), now=now, actor=str(who.user_id))
    names = {"person": plain_name(user.display_name), "player": plain_name(player.name)}
    flash(_("{person} isn’t {player} any more.").format(**names), "done")
    return redirect(url_for("admin.links.show"), code=303)


@blueprint.post("/<id:user_id>/sign-out")
def sign_out(user_id: int) -> Response:
    """Log an account out everywhere; its link stays."""
    who, now = gates.require_admin(), current.now()
    with current.runtime().transaction() as session:
        user = queries.get_account(session, user_id)
        logins.close_all_login_sessions(session, user, now=now, actor=str(who.user_id))
    flash(_("{person} is logged out everywhere.").format(person=plain_name(user.display_name)), "done")
    return redirect("/" if user_id == who.user_id else url_for("admin.links.show"), code=303)


def _player(user: User) -> Player:
    """Return the account's player. Raise ChangedSince when another admin has unlinked them."""
    if user.player is None:
        raise ChangedSince
    return user.player


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise NoSuchMoment from None
