"""When the ledger may take an edited file for what was meant."""

from __future__ import annotations

from expandcontract.domain.change import Change
from expandcontract.domain.conditions.trees import tree_ships_all_applied
from expandcontract.domain.facts import Facts
from expandcontract.domain.phase import Phase
from expandcontract.domain.refusal import Code, Refusal, refuse
from expandcontract.domain.step import Step


def amending_tree_is_current(change: Change, facts: Facts) -> Refusal | None:
    """`tree_ships_all_applied`, for an amendment: what has overtaken the contract must be seen."""
    return tree_ships_all_applied(Phase.CONTRACT, change, facts)


def what_ran_of_the_contract_is_the_same(change: Change, facts: Facts) -> Refusal | None:
    """Parts of a contract that have run can't be taken back."""
    step = Step(change.revision, Phase.CONTRACT)
    recorded = facts.recorded.get(step)
    if recorded is None or recorded.has_run_as(change.meanings.get(Phase.CONTRACT, ())):
        return None
    because = f"{recorded.ran} part(s) of the contract have run as they were, and this tree has others in their place"
    return refuse(change, Phase.CONTRACT, Code.EDITED, because=because, next="put these parts back as they were")


def amended_contract_spares_what_overtook_it(change: Change, facts: Facts) -> Refusal | None:
    """What has run since was let past the contract as it was; it must not meet the contract as it is to be."""
    order = [known.revision for known in facts.tree]
    mine = change.footprint(Phase.CONTRACT)
    for later in facts.tree[order.index(change.revision) + 1 :]:
        for phase in (Phase.EXPAND, Phase.CONTRACT):
            shared = mine.meeting(later.footprint(phase)) if facts.has_begun(later.revision, phase) else None
            if shared is not None:
                return refuse(
                    change,
                    Phase.CONTRACT,
                    Code.FOOTPRINT,
                    because=f"{phase} {later.revision} ({later.title}) has overtaken this contract as it was,"
                    f" and {shared}",
                    next=f"write a contract() that leaves alone what {later.revision} needs",
                )
    return None
