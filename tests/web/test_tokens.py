"""No permission that somebody may carry about stands in clear in the database, in a log, or in another address."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from sqlalchemy import select, text

from slomix.availability.rules import Status
from slomix.contacts.models import StoredPreferences
from slomix.contacts.rules import MessageKind
from slomix.database.session import Base
from slomix.deliveries.models import Delivery
from tests.steps import call
from tests.web.conftest import Browse, Browser, browser_of, make_app, with_settings
from tests.web.steps import stop_link
from tests.workers.stage import go
from tests.world import World

ROOT = Path(__file__).parents[2]
STOP = re.compile(r"/stop/([0-9]+\.[a-z_]+\.[\w-]+)")


@dataclass(frozen=True)
class Journey:
    """What somebody carries after an evening, and what was written meanwhile."""

    tokens: dict[str, str]
    written: str


@pytest.fixture
def journey(world: World, logged: io.StringIO) -> Iterator[Journey]:
    """A login, a code for Telegram, a campaign whose messages have left, and a stop link that was opened."""
    settings = with_settings(world, telegram_enabled=True)
    app = make_app(settings.runtime)
    alice, stranger = browser_of(app, settings, "alice"), browser_of(app, settings, None)
    with alice.client.session_transaction() as cookie:
        tokens = {"login session": cookie["_user_id"]}
    state = parse_qs(urlsplit(stranger.get("/auth/login?next=/day/2026-11-20").headers["Location"]).query)["state"][0]
    with stranger.client.session_transaction() as cookie:
        tokens |= {"login state": state, "browser that began a login": cookie["browser"]}
    answer = alice.call("POST", "/api/availability/link-token", {"channel_type": "telegram"})
    tokens["linking code"] = answer.get_json()["token"]
    world.says("alice", Status.LOOKING)
    call(world)
    go(world, 20, 45)
    [token] = [found[1] for _, message, _ in world.discord.sent if (found := STOP.search(message.text))][:1]
    tokens["unsubscribe link"] = token
    for path in (f"/stop/{token}", f"/auth/login?next={quote(f'/stop/{token}')}", "/stop/1.campaigns.wrong"):
        stranger.get(path)
    stranger.get(f"/auth/callback?state={state}&code=abc")
    stranger.client.post(f"/stop/{token}")
    tokens["form token"] = alice.csrf()
    yield Journey(tokens, logged.getvalue())


def dump(world: World) -> str:
    """Everything in the database, as a backup has it."""
    with world.session() as session:
        return "\n".join(
            row for table in Base.metadata.tables for row in session.scalars(text(f"SELECT t::text FROM {table} AS t"))
        )


def test_no_token_is_in_the_database_or_in_a_log(world: World, journey: Journey) -> None:
    assert len(journey.tokens) == 6
    assert all(len(token) >= 20 for token in journey.tokens.values())
    stored = dump(world)
    for name, token in journey.tokens.items():
        assert token not in stored, f"{name} is stored in clear"
        assert quote(token) not in stored, f"{name} is stored in clear"
        assert token not in journey.written, f"{name} is in a log"
        signature = token.rpartition(".")[2]
        assert signature not in stored + journey.written, f"what makes the {name} one is readable"


def test_what_was_sent_stays_readable_without_its_link(world: World, journey: Journey) -> None:
    with world.session() as session:
        texts = session.scalars(select(Delivery.text).where(Delivery.text.is_not(None))).all()
    with_link = [words for words in texts if words and "/stop/" in words]
    assert with_link
    assert all("/stop/…" in words for words in with_link)
    assert not [words for words in texts if words and STOP.search(words)]


def test_the_table_of_tokens_names_every_one(journey: Journey) -> None:
    security = (ROOT / "docs/security.md").read_text()
    rows = re.findall(r"^\| ([a-z ]+?) \| (?:hash|nothing|signed)", security, re.MULTILINE)
    assert set(rows) >= set(journey.tokens)


@pytest.mark.parametrize("page", ["/stop/{token}", "/auth/callback?code=abc&state=def"])
def test_no_page_leads_on_to_its_own_address(world: World, anonymous: Browser, page: str) -> None:
    """A link to log in would put it into the address of the login, and so into the database and the proxy's log."""
    path = page.format(token=stop_link(world, "alice").removeprefix("/stop/"))
    html = anonymous.get(path).text
    secret = path.partition("?")[2] or path.rpartition("/")[2]
    forms = re.sub(r'<form action="/stop/[^"]*"', "", html)
    assert secret not in forms
    assert quote(secret) not in forms
    assert quote(path) not in forms


def test_the_proxys_log_masks_every_address_that_is_a_permission(world: World, anonymous: Browser) -> None:
    conf = (ROOT / "docs/operations/nginx.conf").read_text()
    [body] = re.findall(r"map \$uri \$slomix_page \{(.*?)\}", conf, re.DOTALL)
    masks = re.findall(r"~(\S+)\s", body)
    permissions = [
        rule.rule
        for rule in anonymous.client.application.url_map.iter_rules()
        if rule.arguments & {"token", "secret", "code", "key"}
    ]
    assert permissions
    for rule in permissions:
        path = re.sub(r"<[^>]+>", "x", rule)
        assert any(re.match(mask, path) for mask in masks), f"{rule} is logged in full"
    [form] = re.findall(r"log_format slomix '([^']*)'", conf)
    assert not re.search(r"\$(request|request_uri|args|query_string|remote_addr|http_referer)\b", form)


# Links end, and using one is told


def test_a_link_ends_when_its_player_unlinks_and_stays_so(world: World, browse: Browse) -> None:
    alice, path = browse("alice"), stop_link(world, "alice")
    assert alice.get(path).status_code == 200
    alice.post("/profile/unlink")
    assert alice.get(path).status_code == 404
    alice.post("/profile/link", {"guid": "guid-alice"})
    assert alice.get(path).status_code == 404, "linked to the same profile again"
    assert alice.get(stop_link(world, "alice")).status_code == 200


@pytest.mark.parametrize(("form", "said"), [({}, "calls to game nights"), ({"what": "all"}, "all messages")])
def test_using_a_link_is_told_on_the_next_visit_until_it_was_seen(
    world: World, browse: Browse, anonymous: Browser, form: dict[str, str], said: str
) -> None:
    alice = browse("alice")
    assert "switched something off" not in alice.page("/").words
    anonymous.client.post(stop_link(world, "alice"), data=form)
    words = alice.page("/").words
    assert "A link in one of your messages switched something off" in words
    assert f": {said}. Not you?" in words
    assert alice.post("/preferences/told", {"next": "/"}).status_code == 303
    assert "switched something off" not in alice.page("/").words
    with world.session() as session:
        stored = session.get_one(StoredPreferences, world.players["alice"])
        assert stored.unsubscribed_at is None
    assert "switched something off" not in browse("bob").page("/").words


def test_a_repeated_message_has_the_same_link(world: World) -> None:
    assert stop_link(world, "alice") == stop_link(world, "alice")
    assert stop_link(world, "alice") != stop_link(world, "alice", MessageKind.LOOKING)
