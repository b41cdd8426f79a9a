"""Whether this server is the one to write, and the ledger about this database and its past."""

from __future__ import annotations

from expandcontract.domain.change import Change
from expandcontract.domain.facts import Facts
from expandcontract.domain.moment import at
from expandcontract.domain.phase import Phase
from expandcontract.domain.refusal import Code, Refusal, refuse


def expanding_server_is_the_primary(change: Change, facts: Facts) -> Refusal | None:
    """What an old primary is given, the application's primary never gets."""
    return _is_the_primary(Phase.EXPAND, change, facts)


def filling_server_is_the_primary(change: Change, facts: Facts) -> Refusal | None:
    """See `expanding_server_is_the_primary`."""
    return _is_the_primary(Phase.BACKFILL, change, facts)


def contracting_server_is_the_primary(change: Change, facts: Facts) -> Refusal | None:
    """See `expanding_server_is_the_primary`; besides, an old primary's ledger is right about the past alone."""
    return _is_the_primary(Phase.CONTRACT, change, facts)


def undoing_server_is_the_primary(change: Change, facts: Facts, given_up: frozenset[str]) -> Refusal | None:
    """See `expanding_server_is_the_primary`."""
    return _is_the_primary(Phase.EXPAND, change, facts)


def _is_the_primary(phase: Phase, change: Change, facts: Facts) -> Refusal | None:
    if facts.rival is not None:
        return refuse(change, phase, Code.SPLIT_BRAIN, because=facts.rival.because, next=facts.rival.next)
    if facts.timeline is not None and facts.timeline < (facts.traffic_timeline or 0):
        return refuse(
            change,
            phase,
            Code.SPLIT_BRAIN,
            because=f"the ledger was written on timeline {facts.traffic_timeline}, and this server is on timeline"
            f" {facts.timeline}: its history went back",
            next="point the database URL at the primary that the application writes to",
        )
    return None


def traffic_is_known_since_the_failover(change: Change, facts: Facts) -> Refusal | None:
    """A promoted standby may lack what the ledger was told last: that the traffic went back, for example."""
    if facts.timeline is None or facts.traffic_timeline is None or facts.timeline <= facts.traffic_timeline:
        return None
    weights = " ".join(f"{colour.name}={colour.weight}" for colour in facts.router.live)
    return refuse(
        change,
        Phase.CONTRACT,
        Code.FAILOVER,
        because=f"a standby has been promoted (timeline {facts.timeline}) since the traffic was recorded (timeline"
        f" {facts.traffic_timeline}), and what was recorded last may be lost with the old primary",
        next=f"record who has the traffic now (ec observe, or ec colour traffic {weights or 'COLOUR=100'} where that is"
        f" so), then ec migrate contract {change.revision}",
    )


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
