"""Whatever somebody sends, and wherever they put another person's ids: nothing of the other one's changes."""

import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.routing import Rule

from slomix.availability.rules import Status
from slomix.contacts.rules import ChannelName
from slomix.database import session as db
from slomix.web.rate_limits import limiter
from tests.moments import TODAY
from tests.web.conftest import OURS, Browse, browser_of
from tests.world import World

VICTIM = "erik"
# After these the one who tries is somebody less.
LAST = ("/profile/link", "/profile/unlink", "/profile/delete")


def rows_of(world: World, name: str) -> dict[str, list[str]]:
    """Every row that is about this person, in whatever table."""
    owners = {"player_id": world.players[name], "user_id": world.users[name], "discord_id": world.discord_ids[name]}
    found: dict[str, list[str]] = {}
    with world.session() as session:
        for table in db.Base.metadata.sorted_tables:
            for column, value in owners.items():
                if column in table.columns:
                    query = text(f'SELECT t::text FROM "{table.name}" t WHERE {column}::text = :value ORDER BY 1')
                    found[f"{table.name}.{column}"] = list(session.scalars(query, {"value": str(value)}))
    return found


def fields(world: World) -> dict[str, Any]:
    """All that could name somebody, and all that a form or a call may want."""
    return {
        "player_id": str(world.players[VICTIM]),
        "user_id": str(world.users[VICTIM]),
        "discord_id": world.discord_ids[VICTIM],
        "guid": f"guid-{VICTIM}",
        "player_guid": f"guid-{VICTIM}",
        "contact_id": "1",
        "channel_type": "telegram",
        "channel_address": "4711",
        "token": "x" * 32,
        "verified": True,
        "is_admin": True,
        "role": "admin",
        "date": str(TODAY),
        "status": "NOT_PLAYING",
        "allow_promotions": False,
        "preferred_channel": "signal",
        "timezone": "Asia/Tokyo",
        "sound_enabled": True,
        "note": "it is mine",
        "what": "all",
    }


def paths(rule: Rule, world: World) -> list[str]:
    """The rule's addresses, with the victim's ids in every place."""
    ids = [world.players[VICTIM], world.users[VICTIM], 1]
    filled: list[str] = []
    for number in ids:
        address = rule.rule
        for argument in rule.arguments:
            start = address.index("<")
            end = address.index(">") + 1
            value = {
                "day": str(TODAY),
                "the_day": str(TODAY),
                "channel": "telegram",
                "token": f"{number}.campaigns.sig",
            }
            address = address[:start] + str(value.get(argument, number)) + address[end:]
        filled.append(address)
    return list(dict.fromkeys(filled))


@pytest.fixture
def victim(world: World) -> World:
    """Erik has an answer for today, wishes, and a chat on Telegram."""
    world.says(VICTIM, Status.LOOKING)
    world.has(VICTIM, ChannelName.TELEGRAM, "31337")
    limiter.reset()
    return world


@pytest.mark.parametrize("name", [None, "charlie", "alice"])
def test_nobodys_rows_are_touched_by_another_persons_calls(
    victim: World, app: Flask, browse: Browse, name: str | None
) -> None:
    before = rows_of(victim, VICTIM)
    assert all(before[f"{table}.player_id"] for table in ("contacts", "availability_entries"))
    sent = fields(victim)
    tried = 0
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: LAST.index(rule.rule) if rule.rule in LAST else -1):
        methods = (rule.methods or set()) & {"POST", "DELETE", "PUT", "PATCH"}
        for method in methods:
            for path in paths(rule, victim):
                browser = browser_of(app, victim, name)  # some of the calls log out
                if path.startswith("/api/"):
                    answer = browser.client.open(path, method=method, data=json.dumps(sent), headers=OURS)
                else:
                    form = {field: str(value) for field, value in sent.items()} | {"csrf_token": browser.csrf()}
                    answer = browser.client.open(path, method=method, data=form)
                assert answer.status_code != 500, (path, answer.text)
                tried += 1
    assert tried > 30
    assert rows_of(victim, VICTIM) == before
