"""What a database holds, as SQL that leads there: for a judge of SQL that never connects."""

from __future__ import annotations

from expandcontract.database.executor import Executor
from expandcontract.database.queries import queries


def deployed_schema(executor: Executor) -> str:
    """
    The user's schemas, types, functions, tables, constraints, indexes, views, policies and triggers, in an order
    that runs; after them, as comments, how large each table is.

    The session's ``search_path`` must be ``pg_catalog``, so that every name is written with its schema. Left out are
    what extensions own and the ledger: nobody's migrations change these.
    """
    return "".join(f"{each}\n" if each.startswith("--") else f"{each};\n" for each in _lines(executor))


def deployed_statements(executor: Executor) -> frozenset[str]:
    """The same without sizes and order: two databases with equal ones have the same tables, types and so on."""
    return frozenset(each for each in _lines(executor) if not each.startswith("--"))


def _lines(executor: Executor) -> list[str]:
    asked = queries("deployed_schema")
    return [row[0] for name in asked for row in executor.rows(asked[name])]
