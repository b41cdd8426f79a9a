"""``ec backfill status|pause|resume|cancel|set|failures|verify|report``: a backfill seen and steered from anywhere."""

from __future__ import annotations

from pathlib import Path

import click

from expandcontract.cli import options
from expandcontract.cli.boundary import run as run_command
from expandcontract.cli.report_page import report_page
from expandcontract.cli.signals import stop_on_signals
from expandcontract.cli.text import lines, megabytes, result_text
from expandcontract.commands import backfill_control as control
from expandcontract.commands import backfill_report as reporting
from expandcontract.commands import backfill_status as seeing
from expandcontract.commands import backfill_verify as verifying
from expandcontract.config import parse_rate
from expandcontract.domain.moment import at
from expandcontract.errors import UsageError
from expandcontract.whole_file import write_whole


def _rate(text: str) -> int | None:
    try:
        return parse_rate(text)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


@click.command(short_help="Show how far each backfill is, and who works on it.")
@click.argument("revision", required=False)
@options.as_json
@click.pass_context
def status(context: click.Context, revision: str | None, as_json: bool) -> None:
    """Show how far each backfill is, its rate and state with the reason, and who works on it."""
    run_command("backfill status", lambda: seeing.status(options.settings_of(context), only=revision), as_json=as_json)


_reason = click.option("--reason", help="Why, for whoever looks.")


@click.command(short_help="Let every worker wait after its range.")
@click.argument("revision")
@_reason
@options.dry_run
@options.as_json
@click.pass_context
def pause(context: click.Context, revision: str, reason: str | None, dry_run: bool, as_json: bool) -> None:
    """Let every worker of REVISION's backfill wait after its range, wherever it runs."""
    run_command(
        "backfill pause",
        lambda: control.pause(options.settings_of(context), revision, reason=reason, dry_run=dry_run),
        as_json=as_json,
    )


@click.command(short_help="Let a paused backfill go on.")
@click.argument("revision")
@options.dry_run
@options.as_json
@click.pass_context
def resume(context: click.Context, revision: str, dry_run: bool, as_json: bool) -> None:
    """Let the paused backfill of REVISION go on. No time is caught up."""
    run_command(
        "backfill resume",
        lambda: control.resume(options.settings_of(context), revision, dry_run=dry_run),
        as_json=as_json,
    )


@click.command(short_help="End a backfill; the next run begins anew.")
@click.argument("revision")
@_reason
@options.dry_run
@options.as_json
@click.pass_context
def cancel(context: click.Context, revision: str, reason: str | None, dry_run: bool, as_json: bool) -> None:
    """Let every worker of REVISION's backfill end after its range. The next run begins at the first row."""
    run_command(
        "backfill cancel",
        lambda: control.cancel(options.settings_of(context), revision, reason=reason, dry_run=dry_run),
        as_json=as_json,
    )


@click.command("set", short_help="Set the rate of a backfill that runs.")
@click.argument("revision")
@click.option("--rate", required=True, metavar="ROWS", help="Rows per second over all workers, or max.")
@options.dry_run
@options.as_json
@click.pass_context
def set_(context: click.Context, revision: str, rate: str, dry_run: bool, as_json: bool) -> None:
    """Set the rate of REVISION's backfill, over all workers, from the next range on."""
    wanted = _rate(rate)
    run_command(
        "backfill set",
        lambda: control.set_rate(options.settings_of(context), revision, rate=wanted, dry_run=dry_run),
        as_json=as_json,
    )


@click.command(short_help="Show the rows that couldn't be filled.")
@click.argument("revision")
@options.as_json
@click.pass_context
def failures(context: click.Context, revision: str, as_json: bool) -> None:
    """Show the rows of REVISION that were set aside, with their keys and errors. Exits 1 where there are any."""
    run_command("backfill failures", lambda: seeing.failures(options.settings_of(context), revision), as_json=as_json)


