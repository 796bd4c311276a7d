"""A browser a person, in front of the real application on the world of the tests."""

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy import text
from werkzeug.routing.rules import Rule
from werkzeug.test import TestResponse

from slomix.accounts import logins
from slomix.accounts.models import User
from slomix.app import create_app
from slomix.database import session as db
from slomix.runtime.context import Runtime
from slomix.web.rate_limits import limiter
from tests.channel_doubles import MemoryChannel
from tests.web.reading import Element, read
from tests.world import FrozenClock, Lookup, Peopled, World, build_world

OURS = {"X-Requested-With": "XMLHttpRequest", "Origin": "http://localhost"}


def pytest_configure(config: pytest.Config) -> None:
    """Load what only these tests need."""
    config.pluginmanager.import_plugin("tests.world")
    config.pluginmanager.import_plugin("tests.simulators")
    config.pluginmanager.import_plugin("tests.web.steps")
    config.pluginmanager.import_plugin("tests.web.every_page")


@dataclass(frozen=True)
class Browser:
    """Somebody's browser: its cookies, its forms with their token, and what scripts of ours send."""

    client: FlaskClient

    def get(self, path: str, *, htmx: bool = False, **headers: str) -> TestResponse:
        return self.client.get(path, headers=headers | ({"HX-Request": "true"} if htmx else {}))

    def page(self, path: str, *, status: int = 200) -> Element:
        """The page at `path`, read."""
        answer = self.get(path)
        assert answer.status_code == status, answer.text
        return read(answer.text)

    def csrf(self) -> str:
        """Return the token that the forms of this browser's pages carry, without fetching a page for it."""
        with self.client.session_transaction() as cookie:
            secret = cookie.setdefault("csrf_token", secrets.token_hex(20))
        return str(
            URLSafeTimedSerializer(self.client.application.secret_key or "", salt="wtf-csrf-token").dumps(secret)
        )

    def post(self, path: str, form: dict[str, str] | None = None, *, htmx: bool = False) -> TestResponse:
        """Send a form as a page of ours does: with its token, by htmx or without any script, and confirmed if asked."""
        headers = {"HX-Request": "true"} if htmx else {}
        data = {"csrf_token": self.csrf(), "confirmed": "on"} | (form or {})
        return self.client.post(path, data=data, headers=headers)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        """Call the API as a script of ours does."""
        return self.client.open(path, method=method, json=body, headers=OURS | headers)


Browse = Callable[[str | None], Browser]


def browser_of(app: Flask, world: World, name: str | None) -> Browser:
    """The browser of somebody who is logged in, or of a stranger."""
    client = app.test_client()
    if name is not None:
        with world.session() as session:
            key = logins.open_login_session(session, session.get_one(User, world.users[name]), now=world.clock.now())
        with client.session_transaction() as cookie:
            cookie["_user_id"], cookie["_fresh"] = key, True
    return Browser(client)


@pytest.fixture(scope="session")
def one_world(town: Peopled) -> World:
    """That of the application, which is made once for all tests of a process."""
    return build_world(town)


@pytest.fixture
def world(one_world: World, peopled: Peopled) -> World:
    """As if it were new."""
    one_world.clock.move_to(FrozenClock().now())
    vars(one_world.discord).update(vars(MemoryChannel()))
    for channel in (one_world.telegram, one_world.signal):
        vars(channel).update(vars(MemoryChannel(repeatable_for=timedelta(0))))
    vars(one_world.lookup).update(vars(Lookup()))
    return one_world


def with_settings(world: World, **settings: object) -> World:
    """The same people under other settings."""
    changed = world.runtime.settings.model_copy(update=settings)
    return replace(world, runtime=replace(world.runtime, settings=changed))


