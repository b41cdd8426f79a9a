"""Point 4: the cost of a row and the client's memory, whatever the table's size."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from points.figure import Figure, Options, median
from points.stage import Stage, stage

_SMALLEST = 100_000
_FIGURES = ("seconds", "server", "megabytes")


def measure(options: Options) -> list[Figure]:
    """A tenth of a decade up to the rows asked for, each by a process of its own, in turns."""
    sizes = [size for size in (_SMALLEST, 1_000_000, 3_000_000, 10_000_000) if size <= max(options.rows, _SMALLEST)]
    if sizes[-1] != max(options.rows, _SMALLEST):
        sizes.append(options.rows)
    found: dict[int, list[dict[str, float]]] = {size: [] for size in sizes}
    with stage() as one:
        for _ in range(options.rounds):
            for size in sizes:
                one.make_table(size)
                found[size].append(_fill(one, size))
    figures = []
    for size in sizes:
        per_row = [1e6 * run["server"] / size for run in found[size]]
        figures.append(median(4, f"server's work for a row of {size:,}", per_row, "µs"))
        figures.append(
            median(4, f"time for a row of {size:,}", [1e6 * run["seconds"] / size for run in found[size]], "µs")
        )
    for size in sizes[1:]:
        pairs = list(zip(found[size], found[_SMALLEST], strict=True))
        cost = [large["server"] / size / (small["server"] / _SMALLEST) for large, small in pairs]
        memory = [large["megabytes"] - small["megabytes"] for large, small in pairs]
        name = f"a row of {size:,} to one of {_SMALLEST:,}"
        # no lower bound: a small table carries what each run costs, whatever its size
        figures.append(median(4, f"server's work for {name}", cost, most=1.1))
        figures.append(median(4, f"client's memory at {size:,} less at {_SMALLEST:,}", memory, "MB", least=-5, most=5))
    return figures


def _fill(one: Stage, rows: int) -> dict[str, float]:
    """By a process of its own, so that its memory is its own."""
    script = Path(__file__).with_name("client.py")
    before = one.busy()
    answer = subprocess.run([sys.executable, str(script), one.dsn, f"scale {before}"], capture_output=True, check=True)
    return {**json.loads(answer.stdout), "server": one.busy() - before}
