"""When an expand may be undone."""

from __future__ import annotations

from expandcontract.domain.change import Change
from expandcontract.domain.conditions.trees import applied_changes_kept_their_order
from expandcontract.domain.facts import Facts
from expandcontract.domain.moment import at
from expandcontract.domain.phase import Phase
from expandcontract.domain.refusal import Code, Refusal, names, refuse
from expandcontract.domain.step import StepState


def releases_with_traffic(revision: str, facts: Facts) -> tuple[str, ...]:
    """The releases that ship `revision` and ever had traffic: undoing it takes the way back from them."""
    return tuple(
        sorted(
            tag
            for tag, release in facts.router.releases.items()
            if revision in release.ships and facts.router.last_traffic(tag, facts.now) is not None
        )
    )


def there_is_something_to_undo(change: Change, facts: Facts, given_up: frozenset[str]) -> Refusal | None:
    """Only a finished expand can be undone: `downgrade()` is written for the whole of it."""
    if facts.is_done(change.revision, Phase.EXPAND):
        return None
    state = facts.state(change.revision, Phase.EXPAND)
    if state is StepState.PENDING:
        return _undo_refused(change, Code.NOT_EXPANDED, "there is nothing to undo: it isn't expanded", "ec status")
    return _undo_refused(change, Code.NOT_EXPANDED, f"the expand is {state}; finish it first", "ec migrate expand")


def contract_has_not_run(change: Change, facts: Facts, given_up: frozenset[str]) -> Refusal | None:
    """After its contract there is no old shape to go back to."""
    if not facts.has_begun(change.revision, Phase.CONTRACT):
        return None
    because = f"contract {change.revision} has run, and what it removed is gone"
    return _undo_refused(change, Code.CONTRACTED, because, "ec status")


def no_live_colour_ships_it(change: Change, facts: Facts, given_up: frozenset[str]) -> Refusal | None:
    """Live code that ships the change needs its new shape."""
    shipping = [
        colour.name for colour in facts.router.live if change.revision in facts.router.releases[colour.release].ships
    ]
    if not shipping:
        return None
    because = f"{names(shipping)} has traffic and ships {change.revision}"
    return _undo_refused(change, Code.LIVE_SHIPS, because, "ec colour show")


def nothing_later_is_applied(change: Change, facts: Facts, given_up: frozenset[str]) -> Refusal | None:
    """The history is linear: what came later stands on this change."""
    order = [known.revision for known in facts.tree]
    applied = facts.applied
    later = [revision for revision in order[order.index(change.revision) + 1 :] if revision in applied]
    unknown = sorted(applied - set(order))
    if not (later or unknown):
        return None
    because = f"{names(later + unknown)} is applied and comes later"
    return _undo_refused(change, Code.LATER_APPLIED, because, f"ec undo {(unknown or later)[-1]}")


def no_tombstone_stands(change: Change, facts: Facts, given_up: frozenset[str]) -> Refusal | None:
    """Who goes back needs what the tombstone has taken."""
    stands = facts.tombstones.get(change.revision)
    if stands is None:
        return None
    because = (
        f"a tombstone keeps the application from {names([str(one) for one in stands.taken])} since {at(stands.since)}"
    )
    return _undo_refused(change, Code.TOMBSTONE, because, f"ec tombstone {change.revision} --undo")


def lost_ways_back_are_named(change: Change, facts: Facts, given_up: frozenset[str]) -> Refusal | None:
    """Undoing may take a way back from somebody, so each such release is given up by name."""
    unnamed = [tag for tag in releases_with_traffic(change.revision, facts) if tag not in given_up]
    if not unnamed:
        return None
    options = " ".join(f"--give-up {tag}" for tag in unnamed)
    because = f"release {names(unnamed)} had traffic and couldn't get it back"
    return _undo_refused(change, Code.GIVES_UP, because, f"ec undo {change.revision} {options}")


def undoing_tree_keeps_the_order(change: Change, facts: Facts, given_up: frozenset[str]) -> Refusal | None:
    """`applied_changes_kept_their_order`, for an undo: what is the latest depends on it."""
    return applied_changes_kept_their_order(Phase.EXPAND, change, facts)


def _undo_refused(change: Change, code: Code, because: str, next_command: str) -> Refusal:
    return refuse(change, Phase.EXPAND, code, because=because, next=next_command)
