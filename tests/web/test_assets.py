"""Style, pictures and scripts: all of them in one file each, kept for a year, at an address that changes with them."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from slomix.web import assets
from tests.web.conftest import Browser, browser_of, make_app
from tests.web.reading import read
from tests.world import World

PAGES = ["/", "/calendar", "/day/2026-11-20", "/profile", "/preferences", "/promote", "/nowhere"]
A_YEAR = 31_536_000


def scripts_of(root: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted((root / "static/js").glob("*.js"))}


def test_one_file_has_every_script_of_ours_once_and_nothing_else(anonymous: Browser, root: Path) -> None:
    answer = anonymous.get("/static/slomix.js")
    assert (answer.status_code, answer.mimetype) == (200, "text/javascript")
    text, scripts = answer.text, scripts_of(root)
    assert len(scripts) >= 4
    assert {name: text.count(script) for name, script in scripts.items()} == dict.fromkeys(scripts, 1)
    for script in scripts.values():
        text = text.replace(script, "", 1)
    assert text.strip() == ""


def test_each_script_of_ours_keeps_its_names_to_itself(root: Path) -> None:
    """In one file they would tread on each other's."""
    code = [re.sub(r"^\s*(//.*)?$", "", script, flags=re.MULTILINE).strip() for script in scripts_of(root).values()]
    assert all(re.fullmatch(r'"use strict";\s*\(\(\) => \{.*\}\)\(\);', one, re.DOTALL) for one in code)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_loads_the_same_scripts_each_once(bob: Browser, path: str) -> None:
    loaded = [one.attributes["src"] for one in read(bob.get(path).text).all("script")]
    assert [re.sub(r"\?v=[0-9a-f]{10}$", "", one) for one in loaded] == [
        "/static/vendor/htmx-4.0.1.min.js",
        "/static/slomix.js",
    ]


@pytest.mark.parametrize("path", ["/static/slomix.js", "/static/css/slomix.css", "/static/img/mark.svg"])
def test_an_asset_may_be_kept_for_a_year_by_everybody(anonymous: Browser, path: str) -> None:
    kept = anonymous.get(path)
    assert kept.cache_control.max_age == A_YEAR
    assert kept.cache_control.public
    assert not kept.cache_control.no_store
    assert "Set-Cookie" not in kept.headers


def test_an_asset_is_the_same_before_and_after_a_login(anonymous: Browser) -> None:
    assert "Cookie" not in anonymous.get("/static/slomix.js").headers["Vary"]


@pytest.fixture
def workshop(world: World, tmp_path: Path) -> Iterator[tuple[Flask, Path]]:
    """The application with assets that a test may change."""
    app = make_app(world.runtime)
    (tmp_path / "js").mkdir()
    for name in assets.SCRIPTS:
        (tmp_path / "js" / f"{name}.js").write_text(f"// {name}")
    (tmp_path / "style.css").write_text("p {}")
    app.static_folder = str(tmp_path)
    yield app, tmp_path


def test_the_address_of_the_scripts_changes_with_any_of_them(workshop: tuple[Flask, Path]) -> None:
    app, folder = workshop
    seen = set()
    with app.test_request_context():
        for name in ("", *assets.SCRIPTS):
            if name:
                (folder / "js" / f"{name}.js").write_text(f"// {name}, mended")
            assert assets.scripts_address() == assets.scripts_address()
            seen.add(assets.scripts_address())
    assert len(seen) == 1 + len(assets.SCRIPTS)
    assert all(re.fullmatch(r"/static/slomix\.js\?v=[0-9a-f]{10}", one) for one in seen)


def test_the_address_of_a_file_changes_with_it_and_returns_with_it(workshop: tuple[Flask, Path]) -> None:
    app, folder = workshop
    seen = []
    with app.test_request_context():
        for text in ("p {}", "p { color: red }", "p {}"):
            (folder / "style.css").write_text(text)
            seen.append(assets.address("style.css"))
    assert seen[0] == seen[2] != seen[1]


def test_what_the_address_promises_is_what_is_served(workshop: tuple[Flask, Path], world: World) -> None:
    app, _ = workshop
    with app.test_request_context():
        address = assets.scripts_address()
    assert browser_of(app, world, None).get(address).text == "\n".join(f"// {name}" for name in assets.SCRIPTS)


@pytest.mark.parametrize(
    "path", ["/static/js/../../pyproject.toml", "/static/%2e%2e/pyproject.toml", "/static/nothing.js"]
)
def test_nothing_else_is_served_from_there(anonymous: Browser, path: str) -> None:
    assert anonymous.get(path).status_code == 404
