from __future__ import annotations

from expandcontract.domain.change import Backfill
from expandcontract.domain.phase import Phase
from expandcontract.domain.plan import pending, plan
from expandcontract.domain.refusal import Code
from expandcontract.domain.step import Step, StepState
from tests.unit.domain.samples import DAY, NOW, SYNC, change, facts, moved, release, states

ADD = change("77aa", title="add users.email", contract=False)
RENAME = change("8c1f", backfill=Backfill(SYNC), installs_sync=True)


def test_the_plan_has_every_step_in_the_order_of_the_history() -> None:
    planned = plan(facts(ADD, RENAME))

    assert [str(entry.step) for entry in planned] == ["expand 77aa", "expand 8c1f", "backfill 8c1f", "contract 8c1f"]
    assert [entry.change for entry in planned] == [ADD, RENAME, RENAME, RENAME]


def test_the_plan_says_what_the_gate_says_to_each_step() -> None:
    router = moved(release("41", "77aa"), release("42", "77aa", "8c1f"), NOW - DAY)
    planned = plan(facts(ADD, RENAME, steps=states(r77aa="expand done", r8c1f="expand started"), router=router))

    codes = {str(entry.step): [refusal.code for refusal in entry.refusals] for entry in planned}
    assert codes == {
        "expand 77aa": [],
        "expand 8c1f": [],
        "backfill 8c1f": [Code.NOT_EXPANDED],
        "contract 8c1f": [Code.NOT_EXPANDED, Code.NOT_BACKFILLED, Code.WINDOW_OPEN],
    }


def test_a_finished_step_is_refused_nothing() -> None:
    newer = states(r77aa="expand done", r9999="expand done")

    [entry] = plan(facts(ADD, steps=newer))

    assert entry.step == Step("77aa", Phase.EXPAND)
    assert entry.state is StepState.DONE
    assert entry.is_done
    assert entry.refusals == ()


def test_pending_are_the_changes_whose_phase_is_not_done() -> None:
    known = facts(ADD, RENAME, steps=states(r77aa="expand done", r8c1f="expand failed"))

    assert pending(known, Phase.EXPAND) == (RENAME,)
    assert pending(known, Phase.BACKFILL) == (RENAME,)
    assert pending(known, Phase.CONTRACT) == (RENAME,)
    assert pending(facts(ADD), Phase.CONTRACT) == ()
