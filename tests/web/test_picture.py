"""The picture of an evening, which a link shows where it is pasted."""

import re
import struct
from datetime import timedelta

import pytest
from flask import Flask

from slomix.availability import picture
from slomix.availability.rules import Status
from tests.moments import TODAY
from tests.steps import call
from tests.web.conftest import Browse, Browser
from tests.world import World

ADDRESS = re.compile(r'<meta property="og:image" content="[^"]*?(/og/[^"]+)">')


def address(browser: Browser, path: str = "/") -> str:
    found = ADDRESS.search(browser.get(path).text)
    assert found, f"{path} shows no picture"
    return found[1].replace("&amp;", "&")


def size(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", png[16:24])


@pytest.mark.parametrize("path", ["/", f"/day/{TODAY}", f"/planning/{TODAY}", "/calendar"])
def test_a_strangers_page_leads_to_a_picture_of_its_day(anonymous: Browser, path: str) -> None:
    answer = anonymous.get(address(anonymous, path))
    assert answer.content_type == "image/png"
    assert size(answer.data) == (1200, 630)
    assert (answer.cache_control.public, answer.cache_control.max_age) == (True, picture.KEPT_SECONDS)


def test_the_state_stands_in_the_address_so_that_what_was_kept_is_never_a_lie(world: World, anonymous: Browser) -> None:
    before = address(anonymous)
    first = anonymous.get(before).data
    world.says("alice", Status.LOOKING)
    after = address(anonymous)
    assert after != before
    assert anonymous.get(after).data != first


@pytest.mark.parametrize("path", ["/", f"/day/{TODAY}"])
def test_another_start_is_another_picture(world: World, anonymous: Browser, path: str) -> None:
    world.says("alice", Status.LOOKING)
    before = address(anonymous, path)
    call(world, hour=22)
    assert address(anonymous, path) != before
    assert "2200" in address(anonymous, path)


@pytest.mark.parametrize("day", ["2026-02-30", "today", "2026-3-1"])
def test_no_day_no_picture(anonymous: Browser, day: str) -> None:
    assert anonymous.get(f"/og/{day}.png").status_code == anonymous.get(f"/day/{day}").status_code == 422


def test_it_names_nobody(app: Flask, world: World, browse: Browse) -> None:
    """Whoever asks: the address is the same for all."""
    world.says("alice", Status.LOOKING)
    with app.test_request_context("/"):
        shown = picture.picture_of(TODAY, 1, None)
        assert "Alice" not in picture.as_svg(shown)
    assert address(browse("alice")) == address(browse(None))


@pytest.mark.parametrize(
    ("looking", "says"),
    [
        (0, "Be the first"),
        (4, "4 of 6 looking to play, 2 to go"),
        (6, "6 players are in. It"),
        (30, "30 players are in"),
    ],
)
def test_it_says_how_far_the_evening_is(app: Flask, looking: int, says: str) -> None:
    with app.test_request_context("/"):
        shown = picture.picture_of(TODAY, looking, None)
        assert says in picture.as_svg(shown)


def test_an_evening_that_has_passed_asks_for_nothing(app: Flask, world: World, anonymous: Browser) -> None:
    before = address(anonymous, f"/day/{TODAY}")
    world.clock.forward(timedelta(days=1))
    assert address(anonymous, f"/day/{TODAY}") != before
    with app.test_request_context("/"):
        shown = picture.picture_of(TODAY, 0, None)
        assert "Be the first" not in picture.as_svg(shown)


def test_it_has_the_letters_of_slovene_whatever_the_machine_has(app: Flask) -> None:
    with app.test_request_context("/"):
        drawn = {
            letter: picture._png(
                f'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><text y="30">{letter}</text></svg>',
                picture._fonts(app),
            )
            for letter in "cčsšzž\ue000"
        }
    assert len(set(drawn.values())) == 7, "a letter without a shape looks like any other"
