"""What people type and press in the simulated Discord, over real sockets, and what it takes from the bot."""

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import httpx2
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from slomix.dev.simulator.people import CLIENT_ID, GUILD_ID, PUBLIC_KEY, SimulatedPerson
from slomix.interactions.commands import definitions, is_same
from tests.simulators import Simulator

COMMANDS = f"/applications/{CLIENT_ID}/guilds/{GUILD_ID}/commands"
Cast = dict[str, SimulatedPerson]


class Bot(BaseHTTPRequestHandler):
    """An endpoint for interactions that answers each with the next answer, and 401 to what is not signed."""

    asked: ClassVar[list[dict[str, Any]]] = []
    answers: ClassVar[list[dict[str, Any]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(PUBLIC_KEY))
        stamp = self.headers["X-Signature-Timestamp"].encode()
        try:
            key.verify(bytes.fromhex(self.headers["X-Signature-Ed25519"]), stamp + body)
        except InvalidSignature:
            self._answer(401, {})
            return
        said = json.loads(body)
        Bot.asked.append(said)
        self._answer(200, {"type": 1} if said["type"] == 1 else Bot.answers.pop(0))

    def _answer(self, status: int, answer: dict[str, Any]) -> None:
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def bot(simulator: Simulator) -> Iterator[type[Bot]]:
    """A bot whose commands are registered and whose endpoint Discord knows."""
    Bot.asked, Bot.answers = [], []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Bot)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/interactions"
    assert simulator.bot().patch("/applications/@me", json={"interactions_endpoint_url": url}).status_code == 200
    assert simulator.bot().put(COMMANDS, json=definitions(["en", "sl"])).is_success
    yield Bot
    server.shutdown()


def shown(text: str, kind: int = 4, *labels: str) -> dict[str, Any]:
    buttons = [{"type": 2, "style": 2, "label": label, "custom_id": f"id-{label}"} for label in labels]
    data: dict[str, Any] = {"content": text, "allowed_mentions": {"parse": []}, "flags": 64}
    return {"type": kind, "data": data | {"components": [{"type": 1, "components": buttons}] if buttons else []}}


def do(simulator: Simulator, what: str, **body: Any) -> httpx2.Response:
    return simulator.client().post(f"/control/discord/{what}", json=body)


def test_what_was_registered_is_ours(bot: type[Bot], simulator: Simulator) -> None:
    registered = simulator.bot().get(f"{COMMANDS}?with_localizations=true").json()
    assert is_same(definitions(["en", "sl"]), registered)
    registered[0]["description"] = "another"
    assert not is_same(definitions(["en", "sl"]), registered)
    assert not is_same(definitions(["en", "sl"]), registered[1:])


def test_a_command_is_posted_signed_and_its_answer_has_buttons_to_press(
    bot: type[Bot], simulator: Simulator, cast: Cast
) -> None:
    alice = cast["Alice"].id
    bot.answers += [shown("First", 4, "Yes", "No"), shown("Then", 7)]
    options = {"day": "today", "status": "Maybe"}
    seen = do(simulator, "command", user_id=alice, command="avail set", options=options).json()
    assert (seen["text"], seen["ephemeral"], seen["buttons"]) == ("First", True, ["Yes", "No"])
    command = bot.asked[-1]
    assert command["data"]["options"][0]["options"][1] == {"type": 3, "name": "status", "value": "maybe"}
    assert command["member"]["user"]["id"] == alice
    other = do(simulator, "press", user_id=cast["Bob"].id, message_id=seen["message_id"], button="Yes")
    assert other.status_code == 422, "an answer is seen by its asker alone"
    after = do(simulator, "press", user_id=alice, message_id=seen["message_id"], button="Yes").json()
    assert (after["message_id"], after["text"]) == (seen["message_id"], "Then")
    assert bot.asked[-1]["data"]["custom_id"] == "id-Yes"


@pytest.mark.parametrize(
    ("command", "options"),
    [("nothing", {}), ("avail set", {}), ("avail set", {"day": "today", "status": "sometimes"}), ("queue", {"x": "y"})],
)
def test_what_discord_would_not_let_a_person_type_is_refused(
    bot: type[Bot], simulator: Simulator, cast: Cast, command: str, options: dict[str, str]
) -> None:
    answer = do(simulator, "command", user_id=cast["Alice"].id, command=command, options=options)
    assert answer.status_code == 422
    assert bot.asked[1:] == []


def test_an_answer_that_discord_would_not_take_is_named(bot: type[Bot], simulator: Simulator, cast: Cast) -> None:
    for answer in (shown(""), shown("x" * 2001), shown("x", 4, *"abcdef"), shown("x", 4, "a", "a")):
        bot.answers.append(answer)
        assert do(simulator, "command", user_id=cast["Alice"].id, command="queue").status_code == 502


def test_an_address_that_does_not_check_signatures_is_not_taken(simulator: Simulator) -> None:
    answer = simulator.bot().patch("/applications/@me", json={"interactions_endpoint_url": f"{simulator.url}/control"})
    assert answer.status_code == 400


def test_where_the_bot_does_not_answer_the_person_sees_that(simulator: Simulator, cast: Cast) -> None:
    assert simulator.bot().put(COMMANDS, json=definitions(["en", "sl"])).is_success
    answer = do(simulator, "command", user_id=cast["Alice"].id, command="queue").json()
    assert answer["text"] == "The application did not respond"


def test_the_page_types_commands_and_presses_buttons(bot: type[Bot], simulator: Simulator, cast: Cast) -> None:
    alice = cast["Alice"].id
    bot.answers += [shown("First **bold**", 4, "Yes"), shown("Then", 7)]
    with simulator.client() as browser:
        assert '<option value="/avail set day:tomorrow status:Looking">' in browser.get("/").text
        typed = {"user_id": alice, "text": "/avail set day:tomorrow status:Not playing"}
        assert browser.post("/page/command", data=typed).headers["Location"] == f"/?as={alice}#answers"
        [set_day] = bot.asked[-1]["data"]["options"]
        assert [option["value"] for option in set_day["options"]] == ["tomorrow", "not_playing"]
        page = browser.get("/").text
        assert "First <b>bold</b>" in page
        assert "/avail set day:tomorrow status:not_playing · only Alice sees this" in page.replace(
            "Not playing", "not_playing"
        )
        [message_id] = re.findall(r'name="message_id" value="(\d+)"', page)
        browser.post("/page/press", data={"user_id": alice, "message_id": message_id, "button": "Yes"})
        assert "Then" in browser.get("/").text
        refused = browser.post("/page/command", data={"user_id": alice, "text": "/unheard of"})
        assert (refused.status_code, "command is one that is registered" in refused.text) == (422, True)
