"""
How long it takes to take a column from the application and to give it back, beside a transaction that changes one row.

All three run in turns on the same table, which a reader keeps a lock on and a writer writes to, so a way that waited
for the table would show. The median counts; the ratio says what the privileges cost beyond a commit.

    python benchmarks/tombstone.py [--json] [--rounds 200] [--roles 20]

Last it reads statements as `ec prove` does: how many a second it looks through for one column.
"""

from __future__ import annotations

import argparse
import json
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from expandcontract.database.executor import PsycopgExecutor
from expandcontract.database.ledger_installation import install
from expandcontract.database.tombstones import Taken, give_back, privileges, take
from expandcontract.domain.removal import Removed
from expandcontract.lint.references import reference
from expandcontract.proof.scratch_server import ScratchServer

COLUMN = Taken("public", "users", ("name",))
STATEMENTS = 5000


def main() -> None:
    """Measure, and print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--rounds", type=int, default=200)
    arguments.add_argument("--roles", type=int, default=20)
    given = arguments.parse_args()
    with ScratchServer(durable=True) as server, psycopg.connect(server.dsn(), autocommit=True) as owner:
        _prepare(owner, given.roles)
        with _busy(server.dsn()):
            medians = _measured(owner, given.rounds)
    found = {
        "rounds": given.rounds,
        "roles": given.roles,
        "milliseconds": {name: round(median * 1000, 2) for name, median in medians.items()},
        "taking, of a commit": round(medians["take"] / medians["commit"], 2),
        "giving back, of a commit": round(medians["give back"] / medians["commit"], 2),
        "statements per second": round(_statements_per_second()),
    }
    print(json.dumps(found) if given.json else "\n".join(f"{name}: {value}" for name, value in found.items()))


def _prepare(owner: psycopg.Connection[Any], roles: int) -> None:
    install(owner)
    owner.execute("CREATE TABLE users (id bigint PRIMARY KEY, name text, display_name text)")
    owner.execute("INSERT INTO users SELECT i, 'name ' || i, 'name ' || i FROM generate_series(1, 1000) i")
    for number in range(roles):
        role = sql.Identifier(f"app_{number}")
        owner.execute(sql.SQL("CREATE ROLE {}").format(role))
        owner.execute(sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON users TO {}").format(role))


@contextmanager
def _busy(dsn: str) -> Iterator[None]:
    """A transaction that has read the table and stays open, and a session that writes to it all the time."""
    stop = threading.Event()

    def write() -> None:
        with psycopg.connect(dsn, autocommit=True) as writer:
            while not stop.is_set():
                writer.execute("UPDATE users SET display_name = 'x' WHERE id = 7")

    with psycopg.connect(dsn) as reader:
        reader.execute("SELECT count(*) FROM users")
        thread = threading.Thread(target=write)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def _measured(owner: psycopg.Connection[Any], rounds: int) -> dict[str, float]:
    executor = PsycopgExecutor(owner)

    def taking() -> None:
        known = privileges(executor, COLUMN)
        if known is None:
            raise LookupError("the table is gone")
        take(executor, "0002", COLUMN, known, ())

    ways: dict[str, Callable[[], object]] = {
        "commit": lambda: owner.execute("UPDATE ec.ledger SET version = version"),
        "take": taking,
        "give back": lambda: give_back(executor, COLUMN),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            began = time.perf_counter()
            with owner.transaction():
                way()
            seconds[name].append(time.perf_counter() - began)
    return {name: statistics.median(each) for name, each in seconds.items()}


def _statements_per_second() -> float:
    texts = [
        f"SELECT u.id, u.display_name, o.total FROM users AS u JOIN orders_{number} AS o ON o.user_id = u.id"
        for number in range(STATEMENTS)
    ]
    began = time.perf_counter()
    for text in texts:
        reference(text, Removed("users", "name"))
    return STATEMENTS / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
