"""When a player may be written to, and the one reason why not."""

from dataclasses import replace
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from slomix.contacts.kinds import KIND_TEXTS
from slomix.contacts.models import StoredPreferences
from slomix.contacts.rules import (
    KINDS,
    TICKS,
    ChannelName,
    ContactRoute,
    EmptyQuietHours,
    MessageKind,
    QuietHours,
    Reachability,
    refusal_reason,
)
from slomix.reasons.codes import Reason
from tests.moments import LJUBLJANA, at

LONDON, LOS_ANGELES = ZoneInfo("Europe/London"), ZoneInfo("America/Los_Angeles")
EVENING, NIGHT = QuietHours(time(20), time(21)), QuietHours(time(22, 30), time(7))


@pytest.mark.parametrize(
    ("hours", "now", "zone", "quiet"),
    [
        (EVENING, at(19, 59, 59), LJUBLJANA, False),
        (EVENING, at(20), LJUBLJANA, True),
        (EVENING, at(20, 59, 59), LJUBLJANA, True),
        (EVENING, at(21), LJUBLJANA, False),
        (NIGHT, at(22, 29, 59), LJUBLJANA, False),
        (NIGHT, at(22, 30), LJUBLJANA, True),
        (NIGHT, at(0), LJUBLJANA, True),
        (NIGHT, at(6, 59, 59), LJUBLJANA, True),
        (NIGHT, at(7), LJUBLJANA, False),
        (NIGHT, at(12), LJUBLJANA, False),
        (QuietHours(time(22), time(0)), at(23, 59), LJUBLJANA, True),
        (QuietHours(time(22), time(0)), at(0), LJUBLJANA, False),
        (QuietHours(time(0), time(7)), at(0), LJUBLJANA, True),
        # It is the player's own evening that counts.
        (EVENING, at(20, 30), LONDON, False),
        (EVENING, at(21, 30), LONDON, True),
        (NIGHT, at(12), LOS_ANGELES, True),
        # The clock says the same hour on both sides of a change.
        (NIGHT, at(6, 59, day=date(2026, 3, 29)), LJUBLJANA, True),
        (NIGHT, at(7, day=date(2026, 3, 29)), LJUBLJANA, False),
        (NIGHT, at(6, 59, day=date(2026, 10, 25)), LJUBLJANA, True),
        (NIGHT, at(7, day=date(2026, 10, 25)), LJUBLJANA, False),
    ],
)
def test_quiet_hours_hold_from_their_start_until_just_before_their_end(
    hours: QuietHours, now: datetime, zone: ZoneInfo, quiet: bool
) -> None:
    assert hours.apply_at(now, zone) is quiet


@pytest.mark.parametrize("hour", [time(0), time(21, 30)])
def test_quiet_hours_that_end_when_they_begin_are_refused_with_a_sentence(hour: time) -> None:
    with pytest.raises(EmptyQuietHours, match="never or always"):
        QuietHours(hour, hour)


DISCORD, TELEGRAM = ContactRoute(1, ChannelName.DISCORD), ContactRoute(2, ChannelName.TELEGRAM, "sealed")
REACHABLE = Reachability(
    player_id=1,
    discord_id="100000000000000001",
    has_left=False,
    allows=frozenset(MessageKind),
    quiet_hours=None,
    zone=LJUBLJANA,
    all_routes=(DISCORD,),
)
QUIET = replace(REACHABLE, quiet_hours=EVENING)
NO_CONTACT = replace(QUIET, all_routes=(replace(DISCORD, is_usable=False),))
NOT_OPTED_IN = replace(NO_CONTACT, all_routes=(), allows=frozenset())
LEFT = replace(NOT_OPTED_IN, has_left=True)
NOT_LINKED = replace(LEFT, discord_id=None)


@pytest.mark.parametrize("kind", MessageKind)
@pytest.mark.parametrize(
    ("reach", "reason"),
    [
        (None, Reason.NOT_LINKED),
        (NOT_LINKED, Reason.NOT_LINKED),
        (LEFT, Reason.LEFT_OUR_SERVER),
        (NOT_OPTED_IN, Reason.NOT_OPTED_IN),
        (NO_CONTACT, Reason.NO_WORKING_CONTACT),
        (QUIET, Reason.QUIET_HOURS),
        (REACHABLE, None),
    ],
)
def test_of_several_reasons_the_weightiest_is_given(
    reach: Reachability | None, reason: str | None, kind: MessageKind
) -> None:
    assert refusal_reason(reach, at(20, 45), kind=kind) == reason


