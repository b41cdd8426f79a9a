"""What a command gives back: a value that the command line renders, as text or as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from expandcontract.domain.refusal import Refusal
from expandcontract.errors import EcError, ExitCode


class Outcome(StrEnum):
    """How a command ended, for scripts."""

    DONE = "done"
    NOTHING = "nothing"  # there was nothing to do
    REFUSED = "refused"
    FAILED = "failed"
    FINDINGS = "findings"  # a check isn't satisfied


@dataclass(frozen=True, kw_only=True)
class Result:
    """The base of every command's result. Its other fields are the command's part of the JSON document."""

    outcome: Outcome
    refusals: tuple[Refusal, ...] = field(default=())

    @property
    def exit_code(self) -> ExitCode:
        """The exit code that belongs to the outcome."""
        match self.outcome:
            case Outcome.REFUSED:
                return exit_code_of(self.refusals)
            case Outcome.FINDINGS:
                return ExitCode.FINDINGS
            case Outcome.FAILED:
                return ExitCode.STEP_FAILED
        return ExitCode.DONE

    @property
    def is_news(self) -> bool:
        """Whether others are to be told: it was refused or has failed. That a window is still open is no news."""
        return self.exit_code in (ExitCode.REFUSED, ExitCode.STEP_FAILED) and not getattr(self, "dry_run", False)


def exit_code_of(refusals: tuple[Refusal, ...]) -> ExitCode:
    """4 where open rollback windows are the only reasons, else 3."""
    only_windows = all(refusal.window_open for refusal in refusals)
    return ExitCode.WINDOW_OPEN if only_windows else ExitCode.REFUSED


def outcome_of(done: int, refusals: tuple[Refusal, ...]) -> Outcome:
    """Refused as soon as something was; otherwise done, or nothing."""
    if refusals:
        return Outcome.REFUSED
    return Outcome.DONE if done else Outcome.NOTHING


class Refused(EcError):
    """A no that must unwind what has begun: a step's transaction, or a command that can't trust what it sees."""

    exit_code = ExitCode.REFUSED

    def __init__(self, refusals: tuple[Refusal, ...]) -> None:
        super().__init__("refused")
        self.refusals = refusals
