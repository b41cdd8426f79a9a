"""
What the triggers of a `Sync` cost: each workload on equal tables, without triggers, with them, and with the least ones.

A ratio compares runs side by side in one round, so that a noisy machine meets them all; the order changes from round to
round, dead rows are vacuumed away in between, and the median over the rounds is what counts. On Linux the server
process's own time on the processor is compared, so that waiting for one counts for nobody.

The column ``least`` has triggers that never fire, which is what any BEFORE ROW trigger costs: PostgreSQL locks the row
before it asks for the trigger's condition.

    python benchmarks/sync.py [--json] [--rows 50000] [--rounds 5]

The server is a scratch one of its own, or that of EC_BENCH_DSN.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from expandcontract.database.executor import PsycopgExecutor
from expandcontract.database.sync_catalog import sync_columns
from expandcontract.database.sync_triggers import create_statements
from expandcontract.domain.change import Sync
from expandcontract.proof.installation import choose_installation
from expandcontract.proof.scratch_server import ScratchServer

SCHEMA = "ec_bench_sync"
PLAIN, LEAST, SYNCED = "plain", "least", "synced"

RENAME = Sync("synced", forward={"display_name": "name"}, backward={"name": "display_name"}, schema=SCHEMA)
COMPUTED = Sync(
    "synced",
    forward={"display_name": "upper(synced.name)"},
    backward={"name": "lower(display_name)"},
    schema=SCHEMA,
)


@dataclass(frozen=True)
class Workload:
    """A statement over all rows of ``{table}``, and whether it wants the table empty."""

    name: str
    statement: LiteralString
    empty: bool = False
    passes_by: bool = False  # as the backfill: with ec.sync = off


WORKLOADS = (
    Workload(
        "insert by new code",
        "INSERT INTO {table} (id, display_name, email)"
        " SELECT i, 'name ' || i, 'e' || i FROM generate_series(1, {rows}) i",
        empty=True,
    ),
    Workload(
        "insert by old code",
        "INSERT INTO {table} (id, name, email) SELECT i, 'name ' || i, 'e' || i FROM generate_series(1, {rows}) i",
        empty=True,
    ),
    Workload("update of the old column", "UPDATE {table} SET name = 'n' || id || {round}"),
    Workload("update of an unrelated column", "UPDATE {table} SET visits = visits + 1"),
    Workload("update of the new column", "UPDATE {table} SET display_name = 'd' || id || {round}"),
    Workload("update of both columns", "UPDATE {table} SET name = 'n' || {round}, display_name = 'd' || {round}"),
    Workload("backfill's update", "UPDATE {table} SET display_name = 'b' || id || {round}", passes_by=True),
)


def main() -> None:
    """Measure, and print a table or, with ``--json``, one object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=50_000, help="rows of each table (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count (default: %(default)s)")
    parser.add_argument("--major", type=int, help="PostgreSQL's major version; by default the first one found")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    with _connected(arguments.major) as connection:
        version = str(connection.info.parameter_status("server_version"))
        results = {
            kind: _measure(connection, sync, arguments.rows, arguments.rounds)
            for kind, sync in (("rename", RENAME), ("computed", COMPUTED))
        }
    if arguments.json:
        print(json.dumps({"server": version, "rows": arguments.rows, "rounds": arguments.rounds, "ratios": results}))
        return
    print(f"PostgreSQL {version}, {arguments.rows} rows, {arguments.rounds} rounds; time with triggers / without")
    for kind, ratios in results.items():
        print(f"\n{kind:32} median    min    max  least   without, µs per row")
        for name, ratio in ratios.items():
            figures = " ".join(f"{ratio[figure]:6.2f}" for figure in ("median", "min", "max", "least"))
            print(f"  {name:30} {figures}   {ratio['plain_us']:.2f}")


@contextmanager
def _connected(major: int | None) -> Iterator[psycopg.Connection[Any]]:
    """A connection to the server asked for, with nothing in the background that could disturb one table only."""
    if dsn := os.environ.get("EC_BENCH_DSN"):
        with psycopg.connect(dsn, autocommit=True) as connection:
            yield connection
        return
    settings = {"autovacuum": "off", "shared_buffers": "256MB", "max_wal_size": "4GB", "jit": "off"}
    with (
        ScratchServer(choose_installation(major), settings=settings) as server,
        psycopg.connect(server.dsn(), autocommit=True) as connection,
    ):
        yield connection


