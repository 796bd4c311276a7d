"""Where pages find style, pictures and scripts: an address changes with its content, so browsers may keep it."""

import hashlib
from functools import lru_cache
from pathlib import Path

from flask import Blueprint, Response, current_app, url_for

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
    return url_for("assets.scripts", v=hashlib.sha256(_scripts()).hexdigest()[:10])


@blueprint.get("/static/slomix.js")
def scripts() -> Response:
    """Our scripts, one after the other."""
    answer = Response(_scripts(), mimetype="text/javascript")
    answer.cache_control.public = True
    answer.cache_control.max_age = current_app.config["SEND_FILE_MAX_AGE_DEFAULT"]
    return answer


def _static() -> Path:
    return Path(current_app.static_folder or "")


def _scripts() -> bytes:
    return b"\n".join((_static() / "js" / f"{name}.js").read_bytes() for name in SCRIPTS)


@lru_cache(maxsize=64)
def _digest(path: Path, _changed_at: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:10]