@click.command(short_help="Look whether a row needs the backfill now.")
@click.argument("revision")
@options.as_json
@click.pass_context
def verify(context: click.Context, revision: str, as_json: bool) -> None:
    """Look along the table, at ten times the backfill's rate, for rows that need it now. Exits 1 where one does."""

    def work() -> verifying.VerifyResult:
        with stop_on_signals() as stop:
            return verifying.verify(options.settings_of(context), revision, stop=stop)

    run_command("backfill verify", work, as_json=as_json)


@click.command(short_help="Write what a backfill was like over time, as a page.")
@click.argument("revision")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, writable=True, allow_dash=True, path_type=Path),
    help="The HTML file to write, - for stdout.  [default: backfill-REVISION.html]",
)
@options.as_json
@click.pass_context
def report(context: click.Context, revision: str, output: Path | None, as_json: bool) -> None:
    """
    Write what REVISION's backfill was like over time, from the ledger: its speed, its ranges, and what slowed it down.

    One HTML file that loads nothing from elsewhere; with ``--json`` the same as a document, and no file.
    """

    def work() -> reporting.ReportResult:
        result = reporting.report(options.settings_of(context), revision)
        if not as_json:
            _write_page(result, output or Path(f"backfill-{result.step.revision}.html"))
        return result

    run_command("backfill report", work, as_json=as_json)


def _write_page(result: reporting.ReportResult, output: Path) -> None:
    page = report_page(result)
    if str(output) == "-":
        click.echo(page)
        return
    try:
        write_whole(output, page)
    except OSError as error:
        raise UsageError(f"{output} can't be written", because=error.strerror) from None
    click.echo(f"written: {output}", err=True)


@result_text.register
def _(result: reporting.ReportResult) -> str:
    return ""


@result_text.register
def _(result: seeing.BackfillStatusResult) -> str:
    return lines(_backfill_text(view) for view in result.backfills) or "no backfill has begun"


@result_text.register
def _(result: seeing.FailuresResult) -> str:
    return lines(_failure_line(one) for one in result.failures) or "no row is set aside"


@result_text.register
def _(result: verifying.VerifyResult) -> str:
    if result.rows_left:
        of_them = f"{result.rows_found} of {result.rows_seen} rows need {result.step}"
        return f"{of_them}: ec backfill {result.step.revision}"
    return f"none of {result.rows_seen} rows needs {result.step}"


def _backfill_text(view: seeing.BackfillView) -> str:
    rate = f"at most {view.rate} rows/s" if view.rate else "flat out"
    again = f" in {view.turns} turns" if view.turns > 1 else ""
    again += f", pass {view.passes}" if view.passes > 1 else ""
    again += ", verifying" if view.verifies else ""
    found = [f"{view.step}  {view.state}  {view.rows} of about {view.of_about} rows{again}, {rate}"]
    if view.reason:
        found.append(f"    because: {view.reason}")
    if view.health and view.health.reason:
        how = "stopped" if view.health.is_stopped else f"slowed down to {100 * view.health.share:.0f} %"
        found.append(f"    {how} by {view.health.reason}")
    if view.growth:
        heap = view.growth.heap - view.growth.heap_before
        indexes = view.growth.indexes - view.growth.indexes_before
        found.append(f"    growth:  heap {megabytes(heap)}, indexes {megabytes(indexes)}")
    if view.set_aside:
        found.append(f"    {view.set_aside} row(s) set aside: ec backfill failures {view.step.revision}")
    found += [f"    worker:  backend {one.backend}, process {one.pid} on {one.host}" for one in view.workers]
    return lines(found)


def _failure_line(one: seeing.FailureView) -> str:
    key = ", ".join(f"{column}={value}" for column, value in one.key.items())
    return f"{one.table} {key}: {one.error} ({one.sqlstate}, {at(one.at)})"


VERBS = (status, pause, resume, cancel, set_, failures, verify, report)
