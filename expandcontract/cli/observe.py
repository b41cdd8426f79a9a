"""``ec observe``."""

from __future__ import annotations

from datetime import timedelta

import click

from expandcontract.cli import options
from expandcontract.cli.boundary import run
from expandcontract.cli.signals import stop_on_signals
from expandcontract.cli.speaking import conversation
from expandcontract.cli.text import colour_line, lines, result_text
from expandcontract.commands import observe as command
from expandcontract.domain.duration import parse_duration


@click.command(short_help="Keep the ledger in step with the colour sources.")
@click.option("--every", metavar="DURATION", help="Go on until SIGTERM, with a look so often.")
@options.dry_run
@options.as_json
@click.pass_context
def observe(context: click.Context, every: str | None, dry_run: bool, as_json: bool) -> None:
    """
    Ask the colour sources who has the traffic, and record what they say.

    Exit 1 where it is unknown, and 3 where a release has traffic that its schema isn't ready for. With --every it goes
    on until SIGTERM and says what changes.
    """
    length = _length(every, dry_run)

    def work() -> command.ObserveResult:
        settings = options.settings_of(context)
        if length is None:
            return command.observe_once(settings, dry_run=dry_run)
        with stop_on_signals() as stop:
            return command.observe_until(settings, conversation(as_json=as_json), every=length, stop=stop)

    run("observe", work, as_json=as_json)


def _length(every: str | None, dry_run: bool) -> timedelta | None:
    if every is None:
        return None
    if dry_run:
        raise click.UsageError("--every goes on recording, and --dry-run records nothing")
    try:
        length = parse_duration(every)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--every") from None
    if length < timedelta(seconds=1):
        raise click.BadParameter("a look takes time; 1s is the least", param_hint="--every")
    return length


@result_text.register
def _(result: command.ObserveResult) -> str:
    said = [f"    {look.witness}: {look.said}" for look in result.witnesses]
    taken = [f"    {one.node}: {one.entries} statements" for one in result.statements if one.trouble is None]
    return lines([command.sentence(result), *said, *taken, *map(colour_line, result.colours)])
