"""
The gate: allowed, or refused, because, until, next. The only place that says no.

Each condition is a function of facts that answers None or a refusal; a gate is the tuple of its conditions.
Nothing here reads a clock or a database: the facts carry both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from expandcontract.domain.change import Change
from expandcontract.domain.duration import format_duration
from expandcontract.domain.evidence import Verdict
from expandcontract.domain.facts import Facts
from expandcontract.domain.moment import at, no_earlier_than
from expandcontract.domain.phase import Phase
from expandcontract.domain.refusal import Code, Refusal
from expandcontract.domain.release import Release
from expandcontract.domain.sighting import TrafficState
from expandcontract.domain.step import Step, StepState
from expandcontract.domain.watching import longest
from expandcontract.domain.window import windows

Condition = Callable[[Change, Facts], Refusal | None]


def _names(words: Sequence[str]) -> str:
    return ", ".join(words)


def contract_waits(revision: str, facts: Facts) -> bool:
    """Whether the ledger knows of a contract of that change that isn't done, whatever a tree may say."""
    return Step(revision, Phase.CONTRACT) in facts.recorded and not facts.is_done(revision, Phase.CONTRACT)


def tree_ships_all_applied(phase: Phase, change: Change, facts: Facts) -> Refusal | None:
    """An old tree may not migrate: it doesn't know what newer code has done to the schema."""
    missing = sorted(facts.applied - {known.revision for known in facts.tree})
    if not missing:
        return None
    waiting = [revision for revision in missing if contract_waits(revision, facts)]
    return Refusal(
        Step(change.revision, phase),
        change.title,
        Code.OLD_TREE,
        because=f"this tree lacks {_names(missing)}, which the ledger knows as applied"
        + (f"; the contract of {_names(waiting)} still waits" if waiting else ""),
        next="run it from a tree that has every applied revision (the newest release)"
        + ("; what was deleted, bring back until its contract is done" if waiting else ""),
    )


def expanding_tree_is_current(change: Change, facts: Facts) -> Refusal | None:
    """`tree_ships_all_applied`, for an expand."""
    return tree_ships_all_applied(Phase.EXPAND, change, facts)


