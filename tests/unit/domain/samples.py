"""Plain values that the domain's tests speak about: one rename, its releases, and a router that has moved once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from expandcontract.domain.change import Backfill, Change, Sync
from expandcontract.domain.colour import Router
from expandcontract.domain.facts import Facts
from expandcontract.domain.footprint import Footprint, Touched
from expandcontract.domain.phase import Phase
from expandcontract.domain.release import Release
from expandcontract.domain.step import Step, StepState

NOW = datetime(2025, 6, 2, 14, 10, tzinfo=UTC)
DAY = timedelta(days=1)
WINDOW = timedelta(days=14)

SYNC = Sync("users", forward={"display_name": "name"}, backward={"name": "display_name"})
BY_CODE = Backfill("users", set={"display_name": "name"}, writers="77aa")


def change(
    revision: str = "8c1f",
    *,
    title: str = "rename users.name",
    window: timedelta = WINDOW,
    contract: bool = True,
    backfill: Backfill | None = None,
    installs_sync: bool = False,
    expands: str | None = None,
    contracts: str | None = None,
) -> Change:
    """A change; `expands` and `contracts` name the one table that the phase touches, None for an unknown footprint."""
    touched = {Phase.EXPAND: expands, Phase.CONTRACT: contracts}
    return Change(
        revision,
        title,
        window,
        contract_parts=("contract",) if contract else (),
        backfill=backfill,
        installs_sync=installs_sync,
        footprints={phase: Footprint.of([Touched(table)]) for phase, table in touched.items() if table},
    )


def release(tag: str, *ships: str, needs: tuple[str, ...] = ()) -> Release:
    """A release that ships these revisions."""
    return Release(tag, frozenset(ships), frozenset(needs))


def states(**by_revision: str) -> Mapping[Step, StepState]:
    """The ledger's steps: `states(r8c1f="expand done, backfill started")`; the leading r makes it an identifier."""
    return {
        Step(name.removeprefix("r"), Phase(phase)): StepState(state)
        for name, text in by_revision.items()
        for phase, state in (entry.split() for entry in text.split(", "))
    }


def moved(before: Release, after: Release, at: datetime, *, since: datetime | None = None) -> Router:
    """Blue ran `before` from `since` on (a year earlier, unless said otherwise), and gave its traffic to green `at`."""
    since = since or at - 365 * DAY
    with_blue = Router().deploy("blue", before, since).shift({"blue": 100}, since)
    return with_blue.deploy("green", after, at).shift({"green": 100}, at)


def facts(
    *tree: Change,
    steps: Mapping[Step, StepState] | None = None,
    router: Router | None = None,
    rows_left: Mapping[str, bool] | None = None,
    now: datetime = NOW,
) -> Facts:
    """The facts of this tree; nothing has been applied and nobody has traffic, unless said otherwise."""
    return Facts(now, tree, steps or {}, router or Router(), rows_left or {})
