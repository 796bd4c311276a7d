"""Preferences: what a player wants to hear, where, and when not."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from slomix.accounts.acting import as_player, as_profile
from slomix.accounts.rules import local_path
from slomix.contacts import link_views, preferences, rules, service
from slomix.contacts.kinds import KIND_TEXTS
from slomix.contacts.preferences import Preferences
from slomix.contacts.rules import TICKS, HalfQuietHours, QuietHours, ReadySound
from slomix.errors import Invalid
from slomix.i18n import N_, Texts, _
from slomix.web import current, gates, live, responses
from slomix.web.reading import reading

blueprint = Blueprint("contacts", __name__)


class FormErrors(Invalid):
    """The sentences about the fields that are wrong, all of them, by field."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(" ".join(errors.values()))
        self.errors = errors


# The values in the form by field: True or False for a tick, a text for all else.
Form = Mapping[str, bool | str]


def _form(wishes: Preferences) -> Form:
    """Return the form as it is filled in with these preferences."""
    quiet = wishes.quiet_hours
    return {
        **{column: kind in wishes.ticked for kind, column in TICKS.items()},
        "looking_threshold": str(wishes.looking_threshold),
        "preferred_channel": wishes.preferred_channel,
        "quiet_start": f"{quiet.start:%H:%M}" if quiet else "",
        "quiet_end": f"{quiet.end:%H:%M}" if quiet else "",
        "zone": wishes.zone.key,
        "sound": wishes.sound.is_on,
        "sound_cooldown": str(int(wishes.sound.cooldown.total_seconds())),
    }


def _typed_over(form: Form) -> Form:
    """Overwrite the fields that the request sent.

    No browser sends a tick that is taken away, so a hidden field of its name stands beside each.
    """
    typed = {name: values[-1] for name in form if (values := request.form.getlist(name))}
    return {
        **form,
        **{name: text == "on" if isinstance(form[name], bool) else text.strip() for name, text in typed.items()},
    }


def _wishes(form: Form) -> Preferences:
    """Read the preferences in the form. Raise FormErrors."""
    text = {name: value for name, value in form.items() if isinstance(value, str)}
    read: dict[str, Callable[[], Any]] = {
        "zone": lambda: rules.parse_zone(text["zone"]),
        "looking_threshold": lambda: rules.parse_threshold(text["looking_threshold"] or "0"),
        "preferred_channel": lambda: rules.parse_preferred(text["preferred_channel"]),
        "quiet_hours": lambda: _quiet_hours(text["quiet_start"], text["quiet_end"]),
        "sound_cooldown": lambda: rules.parse_cooldown(text["sound_cooldown"]),
    }
    values, errors = {}, {}
    for name, value in read.items():
        try:
            values[name] = value()
        except Invalid as error:
            errors[name] = _("{label}: {sentence}").format(label=PREFERENCE_FIELDS[name], sentence=error)
    if errors:
        raise FormErrors(errors)
    sound = ReadySound(bool(form["sound"]), values.pop("sound_cooldown"))
    ticked = frozenset(kind for kind, column in TICKS.items() if form[column])
    return Preferences(ticked=ticked, sound=sound, **values)


# What the form of the preferences calls its fields.
PREFERENCE_FIELDS = Texts(
    {
        "zone": N_("Your time zone"),
        "looking_threshold": N_("Tell me when this many players are looking"),
        "preferred_channel": N_("Preferred app"),
        "quiet_hours": N_("Quiet hours"),
        "sound_cooldown": N_("Ready sound"),
    }
)


@blueprint.get("/preferences")
def show() -> str:
    mark = live.hub().mark()
    with reading() as session:
        who = gates.require_user()
        wishes = preferences.preferences_of(session, who.profile_id, zone=current.runtime().settings.zone)
        channels = link_views.contact_views(session, who.profile_id, wishes.preferred_channel)
    return _page(_form(wishes), channels, mark=mark)


def _page(typed: Form, channels: Mapping[str, Any], *, errors: Mapping[str, str] | None = None, mark: str) -> str:
    """Render the form; after mistakes with a sentence for each and what was typed, so that nothing is lost."""
    return render_template(
        "contacts/preferences.html",
        typed=typed,
        errors=errors or {},
        ticks=_ticks(),
        zones=rules.offered_zones(),
        most_messages=rules.MESSAGES_A_DAY,
        mark=mark,
        **channels,
    )


@blueprint.post("/preferences")
def save() -> Response:
    """Store what was sent. Viewers who are not linked, or left our server, may only switch off."""
    mark = live.hub().mark()
    with as_profile() as (session, profile_id):
        before = preferences.preferences_of(session, profile_id, zone=current.runtime().settings.zone)
        typed = _typed_over(_form(before))
        try:
            wishes = _wishes(typed)
            gates.check_may_switch_on(before.switched_on, wishes.switched_on)
        except FormErrors as error:
            if responses.is_htmx():
                raise
            channels = link_views.contact_views(session, profile_id, before.preferred_channel)
            return make_response(_page(typed, channels, errors=error.errors, mark=mark), 422)
        if profile_id is not None:
            service.retry_contacts(session, profile_id)
            preferences.save_preferences(session, profile_id, wishes, now=current.now())
            service.plan_introduction(session, profile_id, now=current.now())
    flash(_("Saved."), "done")
    return redirect("/preferences", code=303)


@blueprint.post("/preferences/told")
def told() -> Response:
    """Stop saying that a link in a message switched something off."""
    with as_profile() as (session, profile_id):
        if profile_id is not None:
            preferences.mark_told(session, profile_id)
    return redirect(local_path(request.form.get("next")), code=303)


@blueprint.get("/welcome")
def welcome() -> str:
    """Ask once, after linking, what may be sent."""
    gates.require_player()
    return render_template("contacts/welcome.html", ticks=_ticks(), next_path=local_path(request.args.get("next")))


@blueprint.post("/welcome")
def answer_welcome() -> Response:
    """Store the ticks; none of them is an answer too."""
    with as_player() as (session, player_id):
        before = preferences.preferences_of(session, player_id, zone=current.runtime().settings.zone)
        wishes = _wishes(_typed_over(_form(before))) if "skip" not in request.form else before
        preferences.save_preferences(session, player_id, wishes, now=current.now())
        service.plan_introduction(session, player_id, now=current.now())
    flash(
        _("Saved. Change it any time under Preferences.")
        if wishes.allows
        else _("OK, no messages. Change it any time under Preferences."),
        "done",
    )
    return redirect(local_path(request.form.get("next")), code=303)


def _ticks() -> list[tuple[str, str, str]]:
    """Return the kinds that have a tick: each with the name of its field, its title and what it means."""
    threshold = current.runtime().settings.ready_threshold
    texts = {column: KIND_TEXTS[kind] for kind, column in TICKS.items()}
    return [(name, text.title, text.hint.format(threshold=threshold)) for name, text in texts.items()]


def _quiet_hours(start: str, end: str) -> QuietHours | None:
    if bool(start) != bool(end):
        raise HalfQuietHours
    return preferences.read_quiet_hours(start, end) if start else None
