"""The privacy page: what is kept, why, for how long, and who sees it; its figures are those of the code."""

from flask import Blueprint, render_template

from slomix import i18n
from slomix.accounts import rules as accounts
from slomix.contacts import rules as contacts
from slomix.contacts.rules import CHANNEL_NAMES
from slomix.privacy import retention
from slomix.web import current, gates
from slomix.web.reading import reading

blueprint = Blueprint("privacy", __name__)


@blueprint.get("/privacy")
def show() -> str:
    settings = current.runtime().settings
    with reading():
        gates.viewer()
    return render_template(
        "privacy.html",
        days={
            "messages": settings.retention_days,
            "session": accounts.SESSION_LIFETIME.days,
            "idle": accounts.IDLE_LIFETIME.days,
            "admin_idle": accounts.ADMIN_IDLE_LIFETIME.days,
            "log": retention.AUDIT_KEPT_FOR.days,
            "claimed": retention.CLAIMS_KEPT_FOR.days,
        },
        minutes={
            "login": settings.oauth_state_ttl_seconds // 60,
            "code": contacts.CODE_LIFETIME.seconds // 60,
            "fresh": accounts.FRESH_FOR.seconds // 60,
        },
        channels=i18n.listed(name for channel, name in CHANNEL_NAMES.items() if channel in settings.channels_on),
        names_in_summary=settings.summary_names and bool(settings.summary_channel_id),
        names_in_message=settings.summary_names and settings.evening_message_enabled,
    )
