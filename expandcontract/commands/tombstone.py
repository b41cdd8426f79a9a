"""``ec tombstone``: take what a contract will drop from the application first, in a way that is undone in no time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg

from expandcontract.commands.asking import with_evidence
from expandcontract.commands.conversation import Conversation
from expandcontract.commands.ledger_session import LedgerSession, open_ledger
from expandcontract.commands.result import Outcome, Refused, Result
from expandcontract.commands.running import observed, user_connection
from expandcontract.commands.situation import Situation, open_situation
from expandcontract.config import Settings
from expandcontract.database.catalog import schema_of
from expandcontract.database.executor import Executor, PsycopgExecutor
from expandcontract.database.tombstones import (
    Privileges,
    Taken,
    give_back,
    hold,
    privileges,
    reaching,
    standing,
    take,
    taken_by,
)
from expandcontract.domain.change import Change
from expandcontract.domain.gate import tombstone_refusals
from expandcontract.domain.phase import Phase
from expandcontract.domain.refusal import Code, Refusal, names, refuse
from expandcontract.domain.removal import Removed
from expandcontract.domain.step import Step
from expandcontract.errors import TryLater, UsageError
from expandcontract.evidence.dependants import relations

_TRIES = 5  # somebody else may change the same privileges; PostgreSQL then has no better answer than an error


@dataclass(frozen=True, kw_only=True)
class TombstoneResult(Result):
    """What was taken (or given back), from or to whom, and since when it has been out of reach."""

    step: Step
    taken: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    since: datetime | None = None
    undone: bool = False
    dry_run: bool = False

    @property
    def is_news(self) -> bool:
        """See `Result.is_news`; that something was taken or given back as well, for it may be why something fails."""
        return (self.outcome is Outcome.DONE and not self.dry_run) or super().is_news


def put_tombstone(
    settings: Settings, conversation: Conversation, *, name: str, dry_run: bool = False
) -> TombstoneResult:
    """
    Take the privileges on what the contract of the revision `name` drops, after a look at the traffic.

    Raises:
        UsageError: the contract drops no table and no column, or isn't known to the ledger.
        TryLater: the privileges are being changed by somebody else, or a lock wasn't to be had.
        EcError: see `expandcontract.errors`.
    """
    with open_situation(settings) as situation:
        change = situation.understood(situation.revision(name)).change
        step = Step(change.revision, Phase.CONTRACT)
        removal = change.removal
        if not situation.has_ledger or removal is None or not (removal.drops or removal.unknown):
            raise UsageError(f"{change.revision} ({change.title}) drops no table and no column", next_command="ec plan")
        seen = None if dry_run else observed(situation, conversation)
        facts = with_evidence(settings, situation.ledger, situation.facts(), seen=seen)
        no = tombstone_refusals(facts.change(change.revision), facts)
        if removal.unknown:
            no = (*no, _refused(change, Code.UNPROVEN, f"what it drops can't be told: {removal.unknown}"))
        if no:
            return TombstoneResult(outcome=Outcome.REFUSED, refusals=no, step=step, dry_run=dry_run)
        stands = facts.tombstones.get(change.revision)
        if stands is not None and not stands.lacks(removal.drops):
            taken = tuple(map(str, stands.taken))
            return TombstoneResult(outcome=Outcome.NOTHING, step=step, taken=taken, since=stands.since)
        tables = _tables(situation, change)
        roles: list[str] = []

        def work() -> None:
            roles[:] = _take(situation, settings, change, tables)

        try:
            _in_one_transaction(situation, settings.lock_timeout, work, dry_run=dry_run)
        except Refused as refused:
            return TombstoneResult(outcome=Outcome.REFUSED, refusals=refused.refusals, step=step, dry_run=dry_run)
        now_stands = standing(situation.ledger.executor).get(change.revision)
        return TombstoneResult(
            outcome=Outcome.DONE,
            step=step,
            taken=tuple(str(one) for table in tables for one in table.removed),
            roles=tuple(roles),
            since=now_stands.since if now_stands else None,
            dry_run=dry_run,
        )


def undo_tombstone(settings: Settings, *, name: str, dry_run: bool = False) -> TombstoneResult:
    """
    Give back what the tombstone of the revision `name` has taken. Needs the ledger alone, no tree and no runner's lock.

    Whoever was interrupted may ask again: the outcome is `Outcome.NOTHING` where it was given back before.

    Raises:
        UsageError: no tombstone of that revision stands.
        TryLater: as for `put_tombstone`.
        EcError: see `expandcontract.errors`.
    """
    with open_ledger(settings) as session:
        known = standing(session.ledger.executor) if session.has_ledger else {}
        meant = [revision for revision in known if name and revision.startswith(name)]
        given_back = session.ledger.given_back(name) if session.has_ledger and not meant else None
        if given_back:
            step = Step(given_back, Phase.CONTRACT)
            return TombstoneResult(outcome=Outcome.NOTHING, step=step, undone=True, dry_run=dry_run)
        if len(meant) != 1:
            raise UsageError(
                f"no one tombstone is meant by {name!r}",
                because=f"there stands {names(sorted(known)) or 'none'}",
                next_command="ec status",
            )
        (revision,) = meant
        step = Step(revision, Phase.CONTRACT)
        tables = taken_by(session.ledger.executor, revision)

        def work() -> None:
            hold(session.ledger.executor)
            for table in taken_by(session.ledger.executor, revision):
                give_back(session.ledger.executor, table)
            session.ledger.record("tombstone undone", {"taken": list(map(str, known[revision].taken))}, step=step)

        _in_one_transaction(session, settings.lock_timeout, work, dry_run=dry_run)
        taken = tuple(str(one) for table in tables for one in table.removed)
        return TombstoneResult(
            outcome=Outcome.DONE, step=step, taken=taken, since=known[revision].since, undone=True, dry_run=dry_run
        )


def _tables(situation: Situation, change: Change) -> tuple[Taken, ...]:
    """The tables that the author's names mean, with those that inherit from them, and the columns that go of each."""
    found: dict[tuple[str, str], list[str]] = {}
    with user_connection(situation) as connection:
        for one in change.removal.drops if change.removal else ():
            schema = schema_of(PsycopgExecutor(connection), one.table, one.schema)
            here = Removed(one.table, one.column, schema)
            for relation in relations(situation.ledger.executor, here) if schema else ():
                if one.column is None or one.column in relation.columns:
                    columns = found.setdefault((relation.schema, relation.name), [])
                    columns.extend([one.column] if one.column else [])
    if not found:
        raise UsageError(
            f"nothing that {change.revision} drops is there", next_command=f"ec plan, ec prove {change.revision}"
        )
    return tuple(Taken(schema, table, tuple(columns)) for (schema, table), columns in sorted(found.items()))


