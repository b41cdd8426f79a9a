"""
Which PostgreSQL a statement needs at least; the parser reads the newest grammar, so it accepts all of these.

From the release notes: https://www.postgresql.org/docs/release/.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from expandcontract.lint.expression import walk
from expandcontract.lint.schema import Schema
from expandcontract.lint.statement import (
    Action,
    AddColumn,
    AddConstraint,
    AlterColumn,
    AlterConstraint,
    AlterRelation,
    Column,
    ColumnChange,
    Constraint,
    ConstraintKind,
    CreateFunction,
    CreateIndex,
    CreateStatistics,
    CreateTable,
    CreateTrigger,
    DetachPartition,
    Drop,
    Reindex,
    SetSequence,
    Statement,
    TableChange,
    Write,
)

Need = tuple[str, int]

_WITHOUT_QUERIES = frozenset(("AlterTableStmt", "CommentStmt", "CreateStmt", "DropStmt", "IndexStmt", "RenameStmt"))

_EXECUTE_FUNCTION = re.compile(rb"(?is)\bEXECUTE(?:\s|--[^\n]*\n|/\*.*?\*/)+FUNCTION\b")


def needs(action: Action, statement: Statement, schema: Schema) -> Iterator[Need]:
    """Give each newer construct that the action uses, with the major version that brought it."""
    handler = _HANDLERS.get(type(action))
    if handler:
        yield from handler(action, schema)
    if isinstance(action, CreateTrigger) and _EXECUTE_FUNCTION.search(statement.source):
        yield "EXECUTE FUNCTION in CREATE TRIGGER (before: EXECUTE PROCEDURE)", 11
    if action is statement.actions[-1] and statement.tag not in _WITHOUT_QUERIES:
        yield from _anywhere(statement.tree)


def _anywhere(tree: dict[str, Any]) -> Iterator[Need]:
    for tag, body in walk(tree):
        if tag == "MergeStmt":
            yield "MERGE", 15
            if "returningClause" in body:
                yield "MERGE … RETURNING", 17
        elif (
            tag == "CommonTableExpr" and body.get("ctematerialized", "CTEMaterializeDefault") != "CTEMaterializeDefault"
        ):
            yield "WITH … AS [NOT] MATERIALIZED", 12
        elif tag == "JsonTable":
            yield "JSON_TABLE", 17
        elif tag == "SelectStmt" and body.get("limitOption") == "LIMIT_OPTION_WITH_TIES":
            yield "FETCH … WITH TIES", 13
        elif tag == "CallStmt":
            yield "CALL", 11
        elif tag == "DropdbStmt" and body.get("options"):
            yield "DROP DATABASE … WITH (FORCE)", 13
        elif tag == "VacuumStmt" and body.get("is_vacuumcmd"):
            yield from (
                (f"VACUUM ({name.upper()})", since)
                for option in body.get("options", ())
                for name, since in _VACUUM_OPTIONS
                if option["DefElem"]["defname"] == name
            )
        elif tag == "VacuumRelation" and not body.get("relation", {}).get("inh", True):
            yield "VACUUM ONLY", 18


_VACUUM_OPTIONS = (
    ("skip_locked", 12),
    ("index_cleanup", 12),
    ("truncate", 12),
    ("parallel", 13),
    ("process_toast", 14),
    ("process_main", 16),
    ("skip_database_stats", 16),
    ("only_database_stats", 16),
    ("buffer_usage_limit", 16),
)


def _column(column: Column) -> Iterator[Need]:
    if column.generated == "stored":
        yield "GENERATED … STORED", 12
    elif column.generated == "virtual":
        yield "a virtual generated column", 18
    if column.compression:
        yield "COMPRESSION on a column", 14
    if column.storage:
        yield "STORAGE in a column's definition", 16


def _constraint(constraint: Constraint) -> Iterator[Need]:
    if not constraint.enforced:
        yield "NOT ENFORCED", 18
    if constraint.kind is ConstraintKind.NOT_NULL:
        yield "NOT NULL as a table constraint", 18
    if constraint.nulls_not_distinct:
        yield "NULLS NOT DISTINCT", 15
    if constraint.without_overlaps:
        yield "WITHOUT OVERLAPS and PERIOD", 18


def _create_table(action: CreateTable, schema: Schema) -> Iterator[Need]:
    for column in action.columns:
        yield from _column(column)
    for constraint in action.constraints:
        yield from _constraint(constraint)
        if action.partition_strategy and constraint.kind in _PARTITIONED_SINCE:
            yield f"{constraint.kind} on a partitioned table", _PARTITIONED_SINCE[constraint.kind]
    if action.partition_strategy == "hash" or (action.bound and action.bound.strategy == "hash"):
        yield "hash partitioning", 11
    if action.bound and action.bound.is_default:
        yield "a DEFAULT partition", 11


_PARTITIONED_SINCE = {
    ConstraintKind.PRIMARY_KEY: 11,
    ConstraintKind.UNIQUE: 11,
    ConstraintKind.FOREIGN_KEY: 11,
}


def _add_column(action: AddColumn, schema: Schema) -> Iterator[Need]:
    yield from _column(action.column)
    for constraint in action.column.constraints:
        yield from _constraint(constraint)


def _add_constraint(action: AddConstraint, schema: Schema) -> Iterator[Need]:
    yield from _constraint(action.constraint)
    kind = action.constraint.kind
    if schema.is_partitioned(action.table) and kind in _PARTITIONED_SINCE:
        yield f"{kind} on a partitioned table", _PARTITIONED_SINCE[kind]


def _alter_column(action: AlterColumn, schema: Schema) -> Iterator[Need]:
    since = {
        ColumnChange.SET_EXPRESSION: 17,
        ColumnChange.DROP_EXPRESSION: 13,
        ColumnChange.SET_COMPRESSION: 14,
    }.get(action.change)
    if since:
        yield str(action.change), since
    if action.change is ColumnChange.SET_STATISTICS and action.column.strip('"').isdigit():
        yield "SET STATISTICS by column number", 11


def _alter_constraint(action: AlterConstraint, schema: Schema) -> Iterator[Need]:
    if action.enforced is not None:
        yield "ALTER CONSTRAINT … [NOT] ENFORCED", 18


def _alter_relation(action: AlterRelation, schema: Schema) -> Iterator[Need]:
    if action.change is TableChange.SET_ACCESS_METHOD:
        yield "SET ACCESS METHOD", 15
    elif action.change is TableChange.ATTACH_INDEX:
        yield "ALTER INDEX … ATTACH PARTITION", 11


def _create_index(action: CreateIndex, schema: Schema) -> Iterator[Need]:
    if action.nulls_not_distinct:
        yield "NULLS NOT DISTINCT", 15
    if action.included:
        yield "INCLUDE in an index", 11
    if action.only or schema.is_partitioned(action.table):
        yield "an index on a partitioned table", 11


def _reindex(action: Reindex, schema: Schema) -> Iterator[Need]:
    if action.concurrently:
        yield "REINDEX CONCURRENTLY", 12
    if not action.name and action.scope in ("database", "system"):
        yield f"REINDEX {action.scope.upper()} without a name", 16


def _detach(action: DetachPartition, schema: Schema) -> Iterator[Need]:
    if action.concurrently or action.finalize:
        yield "DETACH PARTITION … CONCURRENTLY and FINALIZE", 14


def _trigger(action: CreateTrigger, schema: Schema) -> Iterator[Need]:
    if action.replace:
        yield "CREATE OR REPLACE TRIGGER", 14
    if schema.is_partitioned(action.table):
        yield "a trigger on a partitioned table", 11


def _function(action: CreateFunction, schema: Schema) -> Iterator[Need]:
    if action.procedure:
        yield "CREATE PROCEDURE", 11
    if action.body is None and action.language == "sql":
        yield "an SQL-standard function body", 14


def _statistics(action: CreateStatistics, schema: Schema) -> Iterator[Need]:
    if action.on_expressions:
        yield "CREATE STATISTICS on an expression", 14


def _sequence(action: SetSequence, schema: Schema) -> Iterator[Need]:
    if action.unlogged:
        yield "CREATE UNLOGGED SEQUENCE", 15


def _drop(action: Drop, schema: Schema) -> Iterator[Need]:
    if action.kind in ("procedure", "routine"):
        yield f"DROP {action.kind.upper()}", 11


def _write(action: Write, schema: Schema) -> Iterator[Need]:
    if action.verb == "copy" and action.where is not None:
        yield "COPY … FROM … WHERE", 12


_HANDLERS: dict[type[Action], Callable[..., Iterator[Need]]] = {
    AddColumn: _add_column,
    AddConstraint: _add_constraint,
    AlterColumn: _alter_column,
    AlterConstraint: _alter_constraint,
    AlterRelation: _alter_relation,
    CreateFunction: _function,
    CreateIndex: _create_index,
    CreateStatistics: _statistics,
    CreateTable: _create_table,
    CreateTrigger: _trigger,
    DetachPartition: _detach,
    Drop: _drop,
    Reindex: _reindex,
    SetSequence: _sequence,
    Write: _write,
}
