"""Claims to a profile: granted or refused after a page that says what will happen."""

from flask import Blueprint, flash, redirect, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from slomix.accounts import claims
from slomix.accounts import service as accounts
from slomix.accounts.models import ProfileRequest
from slomix.admin import queries
from slomix.admin.request_args import check_unchanged
from slomix.i18n import _
from slomix.presence.game_names import plain_name
from slomix.privacy import unlinking
from slomix.web import current, gates
from slomix.web.reading import reading

blueprint = Blueprint("disputes", __name__, url_prefix="/claims")


@blueprint.get("")
def show() -> str:
    with reading() as session:
        waiting = claims.pending_requests(session)
        owners = queries.owners_of_players(session, [claim.player_id for claim in waiting])
    return render_template("admin/claims.html", claims=waiting, owners=owners)


@blueprint.get("/<id:claim_id>/grant")
def confirm_grant(claim_id: int) -> str:
    return _confirm(claim_id, is_grant=True)


@blueprint.get("/<id:claim_id>/refuse")
def confirm_refuse(claim_id: int) -> str:
    return _confirm(claim_id, is_grant=False)


def _confirm(claim_id: int, *, is_grant: bool) -> str:
    with reading() as session:
        claim = claims.get_pending_request(session, claim_id)
        owner = accounts.user_of_player(session, claim.player)
    return render_template("admin/settle.html", claim=claim, owner=owner, is_grant=is_grant)


@blueprint.post("/<id:claim_id>/grant")
def grant(claim_id: int) -> Response:
    """Give the profile to the claimant and unlink the owner that the admin saw."""
    who, now = gates.require_admin(), current.now()
    with current.runtime().transaction() as session:
        claim = claims.get_pending_request(session, claim_id)
        _must_be_as_seen(session, claim)
        unlinking.grant_request(session, claim_id, actor=str(who.user_id), today=current.today(now), now=now)
    return _done(_("{person} is {player} now."), claim)


@blueprint.post("/<id:claim_id>/refuse")
def refuse(claim_id: int) -> Response:
    who, now = gates.require_admin(), current.now()
    with current.runtime().transaction() as session:
        claim = claims.get_pending_request(session, claim_id)
        claims.refuse_request(session, claim_id, actor=str(who.user_id), now=now)
    return _done(_("Refused: {person} doesn’t become {player}."), claim)


def _must_be_as_seen(session: Session, claim: ProfileRequest) -> None:
    owner = accounts.user_of_player(session, claim.player)
    check_unchanged("owner", owner.id if owner else None)
    check_unchanged("before", claim.user.player_id)


def _done(sentence: str, claim: ProfileRequest) -> Response:
    person, player = plain_name(claim.user.display_name), plain_name(claim.player.name)
    flash(sentence.format(person=person, player=player), "done")
    return redirect(url_for("admin.disputes.show"), code=303)
