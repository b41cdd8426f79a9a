from __future__ import annotations

import inspect

import pytest

from expandcontract import errors
from expandcontract.errors import EcError, ExitCode


@pytest.mark.parametrize(
    ("code", "number"),
    [
        (ExitCode.DONE, 0),
        (ExitCode.FINDINGS, 1),
        (ExitCode.USAGE, 2),
        (ExitCode.REFUSED, 3),
        (ExitCode.WINDOW_OPEN, 4),
        (ExitCode.WORK_REMAINS, 5),
        (ExitCode.TRY_LATER, 6),
        (ExitCode.STEP_FAILED, 7),
        (ExitCode.FAULT, 70),
        (ExitCode.INTERRUPTED, 130),
    ],
)
def test_an_exit_code_never_changes_its_number(code: ExitCode, number: int) -> None:
    assert code == number


def test_there_are_no_further_exit_codes() -> None:
    assert [int(code) for code in ExitCode] == [0, 1, 2, 3, 4, 5, 6, 7, 70, 130]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.EcError("…"), ExitCode.FAULT),
        (errors.UsageError("…"), ExitCode.USAGE),
        (errors.ConfigurationError("…"), ExitCode.USAGE),
        (errors.RevisionError("…", file="8c1f.py"), ExitCode.USAGE),
        (errors.ServerUnfit("…"), ExitCode.USAGE),
        (errors.TryLater("…"), ExitCode.TRY_LATER),
        (errors.RunnerBusy("…"), ExitCode.TRY_LATER),
        (errors.LockBudgetSpent("…"), ExitCode.TRY_LATER),
        (errors.ServerUnreachable("…"), ExitCode.TRY_LATER),
        (errors.StepFailed("…"), ExitCode.STEP_FAILED),
        (errors.Interrupted("…"), ExitCode.INTERRUPTED),
    ],
)
def test_the_class_of_an_error_decides_the_exit_code(error: EcError, code: ExitCode) -> None:
    assert error.exit_code is code


def test_an_error_says_what_happened_why_and_what_to_do() -> None:
    error = errors.TryLater("the server can't be reached", because="connection refused", next_command="ec doctor")

    assert (str(error), error.because, error.next_command) == (
        "the server can't be reached",
        "connection refused",
        "ec doctor",
    )
    assert errors.TryLater("…").because is None
    assert errors.TryLater("…").next_command is None


@pytest.mark.parametrize(("line", "place"), [(12, "versions/8c1f.py:12"), (None, "versions/8c1f.py")])
def test_a_revision_error_names_file_and_line(line: int | None, place: str) -> None:
    error = errors.RevisionError("no such column", file="versions/8c1f.py", line=line, because="…", next_command="…")

    assert str(error) == f"{place}: no such column"
    assert (error.file, error.line) == ("versions/8c1f.py", line)


def classes() -> list[type[Exception]]:
    """The exceptions that the module defines."""
    return [found for _, found in inspect.getmembers(errors, inspect.isclass) if issubclass(found, Exception)]


def test_every_exception_is_one_of_ours_and_drawn_in_the_tree() -> None:
    assert errors.__doc__ is not None
    drawn = {line.lstrip("│├└─ ").split()[0] for line in errors.__doc__.splitlines() if line.strip()}

    for found in classes():
        assert issubclass(found, EcError)
        assert found.__name__ in drawn
