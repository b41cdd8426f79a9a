from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from expandcontract.domain import gate, moment
from expandcontract.domain.change import Backfill
from expandcontract.domain.colour import Router
from expandcontract.domain.conditions import undo
from expandcontract.domain.facts import Facts, StepError
from expandcontract.domain.phase import Phase
from expandcontract.domain.refusal import Code, Refusal
from expandcontract.domain.step import Step, StepState
from expandcontract.domain.window import Control
from tests.unit.domain.samples import (
    BY_CODE,
    DAY,
    NOW,
    SYNC,
    WINDOW,
    change,
    facts,
    moved,
    release,
    states,
)

ADD = change("77aa", title="add users.email", contract=False)
RENAME = change("8c1f", title="rename users.name", backfill=Backfill(SYNC), installs_sync=True)
LATER = change("9d2e", title="add orders.note", contract=False)

OLD = release("41", "77aa")
NEW = release("42", "77aa", "8c1f", needs=("8c1f",))

EXPANDED = states(r77aa="expand done", r8c1f="expand done")
FILLED = states(r77aa="expand done", r8c1f="expand done, backfill done")
LONG_AGO = NOW - 30 * DAY


def only(refusals: tuple[Refusal, ...]) -> Refusal:
    [refusal] = refusals
    return refusal


def contractable(**but: object) -> Facts:
    """Facts under which contract 8c1f is allowed, except for what is said."""
    known = {"steps": FILLED, "router": moved(OLD, NEW, LONG_AGO), "rows_left": {"8c1f": False}, **but}
    return facts(ADD, RENAME, **known)  # type: ignore[arg-type]


def test_times_are_told_in_utc_to_the_second() -> None:
    elsewhere = datetime.fromisoformat("2025-06-02T16:10:09.9+02:00")

    assert moment.at(elsewhere) == "2025-06-02 14:10:09 UTC"


@pytest.mark.parametrize(
    ("now", "told"),
    [
        ("2025-06-02T14:10:09+00:00", "2025-06-02 14:10:09 UTC"),
        ("2025-06-02T14:10:09.000001+00:00", "2025-06-02 14:10:10 UTC"),
        ("2025-06-02T23:59:59.5+00:00", "2025-06-03 00:00:00 UTC"),
    ],
)
def test_nobody_is_told_to_come_back_too_early(now: str, told: str) -> None:
    assert moment.no_earlier_than(datetime.fromisoformat(now)) == told


# expand


def test_the_first_expand_is_allowed_on_an_empty_ledger() -> None:
    assert gate.refusals(ADD, Phase.EXPAND, facts(ADD)) == ()


@pytest.mark.parametrize("state", ["started", "failed", "done"])
def test_an_expand_from_a_tree_that_lacks_an_applied_revision_is_refused(state: str) -> None:
    steps = states(r77aa="expand done", r9d2e=f"expand {state}", re000="expand done")

    refusal = only(gate.refusals(RENAME, Phase.EXPAND, facts(ADD, RENAME, steps=steps)))

    assert refusal.step == Step("8c1f", Phase.EXPAND)
    assert refusal.title == "rename users.name"
    assert refusal.code is Code.OLD_TREE
    assert refusal.because == "this tree lacks 9d2e, e000, which the ledger knows as applied"
    assert "newest release" in refusal.next
    assert refusal.until is None


def test_an_undone_revision_makes_no_tree_old() -> None:
    steps = states(r77aa="expand done", r9d2e="expand pending")

    assert gate.refusals(RENAME, Phase.EXPAND, facts(ADD, RENAME, steps=steps)) == ()


@pytest.mark.parametrize("state", ["pending", "started", "failed"])
def test_an_expand_is_refused_before_an_earlier_one_is_done(state: str) -> None:
    known = facts(ADD, LATER, steps=states(r77aa=f"expand {state}"))

    refusal = only(gate.refusals(LATER, Phase.EXPAND, known))

    assert refusal.step == Step("9d2e", Phase.EXPAND)
    assert refusal.code is Code.EARLIER_EXPAND
    assert refusal.because == "77aa (add users.email) comes first and isn't expanded"
    assert refusal.next == "ec migrate expand"
    assert refusal.until is None


def test_an_expand_does_not_wait_for_later_ones() -> None:
    assert gate.refusals(ADD, Phase.EXPAND, facts(ADD, RENAME)) == ()


