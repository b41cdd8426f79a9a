"""
The gate: allowed, or refused, because, until, next. The only place that says no.

A gate is the tuple of its conditions, each for itself a function of facts that answers None or a refusal. Nothing here
reads a clock or a database: the facts carry both.
"""

from __future__ import annotations

from collections.abc import Callable

from expandcontract.domain.change import Change
from expandcontract.domain.conditions import (
    amend,
    approval,
    backfill,
    contract,
    database_witness,
    evidence,
    expand,
    identity,
    models,
    traffic,
    undo,
    window,
)
from expandcontract.domain.conditions.trees import contract_waits
from expandcontract.domain.conditions.undo import releases_with_traffic
from expandcontract.domain.facts import Facts
from expandcontract.domain.phase import Phase
from expandcontract.domain.refusal import Refusal
from expandcontract.domain.release import Release
from expandcontract.domain.step import Step

Condition = Callable[[Change, Facts], Refusal | None]
TrafficCondition = Callable[[Release, Facts], list[Refusal]]
UndoCondition = Callable[[Change, Facts, frozenset[str]], Refusal | None]

CONDITIONS: dict[Phase, tuple[Condition, ...]] = {
    Phase.EXPAND: (
        expand.expanding_tree_is_current,
        expand.expanding_tree_keeps_the_order,
        expand.expand_finds_nothing_edited,
        expand.earlier_expands_are_done,
        expand.later_changes_are_not_expanded,
        expand.expand_meets_no_waiting_contract,
        identity.expanding_server_is_the_primary,
    ),
    Phase.BACKFILL: (
        backfill.expand_is_done_for_backfill,
        backfill.new_rows_are_kept_right,
        identity.filling_server_is_the_primary,
    ),
    Phase.CONTRACT: (
        contract.contracting_tree_is_current,
        contract.contracting_tree_keeps_the_order,
        contract.contract_finds_nothing_edited,
        contract.contract_meets_no_waiting_contract,
        contract.expand_is_done_for_contract,
        contract.backfill_is_complete,
        contract.every_live_colour_ships_it,
        contract.windows_are_closed,
        evidence.traffic_is_known,
        evidence.witnesses_agree_with_the_ledger,
        identity.contracting_server_is_the_primary,
        identity.ledger_is_at_home,
        identity.traffic_is_known_since_the_failover,
        identity.clock_goes_forward,
        evidence.window_was_watched,
        database_witness.database_testifies,
        evidence.no_session_lacks_it,
        evidence.nothing_objects,
        evidence.no_model_declares_it,
        evidence.nothing_refers_to_it,
        evidence.tombstone_has_soaked,
        approval.somebody_has_approved_it,
    ),
}

TRAFFIC_CONDITIONS: tuple[TrafficCondition, ...] = (
    traffic.expanded_what_it_ships,
    traffic.backfilled_what_it_reads,
    traffic.ships_what_was_contracted,
    models.declares_nothing_that_is_gone,
    traffic.meets_no_tombstone,
)

SHIFT_CONDITIONS: tuple[TrafficCondition, ...] = (*TRAFFIC_CONDITIONS, traffic.no_step_is_stuck)

SCHEMA_CONDITIONS: tuple[TrafficCondition, ...] = (
    traffic.expanded_what_it_ships,
    traffic.ships_what_was_contracted,
    models.declares_nothing_that_is_gone,
    traffic.meets_no_tombstone,
)

# A tombstone breaks whom its contract would break, so all of that must allow it; what it is to find out may be open,
# and whoever approves the contract may want to see it first.
TOMBSTONE_CONDITIONS: tuple[Condition, ...] = tuple(
    condition
    for condition in CONDITIONS[Phase.CONTRACT]
    if condition
    not in (evidence.nothing_refers_to_it, evidence.tombstone_has_soaked, approval.somebody_has_approved_it)
)

UNDO_CONDITIONS: tuple[UndoCondition, ...] = (
    identity.undoing_server_is_the_primary,
    undo.undoing_tree_keeps_the_order,
    undo.there_is_something_to_undo,
    undo.contract_has_not_run,
    undo.no_live_colour_ships_it,
    undo.nothing_later_is_applied,
    undo.no_tombstone_stands,
    undo.lost_ways_back_are_named,
)

