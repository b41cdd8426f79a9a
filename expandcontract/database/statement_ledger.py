"""The ledger's part for what ``pg_stat_statements`` counted: a series of samples for each node."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from expandcontract.database.executor import Executor
from expandcontract.database.queries import queries
from expandcontract.domain.statements import Counted, Sample, Series, Statement, broken_by, grown


class StatementLedger:
    """Reads and writes through one executor, in whatever transaction that is."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def _rows(self, query: str, /, **parameters: object) -> list[tuple[Any, ...]]:
        return self._executor.rows(queries("statement_ledger")[query], parameters)

    def lock(self) -> None:
        """Until the transaction ends nobody else puts a sample; taken before the sample, or an older one may win."""
        self._rows("lock")

    def series(self, since: datetime) -> dict[str, Series]:
        """The series of each node; the entries that were called since then have their text."""
        return {
            node: Series(node, began, ended, because, reset, evicted, self._entries(node, since))
            for node, began, ended, because, reset, evicted in self._rows("series")
        }

    def _entries(self, node: str, since: datetime) -> dict[Counted, Statement]:
        rows = self._rows("entries", node=node, since=since)
        entries = [
            Statement(Counted(role, query_id, top), query, calls, grew_at)
            for role, query_id, top, calls, grew_at, query in rows
        ]
        return {entry.counted: entry for entry in entries}

    def put_sample(self, series: Series | None, sample: Sample, gap: timedelta) -> None:
        """Record a sample: it continues the series of its node, or begins it anew."""
        if series is None:
            if sample.trouble is None:
                self._put_series(sample.node, sample.at, sample.at, None, sample)
                # what the first sample finds may have been called at any time before
                self._put_entries(sample, grown(None, sample), None)
            return
        broken = broken_by(series, sample, gap)
        if broken is None:
            self._put_series(sample.node, series.began_at, sample.at, series.because, sample)
        else:
            self._put_series(sample.node, sample.at, sample.at, broken, series if sample.trouble else sample)
        if sample.trouble is None:
            if broken:
                self._rows("drop_entries", node=sample.node, entries=_document(sample.entries.values()))
            self._put_entries(sample, grown(series, sample), sample.at)

    def _put_series(
        self, node: str, began_at: datetime, ended_at: datetime, because: str | None, counters: Sample | Series
    ) -> None:
        self._rows(
            "put_series",
            node=node,
            began_at=began_at,
            ended_at=ended_at,
            because=because,
            reset_at=counters.reset_at,
            evicted=counters.evicted,
        )

    def _put_entries(self, sample: Sample, entries: Mapping[Counted, Statement], grew_at: datetime | None) -> None:
        if entries:
            self._rows("put_entries", node=sample.node, grew_at=grew_at, entries=_document(entries.values()))


def _document(entries: Iterable[Statement]) -> str:
    return json.dumps(
        [
            {
                "role": one.counted.role,
                "query_id": one.counted.query_id,
                "toplevel": one.counted.toplevel,
                "calls": one.calls,
                "query": one.query.replace("\0", ""),
            }
            for one in entries
        ]
    )