@pytest.mark.parametrize("state", ["started", "failed", "done"])
def test_an_expand_that_was_put_below_an_applied_one_is_refused(state: str) -> None:
    known = facts(ADD, LATER, steps=states(r9d2e=f"expand {state}"))

    refusal = only(gate.refusals(ADD, Phase.EXPAND, known))

    assert refusal.step == Step("77aa", Phase.EXPAND)
    assert refusal.code is Code.OUT_OF_ORDER
    assert refusal.because.startswith("9d2e comes later in the history and is applied")
    assert "down_revision = '9d2e'" in refusal.next
    assert refusal.until is None


def test_an_expand_goes_behind_the_last_applied_one() -> None:
    third = change("aaaa", contract=False)
    known = facts(ADD, third, LATER, change("e000", contract=False), steps=states(r9d2e="expand done"))

    assert "down_revision = '9d2e'" in only(gate.refusals(ADD, Phase.EXPAND, known)).next
    both = replace(known, steps=states(r9d2e="expand done", re000="expand done"))
    assert "9d2e, e000 comes later" in only(gate.refusals(ADD, Phase.EXPAND, both)).because
    assert "down_revision = 'e000'" in only(gate.refusals(ADD, Phase.EXPAND, both)).next


@pytest.mark.parametrize(
    ("contracts", "expands", "shared"),
    [
        ("users", "users", "both touch users"),
        (None, "orders", "what one of them touches can't be told: nobody has looked at it"),
        ("users", None, "what one of them touches can't be told: nobody has looked at it"),
        ("users", "orders", None),
    ],
)
@pytest.mark.parametrize("state", ["pending", "started", "failed"])
def test_an_expand_overtakes_a_waiting_contract_only_where_they_touch_nothing_in_common(
    contracts: str | None, expands: str | None, shared: str | None, state: str
) -> None:
    waiting = change("8c1f", contracts=contracts)
    later = change("9d2e", title="add users.nick", expands=expands)
    steps = states(r8c1f=f"expand done, contract {state}")

    refusals = gate.refusals(later, Phase.EXPAND, facts(waiting, later, steps=steps))

    if shared is None:
        assert refusals == ()
        return
    refusal = only(refusals)
    assert refusal.step == Step("9d2e", Phase.EXPAND)
    assert refusal.code is Code.FOOTPRINT
    assert refusal.because == f"contract 8c1f (rename users.name) still waits, and {shared}"
    assert refusal.next == "ec migrate contract 8c1f, then ec migrate expand"
    assert refusal.until is None


def test_an_expand_that_meets_a_waiting_contract_is_told_when_its_window_closes() -> None:
    router = moved(OLD, release("42", "77aa", "8c1f"), NOW - 3 * DAY)
    steps = states(r77aa="expand done", r8c1f="expand done")
    later = change("9d2e", expands="users")

    refusal = only(
        gate.refusals(later, Phase.EXPAND, facts(ADD, change(contracts="users"), later, steps=steps, router=router))
    )

    assert "users; its window closes at 2025-06-13 14:10:00 UTC" in refusal.because
    assert refusal.until == NOW + 11 * DAY


def test_an_expand_that_meets_a_contract_whose_window_is_closed_is_told_no_time() -> None:
    router = moved(OLD, release("42", "77aa", "8c1f"), LONG_AGO)
    steps = states(r77aa="expand done", r8c1f="expand done")
    later = change("9d2e", expands="users")

    refusal = only(
        gate.refusals(later, Phase.EXPAND, facts(ADD, change(contracts="users"), later, steps=steps, router=router))
    )

    assert "window" not in refusal.because
    assert refusal.until is None


def test_an_expand_passes_a_finished_contract_and_a_change_without_one() -> None:
    steps = states(r77aa="expand done", r8c1f="expand done, contract done")

    assert gate.refusals(LATER, Phase.EXPAND, facts(ADD, RENAME, LATER, steps=steps)) == ()


def test_the_first_waiting_contract_that_is_met_is_named() -> None:
    first, second, third = change("1", contracts="users"), change("2", contracts="users"), change("3", expands="users")
    steps = states(r1="expand done, contract done", r2="expand done")

    assert "contract 2 " in only(gate.refusals(third, Phase.EXPAND, facts(first, second, third, steps=steps))).because


# backfill


@pytest.mark.parametrize("state", ["pending", "started", "failed"])
def test_a_backfill_is_refused_before_its_shape_exists(state: str) -> None:
    refusal = only(gate.refusals(RENAME, Phase.BACKFILL, facts(RENAME, steps=states(r8c1f=f"expand {state}"))))

    assert refusal.step == Step("8c1f", Phase.BACKFILL)
    assert refusal.code is Code.NOT_EXPANDED
    assert refusal.because == f"expand 8c1f is {state}"
    assert refusal.next == "ec migrate expand"


