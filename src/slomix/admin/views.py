"""The pages of admins, behind one gate."""

from datetime import datetime

from flask import Blueprint

from slomix import web
from slomix.admin import audit, disputes, links, overview, players, rights, sending

blueprint = Blueprint("admin", __name__, url_prefix="/admin")
for pages in (overview, disputes, links, rights, audit, players, sending):
    blueprint.register_blueprint(pages.blueprint)


@blueprint.before_request
def gate() -> None:
    """Whatever stands below /admin, whoever wrote it."""
    web.the_admin()


@blueprint.app_template_filter()
def moment(value: datetime) -> str:
    """Day and time, also of long ago."""
    local = value.astimezone(web.runtime().settings.zone)
    return f"{local.day} {local:%b %Y, %H:%M}"