def _take(situation: Situation, settings: Settings, change: Change, tables: tuple[Taken, ...]) -> list[str]:
    """Take everything while nobody moves traffic, and look who reaches it all the same; those who don't any more."""
    executor = situation.ledger.executor
    situation.ledger.hold_router()  # in the order in which a contract takes them
    hold(executor)
    seconds = settings.lock_timeout.total_seconds()
    facts = with_evidence(settings, situation.ledger, situation.facts(), seconds=seconds)
    no = tombstone_refusals(facts.change(change.revision), facts)
    if no:
        raise Refused(no)
    roles: set[str] = set()
    for table in tables:
        known = privileges(executor, table)
        if known is not None:
            _check_grants(change, table, known, executor)
            roles.update(take(executor, change.revision, table, known, settings.maintenance_roles))
    still = sorted(
        {
            f"{role} ({why})"
            for table in tables
            for role, why in reaching(executor, table)
            if role not in settings.maintenance_roles
        }
    )
    if still:
        _refuse_unstoppable(change, still)
    taken = [str(one) for table in tables for one in table.removed]
    step = Step(change.revision, Phase.CONTRACT)
    situation.ledger.record("tombstone", {"taken": taken, "roles": sorted(roles)}, step=step)
    return sorted(roles)


def _check_grants(change: Change, table: Taken, known: Privileges, executor: Executor) -> None:
    """What can't be taken and given back exactly isn't begun."""
    for revision, stands in standing(executor).items():
        if any(one.is_in(table.schema, table.relation) for one in stands.taken):
            because = f"a tombstone of {revision} stands on {table.schema}.{table.relation} since then"
            next_command = f"finish contract {revision}, or ec tombstone {revision} --undo"
            raise Refused((_refused(change, Code.TOMBSTONE, because, next_command),))
    if known.passed_on_by:
        because = (
            f"{names(known.passed_on_by)} passed on privileges on {table.relation} that it was granted,"
            " and only it can take them back"
        )
        next_command = f"let the owner, {known.owner}, grant them instead"
        raise Refused((_refused(change, Code.UNSTOPPABLE, because, next_command),))


def _refuse_unstoppable(change: Change, still: list[str]) -> None:
    because = f"no privilege keeps {names(still)} from it, and an application may connect so"
    next_command = (
        "let the application connect as a role that is neither; a role that no release connects as:"
        " name it in maintenance_roles"
    )
    raise Refused((_refused(change, Code.UNSTOPPABLE, because, next_command),))


def _refused(change: Change, code: Code, because: str, next_command: str | None = None) -> Refusal:
    return refuse(
        change, Phase.CONTRACT, code, because=because, next=next_command or f"ec prove {change.revision} shows more"
    )


def _in_one_transaction(
    session: LedgerSession, lock_timeout: timedelta, work: Callable[[], None], *, dry_run: bool
) -> None:
    """All of it or nothing; again where somebody else changed the same row of the catalogue meanwhile."""
    for attempt in range(_TRIES):
        try:
            with session.connection.transaction(force_rollback=dry_run):
                milliseconds = str(max(1, lock_timeout // timedelta(milliseconds=1)))
                session.connection.execute("SELECT set_config('lock_timeout', %s, true)", [milliseconds])
                work()
            return
        except psycopg.errors.LockNotAvailable:
            raise TryLater(
                "a lock on the tombstones wasn't to be had", because="a contract is about to commit"
            ) from None
        except psycopg.errors.InternalError_ as error:  # tuple concurrently updated
            if attempt + 1 == _TRIES:
                raise TryLater("the privileges are being changed by somebody else", because=str(error)) from None
