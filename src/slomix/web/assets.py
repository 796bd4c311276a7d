"""Where pages find style, pictures and scripts: an address changes with its content, so browsers may keep it."""

import hashlib
from functools import lru_cache
from pathlib import Path

from flask import Blueprint, Response, current_app, request, url_for

blueprint = Blueprint("assets", __name__)

# Each does one thing; a page loads them as one file.
SCRIPTS = ("live", "dialogs", "keys", "sound", "planning")
ENDPOINTS = frozenset({"static", "assets.scripts"})


def address(name: str) -> str:
    """The address of a file in `static`."""
    path = _static() / name
    return url_for("static", filename=name, v=_digest(path, path.stat().st_mtime_ns) if path.exists() else "missing")


def scripts_address() -> str:
    """The address of our scripts."""
    return url_for("assets.scripts", v=_short(_scripts()))


def lasts(name: str | None) -> int | None:
    """How many seconds a browser may keep the file that was asked for.

    None, so that it asks again, where the address is that of another content: while processes of two versions run side
    by side, a page of one may have its style from the other.
    """
    path = _static() / (name or "")
    return _lasts(_digest(path, path.stat().st_mtime_ns) if path.is_file() else "missing")


@blueprint.get("/static/slomix.js")
def scripts() -> Response:
    """Our scripts, one after the other."""
    content = _scripts()
    answer = Response(content, mimetype="text/javascript")
    seconds = _lasts(_short(content))
    if seconds is None:
        answer.cache_control.no_cache = True
    else:
        answer.cache_control.public = True
        answer.cache_control.max_age = seconds
    return answer


def _lasts(digest: str) -> int | None:
    return None if request.args.get("v", digest) != digest else current_app.config["SEND_FILE_MAX_AGE_DEFAULT"]


def _short(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:10]


def _static() -> Path:
    return Path(current_app.static_folder or "")


def _scripts() -> bytes:
    return b"\n".join((_static() / "js" / f"{name}.js").read_bytes() for name in SCRIPTS)


@lru_cache(maxsize=64)
def _digest(path: Path, _changed_at: int) -> str:
    return _short(path.read_bytes())
