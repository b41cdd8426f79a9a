"""What a database holds, as SQL that leads there: for a judge of SQL that never connects."""

from __future__ import annotations

from expandcontract.database.executor import Executor
from expandcontract.database.queries import queries


def deployed_schema(executor: Executor) -> str:
    """
    The user's schemas, types, functions, tables, constraints, indexes, views and triggers, in an order that runs.

    The session's ``search_path`` must be ``pg_catalog``, so that every name is written with its schema. Left out are
    what extensions own and the ledger: nobody's migrations change these.
    """
    return _statements(executor, "deployed_schema")


def sql_functions(executor: Executor) -> str:
    """The functions in SQL, which `deployed_schema` leaves out: they need tables first, and views may need them."""
    return _statements(executor, "standing")


def _statements(executor: Executor, file: str) -> str:
    asked = queries(file)
    return "".join(f"{row[0]};\n" for name in asked for row in executor.rows(asked[name]))
