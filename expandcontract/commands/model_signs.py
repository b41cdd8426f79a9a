"""Signs in what the models of releases declare, as `ec colour deploy` recorded it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from expandcontract.database.executor import Executor
from expandcontract.database.model_ledger import ModelLedger
from expandcontract.domain.change import Change
from expandcontract.domain.evidence import Verdict
from expandcontract.domain.facts import Facts
from expandcontract.domain.models import may_serve
from expandcontract.domain.moment import at
from expandcontract.domain.proof import Means, Sign
from expandcontract.evidence.dependants import Target


def model_signs(executor: Executor, targets: Sequence[Target], change: Change, facts: Facts) -> Iterator[Sign]:
    """The releases that declare what goes, of those that have traffic or had some within the change's window."""
    serving = _serving(change, facts)
    ledger = ModelLedger(executor)
    for one, relation in targets:
        for tag in sorted(ledger.declaring(relation.holding(one)) & serving.keys()):
            last = serving[tag]
            when = f"had traffic until {at(last)}" if last else "is live"
            yield Sign(Means.MODELS, Verdict.SEEN, one, f"the models of release {tag} declare it, and it {when}")


def without_models(executor: Executor, change: Change, facts: Facts) -> list[str]:
    """Those of the same releases of which nobody knows what they declare."""
    return sorted(ModelLedger(executor).without() & _serving(change, facts).keys())


def _serving(change: Change, facts: Facts) -> dict[str, datetime | None]:
    closed_at = facts.control(change.revision).closed_at
    return may_serve(facts.router, change.revision, facts.now, facts.window_begin(change), closed_at)
