"""The planning room in a browser, as the tests of its pages find it."""

from datetime import timedelta
from typing import Any

from werkzeug.test import TestResponse

from slomix.availability import service as availability
from slomix.availability.rules import Status
from tests.moments import TODAY
from tests.services.planning import Tonight, opened
from tests.web.conftest import Browser
from tests.world import World

PAGE = f"/planning/{TODAY}"


def arranged(world: World) -> Tonight:
    """Erik leads A and Franka B, Erik suggested Ants, and Dora has said nothing."""
    tonight = opened(world)
    tonight.saves("alice", "erik", "franka", "erik", "franka")
    tonight.suggests("erik", "Ants")
    world.says("dora", None)
    world.clock.forward(timedelta(seconds=1))
    return tonight


def press(browser: Browser, path: str, form: dict[str, Any], *, htmx: bool = False, page: str = PAGE) -> TestResponse:
    """A form of ours, of which a field may come several times."""
    headers = {"HX-Request": "true"} if htmx else {}
    return browser.client.post(
        page + path, data={"confirmed": "on"} | form | {"csrf_token": browser.csrf()}, headers=headers
    )


def said(tonight: Tonight, name: str) -> Status | None:
    with tonight.world.session() as session:
        player = tonight.world.players[name]
        return availability.statuses_of_day(session, TODAY, [player]).get(player)


def ants(tonight: Tonight) -> str:
    """The id of the name that Erik suggested."""
    return next(str(one.id) for one in tonight.view().suggestions if one.name == "Ants")


def ids(tonight: Tonight, *names: str) -> list[str]:
    return [str(tonight.world.players[name]) for name in names]
