"""``ec backfill``."""

from __future__ import annotations

import click

from expandcontract.cli import options
from expandcontract.cli.boundary import run
from expandcontract.cli.signals import stop_on_signals
from expandcontract.cli.speaking import conversation
from expandcontract.cli.text import lines, result_text
from expandcontract.commands import backfill as command


@click.command(short_help="Move the rows of the changes whose backfill waits.")
@click.argument("revision", required=False)
@click.option("--rate", metavar="ROWS", help="Rows per second, or max.  [env var: EC_RATE; default: 10000]")
@options.dry_run
@options.as_json
@click.pass_context
def backfill(context: click.Context, revision: str | None, rate: str | None, dry_run: bool, as_json: bool) -> None:
    """
    Move the rows of REVISION, or of every change whose backfill waits.

    Goes on where an earlier run ended, however that ended. Ctrl-C and SIGTERM finish the current range first.
    """

    def work() -> command.BackfillResult:
        settings = options.settings_of(context, rate=rate)
        with stop_on_signals() as stop:
            return command.run(settings, conversation(as_json=as_json), only=revision, stop=stop, dry_run=dry_run)

    run("backfill", work, as_json=as_json)


@result_text.register
def _(result: command.BackfillResult) -> str:
    if not result.steps:
        return "" if result.refusals else "nothing to do"
    if result.dry_run:
        return lines(f"would run: {step}" for step in result.steps)
    return lines(f"done: {one.step}: {one.rows_written} of {one.rows} rows written" for one in result.filled)
