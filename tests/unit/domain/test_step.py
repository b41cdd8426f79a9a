from __future__ import annotations

from expandcontract.domain.phase import Phase
from expandcontract.domain.step import Step, StepState


def test_a_step_reads_as_phase_and_revision() -> None:
    assert str(Step("8c1f", Phase.CONTRACT)) == "contract 8c1f"


def test_a_step_is_identified_by_revision_and_phase() -> None:
    assert {Step("8c1f", Phase.EXPAND): 1}[Step("8c1f", Phase.EXPAND)] == 1
    assert Step("8c1f", Phase.EXPAND) != Step("8c1f", Phase.CONTRACT)


def test_the_states_are_the_words_that_the_ledger_keeps() -> None:
    assert [str(state) for state in StepState] == ["pending", "started", "failed", "done", "stale"]
