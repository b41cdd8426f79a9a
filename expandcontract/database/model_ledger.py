"""The ledger's part for what the models of releases declare."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from expandcontract.database.executor import Executor
from expandcontract.database.queries import queries
from expandcontract.domain.models import Declared
from expandcontract.domain.removal import Removed


class ModelLedger:
    """Reads and writes through one executor, in whatever transaction that is."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def _rows(self, query: str, /, **parameters: object) -> list[tuple[Any, ...]]:
        return self._executor.rows(queries("model_ledger")[query], parameters)

    def known(self, release: str) -> frozenset[Declared] | None:
        """What the models of a release declare; None where nobody has recorded it."""
        rows = self._rows("has_models", release=release)
        if not rows or not rows[0][0]:
            return None
        return frozenset(
            Declared(table, tuple(columns), schema) for table, columns, schema in self._rows("known", release=release)
        )

    def put(self, release: str, models: Sequence[Declared]) -> None:
        """Record what the models of a release declare, which the ledger knows already."""
        self._rows("forget", release=release)
        self._rows("put", release=release, models=json.dumps([asdict(one) for one in models]))
        self._rows("mark", release=release)

    def declaring(self, removed: Removed) -> frozenset[str]:
        """The releases whose models declare it; one that names no schema may mean any."""
        names = {"table": removed.table, "schema": removed.schema, "column": removed.column}
        return frozenset(tag for (tag,) in self._rows("declaring", **names))

    def put_removed(self, revision: str, removed: Sequence[Removed]) -> None:
        """Record what a contract removes."""
        self._rows("forget_removed", revision=revision)
        self._rows("put_removed", revision=revision, removed=json.dumps([asdict(one) for one in removed]))

    def gone(self) -> dict[str, dict[str, tuple[Removed, ...]]]:
        """What the models of each release declare that a contract, or its tombstone, took; by the revision."""
        found: dict[str, dict[str, tuple[Removed, ...]]] = {}
        for tag, revision, table, column, schema in self._rows("gone"):
            before = found.setdefault(tag, {}).get(revision, ())
            found[tag][revision] = (*before, Removed(table, column, schema))
        return found

    def without(self) -> frozenset[str]:
        """The releases of which nobody has recorded what their models declare."""
        return frozenset(tag for (tag,) in self._rows("without"))
