"""Style, pictures and scripts: ours joined into one file each, kept for a year, at an address that changes with it."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from slomix.web import assets
from slomix.web.assets import AssetsError
from tests.web.conftest import Browse, Browser, browser_of, make_app
from tests.web.reading import read
from tests.world import World

PAGES = ["/", "/calendar", "/day/2026-11-20", "/profile", "/preferences", "/promote", "/nowhere"]
A_YEAR = 31_536_000
BUDGET = 45_000
PACKED = {"Accept-Encoding": "gzip, deflate, br"}


def without_digest(address: str) -> str:
    return re.sub(r"\?v=[0-9a-f]{10}$", "", address)


def linked(page: str) -> list[str]:
    """Return the addresses of all that a browser fetches with a page, icon and all."""
    # The others are read after the page, by what puts it on a home screen.
    wanted = [
        link.attributes["href"]
        for link in read(page).all("link")
        if link.attributes["rel"] not in {"apple-touch-icon", "manifest"}
    ]
    return wanted + [script.attributes["src"] for script in read(page).all("script")]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_loads_one_style_one_script_of_ours_and_htmx(bob: Browser, path: str) -> None:
    assert [without_digest(address) for address in linked(bob.get(path).text)] == [
        "/static/img/mark.svg",
        "/static/joined/slomix.css",
        "/static/vendor/htmx-4.0.1.min.js",
        "/static/joined/slomix.js",
    ]


@pytest.mark.parametrize("path", ["/", "/calendar"])
def test_a_first_load_takes_six_requests_and_45_kb(browse: Browse, path: str) -> None:
    browser = browse("bob")
    needed = [path, *linked(browser.get(path).text)]
    assert len([*needed, "/events"]) <= 6
    weight = 0
    for address in needed:
        answer = browser.client.get(address, headers=PACKED)  # read before the next: what is packed is streamed
        assert answer.status_code == 200
        weight += len(answer.data)
    assert weight <= BUDGET


@pytest.mark.parametrize("path", ["/static/joined/slomix.js", "/static/joined/slomix.css", "/static/img/mark.svg"])
def test_an_asset_may_be_kept_for_a_year_by_everybody(anonymous: Browser, path: str) -> None:
    kept = anonymous.get(path)
    assert kept.cache_control.max_age == A_YEAR
    assert kept.cache_control.public
    assert not kept.cache_control.no_store
    assert "Set-Cookie" not in kept.headers


def test_an_asset_is_the_same_before_and_after_a_login(anonymous: Browser) -> None:
    assert "Cookie" not in anonymous.get("/static/joined/slomix.js").headers["Vary"]


@pytest.mark.parametrize(
    "path", ["/static/js/../../pyproject.toml", "/static/%2e%2e/pyproject.toml", "/static/nothing.js"]
)
def test_nothing_else_is_served_from_there(anonymous: Browser, path: str) -> None:
    assert anonymous.get(path).status_code == 404


def test_every_source_is_in_the_joined_files(root: Path) -> None:
    """A part that no other imports would be left out in silence."""
    for kind, imported in (("js", r'from "\./([\w.]+)"'), ("css", r'@import "\./([\w.]+)"')):
        folder = root / "static" / kind
        sources = {path.name: path.read_text() for path in folder.glob(f"*.{kind}")}
        reached, open_ends = {f"main.{kind}"}, [f"main.{kind}"]
        while open_ends:
            found = set(re.findall(imported, sources[open_ends.pop()])) - reached
            reached |= found
            open_ends += found
        assert reached == sources.keys()
        assert len(sources) > 10


SOURCES = {
    "js/main.js": 'import { greet } from "./greet.js";\ngreet("first");\ngreet("second");\n',
    "js/greet.js": "export function greet(name) {\n  console.log(name);\n}\n",
    "css/main.css": '@import "./base.css";\n@import "./part.css";\n',
    "css/base.css": "p {\n  color: red;\n}\n",
    "css/part.css": ".part {\n  color: blue;\n}\n",
    "img/mark.svg": "<svg/>",
}


@pytest.fixture
def static(root: Path, tmp_path: Path) -> Path:
    """A folder of assets that a test may change, beside the tools that join them."""
    (tmp_path / "node_modules").symlink_to(root / "node_modules")
    for name, text in SOURCES.items():
        change(tmp_path / "static" / name, text, ago=60)
    return tmp_path / "static"


def change(path: Path, text: str, *, ago: float = 0) -> None:
    """Write a file; its time of change is set, since two writes may fall into one tick of the clock."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    if ago:
        seconds = path.stat().st_mtime - ago
        os.utime(path, (seconds, seconds))