def _measure(connection: psycopg.Connection[Any], sync: Sync, rows: int, rounds: int) -> dict[str, dict[str, float]]:
    """The ratio of each workload: median, least and greatest over the rounds."""
    _make_tables(connection, sync)
    clock = _clock(connection)
    seconds: dict[str, list[dict[str, float]]] = {workload.name: [] for workload in WORKLOADS}
    try:
        for number in range(rounds + 1):  # the first one warms up
            order = [(PLAIN, LEAST, SYNCED)[(number + place) % 3] for place in range(3)]
            for workload in WORKLOADS:
                measured = {name: _run(connection, clock, workload, name, rows, number) for name in order}
                if number:
                    seconds[workload.name].append(measured)
    finally:
        connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(SCHEMA)))
    return {name: _summary(each, rows) for name, each in seconds.items()}


def _clock(connection: psycopg.Connection[Any]) -> Callable[[], float]:
    """The server process's time on the processor, in seconds, where it runs here and Linux tells; else the wall's."""
    ours = Path(f"/proc/{connection.info.backend_pid}/schedstat")
    is_local = connection.info.host in ("127.0.0.1", "localhost") or connection.info.host.startswith("/")
    if not (is_local and ours.exists()):
        return time.perf_counter
    return lambda: int(ours.read_text().split()[0]) / 1e9


def _summary(rounds: list[dict[str, float]], rows: int) -> dict[str, float]:
    ratios = [measured[SYNCED] / measured[PLAIN] for measured in rounds]
    summary = {
        "median": statistics.median(ratios),
        "min": min(ratios),
        "max": max(ratios),
        "least": statistics.median(measured[LEAST] / measured[PLAIN] for measured in rounds),
        "plain_us": statistics.median(measured[PLAIN] for measured in rounds) / rows * 1e6,
    }
    return {name: round(value, 3) for name, value in summary.items()}


def _make_tables(connection: psycopg.Connection[Any], sync: Sync) -> None:
    connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {0} CASCADE; CREATE SCHEMA {0}").format(sql.Identifier(SCHEMA)))
    for name in (PLAIN, LEAST, SYNCED):
        connection.execute(
            sql.SQL(
                "CREATE TABLE {} (id bigint PRIMARY KEY, name text, display_name text, email text,"
                " visits int NOT NULL DEFAULT 0, created_at timestamptz NOT NULL DEFAULT now())"
                # room for each row's next version on its own page: every update is then of the same kind, HOT
                " WITH (fillfactor = 40)"
            ).format(sql.Identifier(SCHEMA, name))
        )
    function = sql.Identifier(SCHEMA, "never")
    connection.execute(
        sql.SQL("CREATE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'").format(function)
    )
    for event in ("insert", "update"):
        connection.execute(
            sql.SQL("CREATE TRIGGER {} BEFORE {} ON {} FOR EACH ROW WHEN (false) EXECUTE FUNCTION {}()").format(
                sql.Identifier(event), sql.SQL(event), sql.Identifier(SCHEMA, LEAST), function
            )
        )
    columns = sync_columns(PsycopgExecutor(connection), sync.table, sync.schema)
    for statement in create_statements(sync, columns, pin_search_path=False):
        connection.execute(statement.encode())


def _run(
    connection: psycopg.Connection[Any],
    clock: Callable[[], float],
    workload: Workload,
    name: str,
    rows: int,
    number: int,
) -> float:
    """The seconds of one statement over all rows; the dead rows that it leaves are cleared away."""
    table = sql.Identifier(SCHEMA, name)
    if workload.empty:
        connection.execute(sql.SQL("TRUNCATE {}").format(table))
    statement = sql.SQL(workload.statement).format(table=table, rows=sql.Literal(rows), round=sql.Literal(str(number)))
    connection.execute("SELECT set_config('ec.sync', %s, false)", ["off" if workload.passes_by else "on"])
    began = clock()
    connection.execute(statement)
    seconds = clock() - began
    connection.execute(sql.SQL("VACUUM ANALYZE {}").format(table))
    return seconds


if __name__ == "__main__":
    main()
