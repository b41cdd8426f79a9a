from __future__ import annotations

from dataclasses import replace

import pytest

from expandcontract.domain.gate import refusals
from expandcontract.domain.identity import Identity
from expandcontract.domain.phase import Phase
from expandcontract.domain.refusal import Code
from tests.unit.domain.samples import DAY, NOW, change, facts, moved, release, states

CHANGE = change(window=DAY)
HOME = Identity("7301", 16384)
KNOWN = facts(
    CHANGE, steps=states(r8c1f="expand done"), router=moved(release("1"), release("2", "8c1f"), NOW - 2 * DAY)
)


@pytest.mark.parametrize(
    ("here", "is_copy"),
    [
        (HOME, False),
        (Identity("7302", 16384), True),  # pg_dump and restore, or pg_upgrade
        (Identity("7301", 16999), True),  # CREATE DATABASE … TEMPLATE
        (Identity(None, 16384), False),  # a role that may not see more
        (Identity(None, 16999), True),
    ],
)
def test_a_copy_refuses_its_contracts(here: Identity, is_copy: bool) -> None:
    found = refusals(CHANGE, Phase.CONTRACT, replace(KNOWN, known_database=HOME, database=here))

    assert [refusal.code for refusal in found] == ([Code.COPY] if is_copy else [])
    if is_copy:
        assert str(here) in found[0].because
        assert found[0].next == "if this is the one that the application uses now: ec adopt --reason TEXT"


def test_a_clock_that_went_back_refuses() -> None:
    (refusal,) = refusals(CHANGE, Phase.CONTRACT, replace(KNOWN, ahead=NOW + DAY))

    assert (refusal.code, refusal.until) == (Code.CLOCK, NOW + DAY)
    assert refusals(CHANGE, Phase.CONTRACT, KNOWN) == ()
