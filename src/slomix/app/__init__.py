"""The web process: its application, its templates' language, and the server that runs it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from slomix.runtime.context import Runtime


def create_app(runtime: "Runtime | None" = None) -> "Flask":
    """Make the web application; see `factory`, read when this is called: gunicorn patches sockets first."""
    from slomix.app import factory

    return factory.create_app(runtime)
