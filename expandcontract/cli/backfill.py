"""``ec backfill``: run one, and see and control it from anywhere. Without a verb it runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

import click

from expandcontract.backfill.ending import Bounds
from expandcontract.cli import options
from expandcontract.cli.backfill_control import VERBS
from expandcontract.cli.boundary import run as run_command
from expandcontract.cli.metrics import serving
from expandcontract.cli.signals import stop_on_signals
from expandcontract.cli.speaking import conversation
from expandcontract.cli.telling import webhook_of
from expandcontract.cli.text import lines, megabytes, result_text
from expandcontract.commands import backfill as command
from expandcontract.domain.duration import parse_duration, until_time_of_day


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


for verb in VERBS:
    backfill.add_command(verb)


def _bounds(max_rows: int | None, max_time: str | None, until: str | None) -> Bounds:
    try:
        lengths = [parse_duration(max_time)] if max_time else []
        if until:
            lengths.append(until_time_of_day(until, datetime.now()))
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    deadline = time.monotonic() + min(lengths).total_seconds() if lengths else None
    return Bounds(rows=max_rows, deadline=deadline)


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

    run_command("backfill", work, as_json=as_json, tell=webhook_of(context))


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
