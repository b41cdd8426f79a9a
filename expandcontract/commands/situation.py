"""The situation a command finds: the project, its database, the ledger, and the facts for the gate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType

from alembic.util import CommandError
from sqlalchemy import MetaData

from expandcontract.alembic_bridge.environment import observe
from expandcontract.alembic_bridge.project import Project, open_project, parents_of, revision_errors
from expandcontract.alembic_bridge.revisions import Revision, read_revisions
from expandcontract.commands.drift import Drift, check_undone, drift_of
from expandcontract.commands.instances import rival_of
from expandcontract.commands.ledger_session import LedgerSession, facts_of, states
from expandcontract.commands.meaning import Reading
from expandcontract.commands.probing import Probing
from expandcontract.config import Settings
from expandcontract.database.actor import current_actor
from expandcontract.database.connect import connect
from expandcontract.database.deployed_schema import deployed_schema
from expandcontract.database.executor import PsycopgExecutor
from expandcontract.database.ledger import Ledger, StepRecord
from expandcontract.domain.change import Change
from expandcontract.domain.facts import Facts
from expandcontract.domain.history import in_order
from expandcontract.domain.instance import Rival
from expandcontract.domain.phase import Phase
from expandcontract.domain.step import Step, StepState
from expandcontract.errors import UsageError
from expandcontract.lint.exclusive import exclusively_locked


@dataclass(frozen=True)
class Situation(LedgerSession):
    """
    A project and its database.

    ``heads`` are those of the version table when the command began, ``metadata`` what env.py has for
    ``target_metadata``.
    """

    settings: Settings
    project: Project
    revisions: tuple[Revision, ...]
    heads: tuple[str, ...]
    metadata: tuple[MetaData, ...]

    @cached_property
    def probing(self) -> Probing | None:
        """The server's answers about statements, as long as this command runs; None where no probe is configured."""
        role, settings = self.settings.probe_role, self.settings
        if role is None:
            return None
        return Probing(self.address, self.actor.application_name, role, settings.lock_timeout.total_seconds())

    def revision(self, name: str) -> Revision:
        """
        The revision that `name` means to Alembic: an id, the start of one, ``head``.

        Raises:
            UsageError: none, or several.
        """
        try:
            script = self.project.script.get_revision(name) if name else None
        except CommandError as error:
            raise UsageError(
                f"no one revision is meant by {name!r}", because=str(error), next_command="ec status"
            ) from None
        found = [revision for revision in self.revisions if script and revision.change.revision == script.revision]
        if not found:
            raise UsageError(f"this tree has no revision {name!r}", next_command="ec status")
        return found[0]

    def _drift(self, heads: tuple[str, ...], records: Mapping[Step, StepRecord]) -> Drift:
        drift = self._difference(heads, records)
        for revision in drift.undone:
            check_undone(revision, self._with_ancestors(heads), records)
        return drift

    def _difference(self, heads: tuple[str, ...], records: Mapping[Step, StepRecord]) -> Drift:
        known = frozenset(revision.change.revision for revision in self.revisions)
        return drift_of(known, heads, records, self._with_ancestors)

    def _heads_and_records(self) -> tuple[tuple[str, ...], dict[Step, StepRecord]]:
        """
        What the version table and the ledger say at one moment.

        They are read one after the other, and another runner may commit a step in between: then they only seem to
        differ, and are read again.
        """
        heads, records = self.heads, self.ledger.steps()
        while self._difference(heads, records):
            again = observe(self.project, self.settings.database_url).heads, self.ledger.steps()
            if again == (heads, records):
                break
            heads, records = again
        return heads, records

    def _with_ancestors(self, revisions: Iterable[str]) -> frozenset[str]:
        """These revisions and, of those that this tree has, everything below them."""
        found = set(revisions)
        with revision_errors(self.project):
            for revision in found & {known.change.revision for known in self.revisions}:
                found.update(script.revision for script in self.project.script.iterate_revisions(revision, "base"))
        return frozenset(found)

    def observed_facts(self) -> Facts:
        """The facts with what plain Alembic did counted in; writes nothing."""
        if not self.has_ledger:
            steps = {Step(revision, Phase.EXPAND): StepState.DONE for revision in self._with_ancestors(self.heads)}
            return Facts(now=self.ledger.now(), tree=self._tree(steps), steps=steps, rival=self._rival)
        heads, records = self._heads_and_records()
        steps = states(records)
        drift = self._drift(heads, records)
        for revision in drift.applied:
            steps[Step(revision, Phase.EXPAND)] = StepState.DONE
        for revision in drift.undone:
            steps.pop(Step(revision, Phase.EXPAND), None)
            steps.pop(Step(revision, Phase.BACKFILL), None)
        return self._facts(self.ledger, steps, records)

    def facts(self, ledger: Ledger | None = None) -> Facts:
        """The facts as the ledger has them now, read in the transaction of `ledger` where one is given."""
        reading = ledger or self.ledger
        records = reading.steps()
        return self._facts(reading, states(records), records)

    def reconcile(self) -> list[str]:
        """
        Record what plain Alembic did without us; one sentence for each finding.

        Applied revisions become expanded steps, marked as done outside. A revision that was downgraded is forgotten,
        so that its expand and its backfill run again.
        """
        revisions = {revision.change.revision: revision for revision in self.revisions}
        heads, records = self._heads_and_records()
        drift = self._drift(heads, records)
        given_up = _given_up(records, revisions)
        with self.connection.transaction():
            for record in given_up:
                self.ledger.put_step(record.step, StepState.PENDING, title=record.title)
            for revision in drift.applied:
                change, step = revisions[revision].change, Step(revision, Phase.EXPAND)
                parts = len(change.expand_parts)
                self.ledger.put_step(step, StepState.DONE, title=change.title, parts_done=parts, outside=True)
                if change.contract_parts:
                    self.ledger.amend(self.understood(revisions[revision]).change)
                self.ledger.record("expand done", {"outside": True}, step=step)
            for revision in drift.undone:
                self.ledger.forget_change(revision)
                self.ledger.record("expand undone", {"outside": True}, step=Step(revision, Phase.EXPAND))
        sentences = [
            f"{revision} was downgraded outside ec: its expand and backfill are to run again"
            for revision in drift.undone
        ]
        sentences += [f"{record.step} had failed, and this tree has it no more: it is forgotten" for record in given_up]
        if drift.applied:
            sentences.insert(0, f"{len(drift.applied)} revision(s) applied by plain alembic recorded as expanded")
        return sentences

    def _facts(self, ledger: Ledger, steps: Mapping[Step, StepState], records: Mapping[Step, StepRecord]) -> Facts:
        known = {revision.change.revision for revision in self.revisions}
        unknown = {Step(head, Phase.EXPAND): StepState.DONE for head in self.heads if head not in known}
        facts = facts_of(ledger, ledger.router(), {**unknown, **steps}, records)
        return replace(
            facts,
            tree=self._tree(facts.steps, facts.recorded),
            rival=self._rival,
            timeline=self.timeline,
            traffic_timeline=ledger.traffic_timeline(),
        )

    @cached_property
    def _rival(self) -> Rival | None:
        return rival_of(self.settings, self.address, self.connection)

    def _tree(
        self, steps: Mapping[Step, StepState], recorded: Mapping[Step, object] = MappingProxyType({})
    ) -> tuple[Change, ...]:
        """
        The changes; those with open steps know what they mean (finding that out calls their functions).

        What they touch matters only where one may come before another.
        """
        waiting = [revision for revision in self.revisions if _is_open(revision, steps, recorded)]
        look = self._reading.with_footprints if any(each.contract for each in waiting[:-1]) else self._reading.change
        known = {revision.change.revision: look(revision) for revision in waiting}
        return tuple(known.get(revision.change.revision, revision.change) for revision in self.revisions)

    def understood(self, revision: Revision) -> Revision:
        """The revision with what its phases mean."""
        return replace(revision, change=self._reading.change(revision))

    def exclusively_locked(self, revision: Revision, phase: Phase, index: int) -> tuple[str, ...]:
        """The tables from which a part will keep even readers, by names as SQL has them."""
        major = self.connection.info.server_version // 10000
        return exclusively_locked(self.sql_of(revision, phase, index), self._deployed(), major)

    def sql_of(self, revision: Revision, phase: Phase, index: int) -> str:
        """The SQL that a part will run in its transaction."""
        return self._reading.part(revision, phase, index)

    def with_all_footprints(self, facts: Facts) -> Facts:
        """The facts with what every change touches, whether its steps are done or not."""
        return replace(facts, tree=tuple(map(self._reading.with_footprints, self.revisions)))

    @cached_property
    def _reading(self) -> Reading:
        steps = states(self.ledger.steps()) if self.has_ledger else {}
        return Reading([each for each in self.revisions if _is_open(each, steps, {})], self._deployed)

    def _deployed(self) -> str:
        executor = PsycopgExecutor(self.connection)
        return deployed_schema(executor)


