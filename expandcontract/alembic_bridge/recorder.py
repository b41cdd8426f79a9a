"""The operations of a phase, recorded without a database and without running them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

from alembic.operations import MigrateOperation, Operations
from alembic.operations.ops import CreateTableOp
from alembic.runtime.migration import MigrationContext

from expandcontract.alembic_bridge.chatter import quiet


@dataclass(frozen=True)
class Recorded:
    """What a phase would do. ``complete`` False: it also does what is no operation, or failed without a database."""

    operations: tuple[MigrateOperation, ...]
    complete: bool


@quiet()
def record(functions: Sequence[Callable[[], Any]]) -> Recorded:
    """The operations that these functions invoke, in order."""
    written = StringIO()
    context = MigrationContext.configure(dialect_name="postgresql", opts={"as_sql": True, "output_buffer": written})
    operations: list[MigrateOperation] = []

    def note(operation: MigrateOperation) -> Any:
        operations.append(operation)
        # create_table() gives a Table that the revision may go on using
        return operation.to_table(context) if isinstance(operation, CreateTableOp) else None

    complete = True
    with Operations.context(context) as recording:
        recording.invoke = note  # type: ignore[method-assign]
        for function in functions:
            try:
                function()
            except Exception:  # user code that reads the database: what it does then can't be known here
                complete = False
    # the operations above run nothing: text comes from an autocommit block, or from code that went to the connection
    past_op = set(written.getvalue().split()) - {"BEGIN;", "COMMIT;"}
    return Recorded(tuple(operations), complete and not past_op)
