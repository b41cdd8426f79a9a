from __future__ import annotations

import pytest

from expandcontract.domain.phase import Phase
from expandcontract.domain.step import StepState
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


def test_a_title_is_known_for_the_changes_of_this_tree() -> None:
    known = facts(change("8c1f", title="rename users.name"))

    assert known.title("8c1f") == "rename users.name"
    assert known.title("other") == ""
