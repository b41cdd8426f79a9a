"""``ec demo``: a change goes from expand to contract under live traffic, with a way back used in between."""

from __future__ import annotations

import ast
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from expandcontract.commands.demo_account import Model, Report, Snapshot, seed_name, take_snapshot
from expandcontract.commands.demo_stage import REVISION, Stage, example_folder
from expandcontract.commands.result import Outcome, Result
from expandcontract.domain.duration import format_duration
from expandcontract.domain.phase import Phase
from expandcontract.domain.refusal import Code, Refusal
from expandcontract.domain.step import Step
from expandcontract.errors import ExitCode, StepFailed

_LINGER = 2.0  # seconds of plain traffic after each change, so that it would show if something broke
_WINDOW_IN_LINGERS = 6  # at least, so that a short window leaves room for them
_WINDOW_IN_COMMANDS = 5  # at least, so that a command on a slow machine finds it open


class Listener(Protocol):
    """Who is told the story. The command line implements it."""

    @property
    def shows_bar(self) -> bool:
        """Whether a backfill may draw its bar on the terminal."""

    def chapter(self, sentence: str) -> None:
        """What happens next, and why."""

    def says(self, sentence: str) -> None:
        """Something that was found."""

    def command(self, tree: str, line: str) -> None:
        """A command begins, as its user would type it in the working tree named `tree`."""

    def output(self, line: str) -> None:
        """The command prints a line."""

    def refused(self, refusals: tuple[Refusal, ...], exit_code: int) -> None:
        """The command has refused."""

    def went_wrong(self, sentence: str) -> None:
        """What the demo promises not to happen, has happened."""

    def kept(self, lines: tuple[str, ...]) -> None:
        """The server stays; how to look around, as shell lines, of which the last one ends it."""


@dataclass(frozen=True, kw_only=True)
class DemoResult(Result):
    """The account: what the clients met, and how many rows were compared (old to new, before the contract)."""

    requests: int
    failed: int
    longest_wait_ms: float
    rows: int
    rows_wrong: int


def demo(
    listener: Listener, *, rows: int, window: timedelta, keep: bool = False, example: Path | None = None
) -> DemoResult:
    """
    Play the demo.

    Args:
        listener: who is told.
        rows: how many users the shop has.
        window: the rollback window of the rename; longer where the machine is too slow to find it open.
        keep: leave server and files where they are.
        example: the example project; by default the one that comes with the package.

    Raises:
        ConfigurationError: no PostgreSQL to start, or no example.
        StepFailed: a command didn't do what it should have, or a client ended.
    """
    with Stage(example or example_folder(), users=rows, keep=keep) as stage:
        result = _Story(stage, listener, window).play()
        if keep:
            listener.kept(stage.how_to_explore())
        return result


