"""``ec backfill``: run one, and see and control it from anywhere. Without a verb it runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import click

from expandcontract.backfill.ending import Bounds
from expandcontract.cli import options
from expandcontract.cli.boundary import run as run_command
from expandcontract.cli.metrics import serving
from expandcontract.cli.report_page import report_page
from expandcontract.cli.signals import stop_on_signals
from expandcontract.cli.speaking import conversation
from expandcontract.cli.text import lines, result_text
from expandcontract.commands import backfill as command
from expandcontract.commands import backfill_control as control
from expandcontract.commands import backfill_report as reporting
from expandcontract.config import parse_rate
from expandcontract.domain.duration import parse_duration, until_time_of_day
from expandcontract.domain.gate import at
from expandcontract.errors import UsageError


class RunsByDefault(click.Group):
    """``ec backfill 8c1f`` is ``ec backfill run 8c1f``; a revision that is called like a verb needs the long form."""

    default = "run"

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The arguments, with the default before them where they name no verb."""
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = [self.default, *args]
        return super().parse_args(ctx, args)


@click.group(cls=RunsByDefault, short_help="Move the rows of the changes whose backfill waits; watch and control it.")
def backfill() -> None:
    """Move rows; see and steer it from any session. ``ec backfill REVISION`` is ``ec backfill run REVISION``."""


def _bounds(max_rows: int | None, max_time: str | None, until: str | None) -> Bounds:
    try:
        lengths = [parse_duration(max_time)] if max_time else []
        if until:
            lengths.append(until_time_of_day(until, datetime.now()))
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    deadline = time.monotonic() + min(lengths).total_seconds() if lengths else None
    return Bounds(rows=max_rows, deadline=deadline)


def _rate(text: str) -> int | None:
    try:
        return parse_rate(text)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


Running = Callable[..., None]


def _running(function: Running) -> Running:
    """The options of what moves rows."""
    for option in (
        click.option("--rate", metavar="ROWS", help="Rows per second, or max.  [env var: EC_RATE; default: 10000]"),
        click.option("--workers", type=click.IntRange(1, 64), default=1, help="Threads of this process.  [default: 1]"),
        click.option("--max-rows", type=click.IntRange(1), metavar="ROWS", help="End after so many rows."),
        click.option("--max-time", metavar="DURATION", help="End after so long, such as 50m."),
        click.option("--until", metavar="HH:MM", help="End when the clock here shows this."),
        click.option(
            "--ignore",
            "ignored",
            multiple=True,
            metavar="SIGNAL",
            help="Don't heed this health signal, or any: all. May be given several times.",
        ),
        click.option(
            "--metrics-port",
            type=click.IntRange(1, 65535),
            metavar="PORT",
            help="Serve metrics for Prometheus meanwhile; needs the extra metrics.",
        ),
        options.dry_run,
        options.as_json,
    ):
        function = option(function)
    return function


