"""Whether anything still refers to what a contract removes: the catalogue and the statements, read with the parser."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from expandcontract.commands.sampling import samples
from expandcontract.config import Settings
from expandcontract.database.executor import Executor
from expandcontract.database.ledger import Ledger
from expandcontract.database.statement_ledger import StatementLedger
from expandcontract.database.tombstones import GRANTED, Taken, reaching
from expandcontract.domain.change import Change
from expandcontract.domain.evidence import Verdict
from expandcontract.domain.moment import at
from expandcontract.domain.proof import Means, Proof, Sign
from expandcontract.domain.removal import Removal, Removed
from expandcontract.domain.statements import Sample, Series, Statement, called_since, uncovered
from expandcontract.evidence.dependants import Function, Relation, dependants, functions, publications, relations
from expandcontract.lint.references import Unreadable, mentions, reference, reference_in_function

_SHOWN = 300  # characters of a statement
_LIMIT = "SELECT pg_catalog.set_config('lock_timeout', %(limit)s, false)"


@dataclass(frozen=True)
class Counters:
    """What the nodes say of statements: the series that the ledger has, and a sample of just now."""

    series: dict[str, Series]
    samples: dict[str, Sample]


class Prover:
    """
    Looks for references, for several changes with the same reading of the database.

    Args:
        settings: which nodes there are, and whose statements don't count.
        executor: reads the catalogue and the primary's counters; not in the transaction that removes anything.
        ledger: where the series are.
        seconds: how long the replicas may take.
    """

    def __init__(self, settings: Settings, executor: Executor, ledger: Ledger, seconds: float) -> None:
        self._settings = settings
        self._executor = executor
        self._ledger = ledger
        self._seconds = seconds
        self._functions: tuple[Function, ...] | None = None

    def prove(self, change: Change, means: Sequence[Means], since: datetime) -> Proof:
        """What these means find about the contract of a change; of statements, those that were called since then."""
        removal = change.removal or Removal(unknown="nobody has looked at it")
        targets = self._targets(removal)
        signs = list(_unknown(removal, means))
        with self._bounded():
            if Means.CATALOG in means:
                signs += self._in_catalog(targets, removal)
            if Means.STATEMENTS in means and targets:
                signs += self._in_statements(targets, since)
        return Proof(removal.removed, tuple({sign.because: sign for sign in signs}.values()))

    def unseen(self, change: Change) -> tuple[str, ...]:
        """What nobody looks into: no sign against the contract, but good to know."""
        targets = self._targets(change.removal or Removal())
        if not targets:
            return ()
        found = {
            "functions that the parser can't read": [
                one.name for one in self._all_functions() if one.definition is None
            ],
            "publications that send it to somebody": self._published(targets),
            "roles that no tombstone would stop": self._unstoppable(targets),
        }
        said = [f"{what}: {', '.join(names)}" for what, names in found.items() if names]
        if not self._settings.replicas:
            said.append("replicas: none is configured, so statements on them aren't seen")
        return tuple(said)

    @contextmanager
    def _bounded(self) -> Iterator[None]:
        """The step that asks may hold a lock on the very table; who waited for it here would wait for ever."""
        milliseconds = str(max(1, round(self._seconds * 1000)))
        self._executor.rows(_LIMIT, {"limit": milliseconds})
        try:
            yield
        finally:
            self._executor.rows(_LIMIT, {"limit": "0"})

    def _targets(self, removal: Removal) -> list[tuple[Removed, Relation]]:
        return [(one, relation) for one in removal.removed for relation in self._standing(one)]

    def _standing(self, one: Removed) -> Iterator[Relation]:
        """The relations that are still there to be referred to."""
        for relation in relations(self._executor, one):
            if one.column is None or one.column in relation.columns:
                yield relation

    def _all_functions(self) -> tuple[Function, ...]:
        if self._functions is None:
            self._functions = functions(self._executor)
        return self._functions

    def _in_catalog(self, targets: Sequence[tuple[Removed, Relation]], removal: Removal) -> Iterator[Sign]:
        for one, relation in targets:
            if not one.is_renamed:
                columns = [
                    other.column
                    for other in removal.drops
                    if other.column and other.is_in(relation.schema, relation.name)
                ]
                for found in dependants(self._executor, relation, columns if one.column else ()):
                    if not removal.takes(found.named):
                        yield Sign(Means.CATALOG, Verdict.SEEN, one, f"{found.description} stands on it")
            for function in self._all_functions():
                if not removal.takes(function.named):
                    yield from _in_function(function, one, relation)

    def _published(self, targets: Sequence[tuple[Removed, Relation]]) -> list[str]:
        return sorted({name for _, relation in targets for name in publications(self._executor, relation)})

    def _unstoppable(self, targets: Sequence[tuple[Removed, Relation]]) -> list[str]:
        """Whoever may be the application and can't be kept from it for a day, to see what fails."""
        found = {
            f"{role} ({why})"
            for one, table in targets
            for role, why in reaching(self._executor, Taken(table.schema, table.name))
            if why != GRANTED and role not in self._settings.maintenance_roles and not one.is_renamed
        }
        return sorted(found)

    def _in_statements(self, targets: Sequence[tuple[Removed, Relation]], begin: datetime) -> Iterator[Sign]:
        counters = self._counters(begin)
        for node, sample in counters.samples.items():
            series = counters.series.get(node)
            reason = uncovered(series, sample, begin, self._settings.observed_gap)
            if reason is not None:
                yield Sign(Means.STATEMENTS, Verdict.INCONCLUSIVE, None, f"{node}: {reason}")
            for statement in called_since(series, sample, begin):
                if statement.counted.role not in self._settings.maintenance_roles:
                    yield from self._in_statement(node, statement, targets)

    def _counters(self, begin: datetime) -> Counters:
        """A sample of now before what the ledger has would be taken for one that went backwards."""
        series = StatementLedger(self._ledger.executor).series(begin)
        return Counters(series, samples(self._settings, self._executor, self._ledger, self._seconds))

    def _in_statement(
        self, node: str, statement: Statement, targets: Sequence[tuple[Removed, Relation]]
    ) -> Iterator[Sign]:
        for one, relation in targets:
            verdict, how = _judged(statement.query, one, relation)
            if verdict is Verdict.CLEAR:
                continue
            colour = self._settings.roles.get(statement.counted.role)
            role = f"{statement.counted.role} ({colour})" if colour else statement.counted.role
            when = f"last seen at {at(statement.grew_at)}" if statement.grew_at else "at an unknown time"
            yield Sign(
                Means.STATEMENTS,
                verdict,
                one,
                f"role {role} on {node} {how}: {_short(statement.query)} ({statement.calls} calls in all, {when})",
            )
            return