def test_a_backfill_with_a_sync_needs_no_writers() -> None:
    assert gate.refusals(RENAME, Phase.BACKFILL, facts(ADD, RENAME, steps=EXPANDED)) == ()


def test_a_backfill_with_triggers_of_its_own_needs_no_writers() -> None:
    kept = change(backfill=Backfill("users", sql="SELECT 1 WHERE :range", where="false", triggers=("follow",)))

    assert gate.refusals(kept, Phase.BACKFILL, facts(kept, steps=states(r8c1f="expand done"))) == ()


def test_a_backfill_is_refused_while_a_trigger_is_missing() -> None:
    known = replace(facts(ADD, RENAME, steps=EXPANDED), missing_triggers=frozenset({"8c1f"}))

    refusal = only(gate.refusals(RENAME, Phase.BACKFILL, known))

    assert refusal.step == Step("8c1f", Phase.BACKFILL)
    assert refusal.code is Code.NO_WRITER
    assert "the triggers it counts on are missing or disabled" in refusal.because
    assert "ec undo 8c1f" in refusal.next


def test_a_backfill_does_not_wait_for_another_changes_sync() -> None:
    known = replace(facts(ADD, RENAME, steps=EXPANDED), missing_triggers=frozenset({"77aa"}))

    assert gate.refusals(RENAME, Phase.BACKFILL, known) == ()


def test_a_backfill_that_nobody_keeps_right_is_refused() -> None:
    unkept = change(backfill=Backfill("users", set={"email": "lower(email)"}))

    refusal = only(gate.refusals(unkept, Phase.BACKFILL, facts(unkept, steps=states(r8c1f="expand done"))))

    assert refusal.code is Code.NO_WRITER
    assert "the expand creates no Sync, and the Backfill names nothing else" in refusal.because
    assert (
        'give 8c1f a Sync, or name the change whose code writes both shapes: Backfill(..., writers="<' in refusal.next
    )


@pytest.mark.parametrize(
    ("router", "who"),
    [
        (moved(release("40"), OLD, NOW), None),
        (moved(OLD, release("40"), NOW), "live release 40 lacks it"),
        (moved(release("40"), OLD, NOW).shift({"blue": 1, "green": 99}, NOW), "live release 40 lacks it"),
        (
            moved(release("39"), release("40"), NOW).shift({"blue": 1, "green": 99}, NOW),
            "live release 39, 40 lacks it",
        ),
        (moved(release("40"), OLD, NOW).shift({}, NOW), "no live colour is recorded"),
    ],
)
def test_a_backfill_that_code_keeps_right_runs_only_while_every_live_release_has_that_code(
    router: Router, who: str | None
) -> None:
    by_code = change(backfill=BY_CODE)

    refusals = gate.refusals(by_code, Phase.BACKFILL, facts(ADD, by_code, steps=EXPANDED, router=router))

    if who is None:
        assert refusals == ()
        return
    refusal = only(refusals)
    assert refusal.code is Code.NO_WRITER
    assert refusal.because == f"new rows are kept right by the code of 77aa, and {who}"
    assert refusal.next == "ec colour show"


# contract


def test_a_contract_is_allowed_when_nobody_can_need_the_old_shape() -> None:
    assert gate.refusals(RENAME, Phase.CONTRACT, contractable()) == ()


def test_a_contract_from_a_tree_that_lacks_an_applied_revision_is_refused() -> None:
    refusal = only(gate.refusals(RENAME, Phase.CONTRACT, contractable(steps={**FILLED, **states(r9d2e="expand done")})))

    assert refusal.step == Step("8c1f", Phase.CONTRACT)
    assert refusal.code is Code.OLD_TREE
    assert "9d2e" in refusal.because


@pytest.mark.parametrize("state", ["pending", "started", "failed"])
def test_a_contract_is_refused_before_its_expand_is_done(state: str) -> None:
    steps = {**FILLED, **states(r8c1f=f"expand {state}")}

    refusal = only(gate.refusals(RENAME, Phase.CONTRACT, contractable(steps=steps)))

    assert refusal.step == Step("8c1f", Phase.CONTRACT)
    assert refusal.code is Code.NOT_EXPANDED
    assert refusal.because == f"expand 8c1f is {state}"
    assert refusal.next == "ec migrate expand"