def joined(static: Path) -> dict[str, str]:
    return {name: (static / name).read_text() for name in assets.JOINED}


def test_parts_are_joined_in_the_order_of_their_imports(static: Path) -> None:
    assets.join(static)
    style, script = joined(static).values()
    assert style == "p{color:red}.part{color:#00f}\n"
    assert script == (
        '"use strict";\n(()=>{function greet(name){console.log(name)}greet("first");greet("second");})();\n'
    )


@pytest.mark.parametrize("name", ["js/greet.js", "css/part.css"])
def test_what_was_joined_is_stale_when_a_source_is_newer(static: Path, name: str) -> None:
    assert assets.is_stale(static), "nothing is joined yet"
    assets.join(static)
    assert not assets.is_stale(static)
    os.utime(static / name, ns=(2**62, 2**62))
    assert assets.is_stale(static)


@pytest.mark.parametrize(
    ("name", "wrong"), [("js/greet.js", "export function {"), ("js/main.js", 'import "./gone.js"')]
)
def test_what_cannot_be_joined_names_the_place_and_leaves_what_was_there(static: Path, name: str, wrong: str) -> None:
    assets.join(static)
    before = joined(static)
    change(static / name, wrong)
    with pytest.raises(AssetsError, match=re.escape(f"{name}:1:")):
        assets.join(static)
    assert joined(static) == before
    assert {path.name for path in static.iterdir()} == {"js", "css", "img", "joined"}, "nothing half made is left"


def test_without_the_tool_the_command_that_fetches_it_is_named(static: Path) -> None:
    (static.parent / "node_modules").unlink()
    done = subprocess.run(
        [sys.executable, "-m", "slomix.web.assets"], cwd=static.parent, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "esbuild, which joins scripts and styles, is missing: `make setup` (in production `make install`) fetches it.\n"
    )


@pytest.fixture
def workshop(world: World, static: Path) -> Iterator[tuple[Flask, Path]]:
    """The application with assets that a test may change, as in `make dev`."""
    settings = world.runtime.settings.model_copy(update={"reloads": True})
    app = make_app(replace(world.runtime, settings=settings))
    app.static_folder = str(static)
    yield app, static


def address_of(app: Flask, name: str) -> str:
    with app.test_request_context():
        app.preprocess_request()
        return assets.asset_url(name)


def test_a_changed_source_is_seen_at_the_next_request_under_another_address(
    workshop: tuple[Flask, Path], world: World
) -> None:
    app, static = workshop
    for name, source in zip(assets.JOINED, ("css/part.css", "js/greet.js"), strict=True):
        before = address_of(app, name)
        assert before == address_of(app, name)
        os.utime(static / name, ns=(1, 1))  # was joined long ago
        change(static / source, (static / source).read_text().replace("blue", "green").replace("log", "warn"))
        after = address_of(app, name)
        assert re.fullmatch(rf"/static/{name}\?v=[0-9a-f]{{10}}", after)
        assert after != before
        served = browser_of(app, world, None).get(after)
        assert served.text == (static / name).read_text()
        assert ("green" in served.text) or ("warn" in served.text)


def test_in_production_a_request_joins_nothing(world: World, static: Path) -> None:
    app = make_app(world.runtime)
    app.static_folder = str(static)
    with pytest.raises(
        AssetsError, match=r"joined/slomix\.js is missing: `make setup` \(in production `make install`\)"
    ):
        address_of(app, "joined/slomix.js")


def test_the_address_of_a_file_changes_with_it_and_returns_with_it(workshop: tuple[Flask, Path]) -> None:
    app, static = workshop
    seen = []
    for text in ("<svg/>", "<svg></svg>", "<svg/>"):
        change(static / "img/mark.svg", text)
        seen.append(address_of(app, "img/mark.svg"))
    assert seen[0] == seen[2] != seen[1]


def test_an_asset_is_read_once_and_not_for_each_page(anonymous: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    anonymous.page("/calendar")
    read_files: list[Path] = []

    def read(path: Path) -> bytes:
        read_files.append(path)
        return b""

    monkeypatch.setattr(Path, "read_bytes", read)
    anonymous.page("/calendar")
    assert read_files == []


def test_without_joined_files_the_web_process_does_not_start(world: World, static: Path) -> None:
    app = Flask("slomix", static_folder=str(static))
    with pytest.raises(AssetsError, match=r"joined/slomix\.css is missing: `make setup`"):
        assets.install(app, reloads=False)
    shutil.copytree(static / "css", static / "joined")
    (static / "joined/main.css").rename(static / "joined/slomix.css")
    with pytest.raises(AssetsError, match=r"joined/slomix\.js is missing"):
        assets.install(app, reloads=False)
