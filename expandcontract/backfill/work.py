"""What the workers of a run share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from expandcontract.backfill.session import Settings
from expandcontract.database.executor import Executor
from expandcontract.domain.change import Backfill


@dataclass(frozen=True)
class Work:
    """
    The change, what to write, and who is told.

    ``new_code_wrote``: a release that ships the change has had traffic. ``on_complete`` is called in the transaction in
    which the backfill becomes complete.
    """

    revision: str
    backfill: Backfill
    new_code_wrote: bool
    settings: Settings
    on_complete: Callable[[Executor], None]
