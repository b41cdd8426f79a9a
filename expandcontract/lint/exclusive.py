"""Which tables a text keeps even readers from."""

from __future__ import annotations

from expandcontract.lint.reading.text import read
from expandcontract.lint.schema import Schema
from expandcontract.lint.server.effects import effects_of
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.server.server import Server


def exclusively_locked(text: str, deployed: str, major: int) -> tuple[str, ...]:
    """
    The relations under ACCESS EXCLUSIVE, which alone is replayed on standbys, by names as SQL has them.

    Args:
        text: the SQL.
        deployed: SQL that leads to what the database holds.
        major: the server's major version.
    """
    server = Server(version=major, schema=Schema.from_sql(deployed))
    found: set[str] = set()
    for statement in read(text):
        locks = effects_of(statement.actions, server.during(statement.actions)).locks
        found.update(name for name, mode in locks.items() if mode is Lock.ACCESS_EXCLUSIVE)
    return tuple(sorted(found))
