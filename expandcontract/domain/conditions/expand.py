"""When an expand may run."""

from __future__ import annotations

from expandcontract.domain.change import Change
from expandcontract.domain.conditions.trees import (
    applied_changes_kept_their_order,
    no_waiting_contract_is_met,
    nothing_open_was_edited,
    tree_ships_all_applied,
)
from expandcontract.domain.facts import Facts
from expandcontract.domain.phase import Phase
from expandcontract.domain.refusal import Code, Refusal, names, refuse


def expanding_tree_is_current(change: Change, facts: Facts) -> Refusal | None:
    """`tree_ships_all_applied`, for an expand."""
    return tree_ships_all_applied(Phase.EXPAND, change, facts)


def earlier_expands_are_done(change: Change, facts: Facts) -> Refusal | None:
    """Expands run in the order of the history."""
    for earlier in facts.tree:
        if earlier.revision == change.revision:
            return None
        if not facts.is_done(earlier.revision, Phase.EXPAND):
            return refuse(
                change,
                Phase.EXPAND,
                Code.EARLIER_EXPAND,
                because=f"{earlier.revision} ({earlier.title}) comes first and isn't expanded",
                next="ec migrate expand",
            )
    return None


def later_changes_are_not_expanded(change: Change, facts: Facts) -> Refusal | None:
    """A change that was put below an applied one has never run, whatever Alembic's version table seems to say."""
    order = [known.revision for known in facts.tree]
    later = [revision for revision in order[order.index(change.revision) + 1 :] if revision in facts.applied]
    if not later:
        return None
    return refuse(
        change,
        Phase.EXPAND,
        Code.OUT_OF_ORDER,
        because=f"{names(later)} comes later in the history and is applied, so it was put below it afterwards",
        next=f"move it to the end: down_revision = {later[-1]!r} in its file, and what now follows it as it was before",
    )


def expanding_tree_keeps_the_order(change: Change, facts: Facts) -> Refusal | None:
    """`applied_changes_kept_their_order`, for an expand."""
    return applied_changes_kept_their_order(Phase.EXPAND, change, facts)


def expand_finds_nothing_edited(change: Change, facts: Facts) -> Refusal | None:
    """`nothing_open_was_edited`, for an expand."""
    return nothing_open_was_edited(Phase.EXPAND, change, facts)


def expand_meets_no_waiting_contract(change: Change, facts: Facts) -> Refusal | None:
    """`no_waiting_contract_is_met`, for an expand."""
    return no_waiting_contract_is_met(Phase.EXPAND, change, facts)
