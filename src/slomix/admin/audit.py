"""The audit log, read-only."""

from flask import Blueprint, render_template

from slomix.accounts.rules import LinkAction
from slomix.admin import queries
from slomix.admin.request_args import before_id, parse_choice, search_text
from slomix.web.reading import reading

blueprint = Blueprint("audit", __name__, url_prefix="/audit")


@blueprint.get("")
def show() -> str:
    action = parse_choice(LinkAction, "action")
    with reading() as session:
        events, next_before = queries.audit_events(session, action=action, text=search_text(), before_id=before_id())
        ids = {event.user_id for event in events} | {event.actor for event in events}
        guids = {event.details[key] for event in events for key in ("guid", "old_guid") if key in event.details}
        shown = {
            "events": events,
            "next_before": next_before,
            "people": queries.accounts_by_id(session, ids),
            "grants": queries.discord_ids_of_grants(
                session, [event.details["grant"] for event in events if "grant" in event.details]
            ),
            "players": queries.player_names_by_guid(session, guids),
            "actions": list(LinkAction),
            "action": action,
            "wanted": search_text(),
        }
    return render_template("admin/audit.html", **shown)
