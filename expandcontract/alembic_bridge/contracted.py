"""Downgrades that would take the only copy of the data along: refused, by plain Alembic and in its scripts as well."""

from __future__ import annotations

from typing import Any

from alembic import op
from alembic.runtime.migration import MigrationContext, MigrationInfo
from alembic.util import CommandError
from psycopg import sql

from expandcontract.alembic_bridge.sqlalchemy_executor import SqlalchemyExecutor
from expandcontract.database import ledger_installation
from expandcontract.database.queries import queries

# The ledger may be missing: a test's database, or one that ec has never seen.
_GUARD = """
DO $ec_guard$ BEGIN
  IF to_regclass('ec.step') IS NOT NULL THEN
    IF EXISTS (SELECT FROM ec.step WHERE revision = {revision} AND phase = 'contract' AND state <> 'pending') THEN
      RAISE EXCEPTION USING MESSAGE = {message}, HINT = {hint};
    END IF;
  END IF;
END $ec_guard$;
"""


class Contracted(CommandError):
    """A downgrade past a contract is refused; nothing has changed. Alembic shows it and exits with 255."""


def refuse_if_contracted(revision: str) -> None:
    """
    For ``downgrade()``: refuse to undo a change whose contract has begun.

    What a contract has removed is gone, and what the change added is then the only copy of the data. In a script
    (``--sql``) the refusal is a statement that ends the script.

    Raises:
        Contracted: the ledger says that the contract has begun.
    """
    _refuse(op.get_context(), revision)


def guard_downgrades(ctx: MigrationContext, step: MigrationInfo, *_: Any, **__: Any) -> None:
    """
    For env.py, ``context.configure(…, on_version_apply=guard_downgrades)``: `refuse_if_contracted` for every revision.

    Raises:
        Contracted: a downgrade goes past a contract; it is rolled back.
    """
    if not step.is_upgrade and not step.is_stamp:
        for revision in step.up_revision_ids:
            _refuse(ctx, revision)


def _refuse(context: MigrationContext, revision: str) -> None:
    if context.as_sql:
        message, hint = _words(revision)
        guard = sql.SQL(_GUARD).format(
            revision=sql.Literal(revision), message=sql.Literal(message), hint=sql.Literal(hint)
        )
        context.impl.static_output(guard.as_string(None))
    elif context.connection is not None and has_contracted(SqlalchemyExecutor(context.connection), revision):
        raise Contracted("; ".join(_words(revision)))


def has_contracted(executor: SqlalchemyExecutor, revision: str) -> bool:
    """Whether the ledger, if there is one, says that anything of that contract has been committed."""
    if not ledger_installation.installed_version(executor):
        return False
    return bool(executor.rows(queries("ledger")["contract_has_begun"], {"revision": revision})[0][0])


def _words(revision: str) -> tuple[str, str]:
    return (
        f"{revision} can't be downgraded: its contract has run, so the old shape is gone,"
        " and what the change added is the only copy of the data",
        f"ec log {revision} says when; a development database is better built anew",
    )