@pytest.mark.parametrize("state", ["pending", "started", "failed", "stale"])
def test_a_contract_is_refused_before_its_backfill_is_complete(state: str) -> None:
    steps = {**FILLED, **states(r8c1f=f"backfill {state}")}

    refusal = only(gate.refusals(RENAME, Phase.CONTRACT, contractable(steps=steps)))

    assert refusal.code is Code.NOT_BACKFILLED
    assert refusal.because == f"backfill 8c1f is {state}"
    assert refusal.next == "ec backfill 8c1f"


def test_a_contract_is_refused_while_rows_need_the_backfill_again() -> None:
    refusal = only(gate.refusals(RENAME, Phase.CONTRACT, contractable(rows_left={"8c1f": True})))

    assert refusal.code is Code.ROWS_LEFT
    assert refusal.because == "backfill 8c1f was complete, yet rows of users need it now"
    assert refusal.next == "ec backfill 8c1f"


def test_a_contract_without_a_backfill_asks_for_none() -> None:
    only_remove = change("8c1f")

    known = facts(ADD, only_remove, steps=EXPANDED, router=moved(OLD, NEW, LONG_AGO))

    assert gate.refusals(only_remove, Phase.CONTRACT, known) == ()


@pytest.mark.parametrize(
    "router",
    [Router(), Router().deploy("green", NEW, LONG_AGO), moved(OLD, NEW, LONG_AGO - DAY).shift({}, LONG_AGO)],
)
def test_a_contract_is_refused_while_nobody_knows_who_has_traffic(router: Router) -> None:
    refusal = only(gate.refusals(RENAME, Phase.CONTRACT, contractable(router=router)))

    assert refusal.code is Code.NO_LIVE_COLOUR
    assert "no colour with traffic" in refusal.because
    assert "ec colour deploy" in refusal.next
    assert "ec colour traffic" in refusal.next


def test_a_contract_is_refused_while_a_live_colour_lacks_it() -> None:
    router = moved(OLD, NEW, LONG_AGO).shift({"blue": 5, "green": 95}, LONG_AGO)

    refusal = only(gate.refusals(RENAME, Phase.CONTRACT, contractable(router=router)))

    assert refusal.code is Code.LIVE_LACKS
    assert refusal.because == "blue has 5 % of the traffic and runs release 41, which lacks 8c1f"
    assert "ec colour show" in refusal.next
    assert not refusal.window_open


def test_every_live_colour_that_lacks_a_change_is_named() -> None:
    router = moved(OLD, release("40"), LONG_AGO).shift({"blue": 5, "green": 95}, LONG_AGO)

    refusal = only(gate.refusals(RENAME, Phase.CONTRACT, contractable(router=router)))

    assert "blue has 5 % of the traffic and runs release 41 and green has 95 %" in refusal.because


def test_several_live_colours_that_all_ship_it_are_no_obstacle() -> None:
    router = moved(OLD, NEW, LONG_AGO - DAY).deploy("blue", release("43", "77aa", "8c1f", "9d2e"), LONG_AGO)

    assert gate.refusals(RENAME, Phase.CONTRACT, contractable(router=router.shift({"blue": 5, "green": 95}, NOW))) == ()


@pytest.mark.parametrize(
    ("earlier", "later", "shared"),
    [
        ("users", "users", "both touch users"),
        (None, "users", "what one of them touches can't be told: nobody has looked at it"),
        ("users", None, "what one of them touches can't be told: nobody has looked at it"),
        ("users", "orders", None),
    ],
)
@pytest.mark.parametrize("state", ["pending", "started", "failed", "done"])
def test_a_contract_overtakes_an_earlier_one_only_where_they_touch_nothing_in_common(
    earlier: str | None, later: str | None, shared: str | None, state: str
) -> None:
    first, second = change("77aa", title="drop users.email", contracts=earlier), change("8c1f", contracts=later)
    steps = {**EXPANDED, **states(r77aa=f"expand done, contract {state}")}

    refusals = gate.refusals(
        second, Phase.CONTRACT, facts(first, second, steps=steps, router=moved(OLD, NEW, LONG_AGO))
    )

    if shared is None or state == "done":
        assert refusals == ()
        return
    refusal = only(refusals)
    assert refusal.step == Step("8c1f", Phase.CONTRACT)
    assert refusal.code is Code.FOOTPRINT
    assert refusal.because == f"contract 77aa (drop users.email) still waits, and {shared}"
    assert refusal.next == "ec migrate contract 77aa, then ec migrate contract"
    assert refusal.until is None


