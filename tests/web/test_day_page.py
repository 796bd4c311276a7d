"""A day's own page: its neighbours, a month that turns while the day stays, and the way in for who is not linked."""

from datetime import date, timedelta

import pytest

from slomix.availability.rules import Status
from tests.moments import TODAY
from tests.web.conftest import Browse, Browser, is_page, lands
from tests.web.reading import Element, read, roots
from tests.world import World

YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
IN_DECEMBER = TODAY + timedelta(days=20)
STATUS_BUTTONS = ["Looking", "Available", "Maybe", "Not playing", "Clear"]


def links(page: Element, rel: str) -> list[str]:
    return [one.attributes["href"] for one in page.all("a") if one.attributes.get("rel") == rel]


@pytest.mark.parametrize(
    ("day", "before", "after"),
    [
        ("2026-11-20", "2026-11-19", "2026-11-21"),
        ("2026-12-01", "2026-11-30", "2026-12-02"),
        ("2026-12-31", "2026-12-30", "2027-01-01"),
        ("2026-03-29", "2026-03-28", "2026-03-30"),
        ("2026-10-25", "2026-10-24", "2026-10-26"),
        ("2028-02-29", "2028-02-28", "2028-03-01"),
        ("0001-01-01", None, "0001-01-02"),
        ("9999-12-31", "9999-12-30", None),
    ],
)
def test_a_day_leads_to_the_day_before_and_the_day_after(
    anonymous: Browser, day: str, before: str | None, after: str | None
) -> None:
    page = anonymous.page(f"/day/{day}")
    assert links(page, "prev") == ([f"/day/{before}"] if before else [])
    assert links(page, "next") == ([f"/day/{after}"] if after else [])
    assert [one.words for one in page.by_id("main").all("a") if one.attributes["href"] == "/"] == ["‹ Board"]


def test_following_the_days_one_comes_back(anonymous: Browser) -> None:
    path = f"/day/{TODAY}"
    for rel in ("next", "next", "prev", "prev"):
        [path] = links(anonymous.page(path), rel)
    assert path == f"/day/{TODAY}"


@pytest.mark.parametrize(
    ("day", "name", "rest"),
    [
        (YESTERDAY, "Yesterday", "Thursday 19 November"),
        (TODAY, "Today", "Friday 20 November"),
        (TOMORROW, "Tomorrow", "Saturday 21 November"),
        (TODAY + timedelta(days=2), "Sunday", "22 November"),
        (date(2027, 1, 1), "Friday", "1 January 2027"),
    ],
    ids=str,
)
def test_a_day_is_called_as_people_call_it(alice: Browser, day: date, name: str, rest: str) -> None:
    page = alice.page(f"/day/{day}")
    card = page.by_id(f"day-{day}")
    assert [one.words for one in page.all("h1")] == [name]
    assert [one.words for one in card.all("p") if one.attributes.get("class") == "date"] == [rest]


def shown_month(page: Element) -> str:
    return page.by_id("calendar").all("h2")[0].words


def turned(page: Element, which: str) -> dict[str, str]:
    return page.by_id(f"calendar-{which}").attributes


@pytest.mark.parametrize(
    ("which", "months"),
    [("after", ["December 2026", "January 2027", "February 2027"]), ("before", ["October 2026", "September 2026"])],
)
def test_the_month_turns_and_the_day_stays(alice: Browser, which: str, months: list[str]) -> None:
    page = alice.page(f"/day/{TODAY}")
    assert shown_month(page) == "November 2026"
    for month in months:
        link = turned(page, which)
        part = read(alice.get(link["hx-get"], htmx=True).text)
        assert link["href"] == f"{link['hx-push-url']}#calendar"
        page = alice.page(link["hx-push-url"])
        for shown in (page, part):
            assert shown_month(shown) == month
            assert shown.by_id("day").has_id(f"day-{TODAY}")
            assert shown.by_id(f"day-{TODAY}").buttons == STATUS_BUTTONS
        [root] = roots(part)
        assert root.attributes == page.by_id("day").attributes
        assert root.attributes["data-live"] == link["hx-get"], "and so it stays while the page is open"


def test_back_in_its_own_month_the_day_has_its_plain_address_again(anonymous: Browser) -> None:
    page = anonymous.page(f"/day/{TODAY}?month=2026-11")
    assert page.by_id("day").attributes["data-live"] == f"/day/{TODAY}/live"


