"""When people may lengthen the rollback window of a change, or close it early."""

from __future__ import annotations

from expandcontract.domain.change import Change
from expandcontract.domain.facts import Facts
from expandcontract.domain.moment import at, no_earlier_than
from expandcontract.domain.phase import Phase
from expandcontract.domain.refusal import Code, Refusal, refuse


def contract_has_not_begun(change: Change, facts: Facts) -> Refusal | None:
    """What a contract has removed no window brings back."""
    if not facts.has_begun(change.revision, Phase.CONTRACT):
        return None
    state = facts.state(change.revision, Phase.CONTRACT)
    return refuse(
        change,
        Phase.CONTRACT,
        Code.CONTRACTED,
        because=f"contract {change.revision} is {state}, so there is no window any more",
        next=f"ec log {change.revision}",
    )


def nobody_drains(change: Change, facts: Facts) -> Refusal | None:
    """A release that lacks the change may still be sent the last requests of its traffic."""
    draining = [window for window in facts.windows(change) if window.last_traffic > facts.now]
    if not draining:
        return None
    last = max(draining, key=lambda window: window.last_traffic)
    return refuse(
        change,
        Phase.CONTRACT,
        Code.DRAINS,
        because=f"release {last.release}, which lacks {change.revision}, is still sent requests until"
        f" {at(last.last_traffic)}: its traffic drains",
        next=f"after {no_earlier_than(last.last_traffic)}: ec window {change.revision} --close --reason TEXT",
        until=last.last_traffic,
    )
