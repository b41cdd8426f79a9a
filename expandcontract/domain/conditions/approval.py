"""When a person's approval lets a contract run, and when one may be given."""

from __future__ import annotations

from expandcontract.domain.change import Change
from expandcontract.domain.facts import Facts
from expandcontract.domain.moment import at
from expandcontract.domain.phase import Phase
from expandcontract.domain.refusal import Code, Refusal, refuse


def somebody_has_approved_it(change: Change, facts: Facts) -> Refusal | None:
    """Condition 5: where the configuration asks for it, a person has approved the contract as it is now."""
    if not facts.needs_approval:
        return None
    given = facts.approvals.get(change.revision)
    if given is not None and given.is_for(change.meanings.get(Phase.CONTRACT, ())):
        return None
    because = (
        "a person must approve it, and nobody has"
        if given is None
        else f"{given.person} approved it at {at(given.at)}, and contract() was edited since, which voids that"
    )
    return refuse(
        change,
        Phase.CONTRACT,
        Code.NOT_APPROVED,
        because=because,
        next=f"ec migrate contract {change.revision} --dry-run shows the proof; then ec approve {change.revision}"
        " --reason TEXT",
    )
