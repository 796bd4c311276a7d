"""The admins' pages, behind one gate."""

from flask import Blueprint, request

from slomix.admin import audit, claims, jobs, ledger, links, overview, players, roles, sending, tonight
from slomix.errors import NotAllowed
from slomix.web import gates, reading

blueprint = Blueprint("admin", __name__, url_prefix="/admin")
for pages in (overview, tonight, jobs, ledger, claims, links, roles, audit, players, sending):
    blueprint.register_blueprint(pages.blueprint)


@blueprint.before_request
def gate() -> None:
    """Let only admins through to all pages below /admin; a page reads the admin in its own transaction."""
    if request.method != "POST":
        reading.begin()
    try:
        gates.require_admin()
    except NotAllowed:
        reading.end()
        raise
