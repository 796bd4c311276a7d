"""Steps that many tests take: a campaign, a command, what the database was asked."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import event, func, select

from slomix.availability import service as availability
from slomix.campaigns import late, rules, service
from slomix.campaigns.models import Campaign
from slomix.campaigns.rules import Audience
from slomix.campaigns.service import CampaignChoices
from slomix.cli import main
from slomix.database import session as db
from slomix.database.session import Database
from slomix.jobs import service as jobs
from slomix.jobs.models import Job
from tests.configuration import CONTACT_KEY
from tests.moments import TODAY, at
from tests.world import World, build_world


def call(
    world: World, name: str = "bob", *, key: str = "k1", hour: int = 21, day: date = TODAY, **options: object
) -> tuple[int, bool]:
    """Somebody presses Schedule campaign."""
    chosen = {"audience": Audience(), "include_late_joiners": False, "dry_run": False, "start_at": at(hour, day=day)}
    with world.session() as session:
        campaign, is_new = service.create_campaign(
            session,
            world.players[name],
            CampaignChoices(**(chosen | options)),  # type: ignore[arg-type]
            day=day,
            idempotency_key=key,
            settings=world.runtime.settings,
            now=world.clock.now(),
        )
        return campaign.id, is_new


def is_late(world: World, name: str, day: date = TODAY) -> None:
    with world.session() as session:
        now, settings = world.clock.now(), world.runtime.settings
        late.say_late(session, world.players[name], day, settings=settings, now=now)


def comes(world: World, name: str) -> datetime | None:
    """Return when this player comes, as long as they are late."""
    with world.session() as session:
        return availability.late_players(session, TODAY, now=world.clock.now()).get(world.players[name])


def jobs_of(world: World, campaign_id: int) -> dict[str, Job]:
    with world.session() as session:
        own = jobs.jobs_of_subject(session, f"campaign:{campaign_id}", rules.JOB_KINDS)
        assert len(own) == len({job.kind for job in own})
        return {job.kind: job for job in own}


def latest(world: World) -> int:
    with world.session() as session:
        return session.scalars(select(func.max(Campaign.id))).one() or 0


def cancel(world: World, campaign_id: int, name: str = "bob", *, is_admin: bool = False) -> None:
    with world.session() as session:
        service.cancel_campaign(
            session, campaign_id, player_id=world.players[name], is_admin=is_admin, now=world.clock.now()
        )


@pytest.fixture
def configured(committed: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Database:
    """An installation that nobody has come to yet, as commands find it."""
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "DATABASE_URL": committed.url,
        "REDIS_URL": "redis://127.0.0.1:1",
        "SESSION_SECRET": "of-the-tests-and-of-nothing-else-at-all",
        "SLOMIX_ENV": "development",
        "PORT": "64999",  # where no copy runs
        "CONTACT_DATA_ENCRYPTION_KEY": CONTACT_KEY,
    }.items():
        monkeypatch.setenv(name, value)
    return committed


@pytest.fixture
def installation(configured: Database) -> World:
    return build_world(configured)


def do(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


def checked() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(do("check", "--json").output)
    return found


@contextmanager
def counted(database: db.Database) -> Iterator[Counter[str]]:
    """How many statements and commits happen inside the block."""
    found: Counter[str] = Counter()

    def statement(*_: object) -> None:
        found["statements"] += 1

    def commit(*_: object) -> None:
        found["commits"] += 1

    event.listen(database.engine, "before_cursor_execute", statement)
    event.listen(database.engine, "commit", commit)
    try:
        yield found
    finally:
        event.remove(database.engine, "before_cursor_execute", statement)
        event.remove(database.engine, "commit", commit)
