"""The admins' pages, behind one gate."""

from datetime import datetime, timedelta

from flask import Blueprint, request

from slomix import words
from slomix.admin import audit, claims, jobs, ledger, links, overview, players, roles, sending, tonight
from slomix.errors import NotAllowed
from slomix.web import reading
from slomix.web import responses as web

blueprint = Blueprint("admin", __name__, url_prefix="/admin")
for pages in (overview, tonight, jobs, ledger, claims, links, roles, audit, players, sending):
    blueprint.register_blueprint(pages.blueprint)


@blueprint.before_request
def gate() -> None:
    """Let only admins through to all pages below /admin; a page reads the admin in its own transaction."""
    if request.method != "POST":
        reading.begin()
    try:
        web.the_admin()
    except NotAllowed:
        reading.end()
        raise


@blueprint.app_template_filter()
def moment(value: datetime) -> str:
    """Format day and time, with the year."""
    local = value.astimezone(web.runtime().settings.zone)
    return f"{local.day} {local:%b %Y, %H:%M}"


@blueprint.app_template_filter()
def ago(age: timedelta | None) -> str:
    """Format an age coarsely: a page whose text stays the same is not sent again."""
    if age is None:
        return words.NOT_SEEN_YET
    seconds = age.total_seconds()
    if seconds < 60:
        return words.JUST_NOW if seconds < 20 else words.A_MOMENT_AGO
    minutes = int(seconds // 60)
    return words.MINUTES_AGO.format(minutes=minutes) if minutes < 120 else words.HOURS_AGO.format(hours=minutes // 60)
