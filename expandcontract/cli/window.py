"""``ec window``."""

from __future__ import annotations

from datetime import timedelta

import click

from expandcontract.cli import options
from expandcontract.cli.boundary import run
from expandcontract.cli.telling import webhook_of
from expandcontract.cli.text import lines, result_text, window_line
from expandcontract.commands import window as command
from expandcontract.domain.duration import parse_duration
from expandcontract.domain.moment import at


@click.command(short_help="Show the rollback window of a change, extend it, or close it early.")
@click.argument("revision")
@click.option("--extend", metavar="DURATION", help="Make it so much longer; opens it again where it was closed.")
@click.option("--close", is_flag=True, help="Close it now: nobody will go back to a release without the change.")
@click.option("--reason", help="Why, for the log; needed to close.")
@options.dry_run
@options.as_json
@click.pass_context
def window(
    context: click.Context,
    revision: str,
    extend: str | None,
    close: bool,
    reason: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """
    Show the rollback window of REVISION: who holds its contract, and until when. With an option, decide about it.

    Closing is refused while a live release lacks the change. A release that gets its traffic back after that has a
    window again.
    """
    length = _length(extend) if extend is not None else None
    if close and (length is not None or not (reason or "").strip()):
        raise click.UsageError("--close goes without --extend, and needs --reason TEXT: it takes a way back away")

    def work() -> command.WindowResult:
        settings = options.settings_of(context)
        if close:
            return command.close_window(settings, name=revision, reason=reason or "", dry_run=dry_run)
        if length is not None:
            return command.extend_window(settings, name=revision, length=length, reason=reason, dry_run=dry_run)
        return command.show_window(settings, name=revision)

    run("window", work, as_json=as_json, tell=webhook_of(context))


def _length(text: str) -> timedelta:
    try:
        length = parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--extend") from None
    if not length:
        raise click.BadParameter("it must be more than nothing", param_hint="--extend")
    return length


@result_text.register
def _(result: command.WindowResult) -> str:
    if result.refusals:
        return ""
    shown = [f"{result.step} ({result.title}): {window_line(result.window)}"]
    for hold in result.window.holds:
        if hold.release is not None:
            who = f"release {hold.release} had traffic until {at(hold.last_traffic)}"
        else:
            who = f"whatever ran before the ledger began to watch at {at(hold.last_traffic)}"
        shown.append(f"    {who}: {f'open until {at(hold.closes_at)}' if hold.is_open else 'closed'}")
    if result.gives_up:
        verb = "would be" if result.dry_run else "is"
        shown.append(f"the way back to release {', '.join(result.gives_up)} {verb} given up")
    return lines(shown)
