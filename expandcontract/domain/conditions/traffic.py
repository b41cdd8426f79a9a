"""When a release may take traffic, and when the schema is what it needs."""

from __future__ import annotations

from expandcontract.domain.facts import Facts
from expandcontract.domain.moment import at
from expandcontract.domain.phase import Phase
from expandcontract.domain.refusal import Code, Refusal, names
from expandcontract.domain.release import Release
from expandcontract.domain.step import Step, StepState


def expanded_what_it_ships(release: Release, facts: Facts) -> list[Refusal]:
    """(a): every change that it ships is expanded."""
    return [
        Refusal(
            Step(revision, Phase.EXPAND),
            facts.title(revision),
            Code.NOT_EXPANDED,
            because=f"release {release.tag} needs it, and it is {facts.state(revision, Phase.EXPAND)}",
            next="ec migrate expand",
        )
        for revision in sorted(release.ships)
        if not facts.is_done(revision, Phase.EXPAND)
    ]


def backfilled_what_it_reads(release: Release, facts: Facts) -> list[Refusal]:
    """(b): every backfill that it requires is complete."""
    return [
        Refusal(
            Step(revision, Phase.BACKFILL),
            facts.title(revision),
            Code.NOT_BACKFILLED,
            because=f"release {release.tag} reads what it fills, and it is {facts.state(revision, Phase.BACKFILL)}",
            next=f"ec backfill {revision}",
        )
        for revision in sorted(release.needs_backfill)
        if not facts.is_done(revision, Phase.BACKFILL)
    ]


def ships_what_was_contracted(release: Release, facts: Facts) -> list[Refusal]:
    """(c): it ships every change whose contract has removed something, begun ones included."""
    return [
        Refusal(
            step,
            facts.title(step.revision),
            Code.CONTRACTED,
            because=f"release {release.tag} lacks {step.revision}, whose contract is {state}{_since(step, facts)}:"
            " its schema is gone",
            next="keep the traffic where it is, or deploy a release that ships it",
        )
        for step, state in sorted(facts.steps.items())
        if step.phase is Phase.CONTRACT and state is not StepState.PENDING and step.revision not in release.ships
    ]


def meets_no_tombstone(release: Release, facts: Facts) -> list[Refusal]:
    """(c) as well: a tombstone takes what its contract will drop, and a release that lacks the change needs it."""
    return [
        Refusal(
            Step(revision, Phase.CONTRACT),
            facts.title(revision),
            Code.TOMBSTONE,
            because=f"release {release.tag} lacks {revision}, and a tombstone keeps it from"
            f" {names([str(one) for one in stands.taken])} since {at(stands.since)}",
            next=f"ec tombstone {revision} --undo",
        )
        for revision, stands in sorted(facts.tombstones.items())
        if revision not in release.ships
    ]


def _since(step: Step, facts: Facts) -> str:
    return f" since {at(facts.finished[step])}" if step in facts.finished else ""
