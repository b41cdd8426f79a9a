"""``ec adopt``: say that a restored or cloned database is the one that the application uses."""

from __future__ import annotations

from dataclasses import dataclass

from expandcontract.commands.ledger_session import open_ledger
from expandcontract.commands.result import Outcome, Result
from expandcontract.config import Settings
from expandcontract.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class AdoptResult(Result):
    """The database in which the ledger was written, and the one that this is; the same where nothing is to adopt."""

    was: str
    now: str
    dry_run: bool = False

    @property
    def is_news(self) -> bool:
        """See `Result.is_news`; that a copy was adopted."""
        return self.outcome is Outcome.DONE and not self.dry_run


def adopt(settings: Settings, *, reason: str, dry_run: bool = False) -> AdoptResult:
    """
    Let the ledger be at home in this database. Every rollback window counts from now on.

    Raises:
        UsageError: there is no ledger.
        EcError: see `expandcontract.errors`.
    """
    with open_ledger(settings) as session:
        if not session.has_ledger:
            raise UsageError("this database has no ledger, so there is nothing to adopt", next_command="ec init")
        ledger = session.ledger
        with session.connection.transaction(force_rollback=dry_run):
            if not dry_run:
                ledger.lock_router()
            here = ledger.database()
            known = ledger.known_database() or here
            is_copy = not known.is_same(here)
            if is_copy and not dry_run:
                ledger.put_database(here)
                ledger.record("adopted", {"was": str(known), "now": str(here), "reason": reason})
        outcome = Outcome.DONE if is_copy else Outcome.NOTHING
        return AdoptResult(outcome=outcome, was=str(known), now=str(here), dry_run=dry_run)
