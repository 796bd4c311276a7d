"""What waits for an admin, and how everything does."""

from flask import Blueprint, render_template

from slomix import web
from slomix.accounts import claims
from slomix.admin import queries

blueprint = Blueprint("overview", __name__)


@blueprint.get("")
def show() -> str:
    who = web.the_admin()
    with web.runtime().transaction() as session:
        waiting_claims = len(claims.open_claims(session))
        return render_template(
            "admin/overview.html",
            claims=waiting_claims,
            links=claims.waiting(session, who.user_id) - waiting_claims,
            numbers=queries.numbers(session),
            channels=queries.channels(session, web.runtime().settings),
        )
