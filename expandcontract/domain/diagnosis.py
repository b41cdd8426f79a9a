"""The diagnosis: every risk in what was seen. The list of them is here, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from expandcontract.domain.risks import connection, role, server, sessions, settings, tables, work
from expandcontract.domain.risks.risk import Risk, Weight
from expandcontract.domain.risks.seen import Seen

Check = Callable[[Seen], Iterator[Risk]]

CHECKS: tuple[Check, ...] = (
    connection.standby,
    connection.read_only,
    connection.pooler,
    connection.old_server,
    connection.any_of_several_hosts,
    connection.split_brain,
    role.superuser,
    role.ledger_out_of_reach,
    role.no_schema_to_create_in,
    role.not_owner,
    role.sees_too_little,
    role.cannot_cancel,
    role.probe_role_unusable,
    role.ledger_open_to_others,
    role.role_shared_with_the_application,
    settings.setting_bites,
    settings.autovacuum_does_not_give_way,
    sessions.long_transaction,
    sessions.prepared_transaction,
    sessions.runner_is_stale,
    sessions.runner_at_work,
    tables.no_key,
    tables.invalid_index,
    tables.wraparound_vacuum_due,
    server.wraparound_near,
    server.standby_late,
    server.standby_missing,
    server.wal_piles_up,
    server.commits_wait_for_nobody,
    server.no_statement_statistics,
    server.autovacuum_is_off,
    work.project_unusable,
    work.step_failed,
    work.step_refused,
    work.step_unapplied,
    work.contract_overdue,
    work.backfill_stopped,
    work.rows_set_aside,
)


@dataclass(frozen=True)
class NamedRisk:
    """A risk under the name of its check, which scripts rely on."""

    name: str
    weight: Weight
    because: str
    remedy: str


def diagnose(seen: Seen) -> tuple[NamedRisk, ...]:
    """Every risk, those that make a step fail first, each once."""
    found = dict.fromkeys(
        NamedRisk(name_of(check), risk.weight, risk.because, risk.remedy) for check in CHECKS for risk in check(seen)
    )
    return tuple(sorted(found, key=lambda risk: risk.weight is not Weight.FAILS))


def name_of(check: Check) -> str:
    """The stable name of a risk: its function's, with hyphens."""
    return check.__name__.replace("_", "-")