def _judged(query: str, one: Removed, relation: Relation) -> tuple[Verdict, str]:
    try:
        how = reference(query, _in_place(one, relation))
    except Unreadable as error:
        return Verdict.INCONCLUSIVE, f"ran what can't be read ({error})"
    return (Verdict.SEEN, how) if how else (Verdict.CLEAR, "")


def _in_function(function: Function, one: Removed, relation: Relation) -> Iterator[Sign]:
    removed = _in_place(one, relation)
    if function.definition is None:
        if mentions(function.source, removed):
            why = f"function {function.name} is written in {function.language} and has its name in it"
            yield Sign(Means.CATALOG, Verdict.INCONCLUSIVE, one, why)
        return
    try:
        of_its_trigger = f"{relation.schema}.{relation.name}" in function.triggers_of
        how = reference_in_function(function.definition, removed, of_its_trigger=of_its_trigger)
    except Unreadable as error:
        why = f"function {function.name} has its name in it, and {error}"
        yield Sign(Means.CATALOG, Verdict.INCONCLUSIVE, one, why)
        return
    if how:
        yield Sign(Means.CATALOG, Verdict.SEEN, one, f"function {function.name} {how}")


def _in_place(one: Removed, relation: Relation) -> Removed:
    return Removed(relation.name, one.column, relation.schema)


def _unknown(removal: Removal, means: Sequence[Means]) -> Iterator[Sign]:
    if removal.unknown is not None:
        for one in means:
            yield Sign(one, Verdict.INCONCLUSIVE, None, f"what the contract removes can't be told: {removal.unknown}")


def _short(query: str) -> str:
    text = " ".join(query.split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
