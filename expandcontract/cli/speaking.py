"""The conversation of long work, on stderr: a bar on a terminal, lines elsewhere, JSON lines on request."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from expandcontract.cli.document import plain
from expandcontract.cli.redaction import redact
from expandcontract.domain.duration import format_duration

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from expandcontract.alembic_bridge.task import Blocked
    from expandcontract.backfill.progress import Progress
    from expandcontract.domain.step import Step

_LINE_EVERY = 2.0  # seconds between progress lines where there is no terminal


def conversation(*, as_json: bool, also: Callable[[Progress], None] = lambda progress: None) -> Lines:
    """
    The `Conversation` that fits: JSON lines where asked for, a bar on a terminal, else lines.

    `also` is told of all progress, however much of it is shown.
    """
    if as_json:
        return JsonLines(also)
    return Terminal(also) if sys.stderr.isatty() else Lines(also)


class Lines:
    """Plain lines."""

    def __init__(self, also: Callable[[Progress], None]) -> None:
        self._also = also
        self._last_line = 0.0
        self._was_waiting = False

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
        who = "; ".join(str(blocker) for blocker in blocked.blockers) or "somebody who wasn't seen"
        self.says(
            f"{blocked.step}: {blocked.part} got no lock within {format_duration(blocked.attempt.lock_timeout)}"
            f" (attempt {blocked.attempt.number}), blocked by {who}; next attempt in {blocked.pause:.1f} s"
        )
        for one in blocked.cancelled:
            self.says(
                f"{blocked.step}: cancelled pid {one.pid} (application {one.application_name or 'without a name'})"
            )
        for one in blocked.spared:
            self.says(
                f"{blocked.step}: may not cancel pid {one.pid}: GRANT pg_monitor, pg_signal_backend TO the role of ec"
            )

    def progress(self, progress: Progress) -> None:
        """See `Conversation`."""
        self._also(progress)
        self._show(progress)

    def _show(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._last_line >= _LINE_EVERY or progress.is_waiting != self._was_waiting:
            self._last_line, self._was_waiting = now, progress.is_waiting
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
        facts = {"step": blocked.step, "part": blocked.part, "attempt": blocked.attempt.number}
        self._event("blocked", **facts, cancelled=[one.pid for one in blocked.cancelled])

    def _show(self, progress: Progress) -> None:
        self._event("progress", progress=progress, seconds_left=progress.seconds_left)

    def _event(self, event: str, **facts: Any) -> None:
        click.echo(json.dumps({"event": event, **{name: plain(fact) for name, fact in facts.items()}}), err=True)


class Terminal(Lines):
    """Lines, and a bar for a backfill."""

    def __init__(self, also: Callable[[Progress], None]) -> None:
        super().__init__(also)
        self._bar: Bar | None = None
        self._task: TaskID | None = None

    def _show(self, progress: Progress) -> None:
        bar, task = self._shown(progress)
        bar.update(
            task,
            completed=progress.rows,
            total=progress.of_about,
            rate=_how_fast(progress) + (", verifying" if progress.verifies else ""),
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
    left = None if progress.is_waiting else progress.seconds_left
    again = f" (pass {progress.number_of_pass})" if progress.number_of_pass > 1 else ""
    does = "verified " if progress.verifies else ""
    return (
        f"backfill {progress.revision}{again}: {does}{progress.rows:,} of about {progress.of_about:,} rows,"
        f" {_how_fast(progress)}" + ("" if left is None else f", about {_length(left)} left")
    )


def _length(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else format_duration(timedelta(seconds=seconds))


def _how_fast(progress: Progress) -> str:
    """The rate, with what slows it down; or what is waited for."""
    if progress.is_waiting:
        return f"waiting: {progress.reason}"
    rate = f"{progress.rate:,.0f} rows/s"
    return f"{rate} (at {100 * progress.share:.0f} %: {progress.reason})" if progress.reason else rate
