"""The entries of ``pg_stat_statements`` on one node. https://www.postgresql.org/docs/current/pgstatstatements.html"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql

from expandcontract.database.executor import Executor
from expandcontract.database.own_statements import MARK
from expandcontract.database.queries import queries
from expandcontract.domain.statements import Counted, Sample, Statement

_OLDEST = (1, 9)  # of the extension: pg_stat_statements_info and toplevel came with it


def take_sample(
    executor: Executor, node: str, at: datetime, within: AbstractContextManager[object] | None = None
) -> Sample:
    """
    The entries of this database on a node, or why there are none to be trusted.

    Args:
        executor: on the node.
        node: its name.
        at: when, on the clock of the database with the ledger.
        within: a savepoint, where a transaction is open that an error must not end.
    """
    try:
        with within or nullcontext():
            return _sample(executor, node, at)
    except psycopg.Error as error:
        return Sample(node, at, trouble=f"it can't be asked: {' '.join(str(error).split())}")


def _sample(executor: Executor, node: str, at: datetime) -> Sample:
    installed = executor.rows(queries("statements")["installed"])
    if not installed:
        return Sample(node, at, trouble="this database has no extension pg_stat_statements; CREATE EXTENSION makes it")
    schema, version = installed[0]
    if tuple(map(int, version.split("."))) < _OLDEST:
        words = f"the extension pg_stat_statements has version {version}; ALTER EXTENSION pg_stat_statements UPDATE"
        return Sample(node, at, trouble=words)
    trouble = _trouble(*executor.rows(queries("statements")["terms"])[0])
    if trouble:
        return Sample(node, at, trouble=trouble)
    evicted, reset_at = _rows(executor, "counters", schema)[0]
    rows = _rows(executor, "entries", schema)
    if any(query is None for *_, query in rows):
        return Sample(node, at, trouble="pg_stat_statements has lost the texts of its entries")
    entries = [Statement(Counted(role, query_id, top), query, calls) for role, query_id, top, calls, query in rows]
    return Sample(node, at, None, reset_at, evicted, {entry.counted: entry for entry in entries})


def _rows(executor: Executor, name: str, schema: str) -> list[tuple[Any, ...]]:
    own = sql.Literal(f"%{MARK}%").as_string()
    text = sql.SQL(queries("statements")[name]).format(schema=sql.Identifier(schema), own=sql.SQL(own))
    return executor.rows(text.as_string().replace("%", "%%"))


def _trouble(
    track: str | None, utility: str | None, query_id: str, sees_all: bool, otherwise: Sequence[str]
) -> str | None:
    """Why what it counts isn't all."""
    if track is None:
        return "the server hasn't loaded pg_stat_statements: name it in shared_preload_libraries, and restart"
    if not sees_all:
        return "ec's role doesn't see other roles' statements; GRANT pg_read_all_stats TO it"
    if track == "none":
        return "pg_stat_statements.track is none, so nothing is counted"
    if query_id == "off":
        return "compute_query_id is off, so nothing is counted"
    if utility not in ("on", "true", "yes", "1"):
        return "pg_stat_statements.track_utility is off, so COPY, cursors and EXECUTE aren't counted"
    if otherwise:
        return f"for some it is set otherwise: {'; '.join(one.strip() for one in otherwise)}"
    return None
