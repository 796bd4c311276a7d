"""The profile: which player somebody is. Linking and unlinking touch account, contacts and statuses at once."""

from flask import Blueprint, flash, redirect, render_template, request
from werkzeug.wrappers import Response

from slomix import web, words
from slomix.accounts import service as accounts
from slomix.accounts.models import User
from slomix.accounts.rules import own_path, plain_name
from slomix.availability import service as availability
from slomix.contacts import service as contacts

blueprint = Blueprint("profile", __name__)


@blueprint.get("/profile")
def profile() -> str:
    """Who you are here; profiles to pick from when you are nobody yet, or look for another."""
    who = web.the_user()
    wanted = request.args.get("q", "").strip()
    with web.runtime().transaction() as session:
        user = session.get_one(User, who.user_id)
        found = accounts.search(session, wanted) if wanted else accounts.suggestions(session, user)
    return render_template(
        "board/profile.html", found=found, wanted=wanted, next_path=own_path(request.args.get("next"))
    )


@blueprint.post("/profile/link")
def link() -> Response:
    """Be this player from now on."""
    who, now = web.the_user(), web.now()
    with web.runtime().transaction() as session:
        user = session.get_one(User, who.user_id)
        before = user.player_id
        player = accounts.link_player(session, user, request.form.get("guid", ""), now=now)
        if before is not None and before != player.id:
            contacts.remove_all(session, before)
            availability.clear_from(session, before, web.today(now))
        contacts.add_discord(session, player.id, user.discord_id, now=now)
    flash(words.LINKED.format(player=plain_name(player.name)), "done")
    return redirect(own_path(request.form.get("next")), code=303)


@blueprint.post("/profile/unlink")
def unlink() -> Response:
    """Be nobody again: nothing is sent to you any more, and what you said about the days ahead is gone."""
    who, now = web.the_user(), web.now()
    with web.runtime().transaction() as session:
        user = session.get_one(User, who.user_id)
        if user.player_id is not None:
            contacts.remove_all(session, user.player_id)
            availability.clear_from(session, user.player_id, web.today(now))
            accounts.unlink_player(session, user, now=now)
    flash(words.UNLINKED, "done")
    return redirect("/profile", code=303)
