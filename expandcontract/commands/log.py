"""``ec log``: what happened."""

from __future__ import annotations

from dataclasses import dataclass

from expandcontract.commands.ledger_session import open_ledger
from expandcontract.commands.result import Outcome, Result
from expandcontract.config import Settings
from expandcontract.database.ledger import Event


@dataclass(frozen=True, kw_only=True)
class LogResult(Result):
    """The newest events, oldest first."""

    events: tuple[Event, ...]


def show_log(settings: Settings, *, most: int = 50, revision: str | None = None) -> LogResult:
    """
    The newest `most` events, of one revision where one is given. Reads only.

    Raises:
        EcError: see `expandcontract.errors`.
    """
    with open_ledger(settings) as session:
        events = tuple(session.ledger.events(most=most, revision=revision)) if session.has_ledger else ()
        return LogResult(outcome=Outcome.DONE if events else Outcome.NOTHING, events=events)
