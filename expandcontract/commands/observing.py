"""Looking at the traffic through the witnesses, and what a contract has to know of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from expandcontract.colours.source import Scene
from expandcontract.colours.witness import ask_all
from expandcontract.commands.colour import Move
from expandcontract.commands.ledger_session import LedgerSession
from expandcontract.config import Settings
from expandcontract.database.ledger import Ledger
from expandcontract.domain.colour import Router
from expandcontract.domain.evidence import Evidence
from expandcontract.domain.facts import Facts
from expandcontract.domain.refusal import Refusal
from expandcontract.domain.sighting import Sighting, sighting
from expandcontract.domain.watching import Watching
from expandcontract.errors import TryLater
from expandcontract.evidence.sessions import sessions

PATIENCE = 5.0  # seconds that a witness has, unless somebody waits for our locks
_TRIES = 3


@dataclass(frozen=True)
class Observation:
    """
    A look at the traffic.

    Attributes:
        sighting: what the witnesses come to.
        moved: other colours have traffic than the ledger knew.
        at: when, on the database's clock.
        refusals: why releases that have traffic now may not have it.
    """

    sighting: Sighting
    moved: bool
    at: datetime
    refusals: tuple[Refusal, ...] = ()


def look(settings: Settings, router: Router, seconds: float) -> Sighting:
    """What the witnesses say just now, asked once."""
    looks = ask_all(settings.colours, Scene(router, seconds))
    return sighting(looks, needed=settings.witnesses or len(settings.colours), known=router.colours)


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
        seen = look(settings, before, PATIENCE)
        with session.connection.transaction():
            session.ledger.lock_router()
            if _weights(session.ledger.router()) == _weights(before):
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


def with_evidence(
    settings: Settings, ledger: Ledger, facts: Facts, *, seconds: float = PATIENCE, seen: Observation | None = None
) -> Facts:
    """
    The facts with what a contract has to know beside the ledger.

    Args:
        settings: the settings.
        ledger: in whose transaction the rest is read.
        facts: without evidence.
        seconds: how long the witnesses may take.
        seen: a look that was recorded just now; without it they are asked.
    """
    if not facts.router.releases:  # nobody has traffic that a witness or a session could tell of
        return facts
    evidence = Evidence(sessions=sessions(ledger.executor, facts.router))
    if settings.colours:
        longest = max((change.contract_after for change in facts.tree), default=settings.contract_after)
        known = tuple(one for one in ledger.stretches(facts.now - longest) if one.is_known)
        evidence = replace(
            evidence,
            sighting=seen.sighting if seen else look(settings, facts.router, seconds),
            just_moved=seen is not None and seen.moved,
            watching=Watching(known, settings.observed_share, ledger.observed_last()),
        )
    return replace(facts, evidence=evidence)
