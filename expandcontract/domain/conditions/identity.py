"""Whether the ledger is about this database at all, and about its past."""

from __future__ import annotations

from expandcontract.domain.change import Change
from expandcontract.domain.facts import Facts
from expandcontract.domain.moment import at
from expandcontract.domain.phase import Phase
from expandcontract.domain.refusal import Code, Refusal, refuse


def ledger_is_at_home(change: Change, facts: Facts) -> Refusal | None:
    """In a restored or cloned database, who had traffic since it was copied is unknown."""
    known, here = facts.known_database, facts.database
    if known is None or here is None or known.is_same(here):
        return None
    return refuse(
        change,
        Phase.CONTRACT,
        Code.COPY,
        because=f"the ledger was written in {known}, and this is {here}: a restored or cloned database, of whose"
        " traffic since then nobody knows",
        next="if this is the one that the application uses now: ec adopt --reason TEXT",
    )


def clock_goes_forward(change: Change, facts: Facts) -> Refusal | None:
    """A window counts on the database's clock, so one that went back proves nothing."""
    if facts.ahead is None:
        return None
    return refuse(
        change,
        Phase.CONTRACT,
        Code.CLOCK,
        because=f"the database's clock shows {at(facts.now)}, and the ledger was written at {at(facts.ahead)}:"
        " it went back",
        next=f"set the server's clock right, then ec migrate contract {change.revision}",
        until=facts.ahead,
    )
