"""
How exactly a backfill keeps its rate, and what that costs the client.

Processes of their own fill a table at a rate, and the ledger says when each range was done. Of all windows of ten
seconds that begin or end with a range, once the backfill is warm, the two furthest from the rate count. The processor
time is that of the clients, from their first range to their last, and includes the default health signals.

    python benchmarks/rate.py [--json] [--rate 10000] [--seconds 60] [--workers 1] [--processes 1]

The server is a scratch one of its own, or that of EC_BENCH_DSN.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate

import psycopg

from expandcontract.backfill.ending import Bounds
from expandcontract.backfill.engine import Engine
from expandcontract.backfill.health.catalogue import KINDS
from expandcontract.backfill.health.configuration import HealthSettings, signals
from expandcontract.backfill.health.watch import Watch
from expandcontract.backfill.session import Settings
from expandcontract.backfill.work import Work
from expandcontract.database import ledger_installation
from expandcontract.domain.change import Backfill
from expandcontract.proof.scratch_server import ScratchServer

REVISION = "bench"
FILLS = Backfill("ec_bench_rate", set={"filled": "upper(name)"}, where="filled IS NULL", writers="0000")
WARM = 3.0  # seconds
WINDOW = 10.0


@dataclass(frozen=True)
class Kept:
    """
    How a rate was kept.

    ``lowest`` and ``highest`` are rows per second of a window, as a share of the rate; ``largest_batch`` has the rows
    of the largest range; ``client_cpu`` is the clients' share of one core.
    """

    rate: int
    seconds: float
    lowest: float
    highest: float
    largest_batch: int
    client_cpu: float


def measure(dsn: str, *, rate: int, seconds: float, workers: int = 1, processes: int = 1) -> Kept:
    """Fill a new table at that rate, for so long, and say how it was kept; the table is dropped after."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        ledger_installation.install(connection)
        _make_table(connection, round(rate * (seconds + 2 * WARM)))
        cpu = _run_clients(dsn, rate, seconds, workers, processes)
        done = connection.execute(
            "SELECT extract(epoch FROM done_at)::float8, rows_seen FROM ec.backfill_range"
            " WHERE revision = %s AND state = 'done' ORDER BY done_at",
            [REVISION],
        ).fetchall()
        connection.execute("DROP TABLE ec_bench_rate")
        connection.execute("DELETE FROM ec.backfill WHERE revision = %s", [REVISION])
    ends = [done[-1][0] - done[0][0]]
    shares = window_shares([(float(at), int(rows)) for at, rows in done], rate)
    largest = max(rows for _, rows in done)
    return Kept(rate, round(ends[0], 1), min(shares), max(shares), largest, cpu)


def window_shares(done: Sequence[tuple[float, int]], rate: int) -> list[float]:
    """
    The rows done in each window of ten seconds that begins or ends with a range, as a share of what the rate allows.

    The first ranges and the last don't count: a backfill isn't warm yet, or runs out of rows.
    """
    warm = [(at, rows) for at, rows in done if done[0][0] + WARM <= at <= done[-1][0] - 1]
    times = [at for at, _ in warm]
    before = [0, *accumulate(rows for _, rows in warm)]
    begins = [at for at in times if at + WINDOW <= times[-1]] + [at - WINDOW for at in times if at - WINDOW >= times[0]]
    return [
        (before[bisect_left(times, begin + WINDOW)] - before[bisect_left(times, begin)]) / (rate * WINDOW)
        for begin in begins
    ]


def _make_table(connection: psycopg.Connection, rows: int) -> None:
    connection.execute("DROP TABLE IF EXISTS ec_bench_rate")
    connection.execute("CREATE TABLE ec_bench_rate (id bigint PRIMARY KEY, name text, filled text)")
    fill = "INSERT INTO ec_bench_rate SELECT i, repeat('x', 100) || i, NULL FROM generate_series(1, %s) i"
    connection.execute(fill, [rows])
    connection.execute("VACUUM ANALYZE ec_bench_rate")


def _run_clients(dsn: str, rate: int, seconds: float, workers: int, processes: int) -> float:
    options = [f"--rate={rate}", f"--seconds={seconds}", f"--workers={workers}", "--client"]
    environment = {**os.environ, "EC_BENCH_DSN": dsn}
    clients = [
        subprocess.Popen([sys.executable, __file__, *options], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(processes)
    ]
    return sum(float(client.communicate()[0]) for client in clients)


def run_client(dsn: str, *, rate: int, seconds: float, workers: int) -> float:
    """One client, with all signals that are watched by default: its share of one core."""

    def connect(name: str) -> psycopg.Connection:
        return psycopg.connect(dsn, autocommit=True, application_name=name)

    what = signals(HealthSettings(), lambda source: KINDS["hours"].make(source.name))
    settings = Settings(rate, workers=workers, watched=True)
    work = Work(REVISION, FILLS, False, settings, lambda executor: None)
    bounds = Bounds(deadline=time.monotonic() + seconds)
    engine = Engine(connect, work, on_progress=lambda progress: None, stop=lambda: False, bounds=bounds)
    began, used = time.monotonic(), time.process_time()
    with Watch(connect, REVISION, FILLS, what, lambda sentence: print(sentence, file=sys.stderr)):
        engine.run()
    return (time.process_time() - used) / (time.monotonic() - began)


def main() -> None:
    """Measure once and say so."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rate", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--client", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    dsn = os.environ.get("EC_BENCH_DSN")
    if options.client:
        print(run_client(dsn or "", rate=options.rate, seconds=options.seconds, workers=options.workers))
        return
    chosen = {name: getattr(options, name) for name in ("rate", "seconds", "workers", "processes")}
    if dsn:
        kept = measure(dsn, **chosen)
    else:
        with ScratchServer(settings={"max_wal_size": "2GB"}) as server:
            kept = measure(server.dsn(), **chosen)
    if options.json:
        print(json.dumps(asdict(kept)))
        return
    print(
        f"{kept.rate:,} rows/s for {kept.seconds:g} s: windows of {WINDOW:g} s between {100 * kept.lowest:.2f} %"
        f" and {100 * kept.highest:.2f} % of the rate; ranges of up to {kept.largest_batch} rows;"
        f" the client took {100 * kept.client_cpu:.1f} % of one core"
    )


if __name__ == "__main__":
    main()
