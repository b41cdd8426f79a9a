"""``ec migrate expand|contract|all``."""

from __future__ import annotations

import click

from expandcontract.cli import options
from expandcontract.cli.boundary import run
from expandcontract.cli.speaking import conversation
from expandcontract.cli.telling import webhook_of
from expandcontract.cli.text import lines, proof_lines, result_text
from expandcontract.commands import migrate as command
from expandcontract.domain.override import OVERRIDABLE, Override
from expandcontract.domain.refusal import Code

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

    run("migrate expand", work, as_json=as_json, tell=webhook_of(context))


@migrate.command()
@click.argument("revision", required=False)
@click.option(
    "--override",
    multiple=True,
    type=click.Choice(sorted(code.value for code in OVERRIDABLE)),
    help="A refusal that counts for nothing, since you know better. Needs REVISION and --reason; repeatable.",
)
@click.option("--reason", help="Why you know better, for the log.")
@options.locking
@options.dry_run
@_as_sql
@options.as_json
@click.pass_context
def contract(
    context: click.Context,
    /,
    revision: str | None,
    override: tuple[str, ...],
    reason: str | None,
    dry_run: bool,
    as_sql: bool,
    as_json: bool,
    **locking: str | None,
) -> None:
    """
    Run the contract of REVISION, or every contract that waits. Refused until nobody can need the old shape.

    What is left of a rollback window and what others object can be overridden by the refusal's code, on record; the
    rest can't.
    """
    answered = _override(revision, override, (reason or "").strip())

    def work() -> command.MigrateResult:
        settings = options.settings_of(context, **locking)
        speaks = conversation(as_json=as_json)
        return command.contract(settings, speaks, only=revision, override=answered, dry_run=dry_run, as_sql=as_sql)

    run("migrate contract", work, as_json=as_json, tell=webhook_of(context))


def _override(revision: str | None, codes: tuple[str, ...], reason: str) -> Override:
    if codes and not (revision and reason):
        raise click.UsageError("--override needs the one REVISION that it is for, and --reason TEXT")
    if reason and not codes:
        raise click.UsageError("--reason goes with --override")
    return Override(frozenset(map(Code, codes)), reason)


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

    run("migrate all", work, as_json=as_json, tell=webhook_of(context))


@result_text.register
def _(result: command.MigrateResult) -> str:
    if result.proofs and result.sql is None:
        shown = [line for view in result.proofs for line in (f"{view.step}", *proof_lines(view))]
        return lines([*shown, *filter(None, [_steps_text(result)])])
    return _steps_text(result)


def _steps_text(result: command.MigrateResult) -> str:
    if not result.steps:
        return "" if result.refusals else "nothing to do" if result.sql is None else "-- nothing to do"
    if result.sql is not None:
        return result.sql
    verb = "would run" if result.dry_run else "done"
    overridden = [f"overridden: {refusal.code}: {refusal.because}" for refusal in result.overridden]
    return lines([*overridden, *(f"{verb}: {step}" for step in result.steps)])
