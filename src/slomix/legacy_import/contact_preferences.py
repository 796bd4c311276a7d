"""Decides what consent given on the earlier site means here: only players' own choices count."""

import json
from collections.abc import Collection, Mapping
from datetime import timedelta
from functools import partial
from zoneinfo import ZoneInfo

from slomix.contacts import rules
from slomix.contacts.preferences import Preferences, read_quiet_hours
from slomix.contacts.rules import (
    EmptyQuietHours,
    InvalidCooldown,
    PreferredChannel,
    QuietHours,
    ReadySound,
    parse_preferred,
    parse_zone,
)
from slomix.errors import Invalid
from slomix.legacy_import.people import PeopleToImport
from slomix.legacy_import.report import ImportOutcome, ImportReport, RowKind
from slomix.legacy_import.source import SourceRow, SourceSnapshot


def decide_preferences(
    snapshot: SourceSnapshot,
    movers: PeopleToImport,
    has_chosen_here: Collection[str],
    *,
    zone: ZoneInfo,
    report: ImportReport,
) -> dict[str, Preferences]:
    """Return the preferences to keep by Discord id. `has_chosen_here` are guids."""
    settings = {row["user_id"]: row for row in snapshot["availability_user_settings"]}
    silenced = {
        row["user_id"]
        for row in snapshot["availability_subscriptions"]
        if _lower(row["channel_type"]) == "discord" and row["enabled"] is False
    }
    kept: dict[str, Preferences] = {}
    for row in snapshot["subscription_preferences"]:
        user_id = row["user_id"]
        person = movers.people.get(user_id)
        if person is None:
            report.add(
                RowKind.PREFERENCES, ImportOutcome.LEFT, "not a person who moves in now", who=movers.describe(user_id)
            )
        elif person.guid in has_chosen_here:
            report.add(RowKind.PREFERENCES, ImportOutcome.HERE, "they have chosen here", who=person.label)
        else:
            wishes, changes = convert_preferences(row, settings.get(user_id, {}), user_id in silenced, zone)
            kept[person.discord_id] = wishes
            outcome = ImportOutcome.CHANGED if changes else ImportOutcome.TAKEN
            report.add(RowKind.PREFERENCES, outcome, "; ".join(changes), who=person.label)
    _report_what_is_left(snapshot, movers, report)
    return kept


def convert_preferences(
    row: SourceRow, settings: SourceRow, is_silenced: bool, zone: ZoneInfo
) -> tuple[Preferences, list[str]]:
    """Translate a player's preferences, and list what had to be changed."""
    changes: list[str] = []
    allows = row["allow_promotions"] is True
    quiet, is_always_quiet = _quiet_hours(row["quiet_hours"], changes)
    if allows and is_always_quiet:
        changes.append("quiet from a time to the same time was quiet all day: campaigns stay off until they choose")
    if allows and is_silenced:
        changes.append("Discord was switched off and no other address is proved here: campaigns stay off")
    is_called = allows and not is_always_quiet and not is_silenced
    wishes = Preferences(
        zone=_zone(row["timezone"], zone, changes),
        ticked=frozenset({rules.MessageKind.CAMPAIGNS} if is_called else ()),
        preferred_channel=_preferred(row["preferred_channel"], changes),
        quiet_hours=quiet,
        sound=_sound(settings.get("sound_cooldown_seconds"), changes),
    )
    return wishes, changes


def _zone(text: str | None, zone: ZoneInfo, changes: list[str]) -> ZoneInfo:
    try:
        return parse_zone((text or "").strip())
    except Invalid:
        changes.append(f"no time zone of that name: {zone.key} instead")
        return zone


def _preferred(text: str | None, changes: list[str]) -> PreferredChannel:
    try:
        return parse_preferred(_lower(text) or PreferredChannel.ANY)
    except Invalid:
        changes.append("no channel of that name: any instead")
        return PreferredChannel.ANY


def _sound(seconds: object, changes: list[str]) -> ReadySound:
    """Keep the cooldown, but leave the sound off: it was on by default there, so it was no choice."""
    if seconds is None:
        return ReadySound()
    try:
        if not isinstance(seconds, int):
            raise InvalidCooldown
        return ReadySound(cooldown=timedelta(seconds=max(0, min(seconds, 10**6))))
    except InvalidCooldown:
        changes.append("a silence outside 30 to 3600 seconds: 480 instead")
        return ReadySound()


def _quiet_hours(stored: object, changes: list[str]) -> tuple[QuietHours | None, bool]:
    """Return the quiet hours, and whether they lasted all day: from a time to the same time."""
    if isinstance(stored, str):  # written as text into JSONB
        try:
            stored = json.loads(stored) if stored.strip() else None
        except ValueError:
            stored = "?"
    if stored is None or stored == {}:
        return None, False
    start, end = (stored.get("start"), stored.get("end")) if isinstance(stored, Mapping) else ("?", "?")
    if not start and not end:
        return None, False
    try:
        return read_quiet_hours(start, end), False
    except EmptyQuietHours:
        return None, True
    except Invalid:
        changes.append("quiet hours that cannot be read held nowhere: none instead")
        return None, False


def _report_what_is_left(snapshot: SourceSnapshot, movers: PeopleToImport, report: ImportReport) -> None:
    left = partial(_report_left, report, movers)
    for row in snapshot["subscription_preferences"]:
        if isinstance(row["notify_threshold"], int) and row["notify_threshold"] > 0:
            left(RowKind.THRESHOLDS, "it never did anything there; to be chosen here", row)
        for channel in ("telegram", "signal"):
            if row[f"{channel}_handle_encrypted"]:
                left(RowKind.HANDLES, "never proved, and sealed with a key of theirs; to be linked again", row, channel)
    for row in snapshot["availability_user_settings"]:
        for kind, column in ((RowKind.REMINDERS, "availability_reminders_enabled"), (RowKind.SOUNDS, "sound_enabled")):
            if row[column] is not None:
                left(kind, "was on by default, so nobody asked for it" if row[column] else "off there, off here", row)
    for row in snapshot["availability_subscriptions"]:
        channel = _lower(row["channel_type"])
        is_discord_on = channel == "discord" and row["enabled"] is not False
        reason = (
            "comes with the account"
            if is_discord_on
            else "its owner is not certain; to be linked again"
            if row["enabled"]
            else "switched off, and nothing is sent"
        )
        left(RowKind.SUBSCRIPTIONS, reason, row, channel)
    for row in snapshot["availability_channel_links"]:
        confirmed = "confirmed there" if row["verified_at"] else "never confirmed"
        left(
            RowKind.ADDRESSES,
            "its owner is not certain; to be linked again",
            row,
            f"{_lower(row['channel_type'])}, {confirmed}",
        )


def _report_left(
    report: ImportReport, movers: PeopleToImport, kind: RowKind, reason: str, row: SourceRow, what: str = ""
) -> None:
    report.add(kind, ImportOutcome.LEFT, reason, who=movers.describe(row["user_id"]), what=what)


def _lower(text: str | None) -> str:
    return (text or "").strip().lower()
