"""When a release may take traffic, as far as its models go: what they declare must be there."""

from __future__ import annotations

from expandcontract.domain.facts import Facts
from expandcontract.domain.phase import Phase
from expandcontract.domain.refusal import Code, Refusal, names
from expandcontract.domain.release import Release
from expandcontract.domain.step import Step


def declares_nothing_that_is_gone(release: Release, facts: Facts) -> list[Refusal]:
    """(c) as well: a release that ships a change may still have models that declare what its contract takes."""
    return [
        _refusal(release, revision, names([str(one) for one in gone]), facts)
        for revision, gone in sorted(facts.gone.get(release.tag, {}).items())
        if revision in release.ships  # else it is refused for that
    ]


def _refusal(release: Release, revision: str, gone: str, facts: Facts) -> Refusal:
    step, title = Step(revision, Phase.CONTRACT), facts.title(revision)
    declares = f"the models of release {release.tag} declare {gone}"
    if revision in facts.tombstones:
        because, undo = f"{declares}, which a tombstone keeps from it", f"ec tombstone {revision} --undo"
        return Refusal(step, title, Code.TOMBSTONE, because, undo)
    onwards = "keep the traffic where it is, or deploy a release whose models don't declare it"
    return Refusal(step, title, Code.CONTRACTED, f"{declares}, which it removed", onwards)
