"""``ec doctor``: what is wrong or risky with this database, role, connection and project."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg

from expandcontract.alembic_bridge.environment import ask_environment
from expandcontract.alembic_bridge.project import open_project
from expandcontract.commands.health import verdicts
from expandcontract.commands.instances import rival_of
from expandcontract.commands.overview import facts_to_plan
from expandcontract.commands.result import Outcome, Refused, Result
from expandcontract.commands.situation import Situation, open_situation
from expandcontract.config import Settings
from expandcontract.database import examination
from expandcontract.database.actor import current_actor
from expandcontract.database.address import Address, address_from_text
from expandcontract.database.backfill_ledger import BackfillLedger
from expandcontract.database.backfill_records import BackfillState
from expandcontract.database.connect import connect_to_any
from expandcontract.database.executor import Executor, PsycopgExecutor
from expandcontract.database.probe import role_trouble
from expandcontract.domain.diagnosis import CHECKS, NamedRisk, diagnose, name_of
from expandcontract.domain.plan import plan
from expandcontract.domain.risks.risk import Weight
from expandcontract.domain.risks.seen import Filling, Limits, Login, Seen, Trouble
from expandcontract.domain.risks.server import SIGNALS
from expandcontract.errors import EcError


@dataclass(frozen=True, kw_only=True)
class DoctorResult(Result):
    """The risks, those that make a step fail first, and the names of all that were looked for."""

    database: str
    risks: tuple[NamedRisk, ...]
    looked_for: tuple[str, ...]


def examine(settings: Settings) -> DoctorResult:
    """
    Look at everything that can be seen; the outcome is `Outcome.FINDINGS` where a step would fail. Reads only.

    Raises:
        EcError: the configuration can't be read, or no server answers that could be looked at.
    """
    seen, address = _seen(settings)
    risks = diagnose(seen)
    return DoctorResult(
        outcome=Outcome.FINDINGS if any(risk.weight is Weight.FAILS for risk in risks) else Outcome.DONE,
        database=str(address),
        risks=risks,
        looked_for=tuple(map(name_of, CHECKS)),
    )


def _seen(settings: Settings) -> tuple[Seen, Address]:
    """The ways in one after the other; a trouble with one of them is a finding, as long as another leads there."""
    seen = Seen(Limits(settings.lock_timeout, settings.lock_budget, settings.cancel_blockers is not None))
    theirs: Login | None = None
    try:
        theirs, address = ask_environment(open_project(settings.project), _env_login)
    except EcError as error:
        if not settings.database_url:
            raise
        seen = replace(seen, troubles=(_trouble("the project", error),))
    if settings.database_url:
        address = address_from_text(settings.database_url, origin="EC_DATABASE_URL")
    with connect_to_any(address, application_name=current_actor(Path.cwd()).application_name) as connection:
        connection.prepare_threshold = None  # behind a pooler nothing that is prepared lasts
        ours = _own_login(connection, address, way="EC_DATABASE_URL" if settings.database_url else _ENV)
        is_another = theirs is not None and theirs != replace(ours, way=_ENV)
        seen = replace(seen, logins=(ours, theirs) if theirs and is_another else (ours,))
        if not ours.is_standby:
            with connection.transaction():
                PsycopgExecutor(connection).rows("SET LOCAL search_path = pg_catalog")
                content = examination.content(PsycopgExecutor(connection), settings.maintenance_roles)
                probe = _probe_trouble(PsycopgExecutor(connection), settings.probe_role)
                server = examination.server(PsycopgExecutor(connection), verdicts(settings, connection, SIGNALS))
            rival = rival_of(settings, address, connection)
            seen = replace(seen, content=content, server=server, probe_trouble=probe, rival=rival)
    if not seen.troubles:
        seen = _with_work(seen, settings)
    return seen, address


_ENV = "env.py's engine"


def _env_login(executor: Executor, address: Address, told: int | None) -> tuple[Login, Address]:
    return examination.login(executor, way=_ENV, address=address, told=told), address


def _own_login(connection: psycopg.Connection[Any], address: Address, *, way: str) -> Login:
    with connection.transaction():
        told = connection.info.backend_pid
        return examination.login(PsycopgExecutor(connection), way=way, address=address, told=told)


def _probe_trouble(executor: Executor, role: str | None) -> str | None:
    trouble = role_trouble(executor, role) if role else None
    return f"the server can't plan statements for probe_role {role}: {trouble}" if trouble else None


def _with_work(seen: Seen, settings: Settings) -> Seen:
    """With the steps of the tree, as far as the ledger may be read."""
    unfit = (login.is_standby or login.is_read_only or login.lacks_in_ledger or login.hosts for login in seen.logins)
    if any(unfit):
        return seen  # said already
    try:
        with open_situation(settings) as situation:
            return _with_steps(seen, situation)
    except Refused as error:
        troubles = tuple(
            Trouble(f"{refusal.step} is refused", refusal.because, refusal.next) for refusal in error.refusals
        )
        return replace(seen, troubles=troubles)
    except EcError as error:
        return replace(seen, troubles=(_trouble("the project", error),))


def _with_steps(seen: Seen, situation: Situation) -> Seen:
    facts = situation.with_all_footprints(facts_to_plan(situation))
    records = situation.ledger.steps() if situation.has_ledger else {}
    return replace(
        seen,
        steps=plan(facts),
        errors=tuple((str(step), record.error) for step, record in records.items() if record.error),
        fillings=_fillings(situation) if situation.has_ledger else (),
    )


def _fillings(situation: Situation) -> tuple[Filling, ...]:
    ledger = BackfillLedger(PsycopgExecutor(situation.connection))
    return tuple(
        Filling(revision, str(one.state), one.reason, one.set_aside, len(ledger.workers(revision)))
        for revision, one in ledger.positions().items()
        if one.state is not BackfillState.COMPLETE
    )


def _trouble(about: str, error: EcError) -> Trouble:
    because = f"{error}: {error.because}" if error.because else str(error)
    return Trouble(about, because, error.next_command or "mend it, then run ec doctor again")
