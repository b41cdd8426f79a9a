"""Samples of ``pg_stat_statements`` from every node: for the ledger, or for a look just now."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import partial

from expandcontract.commands.ledger_session import LedgerSession
from expandcontract.commands.side_by_side import side_by_side
from expandcontract.config import Settings
from expandcontract.database.executor import Executor
from expandcontract.database.ledger import Ledger
from expandcontract.database.statement_ledger import StatementLedger
from expandcontract.database.statements import take_sample
from expandcontract.domain.statements import PRIMARY, Sample

_APPLICATION = "ec:sample"


def samples(
    settings: Settings,
    executor: Executor,
    ledger: Ledger,
    seconds: float,
    within: AbstractContextManager[object] | None = None,
) -> dict[str, Sample]:
    """A sample of each node, the primary's through `executor`; a replica that takes too long has said nothing."""
    at = ledger.now()
    asked = {one.name: partial(one.sample, at, seconds, _APPLICATION) for one in settings.replicas}
    primary = take_sample(executor, PRIMARY, at, within)
    found = side_by_side(asked, seconds)
    late = f"no answer within {seconds:g} s"
    return {PRIMARY: primary, **{name: found.get(name) or Sample(name, at, trouble=late) for name in asked}}


def record_samples(settings: Settings, session: LedgerSession, seconds: float) -> dict[str, Sample]:
    """Take a sample of each node and record it."""
    with session.connection.transaction():
        kept = StatementLedger(session.ledger.executor)
        kept.lock()
        savepoint = session.connection.transaction()
        found = samples(settings, session.ledger.executor, session.ledger, seconds, savepoint)
        series = kept.series(session.ledger.now())
        for node, sample in found.items():
            kept.put_sample(series.get(node), sample, settings.observed_gap)
    return found