def test_the_calendar_marks_the_day_that_is_shown_and_today(anonymous: Browser) -> None:
    def marked(path: str) -> dict[str, str]:
        cells = anonymous.page(path).by_id("calendar").all("a")
        return {
            one.attributes["data-day"]: one.attributes["aria-current"]
            for one in cells
            if "aria-current" in one.attributes
        }

    assert marked(f"/day/{TODAY}") == {str(TODAY): "date"}
    assert marked(f"/day/{TOMORROW}") == {str(TODAY): "date", str(TOMORROW): "page"}
    assert marked(f"/day/{TOMORROW}?month=2027-06") == {}


@pytest.mark.parametrize("month", ["2026-13", "november", "0001-01", "9999-12", "2026-11-20"])
@pytest.mark.parametrize("part", ["", "/live"])
def test_a_month_that_is_none_is_said_in_a_sentence(anonymous: Browser, part: str, month: str) -> None:
    assert "A month looks like 2026-11" in is_page(anonymous.get(f"/day/{TODAY}{part}?month={month}"), 422)


def test_a_day_at_either_end_of_time_has_no_month_around_it_but_can_turn_to_one(anonymous: Browser) -> None:
    for day in ("0001-06-15", "9999-06-15"):
        assert not anonymous.page(f"/day/{day}").has_id("calendar")
        assert shown_month(anonymous.page(f"/day/{day}?month=2026-12")) == "December 2026"


@pytest.mark.parametrize("part", ["", "/live"])
@pytest.mark.parametrize(
    ("name", "target"),
    [(None, f"/auth/login?next=/day/{IN_DECEMBER}"), ("charlie", f"/profile?next=/day/{IN_DECEMBER}")],
)
def test_the_banner_of_a_day_leads_back_to_that_day(browse: Browse, name: str | None, target: str, part: str) -> None:
    browser = browse(name)
    banner = browser.page(f"/day/{IN_DECEMBER}{part}").by_id("banner")
    assert banner.buttons == ["Link Discord"]
    assert lands(browser.get(banner.all("a")[0].attributes["href"])) == target


def test_who_links_from_a_day_is_led_back_to_it(world: World, charlie: Browser) -> None:
    banner = charlie.page(f"/day/{IN_DECEMBER}").by_id("banner")
    profile = charlie.page(lands(charlie.get(banner.all("a")[0].attributes["href"])) + "&q=spare")
    [form] = [one for one in profile.all("form") if one.attributes["action"] == "/profile/link"]
    fields = {one.attributes["name"]: one.attributes["value"] for one in form.all("input")}
    welcome = lands(charlie.client.post("/profile/link", data=fields))
    assert welcome == f"/welcome?next=/day/{IN_DECEMBER}"
    [form] = [one for one in charlie.page(welcome).all("form") if one.attributes["action"] == "/welcome"]
    fields = {one.attributes["name"]: one.attributes["value"] for one in form.all("input")}
    assert lands(charlie.client.post("/welcome", data=fields | {"skip": "1"})) == f"/day/{IN_DECEMBER}"
    page = charlie.page(f"/day/{IN_DECEMBER}")
    assert not page.has_id("banner")
    assert page.by_id(f"day-{IN_DECEMBER}").buttons == STATUS_BUTTONS


@pytest.mark.parametrize("htmx", [False, True], ids=["plain", "htmx"])
def test_every_answer_about_a_day_has_the_same_five_buttons(alice: Browser, htmx: bool) -> None:
    for where in ("/board", "/calendar", f"/day/{TOMORROW}/live"):
        assert read(alice.get(where, htmx=htmx).text).by_id(f"day-{TOMORROW}").buttons == STATUS_BUTTONS
    for form in ({"status": "MAYBE"}, {"status": "MAYBE", "from": "day"}, {"status": "", "from": "day"}):
        answer = alice.post(f"/day/{TOMORROW}/status", form, htmx=htmx)
        card = read(answer.text) if htmx else alice.page(lands(answer))
        assert card.by_id(f"day-{TOMORROW}").buttons == STATUS_BUTTONS


def test_clear_stays_where_it_is_and_is_faint_while_there_is_nothing_to_clear(world: World, alice: Browser) -> None:
    """It may have the focus, so it is never gone or disabled."""

    def clear() -> dict[str, str]:
        return alice.page(f"/day/{TODAY}").by_id(f"day-{TODAY}-clear").attributes

    assert "idle" in clear()["class"].split()
    world.says("alice", Status.NOT_PLAYING)
    assert "idle" not in clear()["class"].split()
    assert "disabled" not in clear()
    world.says("alice", None)
    assert "idle" in clear()["class"].split()
    assert "disabled" not in clear()