@backfill.command(short_help="Move the rows of the changes whose backfill waits.")
@click.argument("revision", required=False)
@_running
@click.pass_context
def run(
    context: click.Context,
    revision: str | None,
    rate: str | None,
    workers: int,
    max_rows: int | None,
    max_time: str | None,
    until: str | None,
    ignored: tuple[str, ...],
    metrics_port: int | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """
    Move the rows of REVISION, or of every change whose backfill waits.

    Goes on where an earlier run ended, however that ended, and joins one that runs elsewhere: they share the ranges and
    the rate. Ctrl-C and SIGTERM finish the current range first.
    """
    bounds = _bounds(max_rows, max_time, until)
    _run(context, revision, rate, workers, bounds, ignored, metrics_port, dry_run=dry_run, retry=False, as_json=as_json)


@backfill.command(short_help="Try the rows set aside once more.")
@click.argument("revision")
@_running
@click.pass_context
def retry(
    context: click.Context,
    revision: str,
    rate: str | None,
    workers: int,
    max_rows: int | None,
    max_time: str | None,
    until: str | None,
    ignored: tuple[str, ...],
    metrics_port: int | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Try the rows of REVISION that were set aside once more, and go on as ``ec backfill run`` does."""
    bounds = _bounds(max_rows, max_time, until)
    _run(context, revision, rate, workers, bounds, ignored, metrics_port, dry_run=dry_run, retry=True, as_json=as_json)


def _run(
    context: click.Context,
    revision: str | None,
    rate: str | None,
    workers: int,
    bounds: Bounds,
    ignored: tuple[str, ...],
    metrics_port: int | None,
    *,
    dry_run: bool,
    retry: bool,
    as_json: bool,
) -> None:
    def work() -> command.BackfillResult:
        settings = options.settings_of(context, rate=rate)
        with serving(metrics_port) as also, stop_on_signals() as stop:
            return command.run(
                settings,
                conversation(as_json=as_json, also=also),
                only=revision,
                workers=workers,
                bounds=bounds,
                retry=retry,
                ignored_signals=ignored,
                stop=stop,
                dry_run=dry_run,
            )

    run_command("backfill", work, as_json=as_json)


@backfill.command(short_help="Show how far each backfill is, and who works on it.")
@click.argument("revision", required=False)
@options.as_json
@click.pass_context
def status(context: click.Context, revision: str | None, as_json: bool) -> None:
    """Show how far each backfill is, its rate and state with the reason, and who works on it."""
    run_command("backfill status", lambda: control.status(options.settings_of(context), only=revision), as_json=as_json)


_reason = click.option("--reason", help="Why, for whoever looks.")


@backfill.command(short_help="Let every worker wait after its range.")
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


@backfill.command(short_help="Let a paused backfill go on.")
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


@backfill.command(short_help="End a backfill; the next run begins anew.")
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


@backfill.command("set", short_help="Set the rate of a backfill that runs.")
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


@backfill.command(short_help="Show the rows that couldn't be filled.")
@click.argument("revision")
@options.as_json
@click.pass_context
def failures(context: click.Context, revision: str, as_json: bool) -> None:
    """Show the rows of REVISION that were set aside, with their keys and errors. Exits 1 where there are any."""
    run_command("backfill failures", lambda: control.failures(options.settings_of(context), revision), as_json=as_json)


@backfill.command(short_help="Look whether a row needs the backfill now.")
@click.argument("revision")
@options.as_json
@click.pass_context
def verify(context: click.Context, revision: str, as_json: bool) -> None:
    """Look along the table, at ten times the backfill's rate, for rows that need it now. Exits 1 where one does."""

    def work() -> control.VerifyResult:
        with stop_on_signals() as stop:
            return control.verify(options.settings_of(context), revision, stop=stop)

    run_command("backfill verify", work, as_json=as_json)


@backfill.command(short_help="Write what a backfill was like over time, as a page.")
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
        output.write_text(page, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{output} can't be written", because=error.strerror) from None
    click.echo(f"written: {output}", err=True)


@result_text.register
def _(result: reporting.ReportResult) -> str:
    return ""


@result_text.register
def _(result: command.BackfillResult) -> str:
    if result.dry_run:
        return lines(f"would run: {step}" for step in result.steps) or ("" if result.refusals else "nothing to do")
    if not (result.filled or result.remaining):
        return "" if result.refusals else "nothing to do"
    done = [
        f"done: {one.step}: {one.rows_written} of {one.rows} rows written;"
        f" heap {megabytes(one.heap_growth)}, indexes {megabytes(one.index_growth)}"
        for one in result.filled
    ]
    left = [
        f"work remains: {one.step}: {one.rows} of about {one.of_about} rows done; {one.because}"
        for one in result.remaining
    ]
    return lines([*done, *left])


@result_text.register
def _(result: control.BackfillStatusResult) -> str:
    return lines(_backfill_text(view) for view in result.backfills) or "no backfill has begun"


@result_text.register
def _(result: control.FailuresResult) -> str:
    return lines(_failure_line(one) for one in result.failures) or "no row is set aside"


@result_text.register
def _(result: control.VerifyResult) -> str:
    if result.rows_left:
        of_them = f"{result.rows_found} of {result.rows_seen} rows need {result.step}"
        return f"{of_them}: ec backfill {result.step.revision}"
    return f"none of {result.rows_seen} rows needs {result.step}"


def megabytes(growth: int) -> str:
    """``+1.5 MB``."""
    return f"{growth / 1_000_000:+.1f} MB"


def _backfill_text(view: control.BackfillView) -> str:
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


def _failure_line(one: control.FailureView) -> str:
    key = ", ".join(f"{column}={value}" for column, value in one.key.items())
    return f"{one.table} {key}: {one.error} ({one.sqlstate}, {at(one.at)})"
