"""What a tree must be before any step of it may run, and what of it waits."""

from __future__ import annotations

from expandcontract.domain.change import Change
from expandcontract.domain.facts import Facts
from expandcontract.domain.moment import no_earlier_than
from expandcontract.domain.phase import Phase
from expandcontract.domain.refusal import Code, Refusal, names, refuse
from expandcontract.domain.step import Step


def contract_waits(revision: str, facts: Facts) -> bool:
    """Whether the ledger knows of a contract of that change that isn't done, whatever a tree may say."""
    return Step(revision, Phase.CONTRACT) in facts.recorded and not facts.is_done(revision, Phase.CONTRACT)


def tree_ships_all_applied(phase: Phase, change: Change, facts: Facts) -> Refusal | None:
    """An old tree may not migrate: it doesn't know what newer code has done to the schema."""
    missing = sorted(facts.applied - {known.revision for known in facts.tree})
    if not missing:
        return None
    waiting = [revision for revision in missing if contract_waits(revision, facts)]
    return refuse(
        change,
        phase,
        Code.OLD_TREE,
        because=f"this tree lacks {names(missing)}, which the ledger knows as applied"
        + (f"; the contract of {names(waiting)} still waits" if waiting else ""),
        next="run it from a tree that has every applied revision (the newest release)"
        + ("; what was deleted, bring back until its contract is done" if waiting else ""),
    )


def applied_changes_kept_their_order(phase: Phase, change: Change, facts: Facts) -> Refusal | None:
    """What has been applied was applied in an order, and a tree that has it in another one tells another story."""
    shipped = [known.revision for known in facts.tree if known.revision in facts.came]
    came = [revision for revision in facts.came if revision in shipped]
    if shipped == came:
        return None
    return refuse(
        change,
        phase,
        Code.OUT_OF_ORDER,
        because=f"this tree has the applied changes in the order {names(shipped)}, and they came as {names(came)}",
        next="put their down_revision back in that order",
    )


def edited_phases(change: Change, facts: Facts) -> tuple[Phase, ...]:
    """
    The phases of an open change that mean something else than the ledger knows.

    Of a step that has run, what ran counts; of a contract that waits, all of it, for later changes have overtaken it
    as it was. What is finished may be edited as one likes.
    """
    if facts.is_done(change.revision, Phase.EXPAND) and not contract_waits(change.revision, facts):
        return ()
    return tuple(
        phase
        for phase in Phase
        if (recorded := facts.recorded.get(Step(change.revision, phase))) is not None
        and not (
            change.meanings.get(phase, ()) == recorded.parts
            if phase is Phase.CONTRACT
            else recorded.has_run_as(change.meanings.get(phase, ()))
        )
    )


def nothing_open_was_edited(phase: Phase, change: Change, facts: Facts) -> Refusal | None:
    """What ran, and what others have overtaken, stays as it was until the change is finished."""
    for known in facts.tree:
        edited = edited_phases(known, facts)
        if not edited:
            continue
        state = "its contract still waits" if facts.is_done(known.revision, Phase.EXPAND) else "its expand has begun"
        return refuse(
            change,
            phase,
            Code.EDITED,
            because=f"the file of {known.revision} ({known.title}) was edited: its {' and '.join(edited)}"
            f" would do something else than the ledger knows, and {state}",
            next=f"put the file back as it was; or, where the edit is meant: ec amend {known.revision} --reason TEXT",
        )
    return None


def no_waiting_contract_is_met(phase: Phase, change: Change, facts: Facts) -> Refusal | None:
    """A later step overtakes a waiting contract only where they touch nothing in common."""
    mine = change.footprint(phase)
    for earlier in facts.tree:
        if earlier.revision == change.revision:
            return None
        if not earlier.contract_parts or facts.is_done(earlier.revision, Phase.CONTRACT):
            continue
        shared = mine.meeting(earlier.footprint(Phase.CONTRACT))
        if shared is None:
            continue
        until = next((held.closes_at for held in facts.windows(earlier) if held.is_open(facts.now)), None)
        return refuse(
            change,
            phase,
            Code.FOOTPRINT,
            because=f"contract {earlier.revision} ({earlier.title}) still waits, and {shared}"
            + (f"; its window closes at {no_earlier_than(until)}" if until else ""),
            next=f"ec migrate contract {earlier.revision}, then ec migrate {phase}",
            until=until,
        )
    return None