EXTEND_CONDITIONS: tuple[Condition, ...] = (window.contract_has_not_begun,)

CLOSE_CONDITIONS: tuple[Condition, ...] = (
    window.contract_has_not_begun,
    contract.expand_is_done_for_contract,
    contract.every_live_colour_ships_it,
    window.nobody_drains,
)

APPROVE_CONDITIONS: tuple[Condition, ...] = (
    contract.contracting_tree_is_current,
    contract.contract_finds_nothing_edited,
    contract.expand_is_done_for_contract,
)

AMEND_CONDITIONS: tuple[Condition, ...] = (
    amend.amending_tree_is_current,
    amend.what_ran_of_the_contract_is_the_same,
    amend.amended_contract_spares_what_overtook_it,
)


def refusals(change: Change, phase: Phase, facts: Facts) -> tuple[Refusal, ...]:
    """Why that step may not run now, each condition for itself; empty means allowed."""
    return tuple(no for condition in CONDITIONS[phase] if (no := condition(change, facts)) is not None)


def tombstone_refusals(change: Change, facts: Facts) -> tuple[Refusal, ...]:
    """Why what the contract of `change` drops may not be taken from the application now."""
    return tuple(no for condition in TOMBSTONE_CONDITIONS if (no := condition(change, facts)) is not None)


def traffic_refusals(release: Release, facts: Facts) -> tuple[Refusal, ...]:
    """Why that release may not take traffic now; empty means that it may."""
    return tuple(no for condition in TRAFFIC_CONDITIONS for no in condition(release, facts))


def shift_refusals(release: Release, facts: Facts) -> tuple[Refusal, ...]:
    """
    Why traffic shouldn't be moved to that release now, each step named once.

    More than `traffic_refusals`, which is what a way back asks: that is open while a step is stuck.
    """
    found: dict[Step, Refusal] = {}
    for condition in SHIFT_CONDITIONS:
        for no in condition(release, facts):
            found.setdefault(no.step, no)
    return tuple(found.values())


def schema_refusals(release: Release, facts: Facts) -> tuple[Refusal, ...]:
    """Why the schema isn't what that release needs; rows that are still to be filled don't count."""
    return tuple(no for condition in SCHEMA_CONDITIONS for no in condition(release, facts))


def undo_refusals(change: Change, facts: Facts, given_up: frozenset[str]) -> tuple[Refusal, ...]:
    """Why the expand of `change` may not be undone, where the caller gives up the releases `given_up` by name."""
    return tuple(no for condition in UNDO_CONDITIONS if (no := condition(change, facts, given_up)) is not None)


def amend_refusals(change: Change, facts: Facts) -> tuple[Refusal, ...]:
    """Why the ledger may not take the file of `change` as it is now for what was meant."""
    return tuple(no for condition in AMEND_CONDITIONS if (no := condition(change, facts)) is not None)


def approve_refusals(change: Change, facts: Facts) -> tuple[Refusal, ...]:
    """Why nobody may approve the contract of `change` now."""
    return tuple(no for condition in APPROVE_CONDITIONS if (no := condition(change, facts)) is not None)


def extend_refusals(change: Change, facts: Facts) -> tuple[Refusal, ...]:
    """Why the rollback window of `change` can't be made longer."""
    return tuple(no for condition in EXTEND_CONDITIONS if (no := condition(change, facts)) is not None)


def close_refusals(change: Change, facts: Facts) -> tuple[Refusal, ...]:
    """Why the rollback window of `change` may not be closed early."""
    return tuple(no for condition in CLOSE_CONDITIONS if (no := condition(change, facts)) is not None)


def contracts_that_end(release: Release, facts: Facts) -> tuple[Step, ...]:
    """The contracts that wait and that the release lacks: each ends the way back to it."""
    return tuple(
        step
        for step in sorted(facts.recorded)
        if step.phase is Phase.CONTRACT and contract_waits(step.revision, facts) and step.revision not in release.ships
    )


def new_code_may_have_written(change: Change, facts: Facts) -> bool:
    """
    Whether rows may hold what new code wrote, which a backfill must leave alone.

    Where the backfill isn't required, a release that ships the change may get its traffic at any moment.
    """
    not_required = change.backfill is not None and not change.backfill.required
    return not_required or bool(releases_with_traffic(change.revision, facts))
