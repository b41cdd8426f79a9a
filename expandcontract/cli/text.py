"""Results as text for people."""

from __future__ import annotations

from collections.abc import Iterable
from functools import singledispatch

from expandcontract.commands.backfill import BackfillResult
from expandcontract.commands.colour import ColourResult, ColourView
from expandcontract.commands.init import InitResult
from expandcontract.commands.log import LogResult
from expandcontract.commands.migrate import MigrateResult
from expandcontract.commands.overview import OverviewResult, StepView
from expandcontract.commands.result import Result
from expandcontract.commands.undo import UndoResult
from expandcontract.domain.gate import at
from expandcontract.domain.refusal import Refusal
from expandcontract.errors import EcError


def refusal_text(refusal: Refusal) -> str:
    """The three lines of a refusal."""
    title = f" ({refusal.title})" if refusal.title else ""
    return f"refused: {refusal.step}{title}\nbecause: {refusal.because}\nnext:    {refusal.next}"


def error_text(error: EcError) -> str:
    """What happened, because of what, and what to do next; as many lines as are known."""
    lines = [f"error:   {error}"]
    if error.because:
        lines.append(f"because: {error.because}")
    if error.next_command:
        lines.append(f"next:    {error.next_command}")
    return "\n".join(lines)


@singledispatch
def result_text(result: Result) -> str:
    """The result of a command, for a person; empty where the refusals say it all."""
    raise NotImplementedError(type(result).__name__)


@result_text.register
def _(result: MigrateResult) -> str:
    if result.sql is not None:
        return result.sql
    verb = "would run" if result.dry_run else "done"
    if not result.steps:
        return "" if result.refusals else "nothing to do"
    return _lines(f"{verb}: {step}" for step in result.steps)


@result_text.register
def _(result: BackfillResult) -> str:
    if result.dry_run:
        return _lines(f"would run: {step}" for step in result.steps) or ("" if result.refusals else "nothing to do")
    if not result.filled:
        return "" if result.refusals else "nothing to do"
    return _lines(f"done: {one.step}: {one.rows_written} of {one.rows} rows written" for one in result.filled)


@result_text.register
def _(result: UndoResult) -> str:
    verb = "would undo" if result.dry_run else "undone"
    given = f"; no way back any more to release {', '.join(result.gives_up)}" if result.gives_up else ""
    return _lines(f"{verb}: {step}{given}" for step in result.steps)


@result_text.register
def _(result: ColourResult) -> str:
    if not result.colours:
        return "no colour is known yet; ec colour deploy COLOUR RELEASE records one"
    return _lines(_colour_line(view) for view in result.colours)


@result_text.register
def _(result: InitResult) -> str:
    if result.made:
        verb = "would make" if result.dry_run else "made"
        return _lines(
            [
                *(f"{verb} {name}" for name in result.made),
                "next: set EC_DATABASE_URL, then ec init once more, which puts the ledger into that database",
            ]
        )
    return (
        f"{result.expanded} of {result.revisions} revisions are expanded in the database at {result.database}\n"
        "next: ec plan"
    )


@result_text.register
def _(result: LogResult) -> str:
    if not result.events:
        return "nothing has happened yet"
    return _lines(
        f"{at(event.at)}  {event.kind:<20}  {event.revision or '':<12}  {event.person}@{event.host}"
        f"{' tree ' + event.tree if event.tree else ''}"
        f"  {', '.join(f'{name}={value}' for name, value in event.facts.items() if value not in (None, [], ''))}"
        for event in result.events
    )


@result_text.register
def _(result: OverviewResult) -> str:
    colours = [_colour_line(view) for view in result.colours]
    steps = [_step_text(view) for view in result.steps] or ["no step waits"]
    return "\n".join([*colours, *([""] if colours else []), *steps])


def _colour_line(view: ColourView) -> str:
    since = (
        "live" if view.is_live else f"had traffic until {at(view.last_traffic)}" if view.last_traffic else "never live"
    )
    return f"{view.name:<10} {view.weight:>3} %  release {view.release:<12} {since}"


def _step_text(view: StepView) -> str:
    head = f"{view.step:<26} {view.state:<8} {view.title}"
    if view.rows is not None:
        head += f"  [{view.rows} of about {view.of_about} rows]"
    lines = [head]
    if view.error:
        lines.append(f"    failed:  {view.error}")
    for refusal in view.refusals:
        lines += [f"    because: {refusal.because}", f"    next:    {refusal.next}"]
    return "\n".join(lines)


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(lines)
