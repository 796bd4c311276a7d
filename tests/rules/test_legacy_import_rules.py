"""Whatever stands in the earlier site's tables: nobody is opted in who did not opt in, no profile has two owners."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix.contacts.preferences import Preferences
from slomix.legacy_import import contact_preferences, days, people
from slomix.legacy_import.people import CurrentState, LegacyAccount, LegacyPerson, PeopleToImport
from slomix.legacy_import.report import ImportOutcome, ImportReport, RowKind
from slomix.legacy_import.source import SourceSnapshot

COMMUNITY = ZoneInfo("Europe/Ljubljana")
TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 19, 30, tzinfo=UTC)

anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=8),
    st.sampled_from(["22:00", "08:00", "24:00", "7:5", "{}", "null", '{"start": "22:00", "end": "06:00"}', "UTC"]),
)
quiet = st.one_of(
    anything,
    st.lists(anything, max_size=2),
    st.dictionaries(st.sampled_from(["start", "end"]), anything),
    st.fixed_dictionaries({"start": st.sampled_from(["22:00", "08:00"]), "end": st.sampled_from(["22:00", "08:00"])}),
)


def row(**values: Any) -> dict[str, Any]:
    return {
        "user_id": "1",
        "allow_promotions": True,
        "preferred_channel": "any",
        "quiet_hours": {},
        "timezone": "Europe/Ljubljana",
    } | values


@given(
    allows=anything,
    hours=quiet,
    zone=st.one_of(st.none(), st.text(max_size=8), st.sampled_from(["Europe/Vienna", "localtime", "../etc/passwd"])),
    channel=st.one_of(st.none(), st.text(max_size=8), st.sampled_from(["Telegram ", "any", "pigeon"])),
    seconds=anything,
    is_silenced=st.booleans(),
)
def test_nobody_is_opted_in_who_did_not_opt_in(
    allows: Any, hours: Any, zone: str | None, channel: str | None, seconds: Any, is_silenced: bool
) -> None:
    stored = row(allow_promotions=allows, quiet_hours=hours, timezone=zone, preferred_channel=channel)
    kept, changes = contact_preferences.convert_preferences(
        stored, {"sound_cooldown_seconds": seconds}, is_silenced, COMMUNITY
    )
    assert kept.switched_on <= {"allow_promotions"}
    if kept.ticked:
        assert allows is True
        assert not is_silenced
    assert not kept.sound.is_on
    assert (kept.zone == COMMUNITY) or kept.zone.key == (zone or "").strip()
    assert all(isinstance(one, str) and one for one in changes)


@pytest.mark.parametrize(
    ("hours", "start", "said"),
    [
        ({}, None, []),
        (None, None, []),
        ("", None, []),
        ('{"start": "22:00", "end": "06:00"}', "22:00:00", []),
        ({"start": "22:00", "end": "06:00"}, "22:00:00", []),
        ({"start": "", "end": None}, None, []),
        ({"start": "22:00"}, None, ["quiet hours that cannot be read held nowhere: none instead"]),
        ({"start": "22:00", "end": "25:00"}, None, ["quiet hours that cannot be read held nowhere: none instead"]),
        ([1], None, ["quiet hours that cannot be read held nowhere: none instead"]),
        ("nonsense", None, ["quiet hours that cannot be read held nowhere: none instead"]),
    ],
)
def test_quiet_hours_are_taken_as_they_held_there(hours: Any, start: str | None, said: list[str]) -> None:
    kept, changes = contact_preferences.convert_preferences(row(quiet_hours=hours), {}, False, COMMUNITY)
    assert (str(kept.quiet_hours.start) if kept.quiet_hours else None, changes) == (start, said)
    assert kept.ticked


def test_who_was_always_quiet_and_wanted_nothing_is_no_change() -> None:
    hours = {"start": "00:00", "end": "00:00"}
    assert contact_preferences.convert_preferences(
        row(allow_promotions=False, quiet_hours=hours), {}, True, COMMUNITY
    ) == (
        Preferences(COMMUNITY),
        [],
    )


ids = st.sampled_from(["1", "2", "3", "4"])
# As they are spelled here; there they were in capitals.
guids = st.sampled_from(["a", "b", "c", "d"])
# One to one in each table, as their constraints were, and any contradiction between the two.
links = st.dictionaries(ids, guids, max_size=4).map(
    lambda found: {user: guid for guid, user in {guid: user for user, guid in found.items()}.items()}
)


@given(newer=links, older=links, here=links, moved=st.sets(guids), released=st.sets(guids))
def test_one_account_has_one_profile_and_what_stands_here_stays(
    newer: dict[str, str], older: dict[str, str], here: dict[str, str], moved: set[str], released: set[str]
) -> None:
    theirs = SourceSnapshot(
        {
            "user_player_links": [
                {"user_id": one, "player_guid": guid.upper(), "player_name": "n"} for one, guid in newer.items()
            ],
            "player_links": [
                {"discord_id": one, "player_guid": guid.upper(), "player_name": "o", "discord_username": "o"}
                for one, guid in older.items()
            ],
        }
    )
    state = CurrentState({one: LegacyAccount(guid) for one, guid in here.items()}, set(here.values()), moved, released)
    report = ImportReport()
    movers = people.decide_people(theirs, state, report)
    found = {one: person.guid for one, person in movers.people.items()}
    assert len(set(found.values())) == len(found)
    for one, guid in found.items():
        assert here.get(one, guid) == guid
        assert guid not in moved | released
        assert guid not in {other for who, other in here.items() if who != one}
        assert newer.get(one, older.get(one)) == guid
    assert {person.guid for person in movers.profiles} <= set(found.values()) - set(here.values())
    rows = len(newer) + len(older)
    assert sum(one.number for one in report.findings if one.kind is RowKind.LINKS) == rows, "every row has its reason"


@given(
    key=st.one_of(
        st.text(max_size=30),
        st.builds(
            "{}:{}{}".format,
            st.sampled_from(["PROMOTE:T0", "PROMOTE:T-15", "SESSION_READY", "DAILY_REMINDER", "PROMOTE:T1"]),
            st.sampled_from(["2026-11-20", "2026-11-19", "2026-11-31", "9999-12-31", "2026-W47-5"]),
            st.sampled_from(["", ":threshold=6", ":threshold=", "\n"]),
        ),
    ),
    to=st.sampled_from(["1", "2", "-7", "", None]),
    channel=st.sampled_from(["discord", "Signal", "pigeon", None]),
    message_id=st.sampled_from(["m", " ", None]),
    sent_at=st.sampled_from([None, NOW - timedelta(days=1), NOW + timedelta(days=1)]),
)
def test_only_what_arrived_and_is_not_over_is_known(
    key: str, to: str | None, channel: str | None, message_id: str | None, sent_at: datetime | None
) -> None:
    row = {"user_id": to, "event_key": key, "channel_type": channel, "message_id": message_id, "sent_at": sent_at}
    report = ImportReport()
    twice = SourceSnapshot({"notifications_ledger": [row, row]})
    movers = PeopleToImport(people={"1": LegacyPerson("1", "A", "a")})
    kept = days.decide_messages(twice, movers, {"1": "A"}, set(), today=TODAY, now=NOW, report=report)
    assert len(kept) <= 1
    assert sum(one.number for one in report.findings) == 2
    for one in kept:
        assert "2026-11-20" in key or "9999-12-31" in key
        assert (message_id, to) in {("m", "1"), ("m", "-7")}
        assert one.at is None or one.at <= NOW
        assert (one.guid is None) != (one.room is None)
        assert report.findings[1].outcome is ImportOutcome.HERE
