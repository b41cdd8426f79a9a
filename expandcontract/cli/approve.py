"""``ec approve``."""

from __future__ import annotations

import click

from expandcontract.cli import options
from expandcontract.cli.boundary import run
from expandcontract.cli.telling import webhook_of
from expandcontract.cli.text import result_text
from expandcontract.commands import approve as command
from expandcontract.domain.moment import at


@click.command(short_help="Say that a contract may run, where the configuration asks for a person's word.")
@click.argument("revision")
@click.option("--reason", required=True, help="Why, for the log.")
@options.dry_run
@options.as_json
@click.pass_context
def approve(context: click.Context, revision: str, reason: str, dry_run: bool, as_json: bool) -> None:
    """
    Approve the contract of REVISION as its file has it now. An edit of contract() afterwards voids that.

    Runs nothing. With `approval` in the configuration a contract is refused until somebody has approved it.
    """
    run(
        "approve",
        lambda: command.approve(options.settings_of(context), name=revision, reason=reason, dry_run=dry_run),
        as_json=as_json,
        tell=webhook_of(context),
    )


@result_text.register
def _(result: command.ApproveResult) -> str:
    if result.refusals:
        return ""
    if result.at is None:
        return f"would approve {result.step} ({result.title})"
    return f"approved: {result.step} ({result.title}), by {result.person} at {at(result.at)}: {result.reason}"
