"""Discord, as far as it posts to us: what is typed and pressed there, signed."""

import json
from datetime import timedelta
from typing import Any

from flask.testing import FlaskClient

from slomix.clock import wall_now
from tests.discord_signing import KEY
from tests.world import CAST, World

GUILD = "900000000000000001"
EPHEMERAL = 64


class Discord:
    """Discord, as far as it posts to us."""

    def __init__(self, client: FlaskClient, world: World) -> None:
        self._client, self._world = client, world
        self._serial = 5_000_000_000_000_000_000

    def post(self, body: Any, *, old: timedelta = timedelta(0), key: Any = KEY) -> Any:
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        stamp = str(int((wall_now() - old).timestamp()))
        headers = {
            "X-Signature-Ed25519": key.sign(stamp.encode() + text).hex(),
            "X-Signature-Timestamp": stamp,
            "Content-Type": "application/json",
        }
        return self._client.post("/discord/interactions", data=text, headers=headers)

    def interaction(self, name: str, kind: int, data: dict[str, Any], *, guild: str | None = GUILD) -> dict[str, Any]:
        self._serial += 1
        user = {"id": CAST.get(name, "100000000000000099"), "username": name, "global_name": name.title()}
        whence = {"guild_id": guild, "member": {"user": user}} if guild else {"user": user}
        return {
            "id": str(self._serial),
            "application_id": "1",
            "type": kind,
            "token": "secret-token",
            "data": data,
            **whence,
        }

    def typed(self, name: str, command: str, **options: str) -> dict[str, Any]:
        """Type a command, and return what its asker sees."""
        first, _, subcommand = command.partition(" ")
        given: list[dict[str, Any]] = [{"name": key, "type": 3, "value": value} for key, value in options.items()]
        if subcommand:
            given = [{"name": subcommand, "type": 1, "options": given}]
        return self._seen(self.interaction(name, 2, {"name": first, "options": given}))

    def pressed(self, name: str, custom_id: str, *, guild: str | None = GUILD, content: str = "") -> dict[str, Any]:
        data = {"custom_id": custom_id, "component_type": 2}
        message = {"message": {"content": content, "flags": 0 if content else EPHEMERAL}}
        return self._seen(self.interaction(name, 3, data, guild=guild) | message)

    def _seen(self, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.post(body)
        assert answer.status_code == 200, answer.text
        seen: dict[str, Any] = answer.json
        if seen["type"] == 4:
            assert seen["data"]["flags"] == EPHEMERAL
        assert seen["data"]["allowed_mentions"] == {"parse": []}
        return seen


def buttons(seen: dict[str, Any]) -> dict[str, str]:
    """Return what each button sends, by its label."""
    return {each["label"]: each["custom_id"] for row in seen["data"]["components"] for each in row["components"]}
