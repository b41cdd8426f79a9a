"""``ec window``: look at the rollback window of a change, make it longer, or close it early."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from expandcontract.commands.result import Outcome, Result
from expandcontract.commands.situation import Situation, open_situation
from expandcontract.commands.window_view import WindowView, view_of
from expandcontract.config import Settings
from expandcontract.domain.change import Change
from expandcontract.domain.facts import Facts
from expandcontract.domain.gate import close_refusals, extend_refusals
from expandcontract.domain.phase import Phase
from expandcontract.domain.refusal import Refusal
from expandcontract.domain.step import Step
from expandcontract.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class WindowResult(Result):
    """
    The window as it is (with `dry_run`: as it was).

    ``closes``: this command closes it, and ``gives_up`` are the releases to which there is no way back then.
    """

    step: Step
    title: str
    window: WindowView
    gives_up: tuple[str, ...] = ()
    dry_run: bool = False
    closes: bool = False

    @property
    def is_news(self) -> bool:
        """See `Result.is_news`; that a window was closed early as well."""
        return (self.closes and not self.dry_run) or super().is_news


def show_window(settings: Settings, *, name: str) -> WindowResult:
    """
    The window of the revision `name`. Reads only.

    Raises:
        UsageError: no such revision, or one without a contract.
        EcError: see `expandcontract.errors`.
    """
    with open_situation(settings) as situation:
        facts, change = _asked_about(situation, name)
        return _result(Outcome.DONE, change, facts)


def extend_window(
    settings: Settings, *, name: str, length: timedelta, reason: str | None, dry_run: bool = False
) -> WindowResult:
    """
    Make the window of the revision `name` so much longer; one that was closed early is open again.

    Raises:
        UsageError: as for `show_window`, or nothing has been recorded in this database yet.
        EcError: see `expandcontract.errors`.
    """

    def decide(situation: Situation, revision: str, facts: Facts) -> None:
        situation.ledger.extend_window(revision, length, reason)

    return _decided(settings, name, extend_refusals, decide, dry_run=dry_run)


def close_window(settings: Settings, *, name: str, reason: str, dry_run: bool = False) -> WindowResult:
    """
    Close the window of the revision `name` now. Its contract may run, as far as time goes.

    Raises:
        UsageError: as for `extend_window`.
        EcError: see `expandcontract.errors`.
    """

    def decide(situation: Situation, revision: str, facts: Facts) -> None:
        situation.ledger.close_window(revision, reason, _given_up(facts.change(revision), facts))

    return _decided(settings, name, close_refusals, decide, dry_run=dry_run, closes=True)


def _decided(
    settings: Settings,
    name: str,
    judge: Callable[[Change, Facts], tuple[Refusal, ...]],
    decide: Callable[[Situation, str, Facts], None],
    *,
    dry_run: bool,
    closes: bool = False,
) -> WindowResult:
    """Judge and record while nobody moves traffic: a contract that is about to commit sees it, or comes first."""
    with open_situation(settings) as situation:
        facts, change = _asked_about(situation, name)
        if not situation.has_ledger:
            raise UsageError("this database has no ledger, so no window has begun", next_command="ec migrate expand")
        with situation.connection.transaction(force_rollback=dry_run):
            if not dry_run:
                situation.ledger.lock_router()
                facts = situation.facts()
            no = judge(change, facts)
            result = _result(Outcome.REFUSED if no else Outcome.DONE, change, facts)
            closing = closes and not no
            result = replace(
                result,
                refusals=no,
                closes=closing,
                gives_up=_given_up(change, facts) if closing else (),
                dry_run=dry_run,
            )
            if no or dry_run:
                return result
            decide(situation, change.revision, facts)
            return replace(result, window=view_of(change, situation.facts()))


def _asked_about(situation: Situation, name: str) -> tuple[Facts, Change]:
    change = situation.revision(name).change
    if not change.contract_parts:
        raise UsageError(
            f"{change.revision} ({change.title}) has no contract(), so it has no rollback window",
            next_command="ec plan shows what each change has",
        )
    facts = situation.observed_facts()
    return facts, facts.change(change.revision)


def _given_up(change: Change, facts: Facts) -> tuple[str, ...]:
    """The releases that could still have gone back."""
    held = (window.release for window in facts.windows(change) if window.is_open(facts.now))
    return tuple(sorted(tag for tag in held if tag is not None))


def _result(outcome: Outcome, change: Change, facts: Facts) -> WindowResult:
    step = Step(change.revision, Phase.CONTRACT)
    return WindowResult(outcome=outcome, step=step, title=change.title, window=view_of(change, facts))
