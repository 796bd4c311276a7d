"""One threshold in the whole system (W51): as the operator wrote it, with or without a comment behind it."""

import pytest

from slomix.availability.rules import Status
from slomix.config.settings import Settings
from tests.moments import TODAY
from tests.web.conftest import browser_of, make_app, with_settings
from tests.world import LINKED, World

VARIABLE = "AVAILABILITY_SESSION_READY_THRESHOLD"


def as_written(world: World, monkeypatch: pytest.MonkeyPatch, text: str | None) -> World:
    """The world under the threshold that the environment has."""
    monkeypatch.delenv(VARIABLE, raising=False)
    if text is not None:
        monkeypatch.setenv(VARIABLE, text)
    return with_settings(world, ready_threshold=Settings.from_env(None).ready_threshold)


@pytest.mark.parametrize(
    ("text", "threshold"),
    [
        ("4  # small group", 4),
        ("4", 4),
        (" 4 ", 4),
        ("1 # anybody", 1),
        ("# later", 6),
        ("", 6),
        (None, 6),
    ],
)
@pytest.mark.parametrize("missing", [0, 1])
def test_page_fragment_api_event_and_calendar_have_the_same_threshold(
    world: World, monkeypatch: pytest.MonkeyPatch, text: str | None, threshold: int, missing: int
) -> None:
    here = as_written(world, monkeypatch, text)
    looking = threshold - missing
    for name in LINKED[:looking]:
        here.says(name, Status.LOOKING)
    browser = browser_of(make_app(here.runtime), here, None)
    event, is_ready = f"SESSION_READY:{TODAY}:threshold={threshold}", missing == 0

    api = browser.get("/api/availability").get_json()["session_ready"]
    assert (api["threshold"], api["ready"], api["looking_count"]) == (threshold, is_ready, looking)
    assert api["event_key"] == event
    page = browser.page("/")
    assert page.all("title")[0].words == f"[{looking}/{threshold}] Slomix"
    assert len(page.by_id("tonight").all("i")) == threshold, "a lamp for each who is needed"
    assert ("Game on!" in page.by_id("ready").words) is is_ready
    for path in ("/", "/board"):
        assert browser.page(path).by_id("board").attributes.get("data-ready") == (event if is_ready else None)
    cell = browser.page("/calendar").by_id(f"cell-{TODAY}").attributes["class"]
    assert (cell == "heat-4") is is_ready


def test_the_queue_draws_its_line_behind_the_one_who_makes_it_enough(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = as_written(world, monkeypatch, "4  # small group")
    for name in LINKED:
        here.says(name, Status.LOOKING)
    queue = browser_of(make_app(here.runtime), here, "alice").page("/").by_id("queue").all("li")
    assert ["enough" in one.attributes["class"].split() for one in queue] == [False, False, False, True, False, False]
