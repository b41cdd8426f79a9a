"""Where Alembic's version table and the ledger differ: plain alembic was at work, or another tree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from expandcontract.commands.result import Refused
from expandcontract.database.ledger import StepRecord
from expandcontract.domain.phase import Phase
from expandcontract.domain.refusal import Code, Refusal
from expandcontract.domain.step import Step, StepState


@dataclass(frozen=True)
class Drift:
    """The revisions that Alembic has applied and the ledger hasn't, and those that it has downgraded."""

    applied: tuple[str, ...]
    undone: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.applied or self.undone)


def drift_of(
    known: frozenset[str],
    heads: tuple[str, ...],
    records: Mapping[Step, StepRecord],
    with_ancestors: Callable[[Iterable[str]], frozenset[str]],
) -> Drift:
    """
    How the two differ, among the revisions of this tree.

    Below a change that the ledger has, everything was recorded with it: what it lacks there has been put into the
    history since, and has never run. Where the version table holds a revision that this tree lacks (an old tree),
    what lies below can't be told from here, so nothing counts as undone.

    Args:
        known: this tree's revisions.
        heads: those in the version table.
        records: the ledger's.
        with_ancestors: gives revisions with everything below them.
    """
    expanded = {
        step.revision
        for step, record in records.items()
        if step.phase is Phase.EXPAND and record.state is StepState.DONE
    }
    lineage = with_ancestors(heads)
    applied = (lineage & known) - expanded - with_ancestors(expanded)
    undone = (expanded & known) - lineage if known.issuperset(heads) else set()
    return Drift(tuple(sorted(applied)), tuple(sorted(undone)))


def check_undone(revision: str, lineage: frozenset[str], records: Mapping[Step, StepRecord]) -> None:
    """
    Check that a change which the version table lacks can have been downgraded.

    Raises:
        Refused: its contract has begun, or what was expanded after it is still applied.
    """
    contract = records.get(Step(revision, Phase.CONTRACT))
    if contract is not None and contract.state is not StepState.PENDING:
        raise _drifted(
            contract,
            f"its contract is {contract.state}, and Alembic's version table lacks {revision}:"
            " plain alembic has downgraded it, or the tree has another order than when it was applied",
            "put the tree's order back; what a contract has removed only a backup can bring back",
        )
    expanded = records[Step(revision, Phase.EXPAND)]
    later = [
        step.revision
        for step, record in records.items()
        if step.phase is Phase.EXPAND and step.revision in lineage and _came_after(record, expanded)
    ]
    if later:
        raise _drifted(
            expanded,
            f"it was applied before {later[0]}, which Alembic's version table has, and in this tree isn't below it",
            f"put {revision} back below {later[0]}",
        )


def _drifted(record: StepRecord, because: str, next_command: str) -> Refused:
    return Refused((Refusal(record.step, record.title, Code.DRIFT, because, next_command),))


def _came_after(record: StepRecord, other: StepRecord) -> bool:
    if record.outside or other.outside or record.finished_at is None or other.finished_at is None:
        return False
    return record.finished_at > other.finished_at