def _given_up(records: Mapping[Step, StepRecord], revisions: Mapping[str, Revision]) -> list[StepRecord]:
    """The steps that failed before anything of them was committed, and whose file somebody has taken away since."""
    return [
        record
        for step, record in records.items()
        if record.error is not None and record.state is StepState.PENDING and step.revision not in revisions
    ]


def _is_open(revision: Revision, steps: Mapping[Step, StepState], recorded: Mapping[Step, object]) -> bool:
    """Whether a step of it isn't done, be it a contract that has gone from the file while it waited."""
    name = revision.change.revision
    phases = {*revision.change.phases, *(phase for phase in Phase if Step(name, phase) in recorded)}
    return any(steps.get(Step(name, phase)) is not StepState.DONE for phase in phases)


@contextmanager
def open_situation(settings: Settings) -> Iterator[Situation]:
    """
    Open the project, run env.py once to see its database, and connect.

    Raises:
        EcError: the project, the configuration or the server can't be used; nothing has changed.
    """
    project = open_project(settings.project)
    revisions = read_revisions(project, settings.contract_after)
    seen = observe(project, settings.database_url)
    actor = current_actor(project.folder)
    with connect(seen.address, application_name=actor.application_name) as connection:
        ledger = Ledger(PsycopgExecutor(connection), actor)
        session = LedgerSession(seen.address, connection, ledger, actor)
        ordered = _as_applied(revisions, session, seen.heads)
        yield Situation(seen.address, connection, ledger, actor, settings, project, ordered, seen.heads, seen.metadata)


def _as_applied(
    revisions: tuple[Revision, ...], session: LedgerSession, heads: tuple[str, ...]
) -> tuple[Revision, ...]:
    """The revisions in the order in which they were applied or will be: it matters where the history has branches."""
    steps = session.ledger.steps() if session.has_ledger else {}
    applied = [*(step.revision for step in steps if step.phase is Phase.EXPAND), *heads]
    by_name = {revision.change.revision: revision for revision in revisions}
    parents = parents_of(revision.script for revision in revisions)
    return tuple(by_name[name] for name in in_order(parents, applied))


def with_rows_left(facts: Facts, rows_left: Mapping[str, bool]) -> Facts:
    """The facts with what somebody has seen of unfilled rows."""
    return replace(facts, rows_left=rows_left)