def test_contract_is_refused_while_the_window_is_open() -> None:
    refusal = only(gate.refusals(RENAME, Phase.CONTRACT, contractable(router=moved(OLD, NEW, NOW - 3 * DAY))))

    assert refusal.step == Step("8c1f", Phase.CONTRACT)
    assert refusal.code is Code.WINDOW_OPEN
    assert refusal.window_open
    assert refusal.because == (
        "blue runs release 41, which lacks 8c1f, and had traffic until 2025-05-30 14:10:00 UTC; the window is 14d"
    )
    assert refusal.until == NOW + 11 * DAY
    assert refusal.next == "after 2025-06-13 14:10:00 UTC: ec migrate contract 8c1f"


@pytest.mark.parametrize(("before", "allowed"), [(timedelta(seconds=1), False), (timedelta(), True), (-DAY, True)])
def test_a_contract_is_allowed_from_the_moment_its_window_closes(before: timedelta, allowed: bool) -> None:
    known = contractable(router=moved(OLD, NEW, NOW - WINDOW + before))

    assert (gate.refusals(RENAME, Phase.CONTRACT, known) == ()) is allowed


def test_a_retired_release_holds_the_window_open() -> None:
    router = moved(OLD, NEW, NOW - 3 * DAY).retire("blue", NOW - DAY)

    because = only(gate.refusals(RENAME, Phase.CONTRACT, contractable(router=router))).because

    assert because.startswith("release 41, which lacks 8c1f, and had traffic until 2025-05-30 14:10:00 UTC")


def test_a_release_on_two_idle_colours_is_named_with_both() -> None:
    router = moved(OLD, NEW, NOW - 3 * DAY).deploy("violet", OLD, NOW)

    because = only(gate.refusals(RENAME, Phase.CONTRACT, contractable(router=router))).because

    assert because.startswith("blue, violet runs release 41")


def test_traffic_that_nobody_watched_holds_the_window_open() -> None:
    router = Router().deploy("green", NEW, NOW - DAY).shift({"green": 100}, NOW - DAY)

    refusal = only(gate.refusals(RENAME, Phase.CONTRACT, contractable(router=router)))

    assert refusal.code is Code.WINDOW_OPEN
    assert refusal.because.startswith("the ledger has watched the traffic only since 2025-06-01 14:10:00 UTC; ")
    assert refusal.until == NOW + 13 * DAY


def test_the_window_that_closes_last_is_the_one_to_wait_for() -> None:
    router = moved(release("40"), OLD, NOW - 9 * DAY, since=NOW - 12 * DAY)
    router = router.deploy("blue", NEW, NOW - 4 * DAY).shift({"blue": 100}, NOW - 4 * DAY)

    refusal = only(gate.refusals(RENAME, Phase.CONTRACT, contractable(router=router)))

    assert "release 41" in refusal.because
    assert refusal.until == NOW + 10 * DAY


def test_each_change_has_a_window_of_its_own() -> None:
    router = moved(OLD, NEW, NOW - 3 * DAY)
    quick = change("8c1f", window=2 * DAY, backfill=Backfill(SYNC))

    known = facts(ADD, quick, steps=FILLED, router=router)
    assert only(gate.refusals(RENAME, Phase.CONTRACT, known)).until == NOW + 11 * DAY
    quick_known = facts(ADD, quick, steps=FILLED, router=moved(OLD, NEW, NOW - 3 * DAY))
    assert gate.refusals(quick, Phase.CONTRACT, quick_known) == ()


def test_every_reason_against_a_contract_is_told_at_once() -> None:
    router = moved(release("40"), OLD, NOW - DAY)

    found = gate.refusals(RENAME, Phase.CONTRACT, facts(RENAME, steps=states(r77aa="expand done"), router=router))

    assert [refusal.code for refusal in found] == [
        Code.OLD_TREE,
        Code.NOT_EXPANDED,
        Code.NOT_BACKFILLED,
        Code.LIVE_LACKS,
        Code.WINDOW_OPEN,
    ]


# traffic


def test_a_release_may_take_traffic_where_it_finds_its_shape_and_its_data() -> None:
    assert gate.traffic_refusals(NEW, facts(ADD, RENAME, steps=FILLED)) == ()
    assert gate.traffic_refusals(OLD, facts(ADD, RENAME, steps=FILLED)) == ()


@pytest.mark.parametrize("state", ["pending", "started", "failed"])
def test_a_release_may_not_take_traffic_before_its_changes_are_expanded(state: str) -> None:
    known = facts(ADD, RENAME, steps={**FILLED, **states(r8c1f=f"expand {state}")})

    refusal = only(gate.traffic_refusals(NEW, known))

    assert refusal.step == Step("8c1f", Phase.EXPAND)
    assert refusal.title == "rename users.name"
    assert refusal.code is Code.NOT_EXPANDED
    assert refusal.because == f"release 42 needs it, and it is {state}"
    assert refusal.next == "ec migrate expand"


