"""Decides what consent given on the earlier site means here: only players' own choices count."""

import json
from collections.abc import Collection, Mapping
from datetime import timedelta
from functools import partial
from zoneinfo import ZoneInfo

from slomix import words
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
            report.add(RowKind.PREFERENCES, ImportOutcome.LEFT, words.NOT_MOVING_IN, who=movers.describe(user_id))
        elif person.guid in has_chosen_here:
            report.add(RowKind.PREFERENCES, ImportOutcome.HERE, words.CHOSEN_HERE, who=person.label)
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
        changes.append(words.ALWAYS_QUIET)
    if allows and is_silenced:
        changes.append(words.DISCORD_SWITCHED_OFF)
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
        changes.append(words.ZONE_CHANGED.format(zone=zone.key))
        return zone


def _preferred(text: str | None, changes: list[str]) -> PreferredChannel:
    try:
        return parse_preferred(_lower(text) or PreferredChannel.ANY)
    except Invalid:
        changes.append(words.CHANNEL_CHANGED)
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
        changes.append(words.COOLDOWN_CHANGED)
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
        changes.append(words.QUIET_UNREADABLE)
        return None, False


def _report_what_is_left(snapshot: SourceSnapshot, movers: PeopleToImport, report: ImportReport) -> None:
    left = partial(_report_left, report, movers)
    for row in snapshot["subscription_preferences"]:
        if isinstance(row["notify_threshold"], int) and row["notify_threshold"] > 0:
            left(RowKind.THRESHOLDS, words.THRESHOLD_DID_NOTHING, row)
        for channel in ("telegram", "signal"):
            if row[f"{channel}_handle_encrypted"]:
                left(RowKind.HANDLES, words.SEALED_THERE, row, channel)
    for row in snapshot["availability_user_settings"]:
        for kind, column in ((RowKind.REMINDERS, "availability_reminders_enabled"), (RowKind.SOUNDS, "sound_enabled")):
            if row[column] is not None:
                left(kind, words.ON_BY_DEFAULT if row[column] else words.OFF_STAYS_OFF, row)
    for row in snapshot["availability_subscriptions"]:
        channel = _lower(row["channel_type"])
        is_discord_on = channel == "discord" and row["enabled"] is not False
        reason = words.DISCORD_BY_LOGIN if is_discord_on else words.LINK_AGAIN if row["enabled"] else words.DISCORD_OFF
        left(RowKind.SUBSCRIPTIONS, reason, row, channel)
    for row in snapshot["availability_channel_links"]:
        confirmed = "confirmed there" if row["verified_at"] else "never confirmed"
        left(RowKind.ADDRESSES, words.LINK_AGAIN, row, f"{_lower(row['channel_type'])}, {confirmed}")


def _report_left(
    report: ImportReport, movers: PeopleToImport, kind: RowKind, reason: str, row: SourceRow, what: str = ""
) -> None:
    report.add(kind, ImportOutcome.LEFT, reason, who=movers.describe(row["user_id"]), what=what)


def _lower(text: str | None) -> str:
    return (text or "").strip().lower()
