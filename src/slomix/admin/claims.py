"""Claims to a profile: granted or refused after a page that says what will happen."""

from flask import Blueprint, flash, redirect, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from slomix import words
from slomix.accounts import claims
from slomix.accounts import service as accounts
from slomix.accounts.models import Claim
from slomix.admin import queries
from slomix.admin.request_args import must_be_as_seen
from slomix.presence.game_names import plain_name
from slomix.privacy import unlinking
from slomix.web import responses as web
from slomix.web.reading import reading

blueprint = Blueprint("disputes", __name__, url_prefix="/claims")


@blueprint.get("")
def show() -> str:
    with reading() as session:
        waiting = claims.open_claims(session)
        shown = {
            "claims": waiting,
            "owners": queries.owners(session, [claim.player_id for claim in waiting]),
        }
    return render_template("admin/claims.html", **shown)


@blueprint.get("/<id:claim_id>/grant")
def confirm_grant(claim_id: int) -> str:
    return _confirm(claim_id, is_grant=True)


@blueprint.get("/<id:claim_id>/refuse")
def confirm_refuse(claim_id: int) -> str:
    return _confirm(claim_id, is_grant=False)


def _confirm(claim_id: int, *, is_grant: bool) -> str:
    with reading() as session:
        claim = claims.unsettled(session, claim_id)
        shown = {
            "claim": claim,
            "owner": accounts.owner(session, claim.player),
            "is_grant": is_grant,
        }
    return render_template("admin/settle.html", **shown)


@blueprint.post("/<id:claim_id>/grant")
def grant(claim_id: int) -> Response:
    """Give the profile to the claimant and unlink the owner that the admin saw."""
    who, now = web.the_admin(), web.now()
    with web.runtime().transaction() as session:
        claim = claims.unsettled(session, claim_id)
        _must_be_as_seen(session, claim)
        unlinking.grant(session, claim_id, actor=who.discord_id, today=web.today(now), now=now)
    return _done(words.CLAIM_GRANTED, claim)


@blueprint.post("/<id:claim_id>/refuse")
def refuse(claim_id: int) -> Response:
    who, now = web.the_admin(), web.now()
    with web.runtime().transaction() as session:
        claim = claims.unsettled(session, claim_id)
        claims.refuse(session, claim_id, actor=who.discord_id, now=now)
    return _done(words.CLAIM_REFUSED, claim)


def _must_be_as_seen(session: Session, claim: Claim) -> None:
    owner = accounts.owner(session, claim.player)
    must_be_as_seen("owner", owner.id if owner else None)
    must_be_as_seen("before", claim.user.player_id)


def _done(sentence: str, claim: Claim) -> Response:
    person, player = plain_name(claim.user.display_name), plain_name(claim.player.name)
    flash(sentence.format(person=person, player=player), "done")
    return redirect(url_for("admin.disputes.show"), code=303)
