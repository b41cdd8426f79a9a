"""What everything else makes PostgreSQL do: data statements, types, privileges, maintenance."""

from __future__ import annotations

from collections.abc import Callable

from expandcontract.lint.server.locks import Lock
from expandcontract.lint.server.server import AEL, SUE, Effects, Server, reached, typed
from expandcontract.lint.statement import (
    Action,
    AlterComposite,
    AlterDomain,
    Authorise,
    ChangePublication,
    Comment,
    CreateRule,
    CreateStatistics,
    LockTable,
    Maintain,
    Read,
    SetPolicy,
    SetSequence,
    Write,
)


def _lock_table(action: LockTable, server: Server, found: Effects) -> None:
    for table in action.tables:
        found.lock(reached(table, server), Lock(action.mode))


def _write(action: Write, server: Server, found: Effects) -> None:
    found.lock([action.table], Lock.ROW_EXCLUSIVE)
    found.lock(action.sources, Lock.ACCESS_SHARE)
    found.reads_data = True


def _read(action: Read, server: Server, found: Effects) -> None:
    tables = [each for table in action.tables for each in reached(table, server)]
    found.lock(tables, Lock.ROW_SHARE if action.locks_rows else Lock.ACCESS_SHARE)
    found.reads_data |= bool(action.tables)


def _alter_domain(action: AlterDomain, server: Server, found: Effects) -> None:
    if action.change in ("add constraint", "set not null") and action.valid:
        tables = [table for table, _ in server.schema.using_type(action.name)]
        found.lock(tables, Lock.SHARE)
        found.scans |= bool(tables)


def _alter_composite(action: AlterComposite, server: Server, found: Effects) -> None:
    if action.cascade:
        tables = typed(action.type, server.schema)
        found.lock(tables, AEL)
        found.rewrites.update(tables if action.change == "ALTER" else ())


def _on_table(mode: Lock) -> Callable[[Action, Server, Effects], None]:
    """Give a handler for an action that does nothing but lock its table."""

    def handle(action: Action, server: Server, found: Effects) -> None:
        table: str | None = getattr(action, "table", None)
        found.lock([table] if table else [], mode)

    return handle


def _authorise(action: Authorise, server: Server, found: Effects) -> None:
    if action.kind == "table" and server.version >= 18 and action.verb in ("grant", "revoke"):
        found.lock(action.objects, Lock.ACCESS_SHARE)


def _maintain(action: Maintain, server: Server, found: Effects) -> None:
    moves = action.full or action.verb == "cluster"
    found.lock(action.tables, AEL if moves else SUE)
    found.reads_data = True
    if moves:
        found.rewrites.update(action.tables or ("every table",))


def _publication(action: ChangePublication, server: Server, found: Effects) -> None:
    found.lock(action.tables, SUE)


def _sequence(action: SetSequence, server: Server, found: Effects) -> None:
    found.lock([action.owned_by] if action.owned_by else [], Lock.ACCESS_SHARE)


HANDLERS: dict[type[Action], Callable[..., None]] = {
    AlterComposite: _alter_composite,
    AlterDomain: _alter_domain,
    Authorise: _authorise,
    ChangePublication: _publication,
    Comment: _on_table(SUE),
    CreateRule: _on_table(AEL),
    CreateStatistics: _on_table(SUE),
    LockTable: _lock_table,
    Maintain: _maintain,
    Read: _read,
    SetPolicy: _on_table(AEL),
    SetSequence: _sequence,
    Write: _write,
}