class Compiled(BytecodeCache):
    """Templates are compiled once a process, not once a test."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._code:
            bucket.bytecode_from_string(self._code[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key] = bucket.bytecode_to_string()


COMPILED = Compiled()


def _build_each_address_once() -> None:
    """Let the apps of a process share what builds an address: it is compiled code, and hundreds have the same ones."""
    build: Any = Rule._compile_builder
    built: dict[object, Any] = {}

    def build_once(rule: Rule, append_unknown: bool = True) -> Any:
        known = (rule.rule, repr(rule.defaults), append_unknown)
        if known not in built:
            built[known] = build(rule, append_unknown)
        return built[known]

    Rule._compile_builder = build_once  # type: ignore[method-assign, assignment]


_build_each_address_once()


def make_app(runtime: Runtime) -> Flask:
    app = create_app(runtime)
    app.extensions["slomix_hub"].linger_seconds = 2.0  # not beyond the database of the test
    app.jinja_env.bytecode_cache = COMPILED
    return app


@pytest.fixture(scope="session")
def app(one_world: World) -> Flask:
    return make_app(one_world.runtime)


@pytest.fixture(autouse=True)
def uncounted(app: Flask, one_world: World) -> Callable[[], None]:
    """What other tests asked for in this minute does not count; nor does what this one did, when it calls this."""

    def forget() -> None:
        app.extensions["slomix_shares"].reset()
        try:
            limiter.reset()
        except redis.RedisError:
            make_app(one_world.runtime)  # it counts for the app that was made last, and that one's Redis was away

    forget()
    return forget


@pytest.fixture
def browse(app: Flask, world: World) -> Browse:
    return lambda name: browser_of(app, world, name)


@pytest.fixture
def anonymous(browse: Browse) -> Browser:
    return browse(None)


@pytest.fixture
def alice(browse: Browse) -> Browser:
    return browse("alice")


@pytest.fixture
def bob(browse: Browse) -> Browser:
    return browse("bob")


@pytest.fixture
def charlie(browse: Browse) -> Browser:
    return browse("charlie")


@pytest.fixture
def dora(browse: Browse) -> Browser:
    return browse("dora")


def lands(answer: TestResponse) -> str:
    """The path that a redirect leads to."""
    assert answer.status_code in {302, 303}, answer.text
    return str(answer.headers["Location"])


_ROWS = "SELECT '{0}', count(*) || ' ' || coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM {0} t"
_FINGERPRINTS = text(" UNION ALL ".join(map(_ROWS.format, db.Base.metadata.tables)))


def everything(world: World) -> dict[str, str]:
    """A fingerprint of each table: how many rows, and what is in them."""
    with world.session() as session:
        return {row[0]: row[1] for row in session.execute(_FINGERPRINTS)}


@contextmanager
def nothing_stored(world: World) -> Iterator[None]:
    """The database is afterwards what it was before."""
    before = everything(world)
    yield
    assert everything(world) == before


def assert_sentence(sentence: str) -> None:
    """What a person reads: a sentence, and nothing of our insides."""
    assert re.fullmatch(r"[A-Z].{8,}[.!?]", sentence, re.DOTALL), sentence
    for inside in ("Traceback", "psycopg", "sqlalchemy", "Error:", "NoneType", "werkzeug"):
        assert inside not in sentence


def is_page(answer: TestResponse, status: int) -> str:
    """The sentence of an error page, or of the form that keeps what was typed."""
    assert (answer.status_code, answer.mimetype) == (status, "text/html"), answer.text
    assert "Traceback" not in answer.text
    page = read(answer.text)
    assert page.by_id("main").headings
    paragraphs, boxes = page.by_id("main").all("p"), page.by_id("main").all("div")
    said = [one for one in (*paragraphs, *boxes) if one.attributes.get("role") == "alert" and one.words]
    said = said or [one for one in paragraphs if {"notice", "problem"} <= {*one.attributes.get("class", "").split()}]
    beside_the_form = [one.words for one in said if page.by_id("main").all("form")]
    if beside_the_form:
        [sentence] = beside_the_form
        assert_sentence(sentence)
        return sentence
    [sentence] = [one.words for one in page.by_id("main").all("p") if one.words.endswith((".", "!", "?"))]
    assert_sentence(sentence)
    assert any(link.attributes.get("href") == "/" for link in page.by_id("main").all("a")), "no way to go on"
    return sentence


def is_fragment(answer: TestResponse, status: int) -> str:
    """The sentence of an error that htmx puts into the flash."""
    assert (answer.status_code, answer.mimetype) == (status, "text/html"), answer.text
    assert "<html" not in answer.text
    assert "Traceback" not in answer.text
    assert answer.headers["HX-Retarget"].startswith("#")
    sentence = read(answer.text).all("span")[0].words
    assert_sentence(sentence)
    return sentence


def is_problem(answer: TestResponse, status: int) -> str:
    """The sentence of an API's error."""
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json"), answer.text
    body = answer.get_json(force=True)
    assert set(body) == {"title", "status", "detail"}
    assert body["status"] == status
    assert body["title"]
    assert_sentence(body["detail"])
    return str(body["detail"])
