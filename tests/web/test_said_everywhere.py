"""A status is the same however it was said and wherever it is read: page, fragment, calendar, JSON."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from werkzeug.test import TestResponse

from tests.moments import TODAY
from tests.web.conftest import Browse, Browser

API = "/api/availability"
Way = Callable[[Browser, date, str], TestResponse]

WAYS: dict[str, Way] = {
    "a plain post": lambda browser, day, status: browser.post(f"/day/{day}/status", {"status": status}),
    "a post by htmx": lambda browser, day, status: browser.post(f"/day/{day}/status", {"status": status}, htmx=True),
    "a call": lambda browser, day, status: browser.call("POST", API, {"date": str(day), "status": status}),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("day", [TODAY, TODAY + timedelta(days=3)], ids=["today", "upcoming"])
def test_however_it_was_said_page_fragment_calendar_and_json_tell_the_same(browse: Browse, way: Way, day: date) -> None:
    alice = browse("alice")
    for status, word in (("LOOKING", "looking"), ("NOT_PLAYING", "not playing")):
        assert way(alice, day, status).status_code in {200, 303}
        for path in (f"/day/{day}", f"/day/{day}/live"):
            card = alice.page(path).by_id(f"day-{day}")
            pressed = [one.words.lower() for one in card.all("button") if one.attributes.get("aria-pressed") == "true"]
            assert pressed == [word]
        assert f"you: {word}" in alice.page("/calendar").by_id(f"cell-{day}").words.lower()
        found = next(one for one in alice.get(f"{API}?include_users=1").get_json()["days"] if one["date"] == str(day))
        assert (found["my_status"], found["total"]) == (status, 1)
        assert {name: len(people) for name, people in found["users_by_status"].items()} == found["counts"]
        assert browse(None).get(API).get_json()["days"][(day - TODAY).days]["counts"] == found["counts"]
