"""``ec init``."""

from __future__ import annotations

import click

from expandcontract.cli import options
from expandcontract.cli.boundary import run
from expandcontract.cli.speaking import conversation
from expandcontract.cli.text import lines, result_text
from expandcontract.commands import init as command


@click.command()
@click.option("--directory", default="migrations", show_default=True, help="Where a new project's env.py goes.")
@options.dry_run
@options.as_json
@click.pass_context
def init(context: click.Context, directory: str, dry_run: bool, as_json: bool) -> None:
    """
    Adopt the Alembic project in this folder, or make a new one.

    An existing project keeps every file as it is: the ledger goes into its database, and what plain alembic has
    applied is recorded as expanded.
    """
    speaks = conversation(as_json=as_json)
    run(
        "init",
        lambda: command.init(options.settings_of(context), speaks, directory=directory, dry_run=dry_run),
        as_json=as_json,
    )


@result_text.register
def _(result: command.InitResult) -> str:
    if result.made:
        verb = "would make" if result.dry_run else "made"
        next_step = "next: set EC_DATABASE_URL, then ec init once more, which puts the ledger into that database"
        return lines([*(f"{verb} {name}" for name in result.made), next_step])
    return lines(
        [
            *(["would create the ledger in schema ec"] if result.dry_run and result.needs_ledger else []),
            f"{result.expanded} of {result.revisions} revisions are expanded in the database at {result.database}",
            "next: ec init" if result.dry_run else "next: ec plan",
        ]
    )
