"""
What a backfill must show, point by point: throughput and bloat, the rate, gentleness, flat costs, standbys, kills,
bad rows, Python functions.

    python benchmarks/backfill.py [--json] [--rows 200000] [--rounds 5] [--seconds 15] [--only 1,3]
    python benchmarks/backfill.py --rows 5000000 --seconds 60      # the full run

A ratio compares runs side by side in one round, so that a noisy machine meets them all; the order changes from round to
round, and the median over the rounds is what counts. "The server's work" is the time of all its processes on a
processor, which other programs on the machine disturb less than the clock. The server is a scratch one of its own.
Exits 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys

from points import gentleness, rate, scale, stories, throughput, transform
from points.figure import Figure, Options

POINTS = {
    1: throughput.measure,
    2: rate.measure,
    3: gentleness.measure,
    4: scale.measure,
    5: stories.standby,
    6: stories.kills,
    7: stories.bad_rows,
    8: transform.measure,
}


def main() -> None:
    """Measure, and print a line for each figure or, with ``--json``, one object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000, help="rows of each table (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds whose median counts (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=15, help="length of a load (default: %(default)s)")
    parser.add_argument("--only", default="", metavar="POINTS", help="such as 1,3")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    options = Options(arguments.rows, arguments.rounds, arguments.seconds)
    wanted = [int(point) for point in arguments.only.split(",") if point] or list(POINTS)
    figures: list[Figure] = []
    for point in wanted:
        for figure in POINTS[point](options):
            figures.append(figure)
            print(figure, file=sys.stderr if arguments.json else sys.stdout, flush=True)
    if arguments.json:
        document = {
            "cores": os.cpu_count(),
            **dataclasses.asdict(options),
            "figures": [{**dataclasses.asdict(figure), "is_met": figure.is_met} for figure in figures],
        }
        print(json.dumps(document))
    sys.exit(any(figure.is_met is False for figure in figures))


if __name__ == "__main__":
    main()
