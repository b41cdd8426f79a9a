"""What a rule of placement may ask: the other differences, the models, and the server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from alembic.operations import MigrateOperation, ops
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateColumn
from sqlalchemy.types import TypeEngine

Key = tuple[str | None, str]  # schema and name

_PROBE = "ec_probe"


@dataclass(frozen=True)
class Surroundings:
    """
    What surrounds a difference.

    Args:
        connection: the database that is compared; nothing in it is changed.
        metadata: what the models map.
        differences: all of them.
    """

    connection: sa.Connection
    metadata: Sequence[sa.MetaData]
    differences: Sequence[MigrateOperation]

    def is_new_table(self, table: Key) -> bool:
        """Whether the table comes with this change, so that nobody uses it yet."""
        return any(_is(ops.CreateTableOp, each, table) for each in self.differences)

    def is_gone_table(self, table: Key) -> bool:
        """Whether the table goes with this change."""
        return any(_is(ops.DropTableOp, each, table) for each in self.differences)

    def new_column(self, table: Key, name: str) -> sa.Column[Any] | None:
        """The column of that name which comes with this change."""
        added = (each for each in self.differences if isinstance(each, ops.AddColumnOp) and _key(each) == table)
        return next((each.column for each in added if each.column.name == name), None)

    def is_gone_column(self, table: Key, name: str) -> bool:
        """Whether the column goes with this change, or its table."""
        dropped = (each for each in self.differences if isinstance(each, ops.DropColumnOp) and _key(each) == table)
        return self.is_gone_table(table) or any(each.column_name == name for each in dropped)

    def model(self, table: Key) -> sa.Table | None:
        """The table as the models have it."""
        tables = (known for metadata in self.metadata for known in metadata.tables.values())
        default = sa.inspect(self.connection).default_schema_name
        return next(
            (known for known in tables if known.name == table[1] and known.schema in _same(table[0], default)), None
        )

    def has_type(self, name: str, schema: str | None) -> bool:
        """Whether the database has an enum type of that name."""
        inspector = sa.inspect(self.connection)
        enums = inspector.get_enums(schema)  # type: ignore[attr-defined]  # PostgreSQL's inspector
        return any(each["name"] == name for each in enums)

    def models_use_type(self, name: str) -> bool:
        """Whether a column of the models has the enum type of that name."""
        columns = (c for metadata in self.metadata for table in metadata.tables.values() for c in table.columns)
        types = (getattr(column.type, "item_type", column.type) for column in columns)
        return any(isinstance(kind, sa.Enum) and kind.name == name for kind in types)

    def gives_each_row_its_own(self, column: sa.Column[Any], preparing: Iterable[str] = ()) -> bool:
        """
        Whether the default gives each row a value of its own, so that adding the column writes every row.

        The server says so: it keeps one value for all rows that are there (``atthasmissing``) only where it may
        (https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES).

        Args:
            column: the column, which has a default.
            preparing: statements that make its type.
        """
        added = CreateColumn(column._copy()).compile(dialect=self.connection.dialect)
        with self._probe("CREATE TEMPORARY TABLE {} ()"):
            for statement in preparing:
                self._run(statement)
            self._run(f"ALTER TABLE {_PROBE} ADD COLUMN {added}")
            rows = (
                f"SELECT bool_and(atthasmissing) FROM pg_attribute WHERE attrelid = '{_PROBE}'::regclass AND attnum > 0"  # noqa: S608
            )
            return not self.connection.exec_driver_sql(rows).scalar_one()

    def changes_without_rewriting(self, old: TypeEngine[Any], new: TypeEngine[Any]) -> bool:
        """Whether a column of the old type becomes one of the new type without its table being written anew."""
        names = [each.compile(dialect=self.connection.dialect) for each in (old, new)]
        with self._probe(f"CREATE TEMPORARY TABLE {{}} (value {names[0]})"):
            file = f"SELECT pg_relation_filenode('{_PROBE}'::regclass)"
            before = self.connection.exec_driver_sql(file).scalar_one()
            try:
                self._run(f"ALTER TABLE {_PROBE} ALTER COLUMN value TYPE {names[1]}")
            except sa.exc.DBAPIError:  # there is no cast
                return False
            return bool(self.connection.exec_driver_sql(file).scalar_one() == before)

    @contextmanager
    def _probe(self, create: str) -> Iterator[None]:
        nested = self.connection.begin_nested()
        try:
            self._run(create.format(_PROBE))
            yield
        finally:
            nested.rollback()

    def _run(self, statement: str) -> None:
        self.connection.exec_driver_sql(statement.replace("%", "%%"))


def key_of(operation: MigrateOperation) -> Key:
    """Schema and name of the table that an operation is about."""
    match operation:
        case ops.CreateForeignKeyOp():
            return operation.kw.get("source_schema"), operation.source_table
        case _:
            return _key(operation)


def _key(operation: Any) -> Key:
    return getattr(operation, "schema", None), str(getattr(operation, "table_name", ""))


def _is(kind: type[MigrateOperation], operation: MigrateOperation, table: Key) -> bool:
    return isinstance(operation, kind) and _key(operation) == table


def _same(schema: str | None, default: str | None) -> Iterable[str | None]:
    """The schema as models may have it: the default one may stand there or not."""
    return (None, default) if schema in (None, default) else (schema,)


def shown(table: Key, column: str | None = None) -> str:
    """The table or column as a sentence names it."""
    return ".".join(filter(None, (*table, column)))


def bare(table: Key) -> sa.Table:
    """The table as operations want it: its name and schema."""
    return sa.Table(table[1], sa.MetaData(), schema=table[0])


def literal(value: object, type_: TypeEngine[Any]) -> str | None:
    """The value as SQL, or None where the type can't be written so."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    try:
        return str(sa.literal(value, type_).compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    except (sa.exc.CompileError, NotImplementedError, TypeError, ValueError, AttributeError):
        return None
