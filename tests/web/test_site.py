"""What browsers, search engines and those who found a hole look for at fixed addresses."""

import re
import struct
from datetime import datetime, timedelta

from slomix.availability.rules import Status
from tests.steps import call
from tests.web.conftest import Browse, Browser, browser_of, make_app, with_settings
from tests.world import World


def test_a_phone_can_put_the_site_on_its_home_screen(anonymous: Browser) -> None:
    answer = anonymous.get("/manifest.webmanifest")
    assert answer.content_type == "application/manifest+json"
    described = answer.json
    assert described is not None
    assert (described["start_url"], described["display"], described["short_name"]) == ("/", "standalone", "Slomix")
    seen = {}
    for icon in described["icons"]:
        png = anonymous.get(icon["src"]).data
        wide, high = struct.unpack(">II", png[16:24])
        assert icon["sizes"] == f"{wide}x{high}"
        seen[wide, icon.get("purpose", "any")] = True
    assert set(seen) == {(192, "any"), (512, "any"), (512, "maskable")}


def test_a_page_names_them(anonymous: Browser) -> None:
    page = anonymous.get("/").text
    for address in re.findall(r'<link rel="(?:icon|apple-touch-icon|manifest)" href="([^"]+)"', page):
        assert anonymous.get(address).status_code == 200, address


def test_an_icon_is_where_a_browser_looks_that_reads_no_page(anonymous: Browser) -> None:
    icon = anonymous.get("/favicon.ico").data
    assert struct.unpack("<HHH", icon[:6]) == (0, 1, 3)


def test_search_engines_are_kept_from_what_is_not_for_them(anonymous: Browser) -> None:
    said = anonymous.get("/robots.txt")
    assert said.content_type == "text/plain; charset=utf-8"
    closed = re.findall(r"^Disallow: (\S+)$", said.text, re.MULTILINE)
    assert {"/admin", "/api/", "/auth/", "/stop/"} <= set(closed)
    assert not any("/".startswith(path) or "/day/".startswith(path) for path in closed)


def test_who_found_a_hole_is_told_where_to_go(world: World) -> None:
    theirs = with_settings(world, public_url="https://slomix.example")
    said = browser_of(make_app(theirs.runtime), theirs, None).client.get(
        "/.well-known/security.txt", base_url="https://slomix.example"
    )
    fields = dict(line.split(": ", 1) for line in said.text.splitlines())
    assert fields["Contact"] == "https://slomix.example/privacy"
    assert fields["Canonical"] == "https://slomix.example/.well-known/security.txt"
    left = datetime.fromisoformat(fields["Expires"]) - world.clock.now()
    assert timedelta(days=30) < left < timedelta(days=365), "RFC 9116: less than a year"


def test_the_board_kept_for_later_is_a_strangers_whoever_asks(world: World, browse: Browse, anonymous: Browser) -> None:
    for name in ("alice", "bob"):
        world.says(name, Status.LOOKING)
    call(world, "bob")
    seen = anonymous.get("/offline")
    assert "starts at 21:00" in seen.text
    assert not re.search("alice|bob|csrf", seen.text, re.IGNORECASE)
    for name in ("alice", "dora"):
        assert browse(name).get("/offline").text == seen.text
    assert "Igralni večer" in anonymous.client.get("/offline", headers={"Accept-Language": "sl"}).text


def test_the_script_that_keeps_it_is_asked_for_anew_each_time(anonymous: Browser) -> None:
    script = anonymous.get("/sw.js")
    assert script.mimetype == "text/javascript"
    assert script.headers["Cache-Control"] == "no-cache"
