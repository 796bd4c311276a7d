"""The audit log, read-only."""

from flask import Blueprint, render_template, request

from slomix.accounts.rules import LinkAction
from slomix.admin import queries
from slomix.admin.request_args import before_id, search_text
from slomix.web.reading import reading

blueprint = Blueprint("audit", __name__, url_prefix="/audit")


@blueprint.get("")
def show() -> str:
    action = _action(request.args.get("action", ""))
    with reading() as session:
        events, next_before = queries.audit_events(session, action=action, text=search_text(), before_id=before_id())
        ids = {event.discord_id for event in events} | {event.actor for event in events if event.actor}
        guids = {event.details[key] for event in events for key in ("guid", "old_guid") if key in event.details}
        shown = {
            "events": events,
            "next_before": next_before,
            "people": queries.accounts_by_discord_id(session, ids),
            "players": queries.player_names_by_guid(session, guids),
            "actions": list(LinkAction),
            "action": action,
            "wanted": search_text(),
        }
    return render_template("admin/audit.html", **shown)


def _action(text: str) -> LinkAction | None:
    """Read the action to filter by; None for an unknown one."""
    return LinkAction(text) if text in set(LinkAction) else None
