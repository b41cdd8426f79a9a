from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from expandcontract.domain.colour import Router
from expandcontract.domain.phase import Phase
from expandcontract.domain.release import Release
from expandcontract.domain.stale import KeptByCode, with_stale_backfills
from expandcontract.domain.step import Step, StepState

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
FILL = Step("c2", Phase.BACKFILL)
KEPT = {"c2": KeptByCode(writers="c1", right_since=NOON)}
OLD = Release("old", frozenset())
DUAL = Release("dual", frozenset({"c1"}))


def router(*, old_until: datetime | None) -> Router:
    """`dual` is live; `old` had traffic until then."""
    began = NOON - 5 * HOUR
    found = Router().deploy("blue", OLD, began).deploy("green", DUAL, began)
    if old_until is not None:
        found = found.shift({"blue": 100}, old_until - HOUR)
    return found.shift({"green": 100}, old_until or began)


@pytest.mark.parametrize(
    ("old_until", "state"),
    [
        (None, StepState.DONE),  # it never had traffic
        (NOON - HOUR, StepState.DONE),  # it lost its traffic before the backfill was done
        (NOON + HOUR, StepState.STALE),  # it wrote rows that nobody filled
    ],
)
def test_a_backfill_is_stale_once_code_without_its_writers_had_traffic_after_it(
    old_until: datetime | None, state: StepState
) -> None:
    found = with_stale_backfills({FILL: StepState.DONE}, KEPT, router(old_until=old_until), NOON + 5 * HOUR)

    assert found == {FILL: state}


def test_while_such_a_release_is_live_the_backfill_is_stale_now() -> None:
    live = router(old_until=None).shift({"blue": 10, "green": 90}, NOON - HOUR)

    assert with_stale_backfills({FILL: StepState.DONE}, KEPT, live, NOON + HOUR) == {FILL: StepState.STALE}


def test_what_a_sync_keeps_right_and_what_is_not_done_stay_as_they_are() -> None:
    steps = {
        FILL: StepState.STARTED,
        Step("c3", Phase.BACKFILL): StepState.DONE,
        Step("c2", Phase.EXPAND): StepState.DONE,
    }

    assert with_stale_backfills(steps, KEPT, router(old_until=NOON + HOUR), NOON + 5 * HOUR) == steps
