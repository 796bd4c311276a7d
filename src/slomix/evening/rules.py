"""Decides when the evening's message is posted, how often it may be edited, and when it is made anew."""

from datetime import datetime, time, timedelta

# It is posted when so many are looking.
POSTED_AT = 3
# An evening ends so early in the next morning; what could not be done until long after that is not done.
CLOSES_AT, GIVEN_UP_AFTER = time(6), timedelta(hours=6)
# Discord allows few edits of a message that is older than an hour.
YOUNG = timedelta(hours=1)
EDIT_INTERVAL, LATER_EDIT_INTERVAL = timedelta(seconds=2), timedelta(seconds=20)
# When so many younger messages stand below it, it has scrolled away.
SCROLLED_AWAY = 20
SCROLL_CHECK_INTERVAL = timedelta(seconds=60)
# Then players should see it.
NEAR = timedelta(hours=1)


def edit_interval(age: timedelta) -> timedelta:
    """Return the shortest time between two edits of a message of this age."""
    return EDIT_INTERVAL if age < YOUNG else LATER_EDIT_INTERVAL


def is_near(start_at: datetime, now: datetime) -> bool:
    """Return whether the evening starts within the hour."""
    return timedelta(0) < start_at - now <= NEAR
