"""Roles: those that the settings give, and those that admins grant and revoke."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from slomix.accounts import roles
from slomix.accounts.acting import check_fresh_login
from slomix.accounts.models import User
from slomix.accounts.rules import ROLE_NAMES, Role
from slomix.admin import queries
from slomix.admin.request_args import search_text
from slomix.errors import Conflict
from slomix.i18n import N_, gettext
from slomix.presence.game_names import plain_name
from slomix.web import current, gates
from slomix.web.reading import reading

blueprint = Blueprint("rights", __name__, url_prefix="/roles")

MAX_RESULTS = 10


class RoleNotGranted(Conflict):
    """Raised when there is no grant to revoke."""

    sentence = N_("This right was not granted here, or was taken back already.")


@blueprint.get("")
def show() -> str:
    settings = current.runtime().settings
    fixed = [(role, sorted(roles.configured_holders(settings, role))) for role in (Role.ADMIN, Role.PROMOTER)]
    with reading() as session:
        granted = roles.granted_roles(session)
        ids = {grant.discord_id for grant in granted}.union(*(ids for _, ids in fixed))
        shown = {
            "fixed": fixed,
            "granted": granted,
            "known": queries.accounts_by_discord_id(session, ids),
            "found": queries.linked_accounts(session, search_text(), limit=MAX_RESULTS).rows if search_text() else [],
            "wanted": search_text(),
            "roles": list(Role),
        }
    return render_template("admin/roles.html", **shown)


@blueprint.post("/grant")
def grant() -> Response:
    who, now = gates.require_admin(), current.now()
    discord_id, role = request.form.get("discord_id", "").strip(), roles.parse_role(request.form.get("role", ""))
    with current.runtime().transaction() as session:
        if role is Role.ADMIN:
            check_fresh_login(session)
        is_new = roles.grant(session, discord_id, role, actor=str(who.user_id), now=now)
        person = _name(session, discord_id)
    sentence = (
        gettext("{person} is {role} now, from the next page on.") if is_new else gettext("{person} is {role} already.")
    )
    flash(sentence.format(person=person, role=ROLE_NAMES[role]), "done" if is_new else "note")
    return redirect(url_for("admin.rights.show"), code=303)


@blueprint.get("/<discord_id>/<role>/revoke")
def confirm_revoke(discord_id: str, role: str) -> str:
    who, right = gates.require_admin(), roles.parse_role(role)
    with reading() as session:
        granted = roles.granted_roles(session)
        if not any((grant.discord_id, grant.role) == (discord_id, right) for grant in granted):
            raise RoleNotGranted
        others = {grant.discord_id for grant in granted if grant.role is Role.ADMIN and grant.discord_id != discord_id}
        shown = {
            "discord_id": discord_id,
            "user": queries.accounts_by_discord_id(session, [discord_id]).get(discord_id),
            "role": right,
            "is_own": discord_id == who.discord_id,
            "stays": discord_id in _fixed(right),
            "is_last_admin": right is Role.ADMIN and not (_fixed(right) | others),
        }
    return render_template("admin/revoke.html", **shown)


@blueprint.post("/<discord_id>/<role>/revoke")
def revoke(discord_id: str, role: str) -> Response:
    """Revoke a role, from the next request on."""
    who, now, right = gates.require_admin(), current.now(), roles.parse_role(role)
    with current.runtime().transaction() as session:
        if not roles.revoke(session, discord_id, right, actor=str(who.user_id), now=now):
            raise RoleNotGranted
        person = _name(session, discord_id)
    flash(gettext("{person} isn’t {role} any more.").format(person=person, role=ROLE_NAMES[right]), "done")
    is_out = right is Role.ADMIN and discord_id == who.discord_id and discord_id not in _fixed(right)
    return redirect("/" if is_out else url_for("admin.rights.show"), code=303)


def _fixed(role: Role) -> frozenset[str]:
    return roles.configured_holders(current.runtime().settings, role)


def _name(session: Session, discord_id: str) -> str:
    user: User | None = queries.accounts_by_discord_id(session, [discord_id]).get(discord_id)
    return plain_name(user.display_name) if user else discord_id
