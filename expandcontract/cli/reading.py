"""``ec plan``, ``ec status`` and ``ec log``: they only read."""

from __future__ import annotations

import click

from expandcontract.cli import options
from expandcontract.cli.boundary import run
from expandcontract.commands import log as log_command
from expandcontract.commands import overview


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


@click.command(short_help="Show what happened, when, by whom, from which tree.")
@click.argument("revision", required=False)
@click.option("--most", type=click.IntRange(1), default=50, show_default=True, help="How many of the newest events.")
@options.as_json
@click.pass_context
def log(context: click.Context, revision: str | None, most: int, as_json: bool) -> None:
    """Show what happened: when, by whom, from which tree, on which facts."""
    run(
        "log", lambda: log_command.show_log(options.settings_of(context), most=most, revision=revision), as_json=as_json
    )
