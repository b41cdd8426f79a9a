"""From Alembic's operations to what they touch."""

from __future__ import annotations

from collections.abc import Iterable

from alembic.operations import MigrateOperation, ops

from expandcontract.alembic_bridge.operations import CreateSyncOp, DropSyncOp
from expandcontract.alembic_bridge.recorder import Recorded
from expandcontract.domain.footprint import UNKNOWN, Footprint, Touched


def footprint(recorded: Recorded) -> Footprint:
    """What the operations touch; unknown as soon as one of them can't be read (raw SQL, third-party operations)."""
    if not recorded.complete:
        return UNKNOWN
    touched: set[Touched] = set()
    for operation in recorded.operations:
        found = _touched(operation)
        if found is None:
            return UNKNOWN
        touched.update(found)
    return Footprint.of(touched)


def _touched(operation: MigrateOperation) -> Iterable[Touched] | None:
    match operation:
        case ops.AddColumnOp():
            foreign = [Touched(key.column.table.name) for key in operation.column.foreign_keys if _is_resolved(key)]
            if len(foreign) != len(operation.column.foreign_keys):
                return None
            return [_column(operation, operation.column.name), *foreign]
        case ops.DropColumnOp() | ops.AlterColumnOp():
            renamed = getattr(operation, "modify_name", None)
            names = [operation.column_name, *([renamed] if renamed else [])]
            return [_column(operation, name) for name in names]
        case CreateSyncOp() | DropSyncOp():
            sync = operation.sync
            return [Touched(sync.table, name, sync.schema) for name in (*sync.old_columns, *sync.new_columns)]
        case ops.CreateTableOp() if not operation.to_table().foreign_keys:
            return [Touched(operation.table_name, None, operation.schema)]
        case ops.CreateIndexOp() | ops.DropIndexOp() if operation.table_name:
            return [Touched(operation.table_name, None, operation.schema)]
        case ops.CreateCheckConstraintOp() | ops.CreateUniqueConstraintOp() | ops.CreatePrimaryKeyOp():
            return [Touched(operation.table_name, None, operation.schema)]
        case ops.DropConstraintOp() | ops.DropTableOp() | ops.CreateTableCommentOp() | ops.DropTableCommentOp():
            return [Touched(operation.table_name, None, operation.schema)]
        case ops.CreateForeignKeyOp():
            return [
                Touched(operation.source_table, None, operation.kw.get("source_schema")),
                Touched(operation.referent_table, None, operation.kw.get("referent_schema")),
            ]
        case ops.RenameTableOp():
            return [
                Touched(operation.table_name, None, operation.schema),
                Touched(operation.new_table_name, None, operation.schema),
            ]
        case _:
            return None


def _column(operation: ops.AlterTableOp, name: str) -> Touched:
    return Touched(operation.table_name, name, operation.schema)


def _is_resolved(key: object) -> bool:
    """Whether a foreign key names its table; one that can't be resolved here makes the footprint unknown."""
    try:
        return bool(key.column.table.name)  # type: ignore[attr-defined]
    except Exception:
        return False