@pytest.mark.parametrize("state", ["pending", "started", "failed", "stale"])
def test_a_release_may_not_take_traffic_before_the_data_that_it_reads_is_filled(state: str) -> None:
    known = facts(ADD, RENAME, steps={**EXPANDED, **states(r8c1f=f"backfill {state}")})

    refusal = only(gate.traffic_refusals(NEW, known))

    assert refusal.step == Step("8c1f", Phase.BACKFILL)
    assert refusal.code is Code.NOT_BACKFILLED
    assert refusal.because == f"release 42 reads what it fills, and it is {state}"
    assert refusal.next == "ec backfill 8c1f"


def test_a_release_does_not_wait_for_a_backfill_that_it_does_not_require() -> None:
    assert gate.traffic_refusals(release("42", "77aa", "8c1f"), facts(ADD, RENAME, steps=EXPANDED)) == ()


@pytest.mark.parametrize("state", ["started", "failed", "done"])
def test_a_release_may_not_take_traffic_back_once_a_contract_that_it_lacks_has_begun(state: str) -> None:
    known = facts(ADD, RENAME, steps={**FILLED, **states(r8c1f=f"expand done, contract {state}")})

    refusal = only(gate.traffic_refusals(OLD, known))

    assert refusal.step == Step("8c1f", Phase.CONTRACT)
    assert refusal.title == "rename users.name"
    assert refusal.code is Code.CONTRACTED
    assert refusal.because == f"release 41 lacks 8c1f, whose contract is {state}: its schema is gone"
    assert "deploy a release that ships it" in refusal.next
    assert gate.traffic_refusals(NEW, known) == ()


def test_every_reason_against_traffic_is_told_at_once() -> None:
    wanting = release("43", "8c1f", "9d2e", needs=("8c1f", "9d2e"))
    steps = states(r77aa="expand done, contract done", r9d2e="expand done")

    found = gate.traffic_refusals(wanting, facts(steps=steps))

    assert [(str(refusal.step), refusal.code) for refusal in found] == [
        ("expand 8c1f", Code.NOT_EXPANDED),
        ("backfill 8c1f", Code.NOT_BACKFILLED),
        ("backfill 9d2e", Code.NOT_BACKFILLED),
        ("contract 77aa", Code.CONTRACTED),
    ]


# undo


def undoable(**but: object) -> Facts:
    """Facts under which 8c1f can be undone, except for what is said: green runs 42 and has never had traffic."""
    router = Router().deploy("blue", OLD, LONG_AGO).shift({"blue": 100}, LONG_AGO).deploy("green", NEW, LONG_AGO)
    known = {"steps": FILLED, "router": router, **but}
    return facts(ADD, RENAME, LATER, **known)  # type: ignore[arg-type]


@pytest.mark.parametrize("backfill", ["pending", "started", "failed", "done"])
def test_an_expand_that_nobody_uses_can_be_undone(backfill: str) -> None:
    steps = states(r77aa="expand done", r8c1f=f"expand done, backfill {backfill}")

    assert gate.undo_refusals(RENAME, undoable(steps=steps), frozenset()) == ()


@pytest.mark.parametrize("state", ["started", "failed"])
def test_an_unfinished_expand_is_finished_before_it_is_undone(state: str) -> None:
    steps = states(r77aa="expand done", r8c1f=f"expand {state}")

    refusal = only(gate.undo_refusals(RENAME, undoable(steps=steps), frozenset()))

    assert refusal.code is Code.NOT_EXPANDED
    assert refusal.because == f"the expand is {state}; finish it first"
    assert refusal.next == "ec migrate expand"


def test_what_was_never_expanded_cannot_be_undone() -> None:
    refusal = only(gate.undo_refusals(RENAME, undoable(steps=states(r77aa="expand done")), frozenset()))

    assert refusal.step == Step("8c1f", Phase.EXPAND)
    assert refusal.title == "rename users.name"
    assert refusal.code is Code.NOT_EXPANDED
    assert "nothing to undo" in refusal.because
    assert refusal.next == "ec status"


@pytest.mark.parametrize("state", ["started", "failed", "done"])
def test_a_change_whose_contract_has_begun_cannot_be_undone(state: str) -> None:
    steps = {**FILLED, **states(r8c1f=f"contract {state}")}

    refusal = only(gate.undo_refusals(RENAME, undoable(steps=steps), frozenset()))

    assert refusal.code is Code.CONTRACTED
    assert refusal.because == "contract 8c1f has run, and what it removed is gone"


