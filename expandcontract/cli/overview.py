"""``ec plan`` and ``ec status``: they only read."""

from __future__ import annotations

import click

from expandcontract.cli import options
from expandcontract.cli.boundary import run
from expandcontract.cli.text import colour_line, proof_lines, result_text, window_line
from expandcontract.commands import overview
from expandcontract.domain.moment import at


@click.command(short_help="Show the steps that wait, and why they may or may not run.")
@options.as_json
@click.pass_context
def plan(context: click.Context, as_json: bool) -> None:
    """Show the steps that wait, and for each whether it may run now, or why not and when."""
    run("plan", lambda: overview.show_plan(options.settings_of(context)), as_json=as_json)


@click.command()
@click.option("--check", is_flag=True, help="Exit 1 where a step could run now, or has failed.")
@options.as_json
@click.pass_context
def status(context: click.Context, check: bool, as_json: bool) -> None:
    """Show the colours and every change that isn't finished."""
    run("status", lambda: overview.show_status(options.settings_of(context), check=check), as_json=as_json)


@result_text.register
def _(result: overview.OverviewResult) -> str:
    colours = [colour_line(view) for view in result.colours]
    steps = [_step_text(view) for view in result.steps] or ["no step waits"]
    stones = [
        f"tombstone {view.revision}: {', '.join(view.taken)} out of reach since {at(view.since)}; undo: {view.undo}"
        for view in result.tombstones
    ]
    warnings = [f"warning: {warning}" for warning in result.warnings]
    return "\n".join([*colours, *stones, *([""] if colours or stones else []), *steps, *warnings])


def _step_text(view: overview.StepView) -> str:
    head = f"{view.step:<26} {view.state:<8} {view.title}"
    if view.rows is not None:
        head += f"  [{view.rows} of about {view.of_about} rows]"
    texts = [head]
    if view.error:
        texts += [
            f"    failed:  {view.error}",
            f"    next:    ec log {view.revision}, mend the cause, then run it again",
        ]
    if view.window:
        texts.append(f"    window:  {window_line(view.window).removeprefix('the window is ')}")
    if view.proof:
        texts += proof_lines(view.proof)
    for refusal in view.refusals:
        texts += [f"    because: {refusal.because}", f"    next:    {refusal.next}"]
    return "\n".join(texts)
