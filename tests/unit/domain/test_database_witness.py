from __future__ import annotations

from dataclasses import replace

import pytest

from expandcontract.domain.evidence import Evidence, Session
from expandcontract.domain.gate import refusals
from expandcontract.domain.phase import Phase
from expandcontract.domain.refusal import Code
from tests.unit.domain.samples import DAY, NOW, change, facts, moved, release, states

CHANGE = change(window=DAY)
ROUTER = moved(release("1"), release("2", "8c1f"), NOW - 2 * DAY)


def session(tag: str | None) -> Session:
    return Session(4711, tag, f"colour=green release={tag}", "app", None, None)


@pytest.mark.parametrize(
    ("is_witness", "connected", "refused"),
    [
        (False, [], False),
        (True, [], True),
        (True, ["2"], False),
        (True, [None], True),
    ],
)
def test_a_database_that_is_to_be_a_witness_has_to_know_whoever_is_live(
    is_witness: bool, connected: list[str | None], refused: bool
) -> None:
    known = facts(CHANGE, steps=states(r8c1f="expand done"), router=ROUTER)
    seen = Evidence(sessions=tuple(map(session, connected)), database_is_witness=is_witness)

    codes = {refusal.code for refusal in refusals(CHANGE, Phase.CONTRACT, replace(known, evidence=seen))}

    assert (Code.UNMARKED in codes) is refused


def test_each_of_several_live_releases_has_to_be_there() -> None:
    both = ROUTER.deploy("violet", release("3", "8c1f"), NOW).shift({"green": 50, "violet": 50}, NOW)
    known = facts(CHANGE, steps=states(r8c1f="expand done"), router=both)
    seen = Evidence(sessions=(session("2"),), database_is_witness=True)

    (refusal,) = refusals(CHANGE, Phase.CONTRACT, replace(known, evidence=seen))

    assert refusal.because.startswith("no session says that it is of release 3, which has traffic")
