"""``ec backfill verify``: whether a row needs the backfill now."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from expandcontract.backfill.verification import look_along
from expandcontract.commands.backfill_status import with_backfill
from expandcontract.commands.filling import rate_of
from expandcontract.commands.result import Outcome, Result
from expandcontract.commands.running import user_connection
from expandcontract.commands.situation import open_situation
from expandcontract.config import Settings
from expandcontract.domain.gate import new_code_may_have_written
from expandcontract.domain.pace import READS_PER_WRITE
from expandcontract.domain.phase import Phase
from expandcontract.domain.step import Step
from expandcontract.errors import Interrupted, UsageError


@dataclass(frozen=True, kw_only=True)
class VerifyResult(Result):
    """Whether the backfill's own predicate finds a row now: of how many rows it found how many."""

    step: Step
    rows_left: bool
    rows_seen: int
    rows_found: int


def verify(settings: Settings, name: str, *, stop: Callable[[], bool] = lambda: False) -> VerifyResult:
    """
    How many rows need the backfill now, in a look along the whole table at ten times its rate. Writes nothing.

    Raises:
        Interrupted: `stop` said so.
        UsageError: the revision has no backfill.
    """
    with open_situation(settings) as situation:
        revision = with_backfill(situation, name)
        backfill = revision.change.backfill
        facts = situation.observed_facts()
        if backfill is None or not facts.is_done(revision.change.revision, Phase.EXPAND):
            raise UsageError(f"{name} isn't expanded, so there is nothing to verify", next_command="ec plan")
        wrote = new_code_may_have_written(revision.change, facts)
        with user_connection(situation) as connection:
            rest = _rest_after(rate_of(settings, revision.change), name, stop)
            seen, found = look_along(connection, backfill, new_code_wrote=wrote, after_each=rest)
        outcome = Outcome.FINDINGS if found else Outcome.DONE
        step = Step(revision.change.revision, Phase.BACKFILL)
        return VerifyResult(outcome=outcome, step=step, rows_left=found > 0, rows_seen=seen, rows_found=found)


def _rest_after(rate: int | None, name: str, stop: Callable[[], bool]) -> Callable[[int], None]:
    """What keeps a look at its rate, and ends it."""

    def rest(rows: int) -> None:
        if stop():
            raise Interrupted(f"the look at backfill {name} was interrupted", next_command=f"ec backfill verify {name}")
        if rate is not None:
            time.sleep(rows / (READS_PER_WRITE * rate))

    return rest
