from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from expandcontract.domain.gate import refusals, undo_refusals
from expandcontract.domain.instance import Instance, Rival, rival
from expandcontract.domain.phase import Phase
from expandcontract.domain.refusal import Code
from tests.unit.domain.samples import DAY, NOW, change, facts, moved, release, states

HERE = Instance("db1:5432", "7301", 2, is_standby=False, started_at=NOW)


def other(
    *, timeline: int | None, is_standby: bool, system: str | None = "7301", at: datetime | None = None
) -> Instance:
    return Instance("db2:5432", system, timeline, is_standby, at or NOW + timedelta(seconds=1))


@pytest.mark.parametrize(
    ("found", "because"),
    [
        (other(timeline=2, is_standby=True), None),
        (other(timeline=1, is_standby=True), None),  # it hasn't heard of the promotion yet
        (other(timeline=None, is_standby=True), None),
        (
            other(timeline=3, is_standby=True),
            "db2:5432 follows timeline 3, and the primary at db1:5432 is on timeline 2",
        ),
        (other(timeline=1, is_standby=False), "so db2:5432 is the old one"),
        (other(timeline=3, is_standby=False), "so db1:5432 is the old one"),
        (other(timeline=2, is_standby=False), "may both be written"),
        (other(timeline=None, is_standby=False), "may both be written"),
        (other(timeline=3, is_standby=False, system="7302"), None),  # a neighbour
        (other(timeline=3, is_standby=False, system=None), None),
        (other(timeline=2, is_standby=False, at=NOW), None),  # this server under another name
    ],
)
def test_what_another_server_says_against_the_primary(found: Instance, because: str | None) -> None:
    answer = rival(HERE, [found])

    assert (answer is None) is (because is None)
    if answer and because:
        assert because in answer.because


def test_what_may_not_be_seen_says_nothing() -> None:
    assert rival(replace(HERE, system=None), [other(timeline=3, is_standby=False)]) is None
    assert rival(replace(HERE, timeline=None), [other(timeline=3, is_standby=True)]) is None


CHANGE = change(window=DAY)
KNOWN = facts(
    CHANGE, steps=states(r8c1f="expand done"), router=moved(release("1"), release("2", "8c1f"), NOW - 2 * DAY)
)


@pytest.mark.parametrize("phase", Phase)
def test_with_a_rival_nothing_runs(phase: Phase) -> None:
    rivalled = replace(KNOWN, rival=Rival("two primaries", "stop one"))
    for known in (rivalled, replace(KNOWN, timeline=1, traffic_timeline=2)):
        assert Code.SPLIT_BRAIN in {one.code for one in refusals(CHANGE, phase, known)}
        assert Code.SPLIT_BRAIN in {one.code for one in undo_refusals(CHANGE, known, frozenset())}


@pytest.mark.parametrize(
    ("timeline", "recorded", "codes"),
    [(2, 2, []), (2, 1, [Code.FAILOVER]), (1, 2, [Code.SPLIT_BRAIN]), (None, 1, []), (2, None, [])],
)
def test_a_contract_wants_the_traffic_recorded_on_this_timeline(
    timeline: int | None, recorded: int | None, codes: list[Code]
) -> None:
    found = refusals(CHANGE, Phase.CONTRACT, replace(KNOWN, timeline=timeline, traffic_timeline=recorded))

    assert [one.code for one in found] == codes
