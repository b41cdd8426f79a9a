"""What `ec doctor` asks a server: as much as the role may see, nothing that waits for a lock of others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from expandcontract.database.address import Address
from expandcontract.database.advisory_lock import NAMESPACE, RUNNER
from expandcontract.database.executor import Executor
from expandcontract.database.ledger_installation import writers
from expandcontract.database.queries import queries
from expandcontract.domain.risks.seen import (
    Content,
    Holder,
    InvalidIndex,
    Login,
    OpenTransaction,
    Relation,
    Server,
    Setting,
)
from expandcontract.domain.throttle import Verdict


def login(executor: Executor, *, way: str, address: Address, told: int | None) -> Login:
    """
    What a new session finds, and what its role may do. It must be in a transaction, which sees ``pg_catalog`` alone
    from then on.

    Args:
        executor: over that session.
        way: how to call it.
        address: what it was opened with.
        told: the backend that the driver was told of; None where it doesn't say.
    """
    schema = next(iter(_names(executor, "first_schema")), None)
    _rows(executor, "pin")
    role, database, is_super, standby, read_only, pid, version, *rights = _rows(executor, "login", schema=schema)[0]
    creates_in_schema, creates_schemas, sees_others, cancels_others = rights
    has_ledger = bool(_rows(executor, "has_ledger")[0][0])
    return Login(
        way=way,
        role=role,
        database=database,
        version=version,
        is_superuser=is_super,
        is_standby=standby,
        is_read_only=read_only,
        is_pooled=told not in (None, pid),
        hosts=address.any_of,
        schema=schema,
        creates_in_schema=creates_in_schema,
        creates_schemas=creates_schemas or has_ledger,
        lacks_in_ledger=tuple(name for (name,) in _rows(executor, "lacks_in_ledger")),
        sees_others=sees_others,
        cancels_others=cancels_others,
        settings=tuple(Setting(*row) for row in _rows(executor, "settings")),
        foreign=tuple(Relation(*row) for row in _rows(executor, "foreign_tables")),
    )


def server(executor: Executor, health: tuple[Verdict, ...]) -> Server:
    """What the server is like, beside what the health signals say of it; it must be a primary."""
    has_statistics, autovacuum, deadlock_timeout = _rows(executor, "server_settings")[0]
    return Server(
        health=health,
        due=_names(executor, "due_for_freezing"),
        idle_slots=tuple((name, kept) for name, kept in _rows(executor, "idle_slots")),
        waits_for=next(iter(_names(executor, "waits_for")), None),
        has_statement_statistics=has_statistics,
        autovacuum=autovacuum,
        deadlock_timeout=timedelta(seconds=deadlock_timeout),
    )


def content(executor: Executor, maintenance_roles: Sequence[str]) -> Content:
    """What the database holds, and who is at work in it; of `maintenance_roles` the ledger may be written."""
    holders = _rows(executor, "holder", namespace=NAMESPACE, key=RUNNER)
    return Content(
        keyless=_names(executor, "keyless"),
        invalid=tuple(InvalidIndex(*row) for row in _rows(executor, "invalid_indexes")),
        transactions=tuple(
            OpenTransaction(who, timedelta(seconds=seconds), gid, pid)
            for who, seconds, gid, pid in _rows(executor, "open_transactions")
        ),
        holder=_holder(*holders[0]) if holders else None,
        ledger_writers=writers(executor, maintenance_roles),
        same_role=_names(executor, "same_role"),
    )


def _holder(pid: int, application_name: str, client: str | None, idle: float | None) -> Holder:
    return Holder(pid, application_name, client, None if idle is None else timedelta(seconds=idle))


def _rows(executor: Executor, query: str, /, **parameters: object) -> list[tuple[Any, ...]]:
    return executor.rows(queries("examination")[query], parameters)


def _names(executor: Executor, query: str) -> tuple[str, ...]:
    return tuple(name for (name,) in _rows(executor, query))
