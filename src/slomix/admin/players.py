"""Player profiles: found, and imported from a CSV file after a preview."""

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from slomix.accounts import players_csv
from slomix.accounts import service as accounts
from slomix.accounts.players_csv import InvalidPlayersFile
from slomix.admin import queries
from slomix.admin.request_args import search_text
from slomix.i18n import gettext
from slomix.web import current, gates
from slomix.web.gates import Viewer
from slomix.web.reading import reading

blueprint = Blueprint("players", __name__, url_prefix="/players")

LARGEST_FILE = 4 * 1024 * 1024
# The previewed text comes back with the confirmation, and its line ends may have grown.
LARGEST_FORM = 2 * LARGEST_FILE
SHOWN_ROWS = 10


@blueprint.url_value_preprocessor
def allow_large_forms(endpoint: str | None, _values: dict[str, object] | None) -> None:
    """Raise the size limits for admins before the CSRF check reads the body."""
    if request.method == "POST" and isinstance(who := gates.viewer(), Viewer) and who.is_admin:
        is_file = endpoint == "admin.players.preview"
        request.max_content_length = LARGEST_FILE if is_file else LARGEST_FORM
        request.max_form_memory_size = LARGEST_FORM


@blueprint.get("")
def show() -> str:
    return _page()


@blueprint.post("/import")
def preview() -> Response:
    """Show what an import would do; nothing is stored."""
    file = request.files.get("file")
    try:
        if file is None or not file.filename:
            raise InvalidPlayersFile(gettext("Pick a file first."))
        text = players_csv.decode_file(file.read())
        profiles = players_csv.parse_profiles(text)
    except InvalidPlayersFile as error:
        return make_response(_page(str(error)), 422)
    with current.runtime().transaction() as session:
        known = accounts.known_guids(session, [guid for guid, _, _ in profiles.rows])
    number = len(profiles.rows)
    return make_response(
        render_template(
            "admin/import.html",
            text=text,
            rows=profiles.rows[:SHOWN_ROWS],
            ratings=profiles.ratings,
            known=known,
            added=number - len(known),
            updated=len(known),
            more=max(number - SHOWN_ROWS, 0),
        )
    )


@blueprint.post("/import/confirm")
def confirm() -> Response:
    """Import the text, all or nothing; it is parsed and checked again."""
    who, now = gates.require_admin(), current.now()
    try:
        profiles = players_csv.parse_profiles(request.form.get("text", ""))
    except InvalidPlayersFile as error:
        return make_response(_page(str(error)), 422)
    with current.runtime().transaction() as session:
        added, updated = players_csv.import_profiles(session, profiles, actor=str(who.user_id), now=now)
    flash(gettext("Imported: {added} added, {updated} updated.").format(added=added, updated=updated), "done")
    return redirect(url_for("admin.players.show"), code=303)


def _page(problem: str = "") -> str:
    with reading() as session:
        found = accounts.search_profiles(session, search_text()) if search_text() else []
        shown = {
            "found": found,
            "owners": queries.owners_of_players(session, [player.id for player in found]),
            "numbers": queries.count_players(session),
            "wanted": search_text(),
            "problem": problem,
        }
    return render_template("admin/players.html", **shown)
