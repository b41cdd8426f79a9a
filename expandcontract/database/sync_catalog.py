"""What PostgreSQL's catalogue says that the triggers of a `Sync` must know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from expandcontract.database.catalog import regclass
from expandcontract.database.executor import Executor
from expandcontract.database.queries import queries


@dataclass(frozen=True)
class SyncColumn:
    """
    A column, as the triggers see it.

    Args:
        type: its type as SQL, that below a domain.
        default: the text of what an INSERT that doesn't name it gives it; None for NULL.
        is_not_null: it is declared NOT NULL.
        unusable: why no trigger can tell what a writer wrote to it: "is generated", "has a volatile default".
        identical_when_equal: equal values have one form, so ``=`` sees every change. Not so for ``numeric`` (1.0 and
            1.00), ``citext``, nondeterministic collations; ``json`` has no equality at all.
    """

    type: str
    default: str | None = None
    is_not_null: bool = False
    unusable: str | None = None
    identical_when_equal: bool = False


def sync_columns(executor: Executor, table: str, schema: str | None = None) -> dict[str, SyncColumn]:
    """The table's columns by name; empty where there is no such table."""
    rows = executor.rows(queries("sync_catalog")["columns"], {"table": regclass(table, schema)})
    return {name: SyncColumn(*facts) for name, *facts in rows}


def types(columns: Mapping[str, SyncColumn]) -> dict[str, str]:
    """The columns' types, as `unfilled` wants them."""
    return {name: column.type for name, column in columns.items()}


def depends_on_search_path(executor: Executor, view: str, table: str, schema: str | None) -> bool:
    """Whether a view's query over that one table names anything but built-in functions, operators and types."""
    names = {"view": regclass(view, schema), "table": regclass(table, schema)}
    return bool(executor.rows(queries("sync_catalog")["depends_on_search_path"], names)[0][0])


def trigger_functions(executor: Executor, table: str, schema: str | None = None) -> dict[str, tuple[str, str]]:
    """Schema and name of the function that each trigger of the table calls, by the trigger's name."""
    rows = executor.rows(queries("sync_catalog")["functions"], {"table": regclass(table, schema)})
    return {trigger: (namespace, function) for trigger, namespace, function in rows}
