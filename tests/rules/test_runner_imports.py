"""What the runner of `make run` imports stays in memory for as long as everything runs: a sixth of it would be this."""

import subprocess
import sys

from slomix.database import grants
from slomix.dev.embedded import postgres
from tests.waiting import PATIENCE

HEAVY = {
    "sqlalchemy",
    "alembic",
    "psycopg",
    "redis",
    "httpx2",
    "discord",
    "flask",
    "gevent",
    "dramatiq",
    "cryptography",
}
IMPORTED = """
import sys
import slomix.__main__
import slomix.cli.up
from slomix.config import checks
from slomix.config.environment import Environment
from slomix.config.settings import Settings
from slomix.dev import embedded
from slomix.dev.simulator import people
Settings.read(Environment(people.environment(7000), {}, ()))
print(*sorted({name.split(".")[0] for name in sys.modules}))
"""


def test_the_runner_imports_nothing_of_what_only_its_processes_need() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED], capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    assert not HEAVY & set(done.stdout.split())


def test_the_role_that_it_names_is_the_one_that_is_granted() -> None:
    assert postgres.ROLE == grants.ROLE
