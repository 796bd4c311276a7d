"""The rehearsal's people at browsers without scripts, and the simulator's control API."""

import re
from datetime import datetime
from typing import Any

import httpx2

_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


class UnexpectedAnswer(Exception):
    """Raised when a person meets something that should not happen."""


class SimulatorControl:
    """The simulator's control API."""

    def __init__(self, url: str) -> None:
        self._http = httpx2.Client(base_url=url, timeout=10, verify=False)

    def people(self) -> list[dict[str, str]]:
        return list(self._get("/control/people"))

    def messages(self, *, after: int = 0) -> list[dict[str, Any]]:
        """Return the messages that the providers accepted after the first `after`, oldest first."""
        return list(self._get(f"/control/messages?after={after}"))

    def set_clock(self, now: datetime | None = None, *, speed: float | None = None) -> None:
        body: dict[str, Any] = {}
        if now is not None:
            body["now"] = now.isoformat()
        if speed is not None:
            body["speed"] = speed
        self._post("/control/clock", body)

    def now(self) -> datetime:
        return datetime.fromisoformat(self._get("/control/clock")["now"])

    def type_text(self, provider: str, user_id: str, text: str) -> None:
        """Write to us as a person on Telegram or Signal."""
        self._post(f"/control/{provider}", {"user_id": user_id, "text": text})

    def press(self, provider: str, user_id: str, message_id: str, button: str) -> dict[str, Any]:
        """Press a button under a message as a person, and return what they see then."""
        body = {"user_id": user_id, "message_id": message_id, "button": button}
        return dict(self._post(f"/control/{provider}/press", body))

    def move_voice(self, user_id: str, voice_channel: str | None) -> None:
        self._post("/control/voice", {"user_id": user_id, "voice_channel": voice_channel})

    def set_game_players(self, names: list[str]) -> None:
        """Set the players on the game server, with colour codes as the server reports them."""
        self._post("/control/gameserver", {"names": names})

    def people_in_voice(self) -> list[str]:
        return [str(entry["user_id"]) for entry in self._get("/control/voice")]

    def polls(self) -> dict[str, int]:
        """Return how many requests wait at Telegram and Signal for what people write."""
        return dict(self._get("/control/polls"))

    def add_fault(self, fault: str, *, provider: str = "discord", **parameters: Any) -> None:
        self._post("/control/faults", {"provider": provider, "fault": fault, **parameters})

    def clear_faults(self) -> None:
        self._http.delete("/control/faults").raise_for_status()

    def reset(self) -> None:
        """Forget messages, voice and faults."""
        self._post("/control/reset", {})

    def _get(self, path: str) -> Any:
        return self._http.get(path).raise_for_status().json()

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        answer = self._http.post(path, json=body)
        if answer.is_error:
            raise UnexpectedAnswer(f"{path}: {answer.status_code} {answer.text}")
        return answer.json()


class BrowserUser:
    """A person at a browser without scripts: follows links and redirects, fills in forms."""

    def __init__(self, web_url: str, discord_id: str, name: str) -> None:
        self.discord_id, self.name = discord_id, name
        self._http = httpx2.Client(base_url=web_url, timeout=20, follow_redirects=True, verify=False)

    def log_in(self) -> None:
        """Log in through Discord's page."""
        page = self._http.get("/auth/login")
        asked = dict(_HIDDEN.findall(page.text))
        if "state" not in asked:
            raise UnexpectedAnswer(f"{self.name} got no login page: {page.status_code}")
        answer = self._http.post(str(page.url.copy_with(query=None)), data=asked | {"user_id": self.discord_id})
        if answer.is_error:
            raise UnexpectedAnswer(f"{self.name} could not log in: {answer.status_code}")

    def post(self, path: str, **fields: str) -> httpx2.Response:
        """Send a form from the board, with its token."""
        token = _TOKEN.search(self._http.get("/").text)
        return self._http.post(path, data={"csrf_token": token[1] if token else "", **fields})

    def get(self, path: str) -> httpx2.Response:
        return self._http.get(path)

    def call(self, path: str, body: dict[str, Any], *, key: str | None = None) -> httpx2.Response:
        """Write through the JSON API, as a script on the page would; `key` makes a repeat the same submit."""
        origin = f"{self._http.base_url.scheme}://{self._http.base_url.netloc.decode()}"
        headers = {"X-Requested-With": "XMLHttpRequest", "Origin": origin}
        return self._http.post(path, json=body, headers=headers | ({"Idempotency-Key": key} if key else {}))

    def set_status(self, day: str, status: str) -> None:
        """Press one of the status buttons."""
        answer = self.post(f"/day/{day}/status", status=status)
        if answer.is_error:
            raise UnexpectedAnswer(f"{self.name} could not say {status}: {answer.status_code}")

    def promote(self, **fields: str) -> str:
        """Schedule tonight's campaign and return its id."""
        answer = self.post("/campaigns", **fields)
        found = re.search(r'href="/campaigns/(\d+)"', answer.text)
        if answer.is_error or found is None:
            raise UnexpectedAnswer(f"{self.name} could not promote: {answer.status_code}")
        return found[1]
