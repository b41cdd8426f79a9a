"""
A connection to the ledger, and the facts in it: all that a command needs which doesn't look at the tree.

Alembic is imported only where the database's address has to be asked of env.py: `ec colour check` is what a rollback
waits for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg

from expandcontract.config import Settings
from expandcontract.database import ledger_installation
from expandcontract.database.actor import Actor, current_actor
from expandcontract.database.address import Address, address_from_text
from expandcontract.database.connect import connect
from expandcontract.database.executor import PsycopgExecutor
from expandcontract.database.instances import look_at
from expandcontract.database.ledger import Ledger, StepRecord
from expandcontract.database.model_ledger import ModelLedger
from expandcontract.database.tombstones import standing
from expandcontract.domain.colour import Router
from expandcontract.domain.facts import Facts, RecordedMeaning, StepError
from expandcontract.domain.phase import Phase
from expandcontract.domain.stale import KeptByCode, with_stale_backfills
from expandcontract.domain.step import Step, StepState


@dataclass(frozen=True)
class LedgerSession:
    """A connection to the database with its ledger; all that the colour commands need."""

    address: Address
    connection: psycopg.Connection[Any]
    ledger: Ledger
    actor: Actor

    @property
    def has_ledger(self) -> bool:
        """Whether the ledger is installed."""
        return ledger_installation.installed_version(PsycopgExecutor(self.connection)) > 0

    @cached_property
    def timeline(self) -> int | None:
        """The timeline of this server; to be asked for outside of transactions, and None where it can't be known."""
        return look_at(self.connection).timeline


@contextmanager
def open_ledger(settings: Settings) -> Iterator[LedgerSession]:
    """
    Connect to the ledger alone: with ``EC_DATABASE_URL`` at once, else by way of env.py.

    Raises:
        EcError: the configuration or the server can't be used.
    """
    if settings.database_url:
        address, folder = address_from_text(settings.database_url, origin="EC_DATABASE_URL"), Path.cwd()
    else:
        from expandcontract.alembic_bridge.environment import observe
        from expandcontract.alembic_bridge.project import open_project

        project = open_project(settings.project)
        address, folder = observe(project).address, project.folder
    actor = current_actor(folder)
    with connect(address, application_name=actor.application_name) as connection:
        yield LedgerSession(address, connection, Ledger(PsycopgExecutor(connection), actor), actor)


def facts_of(
    ledger: Ledger, router: Router, steps: Mapping[Step, StepState], records: Mapping[Step, StepRecord]
) -> Facts:
    """The facts that need no tree, with stale backfills told from those that are done."""
    now = ledger.now()
    # without a record of a step there may be no ledger to ask
    verified_from, set_aside = (ledger.backfills.verified_from(), ledger.backfills.set_aside()) if records else ({}, {})
    kept = {
        step.revision: KeptByCode(record.writers, verified_from.get(step.revision, record.finished_at))
        for step, record in records.items()
        if step.phase is Phase.BACKFILL and record.writers and record.finished_at
    }
    return Facts(
        now=now,
        steps=with_stale_backfills(steps, kept, router, now),
        router=router,
        rows_set_aside=set_aside,
        titles={step.revision: record.title for step, record in records.items()},
        came=tuple(
            step.revision
            for step, record in records.items()
            if step.phase is Phase.EXPAND and not record.outside and steps.get(step, StepState.PENDING) in _BEGUN
        ),
        recorded={
            step: RecordedMeaning(parts, _ran(records.get(step), parts))
            for step, parts in (ledger.meanings() if records else {}).items()
            if Step(step.revision, Phase.EXPAND) in steps
        },
        tombstones=standing(ledger.executor) if records else {},
        gone=ModelLedger(ledger.executor).gone() if records else {},
        finished={step: record.finished_at for step, record in records.items() if record.finished_at is not None},
        controls=ledger.controls() if records else {},
        approvals=ledger.approvals() if records else {},
        started={step: record.started_at for step, record in records.items()},
        errors={
            step: StepError(record.error, record.failed_at)
            for step, record in records.items()
            if record.error is not None and record.failed_at is not None
        },
    )


_BEGUN = frozenset(StepState) - {StepState.PENDING}


def _ran(record: StepRecord | None, parts: tuple[str, ...]) -> int:
    """How many parts of a step have run."""
    if record is None:
        return 0
    return len(parts) if record.state is StepState.DONE else record.parts_done


def states(records: Mapping[Step, StepRecord]) -> dict[Step, StepState]:
    """The states alone."""
    return {step: record.state for step, record in records.items()}
