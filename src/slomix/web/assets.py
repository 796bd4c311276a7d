"""Join scripts and styles into one file each, and give every asset an address that changes with its content.

`python -m slomix.web.assets` joins them, which `make` does at set-up.
"""

import hashlib
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from flask import Flask, current_app, request, url_for

# Made of js/main.js and css/main.css and all that they import.
JOINED = ("joined/slomix.css", "joined/slomix.js")
_SOURCES = ("js", "css")
# Modules are strict by themselves, the script that they become is not. Names stay as they are: what a browser reports
# can be found in the source.
_OPTIONS = ("--bundle", "--format=iife", '--banner:js="use strict";', "--minify-whitespace", "--minify-syntax")
_SET_UP = "`make setup` (in production `make install`)"


class AssetsError(RuntimeError):
    """An asset is missing, or scripts and styles cannot be joined; the text says what to do."""


def install(app: Flask, *, reloads: bool) -> None:
    """Let browsers keep assets; with `reloads`, join changed sources before a request is answered.

    Raise AssetsError where set-up has not joined them: a page without style and scripts would be no page.
    """
    app.get_send_file_max_age = cache_seconds  # type: ignore[assignment,method-assign]
    for name in JOINED:
        _existing(_static(app) / name)

    def join_changed_sources() -> None:
        if is_stale(_static(app)):
            join(_static(app))

    if reloads:
        app.before_request(join_changed_sources)


def asset_url(name: str) -> str:
    """Return the address of a file in `static`. Raise AssetsError where it is missing."""
    return url_for("static", filename=name, v=_digest_of(_existing(_static(current_app) / name)))


def cache_seconds(name: str | None) -> int | None:
    """Return how many seconds a browser may keep the file that was asked for.

    None, so that it asks again, where the address is that of another content: while processes of two versions run side
    by side, a page of one may have its style from the other.
    """
    path = _static(current_app) / (name or "")
    digest = _digest_of(path) if path.is_file() else "missing"
    return None if request.args.get("v", digest) != digest else current_app.config["SEND_FILE_MAX_AGE_DEFAULT"]


def is_stale(static: Path) -> bool:
    """Say whether a source is newer than what was joined of it, or nothing was joined yet."""
    joined = [static / name for name in JOINED]
    if not all(path.exists() for path in joined):
        return True
    oldest = min(path.stat().st_mtime_ns for path in joined)
    sources = (path for folder in _SOURCES for path in (static / folder).rglob("*"))
    return any(path.stat().st_mtime_ns > oldest for path in sources)


def join(static: Path) -> None:
    """Join scripts and styles into one file each. Raise AssetsError and leave the joined files where that fails."""
    bundler = next(static.parent.glob("node_modules/@esbuild/*/bin/esbuild"), None)
    if bundler is None:
        raise AssetsError(f"esbuild, which joins scripts and styles, is missing: {_SET_UP} fetches it.")
    (static / "joined").mkdir(exist_ok=True)
    with TemporaryDirectory(dir=static) as folder:
        entries = ("joined/slomix=css/main.css", "joined/slomix=js/main.js", f"--outdir={folder}")
        try:
            done = subprocess.run(
                [bundler, *entries, *_OPTIONS, "--log-level=warning"], cwd=static, capture_output=True, text=True
            )
        except OSError as error:
            raise AssetsError(f"esbuild does not run here: {error}.") from error
        if done.returncode != 0:
            raise AssetsError(f"Scripts and styles cannot be joined:\n{done.stderr.strip()}")
        for name in JOINED:
            (Path(folder) / name).replace(static / name)


def _static(app: Flask) -> Path:
    return Path(app.static_folder or "")


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise AssetsError(f"{path} is missing: {_SET_UP} makes it.")
    return path


def _digest_of(path: Path) -> str:
    return _digest(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _digest(path: Path, _changed_at: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:10]


if __name__ == "__main__":
    try:
        join(Path.cwd() / "static")
    except AssetsError as error:
        sys.exit(str(error))
