"""
The exceptions that a user may meet; the class decides the exit code, the facts travel as attributes.

EcError                      something a person can act on
├── UsageError               2   wrong arguments, configuration or revision file
│   ├── ConfigurationError       what is configured can't be used
│   ├── RevisionError            a revision file can't be used; names file and line
│   └── ServerUnfit              the server answered, but is the wrong kind: standby, pooled, read-only, bad password
├── TryLater                 6   nothing has changed, and later it may work
│   ├── RunnerBusy               another runner holds the lock
│   ├── LockBudgetSpent          every attempt ran into lock_timeout; carries the blockers
│   └── ServerUnreachable        no connection, for a reason that may pass
├── StepFailed               7   a step ran and failed; its state is recorded
└── Interrupted              130 a signal arrived; the position is saved

A refusal is no exception but a value, `expandcontract.domain.refusal.Refusal`, in a command's result.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process returns; scripts rely on these numbers, so they never change their meaning."""

    DONE = 0  # the work is done, or there was nothing to do
    FINDINGS = 1  # lint or doctor found something, or a check isn't satisfied
    USAGE = 2  # arguments, configuration or a revision file
    REFUSED = 3  # by order, colour or evidence
    WINDOW_OPEN = 4  # a rollback window is still open
    WORK_REMAINS = 5  # a bounded backfill run reached its bound
    TRY_LATER = 6  # nothing has changed: busy, blocked or unreachable
    STEP_FAILED = 7  # a step failed and its state is recorded
    FAULT = 70  # a fault in ec itself
    INTERRUPTED = 130  # a signal; the position is saved


class EcError(Exception):
    """
    Something a person can act on: what happened, because of what, and what to do next.

    ``str(error)`` is what happened; ``because`` and ``next_command`` are optional further sentences.
    """

    exit_code: ExitCode = ExitCode.FAULT

    def __init__(self, what: str, *, because: str | None = None, next_command: str | None = None) -> None:
        super().__init__(what)
        self.because = because
        self.next_command = next_command


class UsageError(EcError):
    """The arguments, the configuration or a revision file can't be used; nothing has changed."""

    exit_code = ExitCode.USAGE


class ConfigurationError(UsageError):
    """What is configured can't be used."""


class RevisionError(UsageError):
    """
    A revision file can't be used.

    Args:
        what: what is wrong.
        file: the revision file.
        line: the line in it, counted from 1, where it is known.

    """

    def __init__(
        self,
        what: str,
        *,
        file: str,
        line: int | None = None,
        because: str | None = None,
        next_command: str | None = None,
    ) -> None:
        place = f"{file}:{line}" if line else file
        super().__init__(f"{place}: {what}", because=because, next_command=next_command)
        self.file = file
        self.line = line


class ServerUnfit(UsageError):
    """The server answered and can't be used like this: a standby, behind a pooler, read-only, wrong password."""


class TryLater(EcError):
    """Nothing has changed, and the same command may work later."""

    exit_code = ExitCode.TRY_LATER


class RunnerBusy(TryLater):
    """Another runner holds this database's lock."""


class LockBudgetSpent(TryLater):
    """Every attempt ran into ``lock_timeout`` until the budget was spent; the step was rolled back each time."""


class ServerUnreachable(TryLater):
    """No connection could be made, for a reason that may pass."""


class StepFailed(EcError):
    """A step ran and failed; it was rolled back and its state is recorded."""

    exit_code = ExitCode.STEP_FAILED


class Interrupted(EcError):
    """A signal arrived; the position is saved."""

    exit_code = ExitCode.INTERRUPTED
