"""A person's approval of a contract, and what voids it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from expandcontract.domain.approval import Approval
from expandcontract.domain.gate import approve_refusals, refusals, tombstone_refusals
from expandcontract.domain.override import OVERRIDABLE
from expandcontract.domain.phase import Phase
from expandcontract.domain.refusal import Code
from expandcontract.domain.step import Step
from tests.unit.domain.samples import DAY, NOW, change, facts, moved, release, states

CHANGE = replace(change(), meanings={Phase.CONTRACT: ("a1", "b2")})
WAITS = facts(
    CHANGE, steps=states(r8c1f="expand done"), router=moved(release("1"), release("2", "8c1f"), NOW - 15 * DAY)
)
ASKED = replace(WAITS, needs_approval=True)


def given(*parts: str) -> dict[str, Approval]:
    return {"8c1f": Approval(parts, "ann@build-7", NOW - DAY, "seen the proof")}


def test_it_is_asked_for_only_where_the_configuration_says_so() -> None:
    assert refusals(CHANGE, Phase.CONTRACT, WAITS) == ()

    (no,) = refusals(CHANGE, Phase.CONTRACT, ASKED)
    assert no.code is Code.NOT_APPROVED
    assert no.because == "a person must approve it, and nobody has"
    assert no.next.endswith("ec approve 8c1f --reason TEXT")
    assert tombstone_refusals(CHANGE, ASKED) == ()
    assert no.code not in OVERRIDABLE, "which would be an approval, but for no particular contract"


def test_whoever_approved_the_contract_as_it_is_lets_it_run() -> None:
    assert refusals(CHANGE, Phase.CONTRACT, replace(ASKED, approvals=given("a1", "b2"))) == ()


@pytest.mark.parametrize("parts", [("a1",), ("a1", "c3"), ("b2", "a1"), ()])
def test_a_later_edit_voids_it(parts: tuple[str, ...]) -> None:
    (no,) = refusals(CHANGE, Phase.CONTRACT, replace(ASKED, approvals=given(*parts)))

    assert no.code is Code.NOT_APPROVED
    assert no.because.startswith("ann@build-7 approved it at 2025-06-01 14:10:00 UTC, and contract() was edited since")


def test_a_contract_whose_meaning_nobody_knows_is_not_approved() -> None:
    unknown = replace(CHANGE, meanings={})

    assert [no.code for no in refusals(unknown, Phase.CONTRACT, replace(ASKED, approvals=given()))] == [
        Code.NOT_APPROVED
    ]


def test_only_a_contract_that_waits_may_be_approved() -> None:
    assert approve_refusals(CHANGE, WAITS) == ()
    early = replace(WAITS, steps={Step("8c1f", Phase.EXPAND): states(r8="expand pending")[Step("8", Phase.EXPAND)]})
    assert [no.code for no in approve_refusals(CHANGE, early)] == [Code.NOT_EXPANDED]
