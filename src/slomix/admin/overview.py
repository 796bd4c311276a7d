"""The overview: what waits for an admin, and how every part does."""

from flask import Blueprint, render_template

from slomix.accounts import claims
from slomix.admin import queries
from slomix.deliveries import pausing
from slomix.web import current, gates
from slomix.web.reading import reading

blueprint = Blueprint("overview", __name__)


@blueprint.get("")
def show() -> str:
    who = gates.require_admin()
    with reading() as session:
        pause = pausing.current_pause(session)
        shown = {
            "claims": len(claims.pending_requests(session)),
            "links": claims.count_new_links(session, who.user_id),
            "numbers": queries.count_players(session),
            "channels": queries.channel_states(session, current.runtime().settings),
            "pause": pause,
            "people": queries.accounts_by_id(session, [pause.by]) if pause else {},
            "today": current.today(current.now()),
        }
    return render_template("admin/overview.html", **shown)
