"""
How a backfill goes on after the last range of a pass: it is looked at, written once more, complete, or no use.

A pass that writes is followed by one that looks, range by range and at the same pace, whether a row still needs it.
Whatever changes behind that look is the Sync's to keep right, or the writers', so a look that finds nothing is enough.
"""

from __future__ import annotations

from expandcontract.backfill.session import Session
from expandcontract.backfill.stretches import estimated_rows, find_stretches
from expandcontract.backfill.work import Work
from expandcontract.database.backfill_records import BackfillState, SetAside
from expandcontract.database.executor import PsycopgExecutor
from expandcontract.domain.pace import another_pass_helps


def decide_after(session: Session, work: Work, number_of_pass: int) -> None:
    """Begin the next pass, or end the backfill, unless somebody has told it something else meanwhile."""
    ledger, revision = session.ledger, work.revision
    with session.connection.transaction():
        session.connection.execute("SET LOCAL statement_timeout = 0")
        orders = ledger.lock(revision)
        if orders is None or orders.verifier != session.worker or orders.number_of_pass != number_of_pass:
            return
        if not orders.verifies:
            _begin_pass(session, work, number_of_pass + 1, verifies=True)
        elif not ledger.found(revision, number_of_pass):
            _end(session, work, ledger.failures(revision))
        elif another_pass_helps(written := ledger.written_by_pass(revision)):
            _begin_pass(session, work, number_of_pass + 1, verifies=False)
        else:
            reason = (
                f"after {len(written)} passes rows still need it: what it sets doesn't make its condition false,"
                " or somebody goes on writing rows that need it"
            )
            ledger.put_state(revision, BackfillState.FAILED, reason)


def _begin_pass(session: Session, work: Work, number: int, *, verifies: bool) -> None:
    stretches, before = find_stretches(session.connection, work.backfill), session.ledger.position(work.revision)
    rows = before.rows_seen if before else 0
    estimate = rows or estimated_rows(session.connection, work.backfill)
    session.ledger.begin_pass(work.revision, number, stretches, verifies=verifies, estimated_rows=estimate)


def _end(session: Session, work: Work, set_aside: list[SetAside]) -> None:
    if set_aside:
        reason = (
            f"{len(set_aside)} row(s) can't be filled and are set aside, and all others are right;"
            f" the first: {set_aside[0].error}"
        )
        session.ledger.put_state(work.revision, BackfillState.FAILED, reason)
        return
    session.ledger.put_state(work.revision, BackfillState.COMPLETE)
    work.on_complete(PsycopgExecutor(session.connection))
