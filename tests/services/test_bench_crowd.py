"""The crowd of the benchmarks, which nothing else puts into a database."""

from sqlalchemy import func, select

from bench import crowd
from slomix.accounts.models import Player, User
from slomix.database.session import Database
from slomix.dev.simulator.people import LOAD_TEST_USERS
from tests.moments import at


def test_every_one_of_them_can_be_stored(database: Database) -> None:
    with database.transaction() as session:
        players = [crowd._join(session, person, at(20, 0)) for person in LOAD_TEST_USERS]
        session.flush()
        for player, person in zip(players, LOAD_TEST_USERS, strict=True):
            session.add_all(crowd._linked(player.id, person, at(20, 0)))
        session.flush()
        assert session.scalar(select(func.count()).select_from(Player)) == len(LOAD_TEST_USERS)
        assert session.scalar(select(func.count()).select_from(User)) == len(LOAD_TEST_USERS)
