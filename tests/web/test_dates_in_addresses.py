"""Dates as people and scripts write them into addresses (W50): a sentence for what makes no sense, and never a 500."""

import re

import pytest

from slomix.availability.rules import Status
from tests.moments import TODAY
from tests.web.conftest import Browse, Browser, is_fragment, is_page, is_problem, nothing_stored
from tests.web.reading import read
from tests.world import World

API = "/api/availability"
LOOKING = {"status": Status.LOOKING.value}

# Each address that takes a date or a month, with a blank for it.
DAYS = [
    ("GET", "/day/{}"),
    ("GET", "/day/{}/live"),
    ("POST", "/day/{}/status"),
    ("GET", API + "?from={}"),
    ("GET", API + "?from=2026-11-20&to={}"),
    ("GET", API + "?to={}"),
    ("DELETE", API + "/{}"),
    ("GET", API + "/promotions/campaign?date={}"),
]
MONTHS = [
    ("GET", "/calendar?month={}"),
    ("GET", "/board?month={}"),
    ("GET", f"/day/{TODAY}?month={{}}"),
    ("GET", f"/day/{TODAY}/live?month={{}}"),
]
NOT_DAYS = ["20261125", "2026-W48-1", "2026W481", "2026-330", "2026-11-31", "0000-01-01", "10000-01-01", "-001-01-01"]
NOT_DAYS += [
    "2026-11-25T00:00",
    "2026-11-25Z",
    "tomorrow",
    "%D9%A2%D9%A0%D9%A2%D9%A6-11-25",
    "2026-11-2%00",
    "1e3",
    "NaN",
]
NOT_MONTHS = [
    "202611",
    "2026-W48",
    "2026-13",
    "2026-00",
    "0000-01",
    "0001-01",
    "9999-12",
    "9999-01",
    "2026-11-25",
    "november",
]
ENDS = ["0001-01-01", "0001-12-31", "0002-01-01", "0999-12-31", "9998-12-31", "9999-01-01", "9999-12-31"]


def ask(browser: Browser, method: str, path: str, text: str) -> tuple[int, str]:
    """The status, and the sentence when there is one: from the API, or from a page and to htmx alike."""
    where = path.format(text)
    if where.startswith("/api/"):
        answer = browser.get(where) if method == "GET" else browser.call(method, where)
        return answer.status_code, is_problem(answer, answer.status_code) if answer.status_code >= 400 else ""
    said = set()
    for htmx, sentence_of in ((True, is_fragment), (False, is_page)):
        answer = browser.get(where, htmx=htmx) if method == "GET" else browser.post(where, LOOKING, htmx=htmx)
        sentence = sentence_of(answer, answer.status_code) if answer.status_code >= 400 else ""
        said.add((answer.status_code, sentence))
    [found] = said
    return found


@pytest.mark.parametrize(("method", "path"), DAYS)
def test_what_is_no_date_is_explained_and_changes_nothing(world: World, alice: Browser, method: str, path: str) -> None:
    with nothing_stored(world):
        found = {text: ask(alice, method, path, text) for text in NOT_DAYS}
    field = re.search(r"(\w+)=\{\}|/\{\}$", path) if path.startswith(API) else None
    sentence = (
        "That is not a date. A date looks like 2026-11-22."
        if field is None
        else f"Field {field[1] or 'day'}: That is not a date. A date looks like 2026-11-22."
    )
    assert found == dict.fromkeys(NOT_DAYS, (422, sentence))


@pytest.mark.parametrize(("method", "path"), MONTHS)
def test_what_is_no_month_is_explained_too(alice: Browser, method: str, path: str) -> None:
    found = {text: ask(alice, method, path, text) for text in NOT_MONTHS}
    assert found == dict.fromkeys(NOT_MONTHS, (422, "There is no calendar for that. A month looks like 2026-11."))


@pytest.mark.parametrize(("method", "path"), DAYS)
def test_the_ends_of_time_are_read_or_refused_in_a_sentence(
    world: World, alice: Browser, method: str, path: str
) -> None:
    with nothing_stored(world):
        found = {day: ask(alice, method, path, day) for day in ENDS}
    if method == "GET":
        refused = {sentence for status, sentence in found.values() if status != 200}
        assert refused <= {
            "That is not a date. A date looks like 2026-11-22.",
            f"Ask for at most {180} days, the first before the last.",
        }
        assert {status for status, _ in found.values()} <= {200, 422}
    else:
        past, far = (
            (422, "That day is over, so it can be read but no longer changed."),
            (422, f"That day is too far away. You can plan up to {90} days ahead."),
        )
        assert found == {day: past if day < "1000" else far for day in ENDS}


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("from=9999-12-31", None),
        ("from=9999-11-02", None),
        ("from=9999-11-01", 61),
        ("from=9999-12-31&to=9999-12-31", 1),
        ("from=9999-12-01&to=9999-12-31", 31),
        ("from=0001-01-01", 61),
        ("from=0001-01-01&to=0001-01-01", 1),
        ("to=9999-12-31", None),
        ("to=0001-01-01", None),
    ],
)
def test_a_reading_ends_where_time_does(anonymous: Browser, query: str, number: int | None) -> None:
    answer = anonymous.get(f"{API}?{query}")
    if number is None:
        is_problem(answer, 422)
    else:
        assert len(answer.get_json()["days"]) == number


@pytest.mark.parametrize(
    "path",
    [
        "/calendar?month=1000-02",
        "/calendar?month=2026-11",
        "/calendar?month=9998-12",
        f"/day/{TODAY}?month=9998-12",
        "/day/9999-12-31",
        "/day/0001-01-01",
        "/day/9999-12-31?month=2026-11",
        "/calendar?month=0002-01",
        "/calendar?month=1000-01",
        f"/day/{TODAY}?month=0999-12",
        "/day/0999-05-05?month=0999-07",
    ],
)
def test_a_page_stays_live_and_its_months_turn_at_the_ends_of_time_too(browse: Browse, path: str) -> None:
    for who in (None, "alice"):
        browser = browse(who)
        page = browser.page(path)
        [part] = [one.attributes["data-live"] for one in page.walk() if "data-live" in one.attributes]
        assert browser.get(part, htmx=True).status_code == 200, part
        months = re.findall(r"month=([^#\"]+)", " ".join(one.attributes["href"] for one in page.all("a")))
        assert all(re.fullmatch(r"\d{4}-\d{2}", month) for month in months), months


@pytest.mark.parametrize("path", ["/day/", "/day/2026-11-20/", "/day/2026/11/20", "/day/2026-11-20/live/more"])
def test_an_address_that_is_cut_or_split_is_no_page(anonymous: Browser, path: str) -> None:
    assert "no such page" in is_page(anonymous.get(path), 404)


def test_a_month_that_is_asked_for_twice_or_left_empty_is_one(anonymous: Browser) -> None:
    for query in ("month=2026-12&month=2026-13", "month=2026-12&x=1"):
        assert "December 2026" in read(anonymous.get(f"/calendar?{query}").text).by_id("calendar").headings
    assert "November 2026" in anonymous.page("/calendar?month=").by_id("calendar").headings
