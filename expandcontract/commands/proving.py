"""Whether anything still refers to what a contract removes: the catalogue and the statements, read with the parser."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from expandcontract.commands.model_signs import model_signs, without_models
from expandcontract.commands.probing import Probing
from expandcontract.commands.statement_signs import StatementSigns
from expandcontract.config import Settings
from expandcontract.database.executor import Executor
from expandcontract.database.ledger import Ledger
from expandcontract.database.tombstones import GRANTED, Taken, reaching
from expandcontract.domain.change import Change
from expandcontract.domain.evidence import Verdict
from expandcontract.domain.facts import Facts
from expandcontract.domain.proof import Asked, Means, Proof, Sign
from expandcontract.domain.removal import Removal, Removed
from expandcontract.evidence.dependants import (
    Function,
    Relation,
    Target,
    dependants,
    functions,
    publications,
    relations,
)
from expandcontract.lint.references import Unreadable, mentions, reference_in_function

_RECORDS_MODELS = "ec colour deploy records them where env.py has target_metadata, or with --models"
_LIMIT = "SELECT pg_catalog.set_config('lock_timeout', %(limit)s, false)"


class Prover:
    """
    Looks for references, for several changes with the same reading of the database.

    Args:
        settings: which nodes there are, and whose statements don't count.
        executor: reads the catalogue and the primary's counters; not in the transaction that removes anything.
        ledger: where the series are.
        seconds: how long the replicas may take, and how long the server may be asked.
        probing: the server's answers about statements; None where no probe is configured.
        holds_locks: a step asks that holds its locks.
    """

    def __init__(
        self,
        settings: Settings,
        executor: Executor,
        ledger: Ledger,
        seconds: float,
        probing: Probing | None = None,
        *,
        holds_locks: bool = False,
    ) -> None:
        self._settings = settings
        self._executor = executor
        self._ledger = ledger
        self._seconds = seconds
        self._holds_locks = holds_locks
        self._statements = StatementSigns(settings, executor, ledger, seconds, probing, holds_locks=holds_locks)
        self._functions: tuple[Function, ...] | None = None

    def prove(self, change: Change, means: Sequence[Means], facts: Facts) -> Proof:
        """
        What these means find about the contract of a change.

        The models of releases are looked at in any case; only that some aren't known is no sign unless the
        configuration asks for them.
        """
        removal = change.removal or Removal(unknown="nobody has looked at it")
        targets = self._targets(removal)
        signs = list(_unknown(removal, means))
        asked: list[Asked] = []
        with self._bounded():
            if Means.CATALOG in means:
                signs += self._in_catalog(targets, removal)
            signs += self._in_models(targets, change, facts)
            if Means.STATEMENTS in means and targets:
                found, asked = self._statements.find(targets, facts.window_begin(change))
                signs += found
        unseen = () if self._holds_locks else tuple(self._unseen(targets, change, facts))
        return Proof(removal.removed, tuple({sign.because: sign for sign in signs}.values()), tuple(asked), unseen)

    def _in_models(self, targets: Sequence[Target], change: Change, facts: Facts) -> Iterator[Sign]:
        yield from model_signs(self._ledger.executor, targets, change, facts)
        if Means.MODELS in self._settings.evidence and targets:
            for tag in without_models(self._ledger.executor, change, facts):
                why = f"what the models of release {tag} declare isn't known: {_RECORDS_MODELS}"
                yield Sign(Means.MODELS, Verdict.INCONCLUSIVE, None, why)

    def _unseen(self, targets: Sequence[Target], change: Change, facts: Facts) -> Iterator[str]:
        """Asked while nobody waits for our locks: the server locks the tables of publications to list them."""
        if not targets:
            return
        found = {
            "functions that the parser can't read": [
                one.name for one in self._all_functions() if one.definition is None
            ],
            f"the models of these releases ({_RECORDS_MODELS})": self._without_models(change, facts),
            "publications that send it to somebody": self._published(targets),
            "roles that no tombstone would stop": self._unstoppable(targets),
        }
        yield from (f"{what}: {', '.join(names)}" for what, names in found.items() if names)
        if not self._settings.probe_role:
            yield "the server's own word on statements: no probe_role is configured"
        if not self._settings.replicas:
            yield "replicas: none is configured, so statements on them aren't seen"

    def _without_models(self, change: Change, facts: Facts) -> list[str]:
        """Where they are asked for they are a sign."""
        if Means.MODELS in self._settings.evidence:
            return []
        return without_models(self._ledger.executor, change, facts)

    @contextmanager
    def _bounded(self) -> Iterator[None]:
        """The step that asks may hold a lock on the very table; who waited for it here would wait for ever."""
        milliseconds = str(max(1, round(self._seconds * 1000)))
        self._executor.rows(_LIMIT, {"limit": milliseconds})
        try:
            yield
        finally:
            self._executor.rows(_LIMIT, {"limit": "0"})

    def _targets(self, removal: Removal) -> list[Target]:
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

    def _in_catalog(self, targets: Sequence[Target], removal: Removal) -> Iterator[Sign]:
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

    def _published(self, targets: Sequence[Target]) -> list[str]:
        return sorted({name for _, relation in targets for name in publications(self._executor, relation)})

    def _unstoppable(self, targets: Sequence[Target]) -> list[str]:
        """Whoever may be the application and can't be kept from it for a day, to see what fails."""
        found = {
            f"{role} ({why})"
            for one, table in targets
            for role, why in reaching(self._executor, Taken(table.schema, table.name))
            if why != GRANTED and role not in self._settings.maintenance_roles and not one.is_renamed
        }
        return sorted(found)


def _in_function(function: Function, one: Removed, relation: Relation) -> Iterator[Sign]:
    removed = relation.holding(one)
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


def _unknown(removal: Removal, means: Sequence[Means]) -> Iterator[Sign]:
    if removal.unknown is not None:
        for one in means:
            yield Sign(one, Verdict.INCONCLUSIVE, None, f"what the contract removes can't be told: {removal.unknown}")