def test_a_change_that_a_live_colour_ships_cannot_be_undone_even_by_name() -> None:
    router = moved(OLD, NEW, NOW - DAY).shift({"blue": 99, "green": 1}, NOW - DAY)

    refusal = only(gate.undo_refusals(RENAME, undoable(router=router), frozenset({"42"})))

    assert refusal.code is Code.LIVE_SHIPS
    assert refusal.because == "green has traffic and ships 8c1f"
    assert refusal.next == "ec colour show"


@pytest.mark.parametrize(
    ("later", "names", "undo_first"),
    [
        ({"r9d2e": "expand done"}, "9d2e", "9d2e"),
        ({"r9d2e": "expand started"}, "9d2e", "9d2e"),
        ({"re000": "expand done"}, "e000", "e000"),
        ({"r9d2e": "expand done", "re000": "expand done"}, "9d2e, e000", "e000"),
    ],
)
def test_a_change_that_later_ones_stand_on_cannot_be_undone(later: dict[str, str], names: str, undo_first: str) -> None:
    refusal = only(gate.undo_refusals(RENAME, undoable(steps={**FILLED, **states(**later)}), frozenset()))

    assert refusal.code is Code.LATER_APPLIED
    assert refusal.because == f"{names} is applied and comes later"
    assert refusal.next == f"ec undo {undo_first}"


def test_an_undo_that_takes_a_way_back_names_the_releases_that_lose_it() -> None:
    router = moved(NEW, OLD, NOW - DAY)
    assert undo.releases_with_traffic("8c1f", undoable(router=router)) == ("42",)

    refusal = only(gate.undo_refusals(RENAME, undoable(router=router), frozenset({"41"})))

    assert refusal.code is Code.GIVES_UP
    assert refusal.because == "release 42 had traffic and couldn't get it back"
    assert refusal.next == "ec undo 8c1f --give-up 42"
    assert gate.undo_refusals(RENAME, undoable(router=router), frozenset({"42"})) == ()


def test_each_release_is_given_up_by_name() -> None:
    router = moved(release("43", "77aa", "8c1f"), NEW, NOW - 2 * DAY).deploy("blue", OLD, NOW - DAY)
    router = router.shift({"blue": 100}, NOW - DAY).retire("green", NOW)
    assert undo.releases_with_traffic("8c1f", undoable(router=router)) == ("42", "43")

    assert only(gate.undo_refusals(RENAME, undoable(router=router), frozenset())).next.endswith(
        "--give-up 42 --give-up 43"
    )
    assert "43" in only(gate.undo_refusals(RENAME, undoable(router=router), frozenset({"42"}))).because


def test_a_release_that_never_had_traffic_has_no_way_back_to_lose() -> None:
    assert undo.releases_with_traffic("8c1f", undoable()) == ()


# what a backfill must leave alone


@pytest.mark.parametrize(
    ("backfill", "router", "may"),
    [
        (Backfill(SYNC), Router(), False),
        (Backfill(SYNC), moved(OLD, OLD, NOW), False),
        (Backfill(SYNC), moved(NEW, OLD, NOW), True),  # it had traffic
        (Backfill(SYNC), moved(OLD, NEW, NOW), True),
        (Backfill(SYNC, required=False), Router(), True),  # it may get it at any moment
        (None, moved(OLD, OLD, NOW), False),
    ],
)
def test_new_code_may_have_written_where_it_had_traffic_or_needs_no_backfill_to_get_it(
    backfill: Backfill | None, router: Router, may: bool
) -> None:
    rename = change("8c1f", backfill=backfill)

    assert gate.new_code_may_have_written(rename, facts(ADD, rename, router=router)) is may


# all of them


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_has_conditions(phase: Phase) -> None:
    assert gate.CONDITIONS[phase]


@pytest.mark.parametrize(
    "ask",
    [
        lambda known: gate.refusals(RENAME, Phase.EXPAND, known),
        lambda known: gate.refusals(change(backfill=BY_CODE), Phase.BACKFILL, known),
        lambda known: gate.refusals(RENAME, Phase.CONTRACT, known),
        lambda known: gate.traffic_refusals(OLD, known) + gate.traffic_refusals(NEW, known),
        lambda known: gate.undo_refusals(RENAME, known, frozenset()),
    ],
)
def test_every_no_says_why_and_what_to_do(ask: Callable[[Facts], tuple[Refusal, ...]]) -> None:
    waiting = change("77aa", contracts="users")
    hostile = facts(
        waiting,
        change("8c1f", expands="users"),
        steps=states(r8c1f="expand started, contract started", r9d2e="expand done"),
        router=moved(release("42", "8c1f"), release("40"), NOW - DAY),
    )

    refusals = ask(hostile)

    assert refusals
    assert all(refusal.because and refusal.next for refusal in refusals)


