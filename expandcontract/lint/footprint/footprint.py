"""The footprint of a text: what it touches in a database of which other SQL has told what stands on what."""

from __future__ import annotations

from collections.abc import Iterable

from expandcontract.domain.footprint import Footprint, Touched
from expandcontract.lint.footprint.standing import Standing
from expandcontract.lint.footprint.trace import Trace
from expandcontract.lint.footprint.traces import traces


def footprint(texts: Iterable[str], standing: Standing) -> Footprint:
    """
    What the texts touch together.

    Args:
        texts: SQL.
        standing: what stands on what in the database.
    """
    done = [trace for text in texts for trace in traces(text)]
    started = [function for trace in done for function in standing.started_by(trace)]
    changes: set[Touched] = set()
    uses: set[Touched] = set()
    unknown = None
    for trace in (*done, *standing.run_by(started)):
        unknown = unknown or trace.unknown or _unplaced(trace, standing)
        changes |= trace.changes
        if trace.takes_along:
            changes |= standing.standing_on(trace.changes, as_rows=bool(trace.writes))
        changes |= {table for each in trace.writes for table in standing.behind(each) if table != each}
        uses |= trace.uses | _tables_of_unknown_members(trace, standing)
    return Footprint(frozenset(changes), standing.used_by(changes | uses) - changes, unknown)


def _unplaced(trace: Trace, standing: Standing) -> str | None:
    """An index or another object that nobody has told of may stand on any table."""
    for sought in trace.sought:
        if sought.member is None and not standing.knows(sought):
            return f"which table {sought} stands on isn't known"
    return None


def _tables_of_unknown_members(trace: Trace, standing: Standing) -> set[Touched]:
    """A constraint that nobody has told of may be about any column of its table."""
    return {
        Touched(sought.name, None, sought.schema)
        for sought in trace.sought
        if sought.member is not None and not standing.knows(sought)
    }
