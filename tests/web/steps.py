"""Steps in a browser that many tests take."""

import io
import logging
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
import structlog
from flask import Flask
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse

from slomix.accounts.models import LinkEvent, User
from slomix.accounts.rules import LinkAction
from slomix.contacts import service as contacts
from slomix.contacts import unsubscribe
from slomix.contacts.rules import MessageKind
from slomix.deliveries.models import Delivery
from slomix.dev.simulator.people import environment
from slomix.jobs.models import Job
from slomix.reasons.codes import Explanation, Reason
from tests.simulators import CAST as PEOPLE
from tests.simulators import Simulator
from tests.waiting import PATIENCE
from tests.web.conftest import (
    Browser,
    browser_of,
    lands,
    make_app,
    with_settings,
)
from tests.web.reading import Element
from tests.world import World


def log_of(world: World) -> list[tuple[LinkAction, str | None, dict[str, Any]]]:
    """The audit log, the newest first."""
    with world.session() as session:
        found = session.scalars(select(LinkEvent).order_by(LinkEvent.id.desc()))
        return [(event.action, event.actor, event.details) for event in found]


def player_of(world: World, name: str) -> int | None:
    with world.session() as session:
        return session.scalar(select(User.player_id).where(User.id == world.users[name]))


def form_of(browser: Browser, path: str) -> dict[str, str]:
    """What the form on a confirming page would send."""
    page = browser.page(path).by_id("main")
    names = ("owner", "before", "guid")
    return {
        one.attributes["name"]: one.attributes["value"]
        for one in page.all("input")
        if one.attributes.get("name") in names
    }


CODE = re.compile(r"/link ([A-Za-z0-9_-]{32})")


def code_in(page: Element) -> str:
    found = CODE.search(page.words)
    assert found, page.words
    return found[1]


ALICE = PEOPLE["Alice"]


@dataclass(frozen=True)
class Dance:
    """A browser between Slomix and the simulated Discord."""

    world: World
    browser: Browser
    discord: httpx2.Client

    def leave(self, path: str = "/auth/login") -> dict[str, str]:
        """Press Log in; what Slomix asks Discord for."""
        where = urlsplit(lands(self.browser.get(path)))
        return {name: values[0] for name, values in parse_qs(where.query).items()}

    def consent(self, asked: dict[str, str], person: str = ALICE.id) -> str:
        """Press Continue as …; the path by which one comes back."""
        return self._decide(asked | {"user_id": person})

    def deny(self, asked: dict[str, str]) -> str:
        return self._decide(asked | {"deny": "1"})

    def _decide(self, form: dict[str, str]) -> str:
        answer = self.discord.post("/oauth2/authorize", data=form)
        assert answer.status_code == 302, answer.text
        back = urlsplit(answer.headers["Location"])
        return f"{back.path}?{back.query}"

    def log_in(self, path: str = "/auth/login", person: str = ALICE.id) -> TestResponse:
        return self.browser.get(self.consent(self.leave(path), person))

    def users(self) -> int:
        with self.world.session() as session:
            return session.scalar(select(func.count()).select_from(User)) or 0

    def is_in(self) -> bool:
        return bool(self.browser.get("/auth/link/status").get_json()["authenticated"])


def dance_of(world: World, simulator: Simulator, **changed: str) -> Dance:
    known = environment(simulator.port)
    settings: dict[str, object] = {
        name.lower(): known[name] for name in ("DISCORD_CLIENT_ID", "DISCORD_REDIRECT_URI", "DISCORD_API_BASE_URL")
    }
    settings |= {name.lower(): known[name] for name in ("DISCORD_AUTHORIZE_URL", "DISCORD_TOKEN_URL")}
    settings["discord_client_secret"] = type(world.runtime.settings.session_secret)(known["DISCORD_CLIENT_SECRET"])
    here = with_settings(world, **(settings | changed))
    return Dance(here, browser_of(make_app(here.runtime), here, None), simulator.client())


@pytest.fixture
def dance(world: World, simulator: Simulator) -> Iterator[Dance]:
    made = dance_of(world, simulator)
    yield made
    made.discord.close()


def key_of(browser: Browser) -> str:
    with browser.client.session_transaction() as cookie:
        return str(cookie["_user_id"])


def settle(world: World, status: str, *, notice: str = "send_reminder_2045", most: int = 1000) -> list[int]:
    """So many messages of a notice came to this; who they are."""
    with world.session() as session:
        ids = list(
            session.scalars(select(Delivery.id).where(Delivery.notice == notice).order_by(Delivery.id).limit(most))
        )
        values = {
            "status": status,
            "reason": Explanation(Reason.DISCORD_ANSWERED, "500"),
            "text": "Come!",
            "settled_at": world.clock.now(),
        }
        session.execute(update(Delivery).where(Delivery.id.in_(ids)).values(**values))
        carriers = (Job.kind == "delivery") & Job.subject.in_([str(one) for one in ids])
        session.execute(
            update(Job).where(carriers).values(status="failed", last_error=Explanation(Reason.DISCORD_ANSWERED, "500"))
        )
    return ids


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """All that a process writes, in the form in which it does: our events, and whatever libraries say."""
    written, before = io.StringIO(), structlog.get_config()
    structlog.configure(**{**before, "logger_factory": structlog.PrintLoggerFactory(written)})
    library = logging.StreamHandler(written)
    library.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
    logging.getLogger().addHandler(library)
    yield written
    logging.getLogger().removeHandler(library)
    structlog.configure(**before)


class Stream:
    """One open page's stream, read in a thread so that a test never waits for ever."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.answer: TestResponse = app.test_client().get("/events", buffered=False)
        self._chunks: Iterator[str | bytes] = iter(self.answer.response)
        self._reader = ThreadPoolExecutor(1)

    def next(self) -> str:
        """The next message as it stands on the wire."""
        chunk = self._reader.submit(next, self._chunks).result(PATIENCE)
        return chunk.decode() if isinstance(chunk, bytes) else chunk

    def until(self, data: str) -> None:
        while f"data: {data}\n\n" not in self.next():
            pass

    def close(self) -> None:
        self._reader.shutdown(wait=False)


def begins_with(page: str) -> str:
    """The mark of a page: what its process had heard just before it was read."""
    found = re.search(r'data-mark="([^"]*)"', page)
    assert found
    return found[1]


def stop_link(world: World, name: str, kind: MessageKind = MessageKind.CAMPAIGNS) -> str:
    """The path of the link in a message to this player."""
    with world.session() as session:
        reach = contacts.reachability_of(session, [world.players[name]], settings=world.runtime.settings)[
            world.players[name]
        ]
    settings = world.runtime.settings
    empty = unsubscribe.reader_of(reach, settings=settings).unsubscribe_link
    return unsubscribe.fill_link(empty, reach, kind, settings=settings).removeprefix(settings.base_url)
