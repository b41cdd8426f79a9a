"""Running the phases of a project in any order on a database that nobody else uses, and looking at what is left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from expandcontract.alembic_bridge.revisions import Revision
from expandcontract.commands.conversation import Conversation
from expandcontract.commands.filling import Filled, Pacing, fill
from expandcontract.commands.running import Running, become_runner
from expandcontract.commands.situation import Situation, open_situation
from expandcontract.config import Settings
from expandcontract.database.deployed_schema import deployed_statements
from expandcontract.database.executor import PsycopgExecutor
from expandcontract.database.ledger import Ledger
from expandcontract.domain.change import Change
from expandcontract.domain.phase import Phase
from expandcontract.domain.step import Step
from expandcontract.errors import StepFailed, UsageError

_BOOKKEEPING = "alembic_version"


@dataclass(frozen=True)
class Rehearsal:
    """A project and a database of our own, in which no gate is asked."""

    situation: Situation
    running: Running
    conversation: Conversation

    @property
    def revisions(self) -> tuple[Revision, ...]:
        """The revisions of the tree, oldest first."""
        return self.situation.revisions

    def run(self, revision: Revision, phase: Phase) -> None:
        """
        Run one phase of a change.

        Raises:
            StepFailed: it failed, or its backfill left rows.
        """
        if phase is not Phase.BACKFILL:
            self.running.run_step(revision, phase, _nobody_minds)
            return
        done = fill(self.situation, revision, self.conversation, pacing=Pacing(None), new_code_wrote=False)
        if not isinstance(done, Filled):
            raise StepFailed(f"{done.step} left rows", because=done.because)

    def undo(self, revision: Revision) -> None:
        """Run ``downgrade()``."""
        self.running.undo(revision, _nobody_minds, {})

    def catalogue(self) -> frozenset[str]:
        """The schema as statements: two databases with equal ones have the same tables, types, functions and so on."""
        statements = deployed_statements(PsycopgExecutor(self.situation.connection))
        return frozenset(each for each in statements if _BOOKKEEPING not in each)

    def overtaking_order(self) -> Iterator[tuple[Revision, Phase]]:
        """
        The steps in the order in which contracts come as late as the gate would let them.

        Where an expand meets a waiting contract, that contract and all before it come first.
        """
        tree = self.situation.with_all_footprints(self.situation.observed_facts()).tree
        waiting: list[tuple[Revision, Change]] = []
        for revision, change in zip(self.revisions, tree, strict=True):
            if any(_meets(change, earlier) for _, earlier in waiting):
                yield from ((each, Phase.CONTRACT) for each, _ in waiting)
                waiting.clear()
            yield revision, Phase.EXPAND
            if change.backfill is not None:
                yield revision, Phase.BACKFILL
            if change.contract_parts:
                waiting.append((revision, change))
        yield from ((each, Phase.CONTRACT) for each, _ in waiting)


@contextmanager
def rehearse(settings: Settings, conversation: Conversation) -> Iterator[Rehearsal]:
    """
    Open a project on an empty database of our own.

    Raises:
        UsageError: env.py connects to a database that isn't empty, and so to another one; nothing was touched there.
            Of one that is empty, the runner finds out before its first part.
        EcError: see `expandcontract.errors`.
    """
    with open_situation(settings) as situation:
        if situation.heads:
            raise UsageError(
                "env.py connects to another database than the one that was made for the tests",
                because=f"there {', '.join(situation.heads)} is applied",
                next_command='let env.py take its URL from os.environ["EC_DATABASE_URL"], or from sqlalchemy.url',
            )
        with become_runner(situation, conversation) as running:
            yield Rehearsal(situation, running, conversation)


def in_order(revisions: Sequence[Revision]) -> Iterator[tuple[Revision, Phase]]:
    """Every phase of each revision before the next one."""
    for revision in revisions:
        for phase in revision.change.phases:
            yield revision, phase


def name_of(revision: Revision, phase: Phase) -> str:
    """How a step is called in a report."""
    return f"{Step(revision.change.revision, phase)} ({revision.change.title})"


def _nobody_minds(_: Ledger) -> None:
    """What the gate would be asked."""


def _meets(change: Change, earlier: Change) -> bool:
    theirs = earlier.footprint(Phase.CONTRACT)
    return change.footprint(Phase.EXPAND).meeting(theirs) is not None
