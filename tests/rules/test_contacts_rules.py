"""When a player may be written to, and the one reason why not."""

from dataclasses import replace
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from slomix.contacts.rules import ChannelName, EmptyQuietHours, QuietHours, Reach, why_not
from tests.conftest import LJUBLJANA, at

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
    assert hours.hold_at(now, zone) is quiet


@pytest.mark.parametrize("hour", [time(0), time(21, 30)])
def test_quiet_hours_that_end_when_they_begin_are_refused_with_a_sentence(hour: time) -> None:
    with pytest.raises(EmptyQuietHours, match="never or always"):
        QuietHours(hour, hour)


REACHABLE = Reach(
    player_id=1,
    discord_id="100000000000000001",
    allows_promotions=True,
    quiet_hours=None,
    zone=LJUBLJANA,
    contact_id=1,
    channel=ChannelName.DISCORD,
    address="100000000000000001",
    learned=None,
)
QUIET = replace(REACHABLE, quiet_hours=EVENING)
NO_CONTACT = replace(QUIET, contact_id=None, address=None)
NOT_OPTED_IN = replace(NO_CONTACT, allows_promotions=False)
NOT_LINKED = replace(NOT_OPTED_IN, discord_id=None)


@pytest.mark.parametrize(
    ("reach", "reason"),
    [
        (None, "not linked"),
        (NOT_LINKED, "not linked"),
        (NOT_OPTED_IN, "not opted in"),
        (NO_CONTACT, "no working contact"),
        (QUIET, "quiet hours"),
        (REACHABLE, None),
    ],
)
def test_of_several_reasons_the_weightiest_is_given(reach: Reach | None, reason: str | None) -> None:
    assert why_not(reach, at(20, 45)) == reason


@pytest.mark.parametrize(
    ("reach", "reason"),
    [(None, "not linked"), (NOT_LINKED, "not linked"), (NOT_OPTED_IN, "quiet hours"), (REACHABLE, None)],
)
def test_a_warning_about_ones_own_campaign_needs_no_consent_but_heeds_the_night(
    reach: Reach | None, reason: str | None
) -> None:
    assert why_not(reach, at(20, 45), needs_consent=False) == reason


@pytest.mark.parametrize(("reach", "reason"), [(NOT_LINKED, "not linked"), (NOT_OPTED_IN, None), (QUIET, None)])
def test_what_somebody_asked_for_just_now_needs_no_more_than_a_link(reach: Reach, reason: str | None) -> None:
    assert why_not(reach, at(20, 45), needs_consent=False, heeds_quiet_hours=False) == reason


def test_quiet_hours_over_do_not_hold_a_message_back() -> None:
    assert why_not(QUIET, at(21)) is None
