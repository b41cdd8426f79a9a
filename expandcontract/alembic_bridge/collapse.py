"""
Collapse mode for those who insist on plain ``alembic upgrade head``: every phase of a change, right after its expand.

For databases that nobody's traffic depends on: development, tests. ``ec migrate all`` does the same without env.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic.runtime.migration import MigrationContext, MigrationInfo
from alembic.script import Script
from alembic.util import CommandError
from psycopg import sql
from sqlalchemy import DDL

from expandcontract.alembic_bridge.sqlalchemy_executor import SqlalchemyExecutor
from expandcontract.database import ledger_installation
from expandcontract.database.actor import current_actor
from expandcontract.database.expressions import assignments, qualified, unfilled
from expandcontract.database.ledger import Ledger
from expandcontract.database.sync_catalog import sync_columns, types
from expandcontract.domain.change import Backfill
from expandcontract.domain.phase import Phase
from expandcontract.domain.step import Step, StepState


class ColourSeen(CommandError):
    """Collapse mode is refused where somebody's traffic may depend on the schema; nothing has changed."""


def collapse(*, ctx: MigrationContext, step: MigrationInfo, **_: Any) -> None:
    """
    For env.py of a development database, ``context.configure(…, on_version_apply=collapse)``.

    After each revision's ``upgrade()`` its backfill and its contract run, in the same transaction, and the ledger
    knows of them. `ec` itself runs the phases as always, whatever env.py says.

    Raises:
        ColourSeen: the database has seen a colour; the revision is rolled back.
    """
    if step.is_stamp:
        return
    ledger = None if ctx.as_sql else _ledger(ctx, step)
    for script in step.up_revisions:
        if not isinstance(script, Script):
            continue
        if step.is_upgrade:
            _finish(ctx, script, ledger)
        elif ledger:
            ledger.forget_change(script.revision)


def _ledger(context: MigrationContext, step: MigrationInfo) -> Ledger | None:
    """The ledger, made where there is none: what isn't written down would be done again."""
    if context.connection is None:
        return None
    connection, executor = context.connection, SqlalchemyExecutor(context.connection)
    installed = ledger_installation.installed_version(executor)
    if installed:
        router = Ledger(executor, current_actor(Path.cwd())).router()
        if router.colours or router.releases:
            raise ColourSeen(
                "this database has seen a colour, so collapse mode is refused: contracts would run without asking"
                f" whose traffic needs the old shape ({', '.join(sorted(router.colours) or sorted(router.releases))});"
                " take on_version_apply=collapse out of env.py here, and run ec migrate expand"
            )
    ledger_installation.install_within(lambda statement: connection.execute(_ddl(statement)), executor)
    ledger = Ledger(executor, current_actor(Path.cwd()))
    if not installed and context.script is not None:
        for below in context.script.iterate_revisions(step.down_revision_ids, "base"):
            _record(ledger, below, Phase.EXPAND)
    return ledger


def _finish(context: MigrationContext, script: Script, ledger: Ledger | None) -> None:
    backfill = getattr(script.module, "backfill", None)
    if isinstance(backfill, Backfill):
        _fill(context, backfill)
    contract = getattr(script.module, "contract", None) or ()
    for part in contract if isinstance(contract, tuple | list) else (contract,):
        part()
    if ledger is None:
        return
    for phase in (Phase.EXPAND, *([Phase.BACKFILL] if backfill else []), *([Phase.CONTRACT] if contract else [])):
        _record(ledger, script, phase)


def _record(ledger: Ledger, script: Script, phase: Phase) -> None:
    step = Step(script.revision, phase)
    ledger.put_step(step, StepState.DONE, title=(script.doc or "").strip(), outside=True)
    ledger.record(f"{phase} done", {"outside": True}, step=step)


def _fill(context: MigrationContext, backfill: Backfill) -> None:
    """All rows in one statement: a development database has few."""
    known: dict[str, str] | None = None
    if context.connection is not None:
        executor = SqlalchemyExecutor(context.connection)
        known = types(sync_columns(executor, backfill.table, backfill.table_schema))
    update = sql.SQL("UPDATE {} SET {} WHERE {}").format(
        qualified(backfill.table, backfill.table_schema),
        assignments(backfill.assignments),
        unfilled(backfill, new_code_wrote=False, types=known),
    )
    for statement in ("SET LOCAL ec.sync = 'off'", update.as_string(None), "SET LOCAL ec.sync = 'on'"):
        context.impl._exec(_ddl(statement))


def _ddl(statement: str) -> DDL:
    """Takes neither parameters nor colons, only percent signs, which it halves."""
    return DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call,unused-ignore]


def without_collapse(hooks: Any) -> tuple[Any, ...]:
    """What env.py configures as ``on_version_apply``, but for `collapse`: `ec` runs the phases in their own time."""
    given = hooks if isinstance(hooks, list | tuple | set | frozenset) else (hooks,)
    return tuple(hook for hook in given if hook is not None and hook is not collapse)
