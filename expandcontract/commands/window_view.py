"""The rollback window of a change as people see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from expandcontract.domain.change import Change
from expandcontract.domain.facts import Facts


@dataclass(frozen=True)
class Hold:
    """A release without the change (None: whatever ran before the ledger began to watch), and until when it holds."""

    release: str | None
    last_traffic: datetime
    closes_at: datetime
    is_open: bool


@dataclass(frozen=True)
class WindowView:
    """
    The rollback window of a change.

    Attributes:
        declared: what the change, or the configuration, says.
        extended: by how much somebody has made it longer.
        closed_at: when somebody closed it early; None where nobody did.
        person: who decided last; None where nobody did.
        reason: why.
        holds: who holds the contract, the last to let go first.
    """

    declared: timedelta
    extended: timedelta
    closed_at: datetime | None
    person: str | None
    reason: str | None
    holds: tuple[Hold, ...]


def view_of(change: Change, facts: Facts) -> WindowView:
    """The window of a change, as people see it."""
    control = facts.controls.get(change.revision)
    return WindowView(
        declared=change.contract_after,
        extended=facts.control(change.revision).extended,
        closed_at=control.closed_at if control else None,
        person=control.person if control else None,
        reason=control.reason if control else None,
        holds=tuple(
            Hold(window.release, window.last_traffic, window.closes_at, window.is_open(facts.now))
            for window in facts.windows(change)
        ),
    )
