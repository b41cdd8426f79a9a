"""The error boundary: every command ends here, with an exit code and without a traceback."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from collections.abc import Callable

import click

from expandcontract.cli.document import error_document, result_document
from expandcontract.cli.redaction import redact, visible
from expandcontract.cli.signals import interrupted_by_sigterm
from expandcontract.cli.telling import Teller, nobody
from expandcontract.cli.text import error_text, refusal_text, result_text
from expandcontract.commands.result import Outcome, Refused, Result
from expandcontract.database.connect import server_error
from expandcontract.domain.redaction import redact as redact_what_looks_secret
from expandcontract.domain.redaction import without_values
from expandcontract.errors import EcError, ExitCode, Interrupted

# a mistake on the command line is its author's, and whoever interrupts a command knows that they did
_NEWS = frozenset({ExitCode.TRY_LATER, ExitCode.STEP_FAILED, ExitCode.FAULT})


def run(command: str, work: Callable[[], Result], *, as_json: bool, tell: Teller = nobody) -> None:
    """
    Do the work and leave the process with what it came to: the result on stdout, refusals and errors on stderr.

    Args:
        command: its name in the JSON document.
        work: does it.
        as_json: print a document instead of text.
        tell: is told of news, once everything is printed.
    """
    try:
        with interrupted_by_sigterm():
            result = work()
    except Refused as error:
        result = Result(outcome=Outcome.REFUSED, refusals=error.refusals)
    except EcError as error:
        _report_error(command, error, as_json=as_json)
        if error.exit_code in _NEWS:
            tell(error_document(command, error), error_text(error))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        _report_error(command, Interrupted("interrupted; what was open has been rolled back"), as_json=as_json)
        sys.exit(ExitCode.INTERRUPTED)
    except click.ClickException:
        raise
    except Exception as error:
        shown = server_error(error) or _fault(error)
        _report_error(command, shown, as_json=as_json)
        tell(error_document(command, shown), error_text(shown))
        sys.exit(shown.exit_code)
    if as_json:
        _print(redact_what_looks_secret(result_document(command, result)))
    else:
        text = "" if type(result) is Result else result_text(result)
        if text:
            _print(visible(redact_what_looks_secret(text)))
        for refusal in result.refusals:
            click.echo(redact(refusal_text(refusal)), err=True)
    tell_news(command, result, tell)
    sys.exit(result.exit_code)


def tell_news(command: str, result: Result, tell: Teller) -> None:
    """Tell of the result of a command, where it is news."""
    if result.is_news:
        tell(result_document(command, result), _summary(command, result))


def _summary(command: str, result: Result) -> str:
    """What people read of news."""
    text = "" if type(result) is Result else result_text(result)
    return "\n".join(filter(None, [f"ec {command}: {result.outcome}", text, *map(refusal_text, result.refusals)]))


def _print(text: str) -> None:
    """To stdout; a reader that has gone away (``| head``) is no error."""
    try:
        click.echo(text)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _report_error(command: str, error: EcError, *, as_json: bool) -> None:
    if as_json:
        _print(error_document(command, error, shown=redact))
    click.echo(redact(error_text(error)), err=True)


def _fault(error: Exception) -> EcError:
    """A fault in ec itself: its traceback goes to a file that only its owner can read."""
    descriptor, path = tempfile.mkstemp(prefix="ec-fault-", suffix=".txt")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(redact(without_values("".join(traceback.format_exception(error)))))
    return EcError(
        f"a fault in ec itself: {type(error).__name__}: {error}",
        because="this should not happen; nothing of yours is at fault",
        next_command=f"please report it with the file {path}",
    )
