from __future__ import annotations

from dataclasses import replace

import pytest

from expandcontract.domain.phase import Phase
from expandcontract.domain.step import Step, StepState
from tests.unit.domain.samples import change, facts, states


@pytest.mark.parametrize(
    ("recorded", "state", "begun", "done"),
    [
        (None, StepState.PENDING, False, False),
        ("pending", StepState.PENDING, False, False),
        ("started", StepState.STARTED, True, False),
        ("failed", StepState.FAILED, True, False),
        ("done", StepState.DONE, True, True),
    ],
)
def test_a_step_has_begun_as_soon_as_a_part_may_be_committed(
    recorded: str | None, state: StepState, begun: bool, done: bool
) -> None:
    known = facts(steps=states(r8c1f=f"expand {recorded}") if recorded else {})

    assert known.state("8c1f", Phase.EXPAND) is state
    assert known.has_begun("8c1f", Phase.EXPAND) is begun
    assert known.is_done("8c1f", Phase.EXPAND) is done


def test_the_phases_of_a_change_have_states_of_their_own() -> None:
    known = facts(steps=states(r8c1f="expand done, backfill started"))

    assert known.is_done("8c1f", Phase.EXPAND)
    assert not known.is_done("8c1f", Phase.BACKFILL)
    assert known.state("8c1f", Phase.CONTRACT) is StepState.PENDING


def test_applied_are_the_revisions_whose_expand_has_begun() -> None:
    steps = states(r1="expand done", r2="expand started", r3="expand failed", r4="expand pending", r5="backfill done")

    assert facts(steps=steps).applied == {"1", "2", "3"}


def test_a_title_comes_from_the_tree_or_else_from_the_ledger() -> None:
    titles = {"8c1f": "as it was called then", "9d2e": "add orders.note"}
    known = replace(facts(change("8c1f", title="rename users.name")), titles=titles)

    assert known.title("8c1f") == "rename users.name"
    assert known.title("9d2e") == "add orders.note"
    assert known.title("other") == ""


def test_a_change_is_found_by_its_revision() -> None:
    rename = change("8c1f")

    assert facts(change("77aa"), rename).change("8c1f") is rename


def test_a_step_can_be_imagined_as_done() -> None:
    known = facts(steps=states(r8c1f="expand started"))

    imagined = known.with_done(Step("8c1f", Phase.EXPAND))

    assert imagined.is_done("8c1f", Phase.EXPAND)
    assert known.state("8c1f", Phase.EXPAND) is StepState.STARTED
