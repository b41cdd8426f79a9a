"""``ec tombstone``."""

from __future__ import annotations

import click

from expandcontract.cli import options
from expandcontract.cli.boundary import run
from expandcontract.cli.speaking import conversation
from expandcontract.cli.telling import webhook_of
from expandcontract.cli.text import lines, result_text
from expandcontract.commands import tombstone as command
from expandcontract.commands.result import Outcome
from expandcontract.domain.moment import at


@click.command(short_help="Take what a contract drops out of the application's reach, for the time being.")
@click.argument("revision")
@click.option("--undo", is_flag=True, help="Give it back.")
@options.dry_run
@options.as_json
@click.pass_context
def tombstone(context: click.Context, revision: str, undo: bool, dry_run: bool, as_json: bool) -> None:
    """
    Take the privileges on what the contract of REVISION drops from the application.

    Whatever still needs it fails (SQLSTATE 42501) while its data is still there. --undo gives them back as they were.
    Neither waits for a lock on the table.
    """

    def work() -> command.TombstoneResult:
        settings = options.settings_of(context)
        if undo:
            return command.undo_tombstone(settings, name=revision, dry_run=dry_run)
        return command.put_tombstone(settings, conversation(as_json=as_json), name=revision, dry_run=dry_run)

    run("tombstone", work, as_json=as_json, tell=webhook_of(context))


@result_text.register
def _(result: command.TombstoneResult) -> str:
    what, who = ", ".join(result.taken), ", ".join(result.roles)
    would = "would be " if result.dry_run else ""
    revision = result.step.revision
    if result.outcome is Outcome.REFUSED:
        return ""
    if result.undone and result.outcome is Outcome.NOTHING:
        return f"the tombstone of {revision} has been undone"
    if result.undone:
        return f"{would}given back: {what}"
    undo = f"undo:    ec tombstone {revision} --undo"
    if result.outcome is Outcome.NOTHING:
        since = f" since {at(result.since)}" if result.since else ""
        return lines([f"the tombstone of {revision} stands{since}: {what}", undo])
    return lines([f"{would}out of reach of {who}: {what}", undo])
