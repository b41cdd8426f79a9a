"""Looking at the traffic through the witnesses, and recording what was seen."""

from __future__ import annotations

from expandcontract.commands.asking import PATIENCE, Observation, look
from expandcontract.commands.colour import Move
from expandcontract.commands.ledger_session import LedgerSession
from expandcontract.config import Settings
from expandcontract.domain.colour import Router
from expandcontract.domain.sighting import Sighting
from expandcontract.errors import TryLater

_TRIES = 3


def observe(settings: Settings, session: LedgerSession) -> Observation:
    """
    Look, and record what was seen: that somebody looked, and the weights where they changed.

    No transaction is open while the witnesses are asked. Where traffic was recorded meanwhile, they are asked again:
    an answer that is older than what the ledger knows must not overwrite it.

    Raises:
        TryLater: that happened again and again.
    """
    for _ in range(_TRIES):
        before = session.ledger.router()
        timeline, seen = session.timeline, look(settings, before, PATIENCE)
        with session.connection.transaction():
            session.ledger.lock_router()
            if _weights(session.ledger.router()) == _weights(before):
                session.ledger.put_traffic_timeline(timeline if seen.live else None)
                return _recorded(settings, session, before, seen)
    raise TryLater("traffic is recorded so often that the colour sources can't be asked in between")


def _recorded(settings: Settings, session: LedgerSession, router: Router, seen: Sighting) -> Observation:
    now = session.ledger.now()
    words = "; ".join(f"{one.witness} says {one.said}" for one in seen.looks)
    session.ledger.put_look(now, is_known=bool(seen.live), said=seen.because or words, gap=settings.observed_gap)
    if not seen.live or _weights(router) == dict(seen.weights):
        return Observation(seen, moved=False, at=now)
    event = {
        "weights": dict(seen.weights),
        "live": sorted(seen.live),
        "witnesses": {one.witness: one.said for one in seen.looks},
        "switched_at": {one.witness: one.switched_at for one in seen.looks if one.switched_at},
    }
    move = Move("traffic", event).make(
        session, dry_run=False, to=lambda router, now: router.shift(seen.weights, now, seen.drain)
    )
    return Observation(seen, _is_cutover(router, seen), now, move.refusals)


def foreseen(settings: Settings, session: LedgerSession) -> Observation:
    """What `observe` would find; records nothing."""
    router = session.ledger.router()
    seen = look(settings, router, PATIENCE)
    return Observation(seen, _is_cutover(router, seen), session.ledger.now())


def _is_cutover(router: Router, seen: Sighting) -> bool:
    return bool(seen.live) and seen.live != {colour.name for colour in router.live}


def _weights(router: Router) -> dict[str, int]:
    return {name: colour.weight for name, colour in router.colours.items() if colour.is_live}
