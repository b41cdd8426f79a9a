"""``ec migrate expand|contract|all``."""

from __future__ import annotations

import click

from expandcontract.cli import options
from expandcontract.cli.boundary import run
from expandcontract.cli.speaking import conversation
from expandcontract.cli.text import lines, result_text
from expandcontract.commands import migrate as command

_as_sql = click.option("--sql", "as_sql", is_flag=True, help="Print the SQL instead of running it.")


@click.group(short_help="Run the steps that wait: expand, contract, all.")
def migrate() -> None:
    """Run the steps that wait: expands before a deploy, contracts after the rollback window."""


@migrate.command()
@click.argument("revision", required=False)
@options.locking
@options.dry_run
@_as_sql
@options.as_json
@click.pass_context
def expand(
    context: click.Context,
    /,
    revision: str | None,
    dry_run: bool,
    as_sql: bool,
    as_json: bool,
    **locking: str | None,
) -> None:
    """Run every expand that waits, up to REVISION (by default all). Old code must not notice."""

    def work() -> command.MigrateResult:
        settings = options.settings_of(context, **locking)
        return command.expand(settings, conversation(as_json=as_json), to=revision, dry_run=dry_run, as_sql=as_sql)

    run("migrate expand", work, as_json=as_json)


@migrate.command()
@click.argument("revision", required=False)
@options.locking
@options.dry_run
@_as_sql
@options.as_json
@click.pass_context
def contract(
    context: click.Context,
    /,
    revision: str | None,
    dry_run: bool,
    as_sql: bool,
    as_json: bool,
    **locking: str | None,
) -> None:
    """Run the contract of REVISION, or every contract that waits. Refused until nobody can need the old shape."""

    def work() -> command.MigrateResult:
        settings = options.settings_of(context, **locking)
        speaks = conversation(as_json=as_json)
        return command.contract(settings, speaks, only=revision, dry_run=dry_run, as_sql=as_sql)

    run("migrate contract", work, as_json=as_json)


@migrate.command("all")
@options.locking
@options.dry_run
@options.as_json
@click.pass_context
def everything(
    context: click.Context,
    /,
    dry_run: bool,
    as_json: bool,
    **locking: str | None,
) -> None:
    """Run every phase of every change, for development. Refused where a colour was ever recorded."""

    def work() -> command.MigrateResult:
        settings = options.settings_of(context, **locking)
        return command.everything(settings, conversation(as_json=as_json), dry_run=dry_run)

    run("migrate all", work, as_json=as_json)


@result_text.register
def _(result: command.MigrateResult) -> str:
    if not result.steps:
        return "" if result.refusals else "nothing to do" if result.sql is None else "-- nothing to do"
    if result.sql is not None:
        return result.sql
    verb = "would run" if result.dry_run else "done"
    return lines(f"{verb}: {step}" for step in result.steps)
