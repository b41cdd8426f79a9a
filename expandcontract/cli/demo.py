"""``ec demo``."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from expandcontract.cli import options
from expandcontract.cli.boundary import run
from expandcontract.cli.redaction import redact
from expandcontract.cli.text import refusal_text, result_text
from expandcontract.commands import demo as command
from expandcontract.commands.result import Outcome
from expandcontract.domain.duration import parse_duration
from expandcontract.domain.refusal import Refusal
from expandcontract.errors import Interrupted


def _duration(context: click.Context, parameter: click.Parameter, text: str) -> timedelta:
    try:
        length = parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    if length < timedelta(seconds=1):
        raise click.BadParameter("a window under a second would close before anybody could see it open")
    return length


@click.command()
@click.option("--rows", type=click.IntRange(1000), default=200_000, show_default=True, help="How many users there are.")
@click.option("--window", callback=_duration, default="12s", show_default=True, help="The rollback window.")
@click.option("--keep", is_flag=True, help="Leave the server up, and say how to explore it.")
@click.option("--example", type=click.Path(path_type=Path, exists=True, file_okay=False), hidden=True)
@options.as_json
def demo(rows: int, window: timedelta, keep: bool, example: Path | None, as_json: bool) -> None:
    """
    Watch a change go from expand to contract under live traffic, on a PostgreSQL of its own.

    Takes about a minute, needs no configuration, and leaves nothing behind. Exits 7 where a request failed or a row
    is wrong.
    """

    def work() -> command.DemoResult:
        teller = Silent() if as_json else Teller()
        result = command.demo(teller, rows=rows, window=window, keep=keep, example=example)
        # As text, the refusals are part of the account: the boundary needn't say them once more.
        return result if as_json else replace(result, refusals=())

    run("demo", work, as_json=as_json)


class Silent:
    """Tells no story; only what somebody has to know, on stderr."""

    shows_bar = False

    def chapter(self, sentence: str) -> None:
        """See `Listener`."""

    def says(self, sentence: str) -> None:
        """See `Listener`."""

    def command(self, tree: str, line: str) -> None:
        """See `Listener`."""

    def output(self, line: str) -> None:
        """See `Listener`."""

    def refused(self, refusals: tuple[Refusal, ...], exit_code: int) -> None:
        """See `Listener`."""

    def went_wrong(self, sentence: str) -> None:
        """See `Listener`."""
        click.secho(redact(sentence), err=True, fg="red")

    def kept(self, lines: tuple[str, ...]) -> None:
        """See `Listener`."""
        click.echo("The server stays. To look around:\n" + "\n".join(f"  {line}" for line in lines[:-1]), err=True)
        click.echo(f"To end it:\n  {lines[-1]}", err=True)


class Teller(Silent):
    """Tells the story on stdout as it goes, coloured on a terminal."""

    def __init__(self) -> None:
        self.shows_bar = sys.stdout.isatty() and sys.stderr.isatty()
        self._colour = False if os.environ.get("NO_COLOR") else None
        self._chapters = 0

    def chapter(self, sentence: str) -> None:
        """See `Listener`."""
        self._chapters += 1
        self._tell(f"\n{self._chapters}. {sentence}", bold=True)

    def says(self, sentence: str) -> None:
        """See `Listener`."""
        self._tell(f"   {sentence}")

    def command(self, tree: str, line: str) -> None:
        """See `Listener`."""
        self._tell(line, before=f"   {tree} $ ", fg="cyan")

    def output(self, line: str) -> None:
        """See `Listener`."""
        self._tell(f"   │ {line}", dim=True)

    def refused(self, refusals: tuple[Refusal, ...], exit_code: int) -> None:
        """See `Listener`."""
        for line in "\n".join(map(refusal_text, refusals)).splitlines():
            self._tell(f"   │ {line}", fg="yellow")
        self._tell(f"   │ (exit code {exit_code})", dim=True)

    def _tell(self, text: str, *, before: str = "", **style: Any) -> None:
        shown = redact(text)
        try:
            click.echo(before + (click.style(shown, **style) if style else shown), color=self._colour)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise Interrupted("nobody listens to the story any more; the demo is cleared away") from None


@result_text.register
def _(result: command.DemoResult) -> str:
    good = result.outcome is Outcome.DONE
    return "\n".join(
        [
            "",
            "The account",
            f"  requests served   {result.requests:>9,}",
            f"  requests failed   {result.failed:>9,}",
            f"  longest wait      {result.longest_wait_ms:>9,.0f} ms, of any request",
            f"  rows compared     {result.rows:>9,}, old column to new, and with what was acknowledged",
            f"  rows wrong        {result.rows_wrong:>9,}",
            "",
            "No request failed, and no row is wrong." if good else "This is not what we promise.",
        ]
    )
