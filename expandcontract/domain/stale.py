"""Backfills that have gone stale: their rows counted on code, and traffic has been on a release without that code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from expandcontract.domain.colour import Router
from expandcontract.domain.phase import Phase
from expandcontract.domain.step import Step, StepState


@dataclass(frozen=True)
class KeptByCode:
    """
    A backfill without a `Sync`: the change whose code keeps its rows right, and since when they have been.

    That is when the look began which found no row left: what was written behind it is the code's to write right.
    """

    writers: str
    right_since: datetime


def with_stale_backfills(
    steps: Mapping[Step, StepState], kept: Mapping[str, KeptByCode], router: Router, now: datetime
) -> dict[Step, StepState]:
    """
    The states, with `StepState.STALE` for each backfill that is done and has gone stale.

    Args:
        steps: the states as they are recorded.
        kept: the backfills that count on code, by revision.
        router: the releases with their last traffic.
        now: the database's clock.
    """
    return {
        step: StepState.STALE
        if step.phase is Phase.BACKFILL
        and state is StepState.DONE
        and step.revision in kept
        and _is_stale(kept[step.revision], router, now)
        else state
        for step, state in steps.items()
    }


def _is_stale(kept: KeptByCode, router: Router, now: datetime) -> bool:
    lacking = (tag for tag, release in router.releases.items() if kept.writers not in release.ships)
    return any((last := router.last_traffic(tag, now)) is not None and last > kept.right_since for tag in lacking)
