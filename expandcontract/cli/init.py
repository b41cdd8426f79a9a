"""``ec init``."""

from __future__ import annotations

import click

from expandcontract.cli import options
from expandcontract.cli.boundary import run
from expandcontract.cli.speaking import conversation
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
