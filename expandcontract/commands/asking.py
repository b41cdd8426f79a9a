"""Asking those outside: the witnesses of the traffic, and whoever may object; and what a contract makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from expandcontract.colours.source import Scene
from expandcontract.colours.witness import Witness
from expandcontract.commands.probing import Probing
from expandcontract.commands.side_by_side import side_by_side
from expandcontract.config import Settings
from expandcontract.database.executor import Executor
from expandcontract.database.ledger import Ledger
from expandcontract.database.tombstones import reaching, taken_by
from expandcontract.domain.colour import Router
from expandcontract.domain.evidence import Alert, Evidence, Verdict
from expandcontract.domain.facts import Facts
from expandcontract.domain.phase import Phase
from expandcontract.domain.plan import pending
from expandcontract.domain.refusal import Refusal
from expandcontract.domain.sighting import Look, Sighting, sighting
from expandcontract.domain.watching import Watching
from expandcontract.evidence.sessions import sessions

if TYPE_CHECKING:
    from expandcontract.commands.proving import Prover

PATIENCE = 5.0  # seconds that each has, unless somebody waits for our locks


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


def ask_all(witnesses: Sequence[Witness], scene: Scene) -> tuple[Look, ...]:
    """What each says; one that hasn't answered in time has said nothing."""
    for one in witnesses:
        one.load()
    found = side_by_side({one.name: partial(one.look, scene) for one in witnesses}, scene.seconds)
    late = f"nothing within {scene.seconds:g} s"
    return tuple(found.get(one.name) or Look(one.name, late) for one in witnesses)


def ask_alerts(settings: Settings, seconds: float = PATIENCE) -> tuple[Alert, ...]:
    """What each configured alert source says; one that hasn't answered in time is inconclusive."""
    found = side_by_side({one.name: partial(one.ask, seconds) for one in settings.alerts}, seconds)
    late = f"no answer within {seconds:g} s"
    return tuple(found.get(one.name) or Alert(one.name, Verdict.INCONCLUSIVE, late) for one in settings.alerts)


def look(settings: Settings, router: Router, seconds: float) -> Sighting:
    """What the witnesses say just now, asked once."""
    looks = ask_all(settings.colours, Scene(router, seconds))
    return sighting(looks, needed=settings.witnesses or len(settings.colours), known=router.colours)


def with_evidence(
    settings: Settings,
    ledger: Ledger,
    facts: Facts,
    *,
    seconds: float = PATIENCE,
    seen: Observation | None = None,
    apart: Executor | None = None,
    probing: Probing | None = None,
) -> Facts:
    """
    The facts with what a contract has to know beside the ledger.

    Args:
        settings: the settings.
        ledger: in whose transaction the rest is read.
        facts: without evidence.
        seconds: how long the witnesses may take.
        seen: a look that was recorded just now; without it they are asked.
        apart: reads outside the transaction of `ledger`, where that one may have removed already what is looked for.
        probing: the server's answers about statements, where it is to be asked.
    """
    facts = replace(facts, database=ledger.database(), known_database=ledger.known_database(), ahead=ledger.ahead())
    facts = replace(facts, needs_approval=settings.approval)
    if not facts.router.releases:  # nobody has traffic that a witness or a session could tell of
        return facts
    with ThreadPoolExecutor(max_workers=1) as beside:  # one time for all, since locks may be held
        asked = beside.submit(ask_alerts, settings, seconds)
        seen_now = seen.sighting if seen else look(settings, facts.router, seconds)
    evidence = Evidence(
        sessions=sessions(ledger.executor, facts.router, settings.roles),
        database_is_witness=settings.database_witness,
        alerts=asked.result(),
    )
    if settings.colours:
        longest = max(map(facts.window_length, facts.tree), default=settings.contract_after)
        known = tuple(one for one in ledger.stretches(facts.now - longest) if one.is_known)
        evidence = replace(
            evidence,
            sighting=seen_now,
            just_moved=seen is not None and seen.moved,
            watching=Watching(known, settings.observed_share),
        )
    from expandcontract.commands.proving import Prover  # brings the parser, which a rollback's question does without

    prover = Prover(settings, apart or ledger.executor, ledger, seconds, probing, holds_locks=apart is not None)
    facts = with_proofs(settings, replace(facts, evidence=evidence), prover)
    return with_tombstones(settings, facts, apart or ledger.executor)


def with_proofs(settings: Settings, facts: Facts, prover: Prover) -> Facts:
    """The facts with what the configuration asks about references to what each contract removes that waits."""
    waiting = [change for change in pending(facts, Phase.CONTRACT) if facts.is_done(change.revision, Phase.EXPAND)]
    proofs = {change.revision: prover.prove(change, settings.evidence, facts) for change in waiting}
    return replace(facts, proofs=proofs)


def with_tombstones(settings: Settings, facts: Facts, executor: Executor) -> Facts:
    """The facts with how long a tombstone must have stood, and who reaches what those took that stand."""
    facts = replace(facts, soak=settings.tombstone_soak)
    if settings.tombstone_soak is None:
        return facts
    looked_at = {
        revision: replace(stands, reaches=reached(settings, executor, revision))
        for revision, stands in facts.tombstones.items()
    }
    return replace(facts, tombstones=looked_at)


def reached(settings: Settings, executor: Executor, revision: str) -> tuple[str, ...]:
    """The roles of the application that reach what a tombstone has taken, each with why."""
    found = {
        role: why
        for taken in taken_by(executor, revision)
        for role, why in reaching(executor, taken)
        if role not in settings.maintenance_roles
    }
    return tuple(f"{role} ({why})" for role, why in sorted(found.items()))
