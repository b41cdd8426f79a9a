"""The plan: which steps wait, in which order, and what the gate says to each of them now."""

from __future__ import annotations

from dataclasses import dataclass

from expandcontract.domain.change import Change
from expandcontract.domain.facts import Facts
from expandcontract.domain.gate import refusals
from expandcontract.domain.phase import Phase
from expandcontract.domain.refusal import Refusal
from expandcontract.domain.step import Step, StepState


@dataclass(frozen=True)
class PlannedStep:
    """One step of the tree, its state, and why it may not run now (empty: it may, or it is done)."""

    step: Step
    change: Change
    state: StepState
    refusals: tuple[Refusal, ...]

    @property
    def is_done(self) -> bool:
        """Whether nothing of it is left."""
        return self.state is StepState.DONE


def plan(facts: Facts) -> tuple[PlannedStep, ...]:
    """Every step of the tree, change by change in the order of the history."""
    return tuple(_planned(change, phase, facts) for change in facts.tree for phase in change.phases)


def pending(facts: Facts, phase: Phase) -> tuple[Change, ...]:
    """The changes of which that phase isn't done, in the order of the history."""
    return tuple(
        change for change in facts.tree if phase in change.phases and not facts.is_done(change.revision, phase)
    )


def _planned(change: Change, phase: Phase, facts: Facts) -> PlannedStep:
    state = facts.state(change.revision, phase)
    why_not = () if state is StepState.DONE else refusals(change, phase, facts)
    return PlannedStep(Step(change.revision, phase), change, state, why_not)
