"""``ec amend``."""

from __future__ import annotations

import click

from expandcontract.cli import options
from expandcontract.cli.boundary import run
from expandcontract.cli.speaking import conversation
from expandcontract.cli.telling import webhook_of
from expandcontract.cli.text import lines, result_text
from expandcontract.commands import amend as command
from expandcontract.commands.result import Outcome


@click.command(short_help="Say that the edit of a file whose contract waits is meant.")
@click.argument("revision")
@click.option("--reason", required=True, help="Why, for the log.")
@options.dry_run
@options.as_json
@click.pass_context
def amend(context: click.Context, revision: str, reason: str, dry_run: bool, as_json: bool) -> None:
    """
    Say that the edit of REVISION's file is meant, while its contract waits.

    Runs nothing. A rewritten contract must leave alone whatever has overtaken it, and parts that have run stay.
    """

    def work() -> command.AmendResult:
        speaks = conversation(as_json=as_json)
        return command.amend(options.settings_of(context), speaks, name=revision, reason=reason, dry_run=dry_run)

    run("amend", work, as_json=as_json, tell=webhook_of(context))


@result_text.register
def _(result: command.AmendResult) -> str:
    if result.outcome is Outcome.NOTHING:
        return "nothing to amend: the file does what the ledger knows"
    verb = "would take" if result.dry_run else "taken"
    return lines(f"{verb} as it is now: {step}" for step in result.steps)
