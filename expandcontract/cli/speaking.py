"""The conversation of long work, on stderr: a bar on a terminal, lines elsewhere, JSON lines on request."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

import click

from expandcontract.cli.document import plain
from expandcontract.cli.redaction import redact
from expandcontract.domain.duration import format_duration

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from expandcontract.alembic_bridge.runner import Blocked
    from expandcontract.backfill.progress import Progress
    from expandcontract.domain.step import Step

_LINE_EVERY = 2.0  # seconds between progress lines where there is no terminal


def conversation(*, as_json: bool) -> Lines:
    """The `Conversation` that fits: JSON lines where asked for, a bar on a terminal, else lines."""
    if as_json:
        return JsonLines()
    return Terminal() if sys.stderr.isatty() else Lines()


class Lines:
    """Plain lines."""

    def __init__(self) -> None:
        self._last_line = 0.0

    def says(self, sentence: str) -> None:
        """See `Conversation`."""
        click.echo(redact(sentence), err=True)

    def part_begins(self, step: Step, title: str, part: str) -> None:
        """See `Conversation`."""
        self.says(f"{step} ({title}): {part} …")

    def part_done(self, step: Step, part: str, seconds: float) -> None:
        """See `Conversation`."""
        self.says(f"{step}: {part} done in {seconds:.2f} s")

    def blocked(self, blocked: Blocked) -> None:
        """See `Conversation`."""
        who = "; ".join(str(blocker) for blocker in blocked.blockers) or "somebody who is gone by now"
        self.says(
            f"{blocked.step}: {blocked.part} got no lock within {format_duration(blocked.attempt.lock_timeout)}"
            f" (attempt {blocked.attempt.number}), blocked by {who}; next attempt in {blocked.pause:.1f} s"
        )

    def progress(self, progress: Progress) -> None:
        """See `Conversation`."""
        now = time.monotonic()
        if now - self._last_line >= _LINE_EVERY:
            self._last_line = now
            self.says(_progress_line(progress))

    def progress_ends(self) -> None:
        """See `Conversation`."""


class JsonLines(Lines):
    """One JSON object per line, each with ``"event"``."""

    def says(self, sentence: str) -> None:
        """See `Conversation`."""
        self._event("says", sentence=redact(sentence))

    def part_begins(self, step: Step, title: str, part: str) -> None:
        """See `Conversation`."""
        self._event("part_begins", step=step, title=title, part=part)

    def part_done(self, step: Step, part: str, seconds: float) -> None:
        """See `Conversation`."""
        self._event("part_done", step=step, part=part, seconds=round(seconds, 3))

    def blocked(self, blocked: Blocked) -> None:
        """See `Conversation`."""
        self._event("blocked", **{"step": blocked.step, "part": blocked.part, "attempt": blocked.attempt.number})

    def progress(self, progress: Progress) -> None:
        """See `Conversation`."""
        self._event("progress", progress=progress, seconds_left=progress.seconds_left)

    def _event(self, event: str, **facts: Any) -> None:
        click.echo(json.dumps({"event": event, **{name: plain(fact) for name, fact in facts.items()}}), err=True)


class Terminal(Lines):
    """Lines, and a bar for a backfill."""

    def __init__(self) -> None:
        super().__init__()
        self._bar: Bar | None = None
        self._task: TaskID | None = None

    def progress(self, progress: Progress) -> None:
        """See `Conversation`."""
        bar, task = self._shown(progress)
        bar.update(
            task,
            completed=progress.rows,
            total=progress.of_about,
            rate=progress.reason or f"{progress.rate:,.0f} rows/s" + (", verifying" if progress.verifies else ""),
        )

    def progress_ends(self) -> None:
        """See `Conversation`."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = self._task = None

    def _shown(self, progress: Progress) -> tuple[Bar, TaskID]:
        if self._bar is None or self._task is None:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as Bar

            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}"),
                TimeRemainingColumn(),
            )
            self._bar = Bar(*columns, console=Console(stderr=True))
            self._bar.start()
            self._task = self._bar.add_task(f"backfill {progress.revision}", total=progress.of_about, rate="")
        return self._bar, self._task


def _progress_line(progress: Progress) -> str:
    if progress.reason:
        return f"backfill {progress.revision}: {progress.rows:,} of about {progress.of_about:,} rows; {progress.reason}"
    left = progress.seconds_left
    again = f" (pass {progress.number_of_pass})" if progress.number_of_pass > 1 else ""
    does = "verified " if progress.verifies else ""
    return (
        f"backfill {progress.revision}{again}: {does}{progress.rows:,} of about {progress.of_about:,} rows,"
        f" {progress.rate:,.0f} rows/s" + (f", about {left:.0f} s left" if left is not None else "")
    )
