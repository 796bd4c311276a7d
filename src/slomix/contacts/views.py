"""Preferences: what a player wants to hear, where, and when not."""

from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from slomix import words
from slomix.accounts import service as accounts
from slomix.accounts.rules import own_path
from slomix.contacts import link_views, preferences, rules, service
from slomix.contacts.preferences import Wishes
from slomix.contacts.rules import HalfQuietHours, QuietHours, Sound
from slomix.errors import Invalid
from slomix.web import live
from slomix.web import responses as web

blueprint = Blueprint("contacts", __name__)


@dataclass(frozen=True)
class Typed:
    """What stands in the form: as it is stored, or as somebody typed it."""

    allow_promotions: bool
    session_ready: bool
    daily_reminder: bool
    more_needed: bool
    looking_threshold: str
    preferred_channel: str
    quiet_start: str
    quiet_end: str
    zone: str
    sound: bool
    sound_cooldown: str

    @classmethod
    def of(cls, wishes: Wishes) -> "Typed":
        quiet = wishes.quiet_hours
        return cls(
            allow_promotions=wishes.allow_promotions,
            session_ready=wishes.session_ready,
            daily_reminder=wishes.daily_reminder,
            more_needed=wishes.more_needed,
            looking_threshold=str(wishes.looking_threshold),
            preferred_channel=wishes.preferred_channel,
            quiet_start=f"{quiet.start:%H:%M}" if quiet else "",
            quiet_end=f"{quiet.end:%H:%M}" if quiet else "",
            zone=wishes.zone.key,
            sound=wishes.sound.is_on,
            sound_cooldown=str(int(wishes.sound.cooldown.total_seconds())),
        )

    def typed_over(self) -> "Typed":
        """With the fields that the form sent; one that it did not send stays.

        A tick that is taken away is sent by no browser, so beside each stands a hidden field of its name.
        """
        changes: dict[str, Any] = {}
        for name, before in vars(self).items():
            values = request.form.getlist(name)
            if values:
                changes[name] = values[-1] == "on" if isinstance(before, bool) else values[-1].strip()
        return replace(self, **changes)

    def wishes(self) -> Wishes:
        """What is meant. Raise Invalid with a sentence."""
        return Wishes(
            zone=rules.parse_zone(self.zone),
            allow_promotions=self.allow_promotions,
            session_ready=self.session_ready,
            daily_reminder=self.daily_reminder,
            more_needed=self.more_needed,
            looking_threshold=rules.parse_threshold(self.looking_threshold or "0"),
            preferred_channel=rules.parse_preferred(self.preferred_channel),
            quiet_hours=_quiet_hours(self.quiet_start, self.quiet_end),
            sound=Sound(self.sound, rules.parse_cooldown(self.sound_cooldown)),
        )


@blueprint.get("/preferences")
def show() -> str:
    who = web.the_user()
    mark = live.hub().mark()
    with web.runtime().transaction() as session:
        wishes = preferences.of(session, who.profile_id, zone=web.runtime().settings.zone)
    return _page(Typed.of(wishes), mark=mark)


def _page(typed: Typed, *, problem: str = "", mark: str) -> str:
    """The form; after a mistake with the sentence and what was typed, so that nothing is lost."""
    return render_template(
        "contacts/preferences.html",
        typed=typed,
        problem=problem,
        zones=rules.offered_zones(),
        mark=mark,
        **link_views.shown(web.the_user().profile_id),
    )


@blueprint.post("/preferences")
def save() -> Response:
    """Keep what was sent. Whoever is not linked, or left our server, may only switch off."""
    who, now = web.the_user(), web.now()
    mark = live.hub().mark()
    with web.runtime().transaction() as session:
        before = preferences.of(session, who.profile_id, zone=web.runtime().settings.zone)
        typed = Typed.of(before).typed_over()
        try:
            wishes = typed.wishes()
            web.may_switch_on(before.switched_on, wishes.switched_on)
        except Invalid as error:
            if web.is_htmx():
                raise
            return make_response(_page(typed, problem=str(error), mark=mark), 422)
        if who.profile_id is not None:
            accounts.hold_link(session, who.user_id, who.profile_id)
            service.try_again(session, who.profile_id)
            preferences.save(session, who.profile_id, wishes, now=now)
    flash(words.SAVED, "done")
    return redirect("/preferences", code=303)


@blueprint.get("/welcome")
def welcome() -> str:
    """Asked once, after linking: what may we tell you?"""
    web.the_player()
    return render_template("contacts/welcome.html", next_path=own_path(request.args.get("next")))


@blueprint.post("/welcome")
def answer_welcome() -> Response:
    """Keep the ticks; none of them is an answer too."""
    player_id, now = web.the_player(), web.now()
    with web.runtime().transaction() as session:
        accounts.hold_link(session, web.the_user().user_id, player_id)
        before = preferences.of(session, player_id, zone=web.runtime().settings.zone)
        wishes = Typed.of(before).typed_over().wishes() if "skip" not in request.form else before
        preferences.save(session, player_id, wishes, now=now)
    flash(words.WELCOME_SAVED if not wishes.wants_nothing else words.WELCOME_NOTHING, "done")
    return redirect(own_path(request.form.get("next")), code=303)


def _quiet_hours(start: str, end: str) -> QuietHours | None:
    if not start and not end:
        return None
    if not start or not end:
        raise HalfQuietHours
    return preferences.read_quiet_hours(start, end)
