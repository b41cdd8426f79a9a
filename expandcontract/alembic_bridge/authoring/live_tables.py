"""The tables of the database that env.py connects to, as a recipe needs to know them. Nothing in it is changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from expandcontract.alembic_bridge.server_errors import server_words
from expandcontract.alembic_bridge.sqlalchemy_executor import SqlalchemyExecutor
from expandcontract.database import catalog
from expandcontract.database.expressions import qualified
from expandcontract.database.queries import queries
from expandcontract.database.sync_catalog import SyncColumn, sync_columns
from expandcontract.errors import UsageError

_SHADOW = "ec_shadow"


@dataclass(frozen=True)
class Reference:
    """A foreign key of another table that refers to a column: who has it, its name, its column and that one's type."""

    schema: str | None
    table: str
    name: str
    column: str
    type: str
    clauses: Mapping[str, str]


@dataclass(frozen=True)
class Reshaped:
    """A table with other columns, and the names of the indexes that became other ones by that."""

    table: sa.Table
    changed_indexes: frozenset[str]


class LiveTables:
    """What the catalogue says, through env.py's own connection."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._executor = SqlalchemyExecutor(connection)
        self._inspector = sa.inspect(connection)

    @property
    def server_version(self) -> int:
        """The server's major version."""
        (version,) = self._executor.rows("SHOW server_version_num")[0]
        return int(version) // 10_000

    def table(self, name: str) -> sa.Table:
        """
        The table with its columns, indexes and constraints; `name` may have a schema before a dot.

        Raises:
            UsageError: there is no such table.
        """
        schema, _, bare = name.rpartition(".")
        try:
            table = sa.Table(
                bare, sa.MetaData(), schema=schema or None, autoload_with=self._connection, resolve_fks=False
            )
        except sa.exc.NoSuchTableError:
            known = self._inspector.get_table_names(schema or None)
            raise UsageError(
                f"there is no table {name} in this database",
                because=_did_you_mean(bare, known),
                next_command="correct the name, or bring the database to the newest revision: ec migrate expand",
            ) from None
        for column in table.columns:
            column.type = ours(column.type)
        return table

    def column(self, table: sa.Table, name: str) -> sa.Column[Any]:
        """
        A column of the table.

        Raises:
            UsageError: the table has none of that name.
        """
        if name not in table.columns:
            raise UsageError(
                f"{table.fullname} has no column {name}", because=_did_you_mean(name, table.columns.keys())
            )
        return table.columns[name]

    def refuse_existing(self, table: sa.Table, names: Iterable[str]) -> None:
        """
        Refuse new columns whose names are taken.

        Raises:
            UsageError: the table has one of them.
        """
        for name in names:
            if name in table.columns:
                raise UsageError(f"{table.fullname} has a column {name} already", next_command="choose another name")

    def refuse_relation(self, name: str, schema: str | None) -> None:
        """
        Refuse a new table, view or index whose name is taken.

        Raises:
            UsageError: there is something of that name.
        """
        rows = self._executor.rows("SELECT to_regclass(%(name)s)", {"name": catalog.regclass(name, schema)})
        if rows[0][0] is not None:
            raise UsageError(f"there is something called {name} already", next_command="choose another name")

    def facts(self, table: sa.Table) -> dict[str, SyncColumn]:
        """What a `Sync` must know of the columns."""
        return sync_columns(self._executor, table.name, table.schema)

    def type_named(self, text: str) -> TypeEngine[Any]:
        """
        The type that `text` means to the server.

        Raises:
            UsageError: it means none.
        """
        with self._rolled_back():
            try:
                self._connection.execute(sa.text(f"CREATE TEMPORARY TABLE {_SHADOW} (value {text})"))
            except sa.exc.DBAPIError as error:
                raise UsageError(f"{text!r} is no type of this server", because=server_words(error)) from None
            return ours(self._shadow().columns["value"].type)

    def refuse_expression(self, table: sa.Table, text: str, what: str) -> None:
        """
        Refuse an expression that the server can't compute over a row of the table.

        Raises:
            UsageError: with the server's words.
        """
        query = sql.SQL("EXPLAIN SELECT {} FROM {}").format(sql.SQL(f"({text}\n)"), _qualified(table))
        with self._rolled_back():
            try:
                self._connection.exec_driver_sql(query.as_string(None).replace("%", "%%"))
            except sa.exc.DBAPIError as error:
                raise UsageError(f"{what} can't be computed: {text}", because=server_words(error)) from None

    def reshaped(self, table: sa.Table, renamed: Mapping[str, str], types: Mapping[str, TypeEngine[Any]]) -> Reshaped:
        """
        The table as it would be with columns under another name or type; indexes and checks keep their names.

        The server rewrites their expressions itself, on an empty temporary table.
        """
        with self._rolled_back():
            shadow = sql.Identifier("pg_temp", _SHADOW)
            self._run(
                sql.SQL("CREATE TEMPORARY TABLE {} (LIKE {} INCLUDING CONSTRAINTS)").format(
                    sql.Identifier(_SHADOW), _qualified(table)
                )
            )
            before = dict(self._index_definitions(table))
            for name, definition in before.items():
                create = sql.SQL(definition.partition(" INDEX ")[0])
                how = sql.SQL(_how(definition))
                self._run(sql.SQL("{} INDEX {} ON {} USING {}").format(create, sql.Identifier(name), shadow, how))
            for old, new in renamed.items():
                if old in types:
                    compiled = types[old].compile(dialect=postgresql.dialect())  # type: ignore[no-untyped-call]
                    self._run(
                        sql.SQL("ALTER TABLE {} ALTER {} TYPE {} USING NULL").format(
                            shadow, sql.Identifier(old), sql.SQL(compiled)
                        )
                    )
                self._run(
                    sql.SQL("ALTER TABLE {} RENAME {} TO {}").format(shadow, sql.Identifier(old), sql.Identifier(new))
                )
            reshaped = self._shadow()
            after = dict(self._index_definitions(reshaped))
            changed = {name for name, definition in before.items() if _how(definition) != _how(after[name])}
            return Reshaped(reshaped, frozenset(changed))

    def references(self, table: sa.Table, column: str) -> list[Reference]:
        """The foreign keys that refer to this column alone."""
        rows = self._executor.rows(
            queries("catalog")["references"], {"table": catalog.regclass(table.name, table.schema), "column": column}
        )
        default = self._inspector.default_schema_name
        return [
            Reference(schema if schema != default else None, name, key, own, type_, clauses)
            for schema, name, key, own, type_, clauses in rows
        ]

    def rows(self, query: str, table: sa.Table) -> list[tuple[Any, ...]]:
        """What a query of ``sql/catalog.sql`` says about the table."""
        return self._executor.rows(queries("catalog")[query], {"table": catalog.regclass(table.name, table.schema)})

    def _index_definitions(self, table: sa.Table) -> list[tuple[str, str]]:
        return [(name, definition) for name, definition in self.rows("index_definitions", table)]

    def _shadow(self) -> sa.Table:
        schema = self._executor.rows("SELECT pg_my_temp_schema()::regnamespace::text")[0][0]
        return sa.Table(_SHADOW, sa.MetaData(), schema=schema, autoload_with=self._connection, resolve_fks=False)

    def _run(self, statement: sql.Composed) -> None:
        self._connection.exec_driver_sql(statement.as_string(None).replace("%", "%%"))

    @contextmanager
    def _rolled_back(self) -> Iterator[None]:
        nested = self._connection.begin_nested()
        try:
            yield
        finally:
            nested.rollback()


def ours(type_: TypeEngine[Any]) -> TypeEngine[Any]:
    """The type as people write it in models, ``sa.Text`` for ``sa.TEXT``, where that means the same to PostgreSQL."""
    if isinstance(type_, postgresql.ENUM):
        return postgresql.ENUM(*type_.enums, name=type_.name, schema=type_.schema, create_type=False)
    try:
        generic = type_.as_generic()
    except NotImplementedError:
        return type_
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    return generic if generic.compile(dialect=dialect) == type_.compile(dialect=dialect) else type_


def _how(definition: str) -> str:
    """What an index's definition says after its own name and its table's."""
    return definition.partition(" USING ")[2]


def _qualified(table: sa.Table) -> sql.Composable:
    return qualified(table.name, table.schema)


def _did_you_mean(name: str, known: Iterable[str]) -> str | None:
    close = get_close_matches(name, list(known))
    return f"there is {', '.join(close)}" if close else None
