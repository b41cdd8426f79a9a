"""What a backfill's updates set off on the table, besides what its author wants: triggers, indexes, growth."""

from __future__ import annotations

from typing import Any

import psycopg

from expandcontract.database import catalog
from expandcontract.database.executor import PsycopgExecutor
from expandcontract.domain.change import Backfill

_MANY_INDEXES = 3


def side_effects(connection: psycopg.Connection[Any], backfill: Backfill) -> list[str]:
    """
    Sentences about the table's own triggers that will fire, and about indexes that make each row dearer.

    For a statement of the author's own it isn't known which columns it writes: all triggers on UPDATE count.
    """
    executor, table = PsycopgExecutor(connection), backfill.table
    columns = list(backfill.written_columns)
    found = [
        f"trigger {trigger.name} fires for each row that is written and calls {trigger.function}:"
        " what it sets, such as an updated_at, changes with the backfill"
        for trigger in catalog.triggers_on_update(executor, table, columns, backfill.table_schema)
        if trigger.name not in backfill.triggers
    ]
    if not columns:
        return found
    indexes = catalog.indexes_over(executor, table, columns, backfill.table_schema)
    if indexes.over_columns:
        found.append(
            f"index {', '.join(indexes.over_columns)} is over a column that is written, so every row gets a new entry"
            f" in all {indexes.count} indexes of {table} (no HOT update); build it after the backfill, if it is new"
        )
    elif indexes.count >= _MANY_INDEXES and indexes.fillfactor == 100:
        found.append(
            f"{table} has {indexes.count} indexes, and its pages are filled to the last byte, so most rows get a new"
            " entry in each; a lower fillfactor leaves room for HOT updates, once the table is rewritten with it"
        )
    return found
