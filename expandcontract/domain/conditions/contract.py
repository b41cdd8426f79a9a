"""When a contract may run, as far as the ledger tells."""

from __future__ import annotations

from expandcontract.domain.change import Change
from expandcontract.domain.conditions.trees import (
    applied_changes_kept_their_order,
    no_waiting_contract_is_met,
    nothing_open_was_edited,
    tree_ships_all_applied,
)
from expandcontract.domain.duration import format_duration
from expandcontract.domain.facts import Facts
from expandcontract.domain.moment import at, no_earlier_than
from expandcontract.domain.phase import Phase
from expandcontract.domain.refusal import Code, Refusal, names, refuse


def contracting_tree_is_current(change: Change, facts: Facts) -> Refusal | None:
    """`tree_ships_all_applied`, for a contract."""
    return tree_ships_all_applied(Phase.CONTRACT, change, facts)


def contracting_tree_keeps_the_order(change: Change, facts: Facts) -> Refusal | None:
    """`applied_changes_kept_their_order`, for a contract."""
    return applied_changes_kept_their_order(Phase.CONTRACT, change, facts)


def contract_finds_nothing_edited(change: Change, facts: Facts) -> Refusal | None:
    """`nothing_open_was_edited`, for a contract."""
    return nothing_open_was_edited(Phase.CONTRACT, change, facts)


def contract_meets_no_waiting_contract(change: Change, facts: Facts) -> Refusal | None:
    """`no_waiting_contract_is_met`, for a contract: the earlier one's old shape may stand on what this one removes."""
    return no_waiting_contract_is_met(Phase.CONTRACT, change, facts)


def expand_is_done_for_contract(change: Change, facts: Facts) -> Refusal | None:
    """Condition 1, first half."""
    if facts.is_done(change.revision, Phase.EXPAND):
        return None
    return refuse(
        change,
        Phase.CONTRACT,
        Code.NOT_EXPANDED,
        because=f"expand {change.revision} is {facts.state(change.revision, Phase.EXPAND)}",
        next="ec migrate expand",
    )


def backfill_is_complete(change: Change, facts: Facts) -> Refusal | None:
    """Condition 1, second half: recorded as complete, and no row needs it now."""
    if change.backfill is None:
        return None
    if not facts.is_done(change.revision, Phase.BACKFILL) and (rows := facts.rows_set_aside.get(change.revision)):
        return refuse(
            change,
            Phase.CONTRACT,
            Code.SET_ASIDE,
            because=f"backfill {change.revision} has set aside {rows} row(s) of {change.backfill.table},"
            " which it can't fill",
            next=f"ec backfill failures {change.revision}, mend them, then ec backfill retry {change.revision}",
        )
    if not facts.is_done(change.revision, Phase.BACKFILL):
        code, fact = Code.NOT_BACKFILLED, f"is {facts.state(change.revision, Phase.BACKFILL)}"
    elif facts.rows_left.get(change.revision):
        code, fact = Code.ROWS_LEFT, f"was complete, yet rows of {change.backfill.table} need it now"
    else:
        return None
    return refuse(
        change,
        Phase.CONTRACT,
        code,
        because=f"backfill {change.revision} {fact}",
        next=f"ec backfill {change.revision}",
    )


def every_live_colour_ships_it(change: Change, facts: Facts) -> Refusal | None:
    """Condition 2. Without a live colour nobody knows who has traffic, and that refuses as well."""
    if not facts.router.live:
        return refuse(
            change,
            Phase.CONTRACT,
            Code.NO_LIVE_COLOUR,
            because="the ledger knows of no colour with traffic, so who needs the old shape is unknown",
            next="ec colour deploy COLOUR RELEASE, then ec colour traffic COLOUR=100"
            " (a development database: ec migrate all)",
        )
    lacking = [
        f"{colour.name} has {colour.weight} % of the traffic and runs release {colour.release}"
        for colour in facts.router.live
        if change.revision not in facts.router.releases[colour.release].ships
    ]
    if not lacking:
        return None
    return refuse(
        change,
        Phase.CONTRACT,
        Code.LIVE_LACKS,
        because=f"{' and '.join(lacking)}, which lacks {change.revision}",
        next="move the traffic to a release that ships it; see ec colour show",
    )


def windows_are_closed(change: Change, facts: Facts) -> Refusal | None:
    """Condition 3: whoever lacks the change lost its traffic long enough ago."""
    still_open = [window for window in facts.windows(change) if window.is_open(facts.now)]
    if not still_open:
        return None
    last = still_open[0]
    if last.release is None:
        who = f"the ledger has watched the traffic only since {at(last.last_traffic)}"
    else:
        colours = facts.router.colours_of(last.release)
        place = f"{names(colours)} runs release {last.release}" if colours else f"release {last.release}"
        who = f"{place}, which lacks {change.revision}, and had traffic until {at(last.last_traffic)}"
    return refuse(
        change,
        Phase.CONTRACT,
        Code.WINDOW_OPEN,
        because=f"{who}; the window is {_length(change, facts)}",
        next=f"after {no_earlier_than(last.closes_at)}: ec migrate contract {change.revision}",
        until=last.closes_at,
    )


def _length(change: Change, facts: Facts) -> str:
    words = format_duration(facts.window_length(change))
    extended = facts.control(change.revision).extended
    return f"{words}, {format_duration(extended)} of it an extension" if extended else words
