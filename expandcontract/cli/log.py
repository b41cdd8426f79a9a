"""``ec log``."""

from __future__ import annotations

from datetime import datetime

import click

from expandcontract.cli import options
from expandcontract.cli.boundary import run
from expandcontract.cli.text import lines, result_text
from expandcontract.commands import log as command
from expandcontract.database.ledger import Event
from expandcontract.domain.moment import at


@click.command(short_help="Show what happened, when, by whom, from which tree.")
@click.argument("revision", required=False)
@click.option("--most", type=click.IntRange(1), default=50, show_default=True, help="How many of the newest events.")
@options.as_json
@click.pass_context
def log(context: click.Context, revision: str | None, most: int, as_json: bool) -> None:
    """Show what happened: when, by whom, from which tree, on which facts."""
    run("log", lambda: command.show_log(options.settings_of(context), most=most, revision=revision), as_json=as_json)


@result_text.register
def _(result: command.LogResult) -> str:
    if not result.events:
        return "nothing has happened yet"
    return lines(_event_line(event) for event in result.events)


def _event_line(event: Event) -> str:
    who = f"{event.person}@{event.host}" + (f" tree {event.tree}" if event.tree else "")
    facts = ", ".join(
        f"{name}={_fact(name, value)}" for name, value in event.facts.items() if value not in (None, [], "")
    )
    return f"{at(event.at)}  {event.kind:<20}  {event.revision or '':<12}  {who}  {facts}"


def _fact(name: str, value: object) -> object:
    return at(datetime.fromisoformat(str(value))) if name == "until" else value
