"""``ec adopt``."""

from __future__ import annotations

import click

from expandcontract.cli import options
from expandcontract.cli.boundary import run
from expandcontract.cli.telling import webhook_of
from expandcontract.cli.text import lines, result_text
from expandcontract.commands import adopt as command
from expandcontract.commands.result import Outcome


@click.command(short_help="Say that a restored or cloned database is the one in use.")
@click.option("--reason", required=True, help="Why, for the log.")
@options.dry_run
@options.as_json
@click.pass_context
def adopt(context: click.Context, reason: str, dry_run: bool, as_json: bool) -> None:
    """
    Say that this restored or cloned database is the one that the application uses from now on.

    Until then every contract is refused in it. Rollback windows count anew from here: who had traffic between the copy
    and now, the ledger doesn't know.
    """

    def work() -> command.AdoptResult:
        return command.adopt(options.settings_of(context), reason=reason, dry_run=dry_run)

    run("adopt", work, as_json=as_json, tell=webhook_of(context))


@result_text.register
def _(result: command.AdoptResult) -> str:
    if result.outcome is Outcome.NOTHING:
        return f"nothing to adopt: the ledger is at home in {result.now}"
    verb = "would be adopted" if result.dry_run else "adopted"
    return lines([f"{verb}: {result.now}, after {result.was}", "every rollback window counts from now on"])