def test_gates_do_not_change_their_facts() -> None:
    known = contractable()
    before = (known.steps.copy(), known.router, dict(known.rows_left))  # type: ignore[attr-defined]

    gate.refusals(RENAME, Phase.CONTRACT, known)

    assert (known.steps, known.router, known.rows_left) == before


# windows that people decide about


def test_an_extension_holds_the_contract_for_longer_and_is_named() -> None:
    left = NOW - WINDOW - DAY
    held = replace(
        contractable(router=moved(OLD, NEW, left)), controls={"8c1f": Control(3 * DAY, None, "ann", "slow clients")}
    )

    refusal = only(gate.refusals(RENAME, Phase.CONTRACT, held))

    assert (refusal.code, refusal.until) == (Code.WINDOW_OPEN, left + WINDOW + 3 * DAY)
    assert refusal.because.endswith("the window is 17d, 3d of it an extension")


def test_a_window_that_was_closed_early_lets_the_contract_run() -> None:
    known = contractable(router=moved(OLD, NEW, NOW - DAY))
    assert only(gate.refusals(RENAME, Phase.CONTRACT, known)).code is Code.WINDOW_OPEN

    closed = replace(known, controls={"8c1f": Control(closed_at=NOW)})
    assert gate.refusals(RENAME, Phase.CONTRACT, closed) == ()


def test_a_window_is_not_closed_while_somebody_needs_it() -> None:
    assert gate.close_refusals(RENAME, contractable(router=moved(OLD, NEW, NOW - DAY))) == ()

    live = contractable(router=moved(OLD, NEW, NOW - DAY).shift({"blue": 1, "green": 99}, NOW))
    assert only(gate.close_refusals(RENAME, live)).code is Code.LIVE_LACKS

    draining = contractable(router=moved(OLD, NEW, NOW - DAY).shift({"blue": 100}, NOW).shift({"green": 100}, NOW, DAY))
    refusal = only(gate.close_refusals(RENAME, draining))
    assert (refusal.code, refusal.until) == (Code.DRAINS, NOW + DAY)


def test_there_is_no_window_any_more_once_the_contract_has_begun() -> None:
    begun = contractable(steps=states(r77aa="expand done", r8c1f="expand done, backfill done, contract started"))

    assert only(gate.extend_refusals(RENAME, begun)).code is Code.CONTRACTED
    assert only(gate.close_refusals(RENAME, begun)).code is Code.CONTRACTED


# a step that is stuck


def test_a_step_that_failed_pauses_the_shift_and_not_the_way_back() -> None:
    failed = replace(
        contractable(steps={**FILLED, Step("9d2e", Phase.EXPAND): StepState.PENDING}),
        errors={Step("9d2e", Phase.EXPAND): StepError("disk full", LONG_AGO)},
    )

    refusal = only(gate.shift_refusals(NEW, failed))

    assert (refusal.step, refusal.code) == (Step("9d2e", Phase.EXPAND), Code.STUCK)
    assert refusal.because == f"it failed at {moment.at(LONG_AGO)}: disk full; pause the shift"
    assert refusal.next == "ec log 9d2e, mend the cause, then ec migrate expand 9d2e"
    assert gate.traffic_refusals(NEW, failed) == ()


@pytest.mark.parametrize(
    ("steps", "stuck"),
    [
        ("expand started", True),
        ("expand done, backfill started", False),  # it takes as long as it takes
        ("expand done, backfill done", False),
        ("expand done, backfill done, contract started", True),
    ],
)
def test_a_step_that_was_begun_and_is_not_finished_pauses_the_shift(steps: str, stuck: bool) -> None:
    known = contractable(steps={**FILLED, **states(r9d2e=steps)})

    found = gate.shift_refusals(release("43", "77aa", "8c1f", "9d2e"), known)

    assert any(refusal.step.revision == "9d2e" for refusal in found) is stuck


def test_a_step_is_named_once() -> None:
    begun = replace(
        contractable(steps={**FILLED, **states(r9d2e="expand failed")}),
        errors={Step("9d2e", Phase.EXPAND): StepError("disk full", LONG_AGO)},
    )

    assert only(gate.shift_refusals(release("43", "77aa", "8c1f", "9d2e"), begun)).code is Code.NOT_EXPANDED
