"""``ec undo``."""

from __future__ import annotations

import click

from expandcontract.cli import options
from expandcontract.cli.boundary import run
from expandcontract.cli.speaking import conversation
from expandcontract.cli.text import lines, result_text
from expandcontract.commands import undo as command
from expandcontract.commands.result import Outcome


@click.command(short_help="Take an expand back, while nobody needs what it made.")
@click.argument("revision")
@click.option("--give-up", multiple=True, metavar="RELEASE", help="A release to which nobody will go back; repeatable.")
@click.option("--reason", help="Why, for the log.")
@options.locking
@options.dry_run
@options.as_json
@click.pass_context
def undo(
    context: click.Context,
    revision: str,
    give_up: tuple[str, ...],
    reason: str | None,
    lock_timeout: str | None,
    lock_budget: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Take the expand of REVISION back, while no live release ships it and its contract hasn't run."""

    def work() -> command.UndoResult:
        settings = options.settings_of(context, lock_timeout=lock_timeout, lock_budget=lock_budget)
        speaks = conversation(as_json=as_json)
        named = frozenset(give_up)
        return command.undo(settings, speaks, name=revision, give_up=named, reason=reason, dry_run=dry_run)

    run("undo", work, as_json=as_json)


@result_text.register
def _(result: command.UndoResult) -> str:
    if result.outcome is Outcome.NOTHING:
        return "nothing to undo: it was undone before"
    verb = "would undo" if result.dry_run else "undone"
    given = f"; no way back any more to release {', '.join(result.gives_up)}" if result.gives_up else ""
    return lines(f"{verb}: {step}{given}" for step in result.steps)
