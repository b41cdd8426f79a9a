"""The tables of the database that env.py connects to, as a recipe needs to know them. Nothing in it is changed."""

from __future__ import annotations

import re
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
_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


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
        rows = self._executor.rows("SELECT pg_catalog.to_regclass(%(name)s)", {"name": catalog.regclass(name, schema)})
        if rows[0][0] is not None:
            raise UsageError(f"there is something called {name} already", next_command="choose another name")

    def refuse_partitioned(self, table: sa.Table, instead: str | None = None) -> None:
        """
        Refuse a partitioned table, whose indexes can't be built CONCURRENTLY.

        Raises:
            UsageError: it is one.
        """
        if self.rows("kind", table) == [("p",)]:
            raise UsageError(f"{table.fullname} is partitioned, which this recipe can't do", next_command=instead)

    def refuse_referred(self, table: sa.Table, column: sa.Column[Any]) -> None:
        """
        Refuse a column that foreign keys refer to, or that is in the primary key.

        Raises:
            UsageError: it is one.
        """
        for reference in self.references(table, column.name):
            raise UsageError(
                f"{reference.table}.{reference.column} refers to {table.fullname}.{column.name}",
                because="its foreign key would go with the column",
                next_command=f"drop that first: ec new drop-column {reference.table} {reference.column}",
            )
        if column.primary_key:
            raise UsageError(
                f"{table.fullname}.{column.name} is in the primary key",
                because="the rows are known by it",
            )

    def table_of_index(self, name: str) -> sa.Table:
        """
        The table that an index stands on.

        Raises:
            UsageError: there is no such index, or a constraint stands on it, or it is one of partitions.
        """
        schema, _, bare = name.rpartition(".")
        rows = self._executor.rows(queries("catalog")["index_table"], {"index": catalog.regclass(bare, schema or None)})
        if not rows:
            raise UsageError(f"there is no index {name} in this database")
        own_schema, table, constraint, is_partitioned = rows[0]
        if constraint:
            raise UsageError(f"{name} belongs to the constraint {constraint} of {table}, and goes with it")
        if is_partitioned:
            raise UsageError(f"{name} is an index of partitions, which can't be dropped CONCURRENTLY")
        return self.table(f"{own_schema}.{table}" if schema else table)

    def index_columns(self, table: sa.Table, texts: Iterable[str]) -> list[str | sa.TextClause]:
        """
        Columns as their names, other texts as expressions.

        Raises:
            UsageError: a text is neither.
        """
        found: list[str | sa.TextClause] = []
        for text in texts:
            if text in table.columns:
                found.append(text)
            elif text.isidentifier():
                self.column(table, text)
            else:
                self.refuse_expression(table, text, "the index's expression")
                found.append(sa.text(text))
        return found

    def columns_in(self, table: sa.Table, expression: str) -> tuple[str, ...]:
        """
        The columns that an expression reads.

        Raises:
            UsageError: it reads none.
        """
        words = set(re.findall(r"\w+", expression))
        found = tuple(column.name for column in table.columns if column.name in words)
        if not found:
            raise UsageError(
                f"{expression} reads no column of {table.fullname}", next_command="for a constant: --default EXPRESSION"
            )
        return found

    def is_volatile_default(self, type_: str, default: str) -> bool:
        """
        Whether a column of that type and default would give each row another value.

        Raises:
            UsageError: that can't be the type's default.
        """
        with self._rolled_back():
            try:
                self._connection.exec_driver_sql(
                    f"CREATE TEMPORARY TABLE {_SHADOW} (value {type_} DEFAULT {default})".replace("%", "%%")
                )
            except sa.exc.DBAPIError as error:
                raise UsageError(f"{default} can't be the default of {type_}", because=server_words(error)) from None
            return sync_columns(self._executor, _SHADOW, "pg_temp")["value"].unusable is not None

    def refuse_default(self, column: sa.Column[Any], default: str) -> None:
        """
        Refuse what can't be the column's default.

        Raises:
            UsageError: with the server's words.
        """
        self.is_volatile_default(compiled(column.type), default)

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

    def reshaped(
        self,
        table: sa.Table,
        renamed: Mapping[str, str],
        types: Mapping[str, TypeEngine[Any]],
        first: Iterable[str] = (),
    ) -> Reshaped:
        """
        The table as it would be with columns under another name or type; indexes and checks keep their names.

        The server rewrites their expressions itself, on an empty temporary table. `first` are statements
        that make what the types need.
        """
        with self._rolled_back():
            for statement in first:
                self._run(sql.SQL(statement))
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
                    self._run(
                        sql.SQL("ALTER TABLE {} ALTER {} TYPE {} USING NULL").format(
                            shadow, sql.Identifier(old), sql.SQL(compiled(types[old]))
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

    def standing_on(self, table: sa.Table, column: str) -> list[tuple[str, str]]:
        """What kinds of indexes and constraints the column is in, with their names."""
        names = {"table": catalog.regclass(table.name, table.schema), "column": column}
        return [(kind, name) for kind, name in self._executor.rows(queries("catalog")["standing_on"], names)]

    def columns_of_type(self, name: str) -> list[tuple[str, str]]:
        """The columns of a type of one's own, with their tables."""
        return [
            (table, column) for table, column in self._executor.rows(queries("catalog")["type_users"], {"type": name})
        ]

    def rows(self, query: str, table: sa.Table) -> list[tuple[Any, ...]]:
        """What a query of ``sql/catalog.sql`` says about the table."""
        return self._executor.rows(queries("catalog")[query], {"table": catalog.regclass(table.name, table.schema)})

    def _index_definitions(self, table: sa.Table) -> list[tuple[str, str]]:
        return [(name, definition) for name, definition in self.rows("index_definitions", table)]

    def _shadow(self) -> sa.Table:
        schema = self._executor.rows("SELECT pg_catalog.pg_my_temp_schema()::regnamespace::text")[0][0]
        return sa.Table(_SHADOW, sa.MetaData(), schema=schema, autoload_with=self._connection, resolve_fks=False)

    def _run(self, statement: sql.Composable) -> None:
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
    return generic if compiled(generic) == compiled(type_) else type_


def compiled(type_: TypeEngine[Any]) -> str:
    """The type as SQL."""
    return str(type_.compile(dialect=_DIALECT))


def _how(definition: str) -> str:
    """What an index's definition says after its own name and its table's."""
    return definition.partition(" USING ")[2]


def _qualified(table: sa.Table) -> sql.Composable:
    return qualified(table.name, table.schema)


def _did_you_mean(name: str, known: Iterable[str]) -> str | None:
    close = get_close_matches(name, list(known))
    return f"there is {', '.join(close)}" if close else None
