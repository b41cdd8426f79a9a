"""What changes are made of: constraints that come NOT VALID and are validated later, indexes built CONCURRENTLY."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic.operations import MigrateOperation, ops
from sqlalchemy.dialects import postgresql

from expandcontract.alembic_bridge.authoring.draft import Part, Remark, sql

_NAME_BYTES = 63  # what PostgreSQL cuts longer names to
_INVOKER_SINCE = 15  # security_invoker: https://www.postgresql.org/docs/15/sql-createview.html
# of a paramstyle in which % is itself: what is quoted is SQL, and whoever executes it escapes what his driver wants
_quote = postgresql.base.PGDialect(paramstyle="named").identifier_preparer.quote  # type: ignore[no-untyped-call]


def quoted(name: str) -> str:
    """The identifier as SQL text, in quotes only where it needs them."""
    return str(_quote(name))


def relation(table: sa.Table) -> str:
    """The table's name as SQL text, with its schema where it has been given one."""
    return in_schema(table.name, table.schema)


def in_schema(name: str, schema: str | None) -> str:
    """A name as SQL text, with its schema where there is one."""
    return f"{quoted(schema)}.{quoted(name)}" if schema else quoted(name)


def object_name(*words: str) -> str:
    """A name for a constraint or an index, cut to what PostgreSQL keeps."""
    return "_".join(words).encode()[:_NAME_BYTES].decode(errors="ignore")


def renamed(name: str, old: str, new: str) -> str | None:
    """The name of an object on the column `old`, for the one on `new`; None where it doesn't tell the column."""
    found = _words(name, old)
    return object_name(name[: found[-1].start()] + new + name[found[-1].end() :]) if found else None


def renamed_first(name: str, old: str, new: str) -> str | None:
    """The name of an object of the table `old`, for the table `new`; None where it doesn't tell the table."""
    found = _words(name, old)
    return object_name(name[: found[0].start()] + new + name[found[0].end() :]) if found else None


def _words(name: str, word: str) -> list[re.Match[str]]:
    return list(re.finditer(rf"(?<![^\W_]){re.escape(word)}(?![^\W_])", name))


def accepted(rule: str, reason: str) -> Remark:
    """Above an operation that `ec lint` would report, and that is right here because of `reason`."""
    return Remark(f"ec:accept {rule}: {reason}")


def sequence_rename_accepted() -> Remark:
    """Above the renaming of a sequence that a column owns."""
    return accepted("rename-sequence", "only the column's default asks for it, and follows")


def add_column(table: sa.Table, column: sa.Column[Any]) -> ops.AddColumnOp:
    """The column comes."""
    return ops.AddColumnOp(table.name, column, schema=table.schema)


def drop_column(table: sa.Table, column: str) -> ops.DropColumnOp:
    """The column goes, and with it what stands on it."""
    return ops.DropColumnOp(table.name, column, schema=table.schema)


def create_view(
    server_version: int, view: str, columns: Sequence[str], table: str, *, replace: bool = False
) -> ops.ExecuteSQLOp:
    """A view of some columns, all of them as SQL text, through which everybody may do what they may with the table."""
    options = " WITH (security_invoker = true)" if server_version >= _INVOKER_SINCE else ""
    create = "CREATE OR REPLACE VIEW" if replace else "CREATE VIEW"
    return sql(f"{create} {view}{options} AS SELECT {', '.join(columns)} FROM {table}")  # noqa: S608 - quoted


def alter_column(table: sa.Table, column: sa.Column[Any], **changes: Any) -> ops.AlterColumnOp:
    """Changes of a column: `modify_nullable`, `modify_server_default`."""
    return ops.AlterColumnOp(table.name, column.name, schema=table.schema, existing_type=column.type, **changes)


def check(table: sa.Table, name: str, condition: str) -> ops.CreateCheckConstraintOp:
    """Holds for every write from now on; the rows that are there aren't read."""
    return ops.CreateCheckConstraintOp(
        name, table.name, sa.text(condition), schema=table.schema, postgresql_not_valid=True
    )


