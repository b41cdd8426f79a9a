"""``ec prove``."""

from __future__ import annotations

import click

from expandcontract.cli import options
from expandcontract.cli.boundary import run
from expandcontract.cli.text import lines, result_text
from expandcontract.commands import prove as command


@click.command(short_help="Ask whether anything still refers to what a contract removes.")
@click.argument("revision")
@options.as_json
@click.pass_context
def prove(context: click.Context, revision: str, as_json: bool) -> None:
    """
    Does anything still refer to what the contract of REVISION removes? Exit 0 where nothing does, else 1.

    Looks at what stands on it in the database, and at what pg_stat_statements has counted over the whole rollback
    window on every node. Where that can't be known the verdict is inconclusive, with the reason.
    """
    run("prove", lambda: command.prove(options.settings_of(context), name=revision), as_json=as_json)


@result_text.register
def _(result: command.ProveResult) -> str:
    removes = ", ".join(result.removes) or "nothing that anybody could refer to"
    signs = [
        f"    {sign.means} is {sign.verdict}: {f'{sign.about}: ' if sign.about else ''}{sign.because}"
        for sign in result.signs
    ]
    unseen = [f"    not looked into: {words}" for words in result.unseen]
    return lines([f"{result.step}: {result.verdict}; it removes {removes}", *signs, *unseen])