def test_a_message_is_of_the_kind_that_calls_people_together_unless_it_says_otherwise() -> None:
    assert refusal_reason(replace(REACHABLE, allows=frozenset({MessageKind.CAMPAIGNS})), at(20, 45)) is None
    assert (
        refusal_reason(replace(REACHABLE, allows=frozenset(MessageKind) - {MessageKind.CAMPAIGNS}), at(20, 45))
        == Reason.NOT_OPTED_IN
    )


@pytest.mark.parametrize("kind", MessageKind)
def test_one_kind_that_is_switched_on_allows_no_other(kind: MessageKind) -> None:
    allows_one = replace(REACHABLE, allows=frozenset({kind}))
    assert {other: refusal_reason(allows_one, at(20, 45), kind=other) for other in MessageKind} == {
        other: None if other is kind else Reason.NOT_OPTED_IN for other in MessageKind
    }


@pytest.mark.parametrize(
    ("reach", "reason"),
    [
        (None, Reason.NOT_LINKED),
        (NOT_LINKED, Reason.NOT_LINKED),
        (LEFT, Reason.LEFT_OUR_SERVER),
        (NOT_OPTED_IN, Reason.QUIET_HOURS),
        (REACHABLE, None),
    ],
)
def test_a_warning_about_ones_own_campaign_needs_no_consent_but_heeds_the_night(
    reach: Reachability | None, reason: str | None
) -> None:
    assert refusal_reason(reach, at(20, 45), kind=None) == reason


@pytest.mark.parametrize(
    ("reach", "reason"),
    [(NOT_LINKED, Reason.NOT_LINKED), (LEFT, Reason.LEFT_OUR_SERVER), (NOT_OPTED_IN, None), (QUIET, None)],
)
def test_what_somebody_asked_for_just_now_needs_a_link_and_our_server_and_no_more(
    reach: Reachability, reason: str | None
) -> None:
    assert refusal_reason(reach, at(20, 45), kind=None, heeds_quiet_hours=False) == reason


def test_what_heeds_no_quiet_hours_needs_consent_all_the_same() -> None:
    assert refusal_reason(QUIET, at(20, 45), heeds_quiet_hours=False) is None
    assert refusal_reason(NOT_OPTED_IN, at(20, 45), heeds_quiet_hours=False) == Reason.NOT_OPTED_IN


def test_quiet_hours_over_do_not_hold_a_message_back() -> None:
    assert refusal_reason(QUIET, at(21)) is None


def test_of_what_is_known_the_ways_that_work_are_left_in_their_order() -> None:
    broken = replace(TELEGRAM, is_usable=False)
    signal = ContactRoute(3, ChannelName.SIGNAL, "sealed")
    assert replace(REACHABLE, all_routes=(TELEGRAM, signal, DISCORD)).routes == (TELEGRAM, signal, DISCORD)
    assert replace(REACHABLE, all_routes=(broken, signal, DISCORD)).routes == (signal, DISCORD)
    assert refusal_reason(replace(REACHABLE, all_routes=(broken, DISCORD)), at(20, 45)) is None, (
        "one that works is enough"
    )
    assert refusal_reason(replace(REACHABLE, all_routes=(broken,)), at(20, 45)) == Reason.NO_WORKING_CONTACT


def test_every_kind_has_a_column_of_its_own_and_texts() -> None:
    assert list(KINDS) == list(MessageKind)
    assert set(KIND_TEXTS) == set(MessageKind)
    columns = [switch.column for switch in KINDS.values()]
    assert len(set(columns)) == len(MessageKind)
    for switch in KINDS.values():
        default = StoredPreferences.__table__.c[switch.column].default
        assert isinstance(default, ScalarElementColumnDefault)
        assert default.arg is switch.off, "off until it is switched on"


def test_every_tick_is_explained() -> None:
    assert all(KIND_TEXTS[kind].title and KIND_TEXTS[kind].hint for kind in TICKS)
