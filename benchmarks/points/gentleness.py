"""Point 3: what an application's short reads and updates feel of a backfill at 10,000 rows/s."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from points.figure import Figure, Options, median
from points.stage import Stage, stage

_RATE = 10_000


def measure(options: Options) -> list[Figure]:
    """The load alone and beside the backfill in turns, on a table anew each time."""
    alone: list[list[float]] = []
    beside: list[list[float]] = []
    rows = round(_RATE * options.seconds * 1.3)
    with stage() as one:
        for number in range(options.rounds):
            for is_beside in (number % 2 == 0, number % 2 == 1):
                one.make_table(rows)
                waits = _load(one, rows, options.seconds, fills=is_beside)
                (beside if is_beside else alone).append(waits)
    ratios = [_p99(one) / _p99(other) for one, other in zip(beside, alone, strict=True)]
    return [
        median(3, "p99 of the load alone", [_p99(waits) for waits in alone], "ms"),
        median(3, "p99 beside the backfill", [_p99(waits) for waits in beside], "ms"),
        median(3, "p99 beside the backfill to alone", ratios, most=2.0),
        median(3, "longest request of the load alone", [max(waits) for waits in alone], "ms"),
        median(3, "longest request beside the backfill", [max(waits) for waits in beside], "ms", most=50.0),
    ]


def _load(one: Stage, rows: int, seconds: float, *, fills: bool) -> list[float]:
    command = [sys.executable, str(Path(__file__).with_name("oltp.py")), one.dsn, str(rows), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        if fills:
            one.fill(rate=_RATE)
        waits = json.loads(process.communicate()[0])
    return [float(wait) for wait in waits]


def _p99(waits: Sequence[float]) -> float:
    return statistics.quantiles(waits, n=100)[98]
