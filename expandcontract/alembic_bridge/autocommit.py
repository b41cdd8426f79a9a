"""Alembic's autocommit blocks, inside a part."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from alembic.runtime.migration import MigrationContext

from expandcontract.alembic_bridge.concurrent_indexes import repaired
from expandcontract.alembic_bridge.environment import connection_of
from expandcontract.alembic_bridge.task import Task
from expandcontract.alembic_bridge.transaction import limit, see_what_is_committed
from expandcontract.database.activity import LockWatch
from expandcontract.database.ledger import Ledger
from expandcontract.domain.step import StepState
from expandcontract.errors import RevisionError


def mark_autocommit_blocks(
    context: MigrationContext, ledger: Ledger, task: Task, lock_timeout: timedelta, watch: LockWatch
) -> None:
    """
    Let such a block record that the step has begun, since it commits what came before it.

    Inside there is no lock time-out: CREATE INDEX CONCURRENTLY waits for old transactions without blocking anybody,
    and a time-out would leave an INVALID index. After it, the new transaction has its limit again.

    Args:
        context: the part's.
        ledger: in the part's own session.
        task: the part.
        lock_timeout: of its transactions.
        watch: over its session.
    """
    original = context.autocommit_block
    connection = connection_of(context)

    @contextmanager
    def block() -> Iterator[None]:
        if context._in_external_transaction:
            raise RevisionError(
                "an autocommit block can't run here",
                file=task.revision.file,
                because="env.py has begun a transaction around the migrations: by engine.begin(), or by a statement"
                " such as SET before context.configure()",
                next_command="use engine.connect() in env.py, and connection.commit() after such a statement",
            )
        if task.parts_done is not None:
            ledger.put_step(task.step, StepState.STARTED, title=task.title, parts_done=task.parts_done)
        with original():
            connection.exec_driver_sql("SET lock_timeout = 0")
            connection.exec_driver_sql("SET statement_timeout = 0")
            connection.exec_driver_sql("SET client_connection_check_interval = '1s'")
            with repaired(connection, task.repair), watch.without_timeout():
                yield
        see_what_is_committed(connection)
        limit(connection, lock_timeout)

    context.autocommit_block = block  # type: ignore[method-assign]