class _Story:
    """One playing of the demo."""

    def __init__(self, stage: Stage, listener: Listener, window: timedelta) -> None:
        self._stage, self._listener, self._window = stage, listener, window
        self._refusals: list[Refusal] = []

    def play(self) -> DemoResult:
        """The whole story, then the account."""
        self._release_1_is_live()
        self._expand()
        self._deploy_green()
        self._backfill()
        self._cut_over()
        self._roll_back()
        self._forward_again()
        before = self._window_closes()
        self._contract()
        reports, after = self._end()
        return self._account(reports, before, after)

    def _release_1_is_live(self) -> None:
        major, minor = self._stage.server.version
        self._listener.chapter(
            f"A PostgreSQL {major}.{minor} of our own, and release 1 of a shop with {self._stage.users:,} users."
        )
        began = time.monotonic()
        self._ec(1, "migrate", "expand")
        self._set_window(time.monotonic() - began)
        self._fill()
        self._ec(1, "colour", "deploy", "blue", "1")
        self._stage.start_client("blue", 1)
        self._switch("blue", 1)
        self._listener.says("blue reads and writes now, without a pause, until the end of this story")
        self._linger()

    def _set_window(self, seconds_of_a_command: float) -> None:
        """On a slow machine the window would have closed before a command could find it open."""
        self._window = max(self._window, timedelta(seconds=math.ceil(_WINDOW_IN_COMMANDS * seconds_of_a_command)))
        self._stage.set_window(self._window)

    def _fill(self) -> None:
        prefix, suffix = seed_name(0).split("0")
        connection = self._stage.connection
        query = "INSERT INTO users (name) SELECT %s::text || id || %s::text FROM generate_series(1, %s) AS id"
        connection.execute(query, [prefix, suffix, self._stage.users])
        connection.execute("ANALYZE users")

    def _expand(self) -> None:
        self._listener.chapter("Release 2 renames users.name to display_name. Expand: release 1 must not notice.")
        self._ec(2, "migrate", "expand")
        self._linger()
        self._listener.chapter("To drop the old column now would break release 1.")
        self._refused(ExitCode.REFUSED, "migrate", "contract")

    def _deploy_green(self) -> None:
        self._listener.chapter("Release 2 goes onto green, and waits there without traffic. May it have some?")
        self._ec(2, "colour", "deploy", "green", "2")
        self._stage.start_client("green", 2)
        self._refused(ExitCode.REFUSED, "colour", "check", "green")

    def _backfill(self) -> None:
        self._listener.chapter("Old rows don't have the new column filled yet. Backfill, beside the traffic.")
        self._ec(2, "backfill", "--rate", "20000", bar=self._listener.shows_bar)

    def _cut_over(self) -> None:
        self._listener.chapter("Cut over: ask, turn the router, and record what is.")
        self._switch("green", 2)
        self._listener.chapter("Release 2 serves everybody. Is it time to drop the old column? Somebody may want back.")
        self._refused(ExitCode.WINDOW_OPEN, "migrate", "contract")  # at once, for on a slow machine seconds pass fast
        self._linger()

    def _roll_back(self) -> None:
        self._listener.chapter("And somebody does: back to blue. No database work, only the router.")
        self._switch("blue", 1)
        self._linger()
        written, wrong = self._written_by("green")
        self._listener.says(
            f"blue finds {written:,} users whose name green wrote, and {wrong} of them differ in the old column"
        )

    def _forward_again(self) -> None:
        self._listener.chapter("What looked wrong was something else: forward again. The window begins anew.")
        self._switch("green", 2)

    def _window_closes(self) -> Snapshot:
        closed_at = time.monotonic() + self._window.total_seconds()  # later than the ledger's clock says: it counts
        before = take_snapshot(self._stage.connection, ("name", "display_name"))  # from the recording of the traffic
        self._listener.says(
            f"{len(before.rows):,} users compared under traffic, the old column with the new one;"
            f" now we wait until the window of {format_duration(self._window)} has closed"
        )
        while (left := closed_at - time.monotonic()) > 0:
            self._stage.check_clients()
            time.sleep(min(left, 0.2))
        return before

    def _contract(self) -> None:
        self._listener.chapter("The window has closed: contract.")
        self._ec(2, "migrate", "contract")
        self._listener.chapter("From now on there is no way back to release 1, and ec says so.")
        self._refused(ExitCode.REFUSED, "colour", "check", "blue")
        self._linger()

    def _end(self) -> tuple[dict[str, Report], Snapshot]:
        reports = self._stage.stop_clients()
        for colour, report in reports.items():
            for writer in reports.keys() - {colour}:
                names = report.found.get(writer, 0)
                self._listener.says(f"{colour} has read {names:,} names that {writer} wrote")
        return reports, take_snapshot(self._stage.connection, ("display_name",))

    def _account(self, reports: Mapping[str, Report], before: Snapshot, after: Snapshot) -> DemoResult:
        model = Model(self._stage.users, reports.values())
        wrong = {"before": model.wrong_rows(before), "after": model.wrong_rows(after)}
        failed = sum(report.failed for report in reports.values())
        self._complain(reports, wrong)
        return DemoResult(
            outcome=Outcome.FAILED if failed or any(wrong.values()) else Outcome.DONE,
            refusals=tuple(self._refusals),
            requests=sum(report.requests for report in reports.values()),
            failed=failed,
            longest_wait_ms=max(report.longest_wait_ms for report in reports.values()),
            rows=len(before.rows),
            rows_wrong=sum(wrong.values()),
        )

    def _complain(self, reports: Mapping[str, Report], wrong: Mapping[str, int]) -> None:
        for colour, report in reports.items():
            if report.failed:
                self._listener.went_wrong(f"{colour}: {report.failed} requests failed, first: {report.first_failure}")
        for moment, count in wrong.items():
            if count:
                self._listener.went_wrong(f"{count} rows were wrong {moment} the contract")

    def _switch(self, colour: str, release: int) -> None:
        self._ec(release, "colour", "check", colour)
        self._stage.route({colour: 100})
        self._ec(release, "colour", "traffic", f"{colour}=100")

    def _linger(self) -> None:
        time.sleep(min(_LINGER, self._window.total_seconds() / _WINDOW_IN_LINGERS))
        self._stage.check_clients()

    def _written_by(self, colour: str) -> tuple[int, int]:
        query = (
            "SELECT count(*), count(*) FILTER (WHERE name IS DISTINCT FROM display_name)"
            " FROM users WHERE starts_with(display_name, %s)"
        )
        written, wrong = self._stage.connection.execute(query, [f"{colour}-"]).fetchone() or (0, 0)
        return written, wrong

    def _ec(self, release: int, *arguments: str, bar: bool = False) -> None:
        self._listener.command(self._stage.tree(release).name, " ".join(["ec", *arguments]))
        finished = self._stage.run(release, arguments, self._listener.output, shows_bar=bar)
        if finished.exit_code != ExitCode.DONE:
            raise StepFailed(
                f"{finished.line} ended with exit code {finished.exit_code}", because=finished.output.strip() or None
            )

    def _refused(self, expected: ExitCode, *arguments: str) -> None:
        """In JSON, for the account; the listener says it as the command would."""
        self._listener.command(self._stage.tree(2).name, " ".join(["ec", *arguments]))
        finished, document = self._stage.ask(2, arguments)
        if finished.exit_code != expected:
            raise StepFailed(
                f"{finished.line} ended with exit code {finished.exit_code} instead of {expected}",
                because=finished.output.strip(),
            )
        refusals = tuple(_refusal(words, self._titles()) for words in document["refusals"])
        self._refusals += refusals
        self._listener.refused(refusals, finished.exit_code)

    def _titles(self) -> dict[str, str]:
        text = self._stage.rename_file(2).read_text(encoding="utf-8")
        return {REVISION: (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]}


def _refusal(words: Mapping[str, Any], titles: Mapping[str, str]) -> Refusal:
    """A refusal from its document, which leaves its title out."""
    phase, _, revision = words["step"].partition(" ")
    return Refusal(
        step=Step(revision, Phase(phase)),
        title=titles.get(revision, ""),
        code=Code(words["code"]),
        because=words["because"],
        next=words["next"],
        until=datetime.fromisoformat(words["until"]) if words["until"] else None,
    )
