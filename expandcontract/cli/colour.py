"""``ec colour deploy|traffic|check|show|retire``."""

from __future__ import annotations

import click

from expandcontract.cli import options
from expandcontract.cli.boundary import run
from expandcontract.cli.speaking import conversation
from expandcontract.cli.telling import webhook_of
from expandcontract.cli.text import colour_line, lines, result_text
from expandcontract.commands import colour as command
from expandcontract.commands.result import Outcome


@click.group(short_help="Record who runs what and who has traffic; ask before it moves.")
def colour() -> None:
    """Record which release runs where and who has traffic; ask before it moves."""


@colour.command(short_help="Record that a colour runs a release.")
@click.argument("colour")
@click.argument("release")
@click.option(
    "--models",
    multiple=True,
    metavar="MODULE:ATTRIBUTE",
    help="Where the release's models are, such as shop.models:Base; default: target_metadata of env.py.",
)
@options.dry_run
@options.as_json
@click.pass_context
def deploy(
    context: click.Context, colour: str, release: str, models: tuple[str, ...], dry_run: bool, as_json: bool
) -> None:
    """
    Record that COLOUR runs RELEASE. Run it from the tree of that release: its revisions are what it ships.

    What its models declare is recorded as well: a contract is refused as long as a release that has traffic, or could
    get it back, declares what it removes.
    """

    def work() -> command.DeployResult:
        from expandcontract.commands.deploy import deploy  # needs Alembic, which the other commands here do without

        speaks = conversation(as_json=as_json)
        return deploy(options.settings_of(context), speaks, colour=colour, tag=release, models=models, dry_run=dry_run)

    run("colour deploy", work, as_json=as_json, tell=webhook_of(context))


@colour.command(short_help="Record the router's weights, 100 together.")
@click.argument("weights", nargs=-1, required=True, metavar="COLOUR=WEIGHT...")
@options.dry_run
@options.as_json
@click.pass_context
def traffic(context: click.Context, weights: tuple[str, ...], dry_run: bool, as_json: bool) -> None:
    """Record the router's weights, 100 together; a colour that isn't named has none."""
    run(
        "colour traffic",
        lambda: command.traffic(options.settings_of(context), weights=_parsed(weights), dry_run=dry_run),
        as_json=as_json,
        tell=webhook_of(context),
    )


@colour.command(short_help="Ask whether a release may take traffic.")
@click.argument("name", metavar="COLOUR|RELEASE")
@click.option("--rollback", is_flag=True, help="It is the way back: say which waiting contracts will end it.")
@options.as_json
@click.pass_context
def check(context: click.Context, name: str, rollback: bool, as_json: bool) -> None:
    """
    May the release on COLOUR, or RELEASE, take traffic now? Exit 0 for yes, 3 for no, 1 where only an alert source
    objects.

    Answered from the database, and the alert sources where any are configured; with EC_DATABASE_URL set, env.py isn't
    even loaded. A step that has failed, or was begun and isn't finished, is a no: pause the shift. With --rollback
    neither that nor an alert source stands in the way.
    """
    run(
        "colour check",
        lambda: command.check(options.settings_of(context), name=name, rollback=rollback),
        as_json=as_json,
        tell=webhook_of(context),
    )


@colour.command()
@options.as_json
@click.pass_context
def show(context: click.Context, as_json: bool) -> None:
    """Show the colours, their releases and their traffic."""
    run("colour show", lambda: command.show(options.settings_of(context)), as_json=as_json)


@colour.command()
@click.argument("colour")
@options.dry_run
@options.as_json
@click.pass_context
def retire(context: click.Context, colour: str, dry_run: bool, as_json: bool) -> None:
    """Record that COLOUR is gone. Its release stays known, and so do its rollback windows."""
    run(
        "colour retire",
        lambda: command.retire(options.settings_of(context), colour=colour, dry_run=dry_run),
        as_json=as_json,
    )


def _parsed(weights: tuple[str, ...]) -> dict[str, int]:
    parsed: dict[str, int] = {}
    for text in weights:
        name, equals, number = text.rpartition("=")
        if not (equals and name and number.isascii() and number.isdigit() and int(number) <= 100):
            raise click.BadParameter(f"{text!r} is not COLOUR=WEIGHT with a weight of 0 to 100")
        if name in parsed:
            raise click.BadParameter(f"{name!r} stands twice")
        parsed[name] = int(number)
    return parsed


@result_text.register
def _(result: command.ColourResult) -> str:
    if not result.colours:
        return "no colour is known yet; ec colour deploy COLOUR RELEASE records one"
    return lines(colour_line(view) for view in result.colours)


@result_text.register
def _(result: command.DeployResult) -> str:
    shown = [colour_line(view) for view in result.colours]
    if result.tables is not None:
        shown.append(f"its models declare {result.tables} table(s)")
    return lines(shown)


@result_text.register
def _(result: command.CheckResult) -> str:
    shown = [colour_line(view) for view in result.colours] or [f"release {result.release} runs on no colour"]
    shown += [f"{alert.name} is {alert.verdict}: {alert.said}" for alert in result.alerts]
    if result.rollback and result.outcome is Outcome.DONE:
        ends = ", ".join(map(str, result.ends))
        shown.append(f"the way back is open; it ends with {ends}" if ends else "the way back is open")
    return lines(shown)