def foreign_key(
    table: sa.Table,
    name: str,
    columns: Sequence[str],
    target: sa.Table | tuple[str | None, str],
    keys: Sequence[str],
    **kw: Any,
) -> ops.CreateForeignKeyOp:
    """Holds for every write from now on; the rows that are there aren't read."""
    schema, referred = (target.schema, target.name) if isinstance(target, sa.Table) else target
    schemas = {"source_schema": table.schema, "referent_schema": schema}
    return ops.CreateForeignKeyOp(
        name,
        table.name,
        referred,
        list(columns),
        list(keys),
        postgresql_not_valid=True,
        **{key: value for key, value in {**schemas, **kw}.items() if value},
    )


def drop_constraint(table: sa.Table, name: str, type_: str) -> ops.DropConstraintOp:
    """The constraint goes; `type_` is ``check``, ``foreignkey``, ``primary`` or ``unique``."""
    return ops.DropConstraintOp(name, table.name, type_=type_, schema=table.schema)


def drop_foreign_keys(table: sa.Table, column: str | None = None) -> tuple[Part, ...]:
    """The table's foreign keys, or those of one column, each in a part: dropping one locks the other table too."""
    found = [key for key in table.foreign_key_constraints if key.name and (not column or column in key.column_keys)]
    return tuple(
        Part(f"drop_{key.name}", (drop_constraint(table, str(key.name), "foreignkey"),), "Locks the other table too.")
        for key in sorted(found, key=lambda key: str(key.name))
    )


def validate(table: sa.Table, *names: str) -> tuple[Part, ...]:
    """The rows that are there are read, a constraint a part, under a lock that neither reads nor writes feel."""
    return tuple(
        Part(
            f"validate_{name}",
            (sql(f"ALTER TABLE {relation(table)} VALIDATE CONSTRAINT {quoted(name)}"),),
            "Every row is read, while everybody goes on reading and writing.",
        )
        for name in names
    )


def build(table: sa.Table, name: str, columns: Sequence[Any], *, unique: bool = False, **kw: Any) -> Part:
    """An index is built while everybody goes on writing."""
    return build_index(ops.CreateIndexOp(name, table.name, list(columns), schema=table.schema, unique=unique, **kw))


def build_index(operation: ops.CreateIndexOp) -> Part:
    """The index of this operation is built while everybody goes on writing."""
    operation.kw["postgresql_concurrently"] = True
    return Part(
        f"build_{operation.index_name}",
        (operation,),
        "Built while everybody goes on writing.",
        autocommit=True,
    )


def build_unique(table: sa.Table, name: str, columns: Sequence[Any]) -> tuple[Part, ...]:
    """A unique constraint: its index is built while everybody goes on writing, then declared in an instant."""
    declared = Part(
        f"declare_{name}", (use_index(table, name, "UNIQUE"),), "The finished index becomes the constraint."
    )
    return build(table, name, columns, unique=True), declared


def drop_index(table: sa.Table, name: str) -> Part:
    """The index goes while everybody goes on working."""
    operation = ops.DropIndexOp(name, table.name, schema=table.schema, postgresql_concurrently=True, if_exists=True)
    return Part(f"drop_{name}", (operation,), "Dropped without anybody waiting.", autocommit=True)


def use_index(table: sa.Table, name: str, kind: str) -> MigrateOperation:
    """The finished unique index of that name becomes a constraint of that name: ``UNIQUE`` or ``PRIMARY KEY``."""
    return sql(f"ALTER TABLE {relation(table)} ADD CONSTRAINT {quoted(name)} {kind} USING INDEX {quoted(name)}")


def require(table: sa.Table, column: str) -> tuple[str, ops.CreateCheckConstraintOp]:
    """The name and the operation of the check that stands in for NOT NULL until all rows are known to have a value."""
    name = object_name(table.name, column, "present")
    return name, check(table, name, f"{quoted(column)} IS NOT NULL")


def set_not_null(table: sa.Table, column: sa.Column[Any], check_name: str) -> list[MigrateOperation]:
    """NOT NULL without a scan, for the validated check proves it; the check has then done its work."""
    return [
        alter_column(table, column, modify_nullable=False),
        drop_constraint(table, check_name, "check"),
    ]
