"""``ec prove``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import click

from expandcontract.cli import options
from expandcontract.cli.boundary import run
from expandcontract.cli.text import lines, removed_text, result_text, sign_lines, unseen_lines
from expandcontract.commands import prove as command
from expandcontract.commands.statement_signs import short
from expandcontract.domain.proof import Answer

_SHOWN = 10  # statements that the server can't plan


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
    removes = removed_text(result.removes)
    told = _told(result) if result.asked else ()
    return lines(
        [
            f"{result.step}: {result.verdict}; it removes {removes}",
            *sign_lines(result.signs),
            *told,
            *unseen_lines(result.unseen),
        ]
    )


def _told(result: command.ProveResult) -> Iterator[str]:
    """What the server said: a statement that touches it is a sign; those that it spares only the JSON lists."""
    said = Counter(one.answer for one in result.asked)
    words = ((Answer.TOUCHES, "touch it"), (Answer.SPARES, "don't"), (Answer.UNKNOWN, "can't be planned so"))
    counts = ", ".join(f"{said[answer]} {word}" for answer, word in words if said[answer])
    yield f"    the server was asked about {len(result.asked)} statement(s): {counts}"
    unknown = [one for one in result.asked if one.answer is Answer.UNKNOWN]
    yield from (f"        {one.because}: {short(one.query)}" for one in unknown[:_SHOWN])
    if unknown[_SHOWN:]:
        yield f"        and {len(unknown) - _SHOWN} more, which --json lists"