def earlier_expands_are_done(change: Change, facts: Facts) -> Refusal | None:
    """Expands run in the order of the history."""
    for earlier in facts.tree:
        if earlier.revision == change.revision:
            return None
        if not facts.is_done(earlier.revision, Phase.EXPAND):
            return Refusal(
                Step(change.revision, Phase.EXPAND),
                change.title,
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
    return Refusal(
        Step(change.revision, Phase.EXPAND),
        change.title,
        Code.OUT_OF_ORDER,
        because=f"{_names(later)} comes later in the history and is applied, so it was put below it afterwards",
        next=f"move it to the end: down_revision = {later[-1]!r} in its file, and what now follows it as it was before",
    )


def applied_changes_kept_their_order(phase: Phase, change: Change, facts: Facts) -> Refusal | None:
    """What has been applied was applied in an order, and a tree that has it in another one tells another story."""
    shipped = [known.revision for known in facts.tree if known.revision in facts.came]
    came = [revision for revision in facts.came if revision in shipped]
    if shipped == came:
        return None
    return Refusal(
        Step(change.revision, phase),
        change.title,
        Code.OUT_OF_ORDER,
        because=f"this tree has the applied changes in the order {_names(shipped)}, and they came as {_names(came)}",
        next="put their down_revision back in that order",
    )


def expanding_tree_keeps_the_order(change: Change, facts: Facts) -> Refusal | None:
    """`applied_changes_kept_their_order`, for an expand."""
    return applied_changes_kept_their_order(Phase.EXPAND, change, facts)


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
        return Refusal(
            Step(change.revision, phase),
            change.title,
            Code.EDITED,
            because=f"the file of {known.revision} ({known.title}) was edited: its {' and '.join(edited)}"
            f" would do something else than the ledger knows, and {state}",
            next=f"put the file back as it was; or, where the edit is meant: ec amend {known.revision} --reason TEXT",
        )
    return None


def expand_finds_nothing_edited(change: Change, facts: Facts) -> Refusal | None:
    """`nothing_open_was_edited`, for an expand."""
    return nothing_open_was_edited(Phase.EXPAND, change, facts)


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
        held = windows(earlier.revision, earlier.contract_after, facts.router, facts.now)
        until = held[0].closes_at if held and held[0].is_open(facts.now) else None
        return Refusal(
            Step(change.revision, phase),
            change.title,
            Code.FOOTPRINT,
            because=f"contract {earlier.revision} ({earlier.title}) still waits, and {shared}"
            + (f"; its window closes at {no_earlier_than(until)}" if until else ""),
            next=f"ec migrate contract {earlier.revision}, then ec migrate {phase}",
            until=until,
        )
    return None


def expand_meets_no_waiting_contract(change: Change, facts: Facts) -> Refusal | None:
    """`no_waiting_contract_is_met`, for an expand."""
    return no_waiting_contract_is_met(Phase.EXPAND, change, facts)


def expand_is_done_for_backfill(change: Change, facts: Facts) -> Refusal | None:
    """Rows are moved into a shape that exists."""
    if facts.is_done(change.revision, Phase.EXPAND):
        return None
    return Refusal(
        Step(change.revision, Phase.BACKFILL),
        change.title,
        Code.NOT_EXPANDED,
        because=f"expand {change.revision} is {facts.state(change.revision, Phase.EXPAND)}",
        next="ec migrate expand",
    )


def new_rows_are_kept_right(change: Change, facts: Facts) -> Refusal | None:
    """A backfill ends only where new rows arrive right: by triggers, or because every live release writes them."""
    backfill = change.backfill
    if change.revision in facts.missing_triggers:
        return Refusal(
            Step(change.revision, Phase.BACKFILL),
            change.title,
            Code.NO_WRITER,
            because="the triggers it counts on are missing or disabled, so rows go wrong faster than they are filled",
            next=f"enable them, or ec undo {change.revision} and ec migrate expand",
        )
    if backfill is None or change.installs_sync or backfill.triggers:
        return None
    if backfill.writers is None:
        return Refusal(
            Step(change.revision, Phase.BACKFILL),
            change.title,
            Code.NO_WRITER,
            because="nothing keeps new rows right: the expand creates no Sync, and the Backfill names nothing else",
            next=f"give {change.revision} a Sync, or name the change whose code writes both shapes: "
            'Backfill(..., writers="<revision>")',
        )
    lacking = [release.tag for release in facts.router.live_releases if backfill.writers not in release.ships]
    if lacking or not facts.router.live:
        who = f"live release {_names(lacking)} lacks it" if lacking else "no live colour is recorded"
        return Refusal(
            Step(change.revision, Phase.BACKFILL),
            change.title,
            Code.NO_WRITER,
            because=f"new rows are kept right by the code of {backfill.writers}, and {who}",
            next="ec colour show",
        )
    return None


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
    return Refusal(
        Step(change.revision, Phase.CONTRACT),
        change.title,
        Code.NOT_EXPANDED,
        because=f"expand {change.revision} is {facts.state(change.revision, Phase.EXPAND)}",
        next="ec migrate expand",
    )


def backfill_is_complete(change: Change, facts: Facts) -> Refusal | None:
    """Condition 1, second half: recorded as complete, and no row needs it now."""
    if change.backfill is None:
        return None
    if not facts.is_done(change.revision, Phase.BACKFILL) and (rows := facts.rows_set_aside.get(change.revision)):
        return Refusal(
            Step(change.revision, Phase.CONTRACT),
            change.title,
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
    return Refusal(
        Step(change.revision, Phase.CONTRACT),
        change.title,
        code,
        because=f"backfill {change.revision} {fact}",
        next=f"ec backfill {change.revision}",
    )


def every_live_colour_ships_it(change: Change, facts: Facts) -> Refusal | None:
    """Condition 2. Without a live colour nobody knows who has traffic, and that refuses as well."""
    step = Step(change.revision, Phase.CONTRACT)
    if not facts.router.live:
        return Refusal(
            step,
            change.title,
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
    return Refusal(
        step,
        change.title,
        Code.LIVE_LACKS,
        because=f"{' and '.join(lacking)}, which lacks {change.revision}",
        next="move the traffic to a release that ships it; see ec colour show",
    )


def windows_are_closed(change: Change, facts: Facts) -> Refusal | None:
    """Condition 3: whoever lacks the change lost its traffic long enough ago."""
    still_open = [
        window
        for window in windows(change.revision, change.contract_after, facts.router, facts.now)
        if window.is_open(facts.now)
    ]
    if not still_open:
        return None
    last = still_open[0]
    if last.release is None:
        who = f"the ledger has watched the traffic only since {at(last.last_traffic)}"
    else:
        colours = facts.router.colours_of(last.release)
        place = f"{_names(colours)} runs release {last.release}" if colours else f"release {last.release}"
        who = f"{place}, which lacks {change.revision}, and had traffic until {at(last.last_traffic)}"
    return Refusal(
        Step(change.revision, Phase.CONTRACT),
        change.title,
        Code.WINDOW_OPEN,
        because=f"{who}; the window is {format_duration(change.contract_after)}",
        next=f"after {no_earlier_than(last.closes_at)}: ec migrate contract {change.revision}",
        until=last.closes_at,
    )


def traffic_is_known(change: Change, facts: Facts) -> Refusal | None:
    """Condition 4: where witnesses are configured, they say just now who has the traffic."""
    seen = facts.evidence.sighting
    if seen is None or seen.state is not TrafficState.UNKNOWN:
        return None
    return Refusal(
        Step(change.revision, Phase.CONTRACT),
        change.title,
        Code.TRAFFIC_UNKNOWN,
        because=f"who has the traffic is unknown: {seen.because}",
        next="ec observe, until it knows",
    )


def witnesses_agree_with_the_ledger(change: Change, facts: Facts) -> Refusal | None:
    """Condition 4: a cutover that nobody had recorded refuses, even where it is recorded by now."""
    seen = facts.evidence.sighting
    if seen is None or seen.state is TrafficState.UNKNOWN:
        return None
    recorded = {colour.name for colour in facts.router.live}
    if seen.live == recorded and not facts.evidence.just_moved:
        return None
    said = "; ".join(f"{look.witness} says {look.said}" for look in seen.looks if look.live)
    if facts.evidence.just_moved:
        known = "the ledger knew otherwise until a moment ago, and has recorded the cutover now"
    else:
        known = f"the ledger has {_names(sorted(recorded)) or 'no colour'} live"
    return Refusal(
        Step(change.revision, Phase.CONTRACT),
        change.title,
        Code.CUTOVER,
        because=f"{said}; {known}",
        next=f"ec observe, then ec migrate contract {change.revision}",
    )


def clock_goes_forward(change: Change, facts: Facts) -> Refusal | None:
    """A window counts on the database's clock, so one that went back proves nothing."""
    watching = facts.evidence.watching
    if watching is None or watching.clock is None or watching.clock <= facts.now:
        return None
    return Refusal(
        Step(change.revision, Phase.CONTRACT),
        change.title,
        Code.CLOCK,
        because=f"the database's clock shows {at(facts.now)}, and the traffic was observed at {at(watching.clock)}:"
        " it went back",
        next=f"set the server's clock right, then ec migrate contract {change.revision}",
        until=watching.clock,
    )


def window_was_watched(change: Change, facts: Facts) -> Refusal | None:
    """Where witnesses are configured: nobody knows of traffic that came and went while nobody looked."""
    watching, length = facts.evidence.watching, change.contract_after
    if watching is None:
        return None
    begin = facts.now - length
    share = watching.share(begin, facts.now)
    if share >= watching.needed:
        return None
    start, stop = longest(list(watching.gaps(begin, facts.now)))
    enough_at = watching.enough_at(length, facts.now)
    return Refusal(
        Step(change.revision, Phase.CONTRACT),
        change.title,
        Code.UNWATCHED,
        # rounded down, or 94.97 % would be said to be the 95 % that are needed
        because=f"of the last {format_duration(length)}, {int(share * 1000) / 10:g} % were observed, and"
        f" {watching.needed * 100:g} % are needed; nobody looked from {at(start)} to {at(stop)}",
        next=f"keep ec observe running; after {no_earlier_than(enough_at)}: ec migrate contract {change.revision}",
        until=enough_at,
    )


def no_session_lacks_it(change: Change, facts: Facts) -> Refusal | None:
    """Condition 5: whoever is connected ships the change, whatever the router says."""
    lacking = [
        session
        for session in facts.evidence.sessions
        if session.release is None or change.revision not in facts.router.releases[session.release].ships
    ]
    if not lacking:
        return None
    first = lacking[0]
    what = f"release {first.release}, which lacks {change.revision}" if first.release else "no release of the ledger's"
    age = f"for {format_duration(first.age)}" if first.age is not None else "for an unknown time"
    more = f"; and {len(lacking) - 1} more" if lacking[1:] else ""
    return Refusal(
        Step(change.revision, Phase.CONTRACT),
        change.title,
        Code.SESSION,
        because=f"pid {first.pid} (role {first.role}, from {first.address or 'an unknown address'}, connected {age})"
        f" says {first.mark!r}: {what}{more}",
        next=f"end it where it comes from, or SELECT pg_terminate_backend({first.pid});"
        f" then ec migrate contract {change.revision}",
    )


def nothing_objects(change: Change, facts: Facts) -> Refusal | None:
    """Condition 5: no alert fires, and whoever was to be asked has answered."""
    objecting = [alert for alert in facts.evidence.alerts if alert.verdict is not Verdict.CLEAR]
    if not objecting:
        return None
    return Refusal(
        Step(change.revision, Phase.CONTRACT),
        change.title,
        Code.ALERT,
        because="; ".join(f"{alert.name} is {alert.verdict}: {alert.said}" for alert in objecting),
        next=f"once that is over: ec migrate contract {change.revision}",
    )


EVIDENCE_CONDITIONS: tuple[Condition, ...] = (
    traffic_is_known,
    witnesses_agree_with_the_ledger,
    clock_goes_forward,
    window_was_watched,
    no_session_lacks_it,
    nothing_objects,
)

CONDITIONS: dict[Phase, tuple[Condition, ...]] = {
    Phase.EXPAND: (
        expanding_tree_is_current,
        expanding_tree_keeps_the_order,
        expand_finds_nothing_edited,
        earlier_expands_are_done,
        later_changes_are_not_expanded,
        expand_meets_no_waiting_contract,
    ),
    Phase.BACKFILL: (expand_is_done_for_backfill, new_rows_are_kept_right),
    Phase.CONTRACT: (
        contracting_tree_is_current,
        contracting_tree_keeps_the_order,
        contract_finds_nothing_edited,
        contract_meets_no_waiting_contract,
        expand_is_done_for_contract,
        backfill_is_complete,
        every_live_colour_ships_it,
        windows_are_closed,
    ),
}


def refusals(change: Change, phase: Phase, facts: Facts) -> tuple[Refusal, ...]:
    """Why that step may not run now, each condition for itself; empty means allowed."""
    seen = EVIDENCE_CONDITIONS if phase is Phase.CONTRACT else ()
    return tuple(no for condition in (*CONDITIONS[phase], *seen) if (no := condition(change, facts)) is not None)


TrafficCondition = Callable[[Release, Facts], list[Refusal]]


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


def _since(step: Step, facts: Facts) -> str:
    return f" since {at(facts.finished[step])}" if step in facts.finished else ""


TRAFFIC_CONDITIONS: tuple[TrafficCondition, ...] = (
    expanded_what_it_ships,
    backfilled_what_it_reads,
    ships_what_was_contracted,
)


def traffic_refusals(release: Release, facts: Facts) -> tuple[Refusal, ...]:
    """Why that release may not take traffic now; empty means that it may."""
    return tuple(no for condition in TRAFFIC_CONDITIONS for no in condition(release, facts))


SCHEMA_CONDITIONS: tuple[TrafficCondition, ...] = (expanded_what_it_ships, ships_what_was_contracted)


def schema_refusals(release: Release, facts: Facts) -> tuple[Refusal, ...]:
    """Why the schema isn't what that release needs; rows that are still to be filled don't count."""
    return tuple(no for condition in SCHEMA_CONDITIONS for no in condition(release, facts))


def contracts_that_end(release: Release, facts: Facts) -> tuple[Step, ...]:
    """The contracts that wait and that the release lacks: each ends the way back to it."""
    return tuple(
        step
        for step in sorted(facts.recorded)
        if step.phase is Phase.CONTRACT and contract_waits(step.revision, facts) and step.revision not in release.ships
    )


def releases_with_traffic(revision: str, facts: Facts) -> tuple[str, ...]:
    """The releases that ship `revision` and ever had traffic: undoing it takes the way back from them."""
    return tuple(
        sorted(
            tag
            for tag, release in facts.router.releases.items()
            if revision in release.ships and facts.router.last_traffic(tag, facts.now) is not None
        )
    )


UndoCondition = Callable[[Change, Facts, frozenset[str]], Refusal | None]


def _undo_refused(change: Change, code: Code, because: str, next_command: str) -> Refusal:
    return Refusal(Step(change.revision, Phase.EXPAND), change.title, code, because, next_command)


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
    because = f"{_names(shipping)} has traffic and ships {change.revision}"
    return _undo_refused(change, Code.LIVE_SHIPS, because, "ec colour show")


def nothing_later_is_applied(change: Change, facts: Facts, given_up: frozenset[str]) -> Refusal | None:
    """The history is linear: what came later stands on this change."""
    order = [known.revision for known in facts.tree]
    applied = facts.applied
    later = [revision for revision in order[order.index(change.revision) + 1 :] if revision in applied]
    unknown = sorted(applied - set(order))
    if not (later or unknown):
        return None
    because = f"{_names(later + unknown)} is applied and comes later"
    return _undo_refused(change, Code.LATER_APPLIED, because, f"ec undo {(unknown or later)[-1]}")


def lost_ways_back_are_named(change: Change, facts: Facts, given_up: frozenset[str]) -> Refusal | None:
    """Undoing may take a way back from somebody, so each such release is given up by name."""
    unnamed = [tag for tag in releases_with_traffic(change.revision, facts) if tag not in given_up]
    if not unnamed:
        return None
    options = " ".join(f"--give-up {tag}" for tag in unnamed)
    because = f"release {_names(unnamed)} had traffic and couldn't get it back"
    return _undo_refused(change, Code.GIVES_UP, because, f"ec undo {change.revision} {options}")


def undoing_tree_keeps_the_order(change: Change, facts: Facts, given_up: frozenset[str]) -> Refusal | None:
    """`applied_changes_kept_their_order`, for an undo: what is the latest depends on it."""
    return applied_changes_kept_their_order(Phase.EXPAND, change, facts)


UNDO_CONDITIONS: tuple[UndoCondition, ...] = (
    undoing_tree_keeps_the_order,
    there_is_something_to_undo,
    contract_has_not_run,
    no_live_colour_ships_it,
    nothing_later_is_applied,
    lost_ways_back_are_named,
)


AmendCondition = Callable[[Change, Facts], Refusal | None]


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
    return Refusal(step, change.title, Code.EDITED, because, "put these parts back as they were")


def amended_contract_spares_what_overtook_it(change: Change, facts: Facts) -> Refusal | None:
    """What has run since was let past the contract as it was; it must not meet the contract as it is to be."""
    order = [known.revision for known in facts.tree]
    mine = change.footprint(Phase.CONTRACT)
    for later in facts.tree[order.index(change.revision) + 1 :]:
        for phase in (Phase.EXPAND, Phase.CONTRACT):
            shared = mine.meeting(later.footprint(phase)) if facts.has_begun(later.revision, phase) else None
            if shared is not None:
                return Refusal(
                    Step(change.revision, Phase.CONTRACT),
                    change.title,
                    Code.FOOTPRINT,
                    because=f"{phase} {later.revision} ({later.title}) has overtaken this contract as it was,"
                    f" and {shared}",
                    next=f"write a contract() that leaves alone what {later.revision} needs",
                )
    return None


AMEND_CONDITIONS: tuple[AmendCondition, ...] = (
    amending_tree_is_current,
    what_ran_of_the_contract_is_the_same,
    amended_contract_spares_what_overtook_it,
)


def amend_refusals(change: Change, facts: Facts) -> tuple[Refusal, ...]:
    """Why the ledger may not take the file of `change` as it is now for what was meant."""
    return tuple(no for condition in AMEND_CONDITIONS if (no := condition(change, facts)) is not None)


def new_code_may_have_written(change: Change, facts: Facts) -> bool:
    """
    Whether rows may hold what new code wrote, which a backfill must leave alone.

    Where the backfill isn't required, a release that ships the change may get its traffic at any moment.
    """
    not_required = change.backfill is not None and not change.backfill.required
    return not_required or bool(releases_with_traffic(change.revision, facts))


def undo_refusals(change: Change, facts: Facts, given_up: frozenset[str]) -> tuple[Refusal, ...]:
    """Why the expand of `change` may not be undone, where the caller gives up the releases `given_up` by name."""
    return tuple(no for condition in UNDO_CONDITIONS if (no := condition(change, facts, given_up)) is not None)
