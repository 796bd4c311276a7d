"""The earlier site as it may have stood on the evening of the tests, with what went wrong there."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from slomix.database import session as db
from slomix.legacy_import import service, source
from slomix.legacy_import.report import ImportOutcome, ImportReport, RowKind
from tests.moments import TODAY
from tests.world import World

SCHEMA = Path(__file__).parent / "predecessor_schema.sql"

# Snowflakes; the last digits are lost by whoever reads them as a JavaScript number.
PEOPLE = {
    name: str(231165917604741121 + number)
    for number, name in enumerate(
        ("nina", "otto", "pia", "quentin", "rosa", "sven", "tina", "ugo", "vera", "wim", "xena", "yuri", "zoe", "blank")
    )
} | {
    "alice": "100000000000000001",
    "charlie": "100000000000000003",
    "erik": "100000000000000005",
    "goran": "100000000000000007",
}
ROOM_THERE = "700000000000000001"
SECRETS = ("chat-4711", "+38641555666", "gAAAAA-sealed", "hash-of-a-token")


@dataclass
class Earlier:
    """Its database, to be filled like sentences."""

    url: str
    connection: psycopg.Connection[Any]

    def run(self, statement: str, *values: Any) -> None:
        self.connection.execute(statement, values or None)

    def add(self, table: str, **values: Any) -> None:
        columns = ", ".join(values)
        marks = ", ".join(["%s"] * len(values))
        told = [json.dumps(one) if isinstance(one, dict) else one for one in values.values()]
        self.run(f"INSERT INTO {table} ({columns}) VALUES ({marks})", *told)

    def user(self, name: str, *, has_discord: bool = True) -> str:
        discord_id = PEOPLE[name]
        self.add("website_users", id=discord_id, last_login_at="2026-10-01 20:00")
        if has_discord:
            known = {"username": name, "display_name": name.title()}
            self.add("discord_accounts", user_id=discord_id, discord_user_id=discord_id, **known)
        return discord_id

    def link(self, name: str, guid: str | None = None, *, table: str = "user_player_links", **values: Any) -> None:
        key = "user_id" if table == "user_player_links" else "discord_id"
        named = {"player_name": f"^2{name.title()}"} | values
        self.add(table, **{key: PEOPLE[name], "player_guid": guid or f"guid-{name}", **named})

    def old_link(self, name: str, guid: str | None = None, **values: Any) -> None:
        self.link(name, guid, table="player_links", discord_username=name, **values)

    def said(self, name: str, day: date, status: str, at: str = "2026-11-20 18:00") -> None:
        who = {"user_id": PEOPLE[name], "user_name": name}
        self.add("availability_entries", **who, entry_date=day, status=status, updated_at=at)

    def prefers(self, name: str, **values: Any) -> None:
        self.add("subscription_preferences", user_id=PEOPLE[name], **({"allow_promotions": True} | values))

    def told(self, to: str, event_key: str, channel: str = "discord", message_id: str | None = "m1") -> None:
        row = {"user_id": PEOPLE.get(to, to), "event_key": event_key, "channel_type": channel}
        self.add("notifications_ledger", **row, message_id=message_id, sent_at="2026-11-20 20:10")


@pytest.fixture
def there(empty_database_url: str) -> Iterator[Earlier]:
    """The earlier site's database, which lives on the community's clock (W5)."""
    url = db.libpq_url(empty_database_url)
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("ALTER DATABASE empty SET timezone TO 'Europe/Ljubljana'")
    with psycopg.connect(url, autocommit=True) as connection:
        earlier = Earlier(url, connection)
        earlier.run(SCHEMA.read_text())
        yield earlier


@pytest.fixture
def full(there: Earlier) -> Earlier:
    fill(there)
    return there


def fill(there: Earlier) -> None:
    """Everybody, and everything that can be wrong with them."""
    for name in PEOPLE:
        if name not in {"otto", "vera"}:
            there.user(name)
    there.user("vera", has_discord=False)  # unlinked Discord there, and stayed a recipient
    for name in ("nina", "rosa", "wim", "xena", "yuri", "zoe", "alice", "charlie"):
        there.link(name)
    there.old_link("nina", player_name="Nina_old", display_name="NiNa", display_name_source="alias")
    there.old_link("otto", player_name="Otto", display_name="everyone", display_name_source="custom")
    there.link("pia", "guid-pia")
    there.old_link("pia", "guid-pia-before")
    there.old_link("quentin", "guid-rosa")  # unlinked in one table, taken by another in the other
    there.link("sven", "guid-spare")
    there.link("tina", "guid-franka")
    there.link("erik", "guid-erik-of-another-time")
    there.link("goran", "guid-goran")
    there.link("blank", " ")
    _fill_days(there)
    _fill_wishes(there)
    _fill_campaign(there)


def _fill_days(there: Earlier) -> None:
    there.said("nina", TODAY, "LOOKING", "2026-11-20 18:00")
    there.said("nina", TODAY + timedelta(days=1), "MAYBE")
    there.said("nina", TODAY - timedelta(days=30), "AVAILABLE", "2026-10-21 19:00")
    there.said("nina", TODAY + timedelta(days=90), "NOT_PLAYING")
    there.said("nina", TODAY + timedelta(days=91), "LOOKING")
    there.said("otto", TODAY, "LOOKING", "2026-11-20 17:00")
    there.said("pia", TODAY, "AVAILABLE", "2026-11-23 12:00")  # from a clock that was ahead
    there.said("vera", TODAY, "LOOKING")
    there.said("ugo", TODAY, "LOOKING")
    there.said("alice", TODAY, "NOT_PLAYING")
    there.said("goran", TODAY, "LOOKING")
    there.run("INSERT INTO availability_entries (user_id, entry_date, status) VALUES (9, 'infinity', 'MAYBE')")
    there.run(
        f"INSERT INTO availability_entries (user_id, entry_date, status) VALUES ({PEOPLE['otto']}, 'infinity', 'MAYBE')"
    )


def _fill_wishes(there: Earlier) -> None:
    quiet = {"start": "22:00", "end": "08:00"}
    there.prefers("nina", quiet_hours=quiet, timezone="Europe/Vienna", notify_threshold=4)
    there.prefers("pia", allow_promotions=False)
    there.prefers("wim", quiet_hours={"start": "00:00", "end": "00:00"})
    there.prefers("xena", preferred_channel="discord")
    there.prefers("yuri", preferred_channel="telegram", timezone="Mars/Base", telegram_handle_encrypted=SECRETS[2])
    there.run(
        "UPDATE subscription_preferences SET quiet_hours = %s WHERE user_id = %s",
        json.dumps(json.dumps({"start": "25:00", "end": "08:00"})),  # JSON in a JSON string
        PEOPLE["yuri"],
    )
    for name in ("ugo", "vera", "alice", "goran"):
        there.prefers(name)
    for name in ("nina", "zoe"):
        there.add("availability_user_settings", user_id=PEOPLE[name])
    there.add("availability_user_settings", user_id=PEOPLE["yuri"], sound_cooldown_seconds=5, sound_enabled=False)
    there.add("availability_user_settings", user_id=PEOPLE["pia"], sound_cooldown_seconds=900)
    there.add("availability_subscriptions", user_id=PEOPLE["xena"], channel_type="discord", enabled=False)
    there.add(
        "availability_subscriptions",
        user_id=PEOPLE["nina"],
        channel_type="telegram",
        channel_address=SECRETS[0],
        verified_at="2026-10-01",
    )
    there.add(
        "availability_channel_links",
        user_id=PEOPLE["nina"],
        channel_type="signal",
        destination=SECRETS[1],
        verification_token_hash=SECRETS[3],
        verified_at="2026-10-01",
    )
    there.add("user_permissions", discord_id=PEOPLE["zoe"], tier="admin")


def _fill_campaign(there: Earlier) -> None:
    whose = {"initiated_by_user_id": PEOPLE["nina"], "initiated_by_discord_id": PEOPLE["nina"]}
    for number, (day, status) in enumerate([(TODAY, "scheduled"), (TODAY - timedelta(days=7), "followup_sent")], 1):
        there.add(
            "availability_promotion_campaigns",
            campaign_date=day,
            status=status,
            idempotency_key="k",
            recipient_count=3,
            **whose,
        )
        for job in ("send_reminder_2045", "send_start_2100", "voice_check_2100"):
            done = "sent" if status != "scheduled" else "pending"
            there.add(
                "availability_promotion_jobs",
                campaign_id=number,
                job_type=job,
                run_at="2026-11-20 21:00+01",
                status=done,
            )
    log = {"campaign_id": 2, "user_id": PEOPLE["nina"], "channel_type": "discord"}
    there.add("availability_promotion_send_logs", **log, status="sent", message_id="m")
    there.add("availability_promotion_send_logs", **log, status="failed")
    there.told("nina", f"PROMOTE:T0:{TODAY}")
    there.told("nina", f"PROMOTE:T0:{TODAY - timedelta(days=7)}")
    there.told("otto", f"PROMOTE:T0:{TODAY}", message_id=None)
    there.told("pia", f"SESSION_READY:{TODAY}:threshold=6")
    there.told("pia", f"SESSION_READY:{TODAY}:threshold=6", "telegram")
    there.told("ugo", f"PROMOTE:T0:{TODAY}")
    there.told("pia", "MYSTERY:1")
    there.told(f"-{ROOM_THERE}", f"SESSION_READY:{TODAY}:threshold=6")
    there.told(f"-{ROOM_THERE}", f"PROMOTE:FOLLOWUP:{TODAY}")


def move(world: World, there: Earlier) -> ImportReport:
    """Read, decide and write, as `--apply` does."""
    theirs = source.read_source(there.url)
    with world.session() as session:
        return service.run_import(session, theirs, settings=world.runtime.settings, now=world.clock.now())


def look(world: World, there: Earlier) -> ImportReport:
    """The dry run."""
    theirs = source.read_source(there.url)
    with world.session() as session:
        now = world.clock.now()
        return service.plan_import(session, theirs, settings=world.runtime.settings, today=TODAY, now=now)[1]


def everything(world: World) -> dict[str, list[Any]]:
    """All rows of all our tables."""
    with world.session() as session:
        return {
            table.name: sorted(map(repr, session.execute(table.select()).all()))
            for table in db.Base.metadata.sorted_tables
        }


def came_to(report: ImportReport, kind: RowKind) -> dict[tuple[ImportOutcome, str], int]:
    """How many of a kind came to what, and why."""
    return {(outcome, reason): number for one, outcome, reason, number in report.counted() if one is kind}
