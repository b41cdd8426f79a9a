"""Risks of the project, its steps and its backfills."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.domain.phase import Phase
from expandcontract.domain.plan import PlannedStep
from expandcontract.domain.refusal import Code
from expandcontract.domain.risks.risk import Risk, fails, risky
from expandcontract.domain.risks.seen import Seen
from expandcontract.domain.step import Step, StepState

# Refusals that come and go in a change's life: a deploy, a switch, a step before, or time answers them.
_PASSES = frozenset(
    {
        Code.EARLIER_EXPAND,
        Code.FOOTPRINT,
        Code.NOT_EXPANDED,
        Code.NOT_BACKFILLED,
        Code.ROWS_LEFT,
        Code.SET_ASIDE,  # said by the backfill itself
        Code.NO_LIVE_COLOUR,
        Code.CUTOVER,
        Code.SESSION,
        Code.ALERT,
        Code.LIVE_LACKS,
        Code.WINDOW_OPEN,
    }
)


def project_unusable(seen: Seen) -> Iterator[Risk]:
    """The configuration, a revision file, env.py or the ledger can't be used."""
    for trouble in seen.troubles:
        yield fails(f"{trouble.about}: {trouble.because}", trouble.remedy)


def step_failed(seen: Seen) -> Iterator[Risk]:
    """A step has failed, and nobody has run it again."""
    errors = dict(seen.errors)
    for step in seen.steps:
        if step.state is StepState.FAILED:
            words = errors.get(str(step.step))
            yield fails(
                f"{step.step} ({step.change.title}) failed" + (f": {words}" if words else ""),
                f"ec log {step.step.revision}, mend the cause, then run it again",
            )


def step_refused(seen: Seen) -> Iterator[Risk]:
    """The gate refuses a step for a reason that no waiting ends."""
    told = set()
    for step in seen.steps:
        for refusal in step.refusals:
            if refusal.code not in _PASSES and (refusal.code, refusal.because) not in told:
                told.add((refusal.code, refusal.because))
                yield fails(f"{refusal.step} is refused ({refusal.code}): {refusal.because}", refusal.next)


def step_unapplied(seen: Seen) -> Iterator[Risk]:
    """An expand or a backfill could run and hasn't."""
    for step in _allowed(seen):
        if step.step.phase is not Phase.CONTRACT:
            command = "ec backfill" if step.step.phase is Phase.BACKFILL else "ec migrate expand"
            yield risky(f"{step.step} ({step.change.title}) hasn't run, and may", f"{command} {step.step.revision}")


def contract_overdue(seen: Seen) -> Iterator[Risk]:
    """A contract could run: its window has closed, and the old shape is still kept current."""
    for step in _allowed(seen):
        if step.step.phase is Phase.CONTRACT:
            yield risky(
                f"{step.step} ({step.change.title}) may run: nobody needs the old shape any more, and it still costs"
                " each write",
                f"ec migrate contract {step.step.revision}",
            )


def _allowed(seen: Seen) -> Iterator[PlannedStep]:
    """What waits for nobody but a person; a backfill that has begun is told of as such."""
    begun = {Step(filling.revision, Phase.BACKFILL) for filling in seen.fillings}
    for step in seen.steps:
        if step.state in (StepState.PENDING, StepState.STARTED) and not step.refusals and step.step not in begun:
            yield step


def backfill_stopped(seen: Seen) -> Iterator[Risk]:
    """A backfill has begun, isn't complete, and nobody works on it."""
    for filling in seen.fillings:
        if filling.workers == 0 or filling.state != "running":
            state = "recorded as running" if filling.state == "running" else filling.state
            why = f": {filling.reason}" if filling.reason else ""
            yield risky(
                f"backfill {filling.revision} is {state}{why}, with {filling.workers} worker(s) at it",
                f"ec backfill {'resume ' if filling.state == 'paused' else ''}{filling.revision}",
            )


def rows_set_aside(seen: Seen) -> Iterator[Risk]:
    """A backfill has met rows that it can't fill; its contract is refused until they are mended."""
    for filling in seen.fillings:
        if filling.set_aside:
            yield fails(
                f"backfill {filling.revision} has set {filling.set_aside} row(s) aside that it can't fill; its contract"
                " is refused until they are mended",
                f"ec backfill failures {filling.revision}",
            )
