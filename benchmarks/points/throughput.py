"""Point 1: rows per second flat out, and what is left behind, beside one UPDATE of the whole column."""

from __future__ import annotations

from collections.abc import Callable

from points.figure import Figure, Options, median
from points.stage import Run, Stage, stage

Way = tuple[dict[str, bool], Callable[[Stage], Run]]

_WAYS: dict[str, Way] = {
    "one UPDATE": ({}, lambda one: one.update()),
    "one worker": ({}, lambda one: one.fill()),
    "two workers": ({}, lambda one: one.fill(workers=2)),
    "one worker, one turn": ({}, lambda one: one.fill(turns=1)),
    "one UPDATE beside a Sync": ({"sync": True}, lambda one: one.update()),
    "one worker beside a Sync": ({"sync": True}, lambda one: one.fill(sync=True)),
    "four indexes, one turn": ({"indexes": True}, lambda one: one.fill(turns=1)),
    "four indexes": ({"indexes": True}, lambda one: one.fill()),
}


def measure(options: Options) -> list[Figure]:
    """Each way on a table of its own in each round, the order changing."""
    runs: dict[str, list[Run]] = {name: [] for name in _WAYS}
    names = list(_WAYS)
    with stage() as one:
        for number in range(options.rounds):
            shift = number % len(names)
            for name in names[shift:] + names[:shift]:
                table, way = _WAYS[name]
                one.make_table(options.rows, **table)
                runs[name].append(way(one))

    def faster(name: str, than: str, what: Callable[[Run], float] = lambda run: run.seconds) -> list[float]:
        return [what(slow) / what(fast) for slow, fast in zip(runs[than], runs[name], strict=True)]

    def work(run: Run) -> float:
        return run.server_seconds

    growth = [mine.grown / its.grown for mine, its in zip(runs["one worker"], runs["one UPDATE"], strict=True)]
    return [
        median(1, "one UPDATE", [options.rows / run.seconds for run in runs["one UPDATE"]], "rows/s"),
        median(1, "one worker: rows/s to one UPDATE's", faster("one worker", "one UPDATE"), least=1.0),
        median(1, "one worker: server's work to one UPDATE's, inverse", faster("one worker", "one UPDATE", work)),
        median(1, "two workers: rows/s to one UPDATE's", faster("two workers", "one UPDATE"), least=1.35),
        median(1, "one worker in one turn: rows/s to one UPDATE's", faster("one worker, one turn", "one UPDATE")),
        median(
            1,
            "beside a Sync: rows/s to one UPDATE's beside it",
            faster("one worker beside a Sync", "one UPDATE beside a Sync"),
        ),
        median(1, "heap growth to one UPDATE's", growth, most=0.3),
        median(1, "four indexes: rows/s to one turn's", faster("four indexes", "four indexes, one turn"), least=1.4),
        median(
            1,
            "four indexes: server's work to one turn's, inverse",
            faster("four indexes", "four indexes, one turn", work),
        ),
    ]
