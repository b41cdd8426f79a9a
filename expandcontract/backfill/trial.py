"""A backfill is tried on its first rows and rolled back, so that what can't work is refused with no row written."""

from __future__ import annotations

from typing import Any

import psycopg

from expandcontract.backfill.kinds.choice import kind_of
from expandcontract.backfill.kinds.kind import AuthorsMistake, CannotFill, Kind, NotFalsified
from expandcontract.backfill.limits import set_limits
from expandcontract.backfill.ranges import RangeStatements
from expandcontract.backfill.stretches import walking
from expandcontract.backfill.verification import needy
from expandcontract.database.backfill_records import KeyValue, Stretch
from expandcontract.database.executor import PsycopgExecutor
from expandcontract.database.row_errors import is_about_a_row, is_about_the_statement
from expandcontract.database.sync_catalog import sync_columns
from expandcontract.domain.change import Backfill
from expandcontract.errors import UsageError

_ROWS = 100


def try_out(connection: psycopg.Connection[Any], backfill: Backfill, stretches: list[Stretch]) -> None:
    """
    Fill the first hundred rows, and roll that back.

    Args:
        connection: a session of the backfill's, in a transaction.
        backfill: the declaration.
        stretches: what it walks along.

    Raises:
        UsageError: it can't work, whatever the rows are; or not one of those that need it can be filled.
    """
    stretch = next((stretch for stretch in stretches if stretch.last_key is not None), None)
    if stretch is None or stretch.last_key is None:
        _refuse_missing_columns(connection, backfill)  # as far as can be seen without a row
        return
    try:
        kind = kind_of(connection, backfill)
        # every row is right or not under this stricter condition, too, and the columns are the same
        statements = RangeStatements(backfill, stretch, needy(connection, backfill, new_code_wrote=False))
        _try(connection, kind, statements, stretch.last_key)
    except AuthorsMistake as error:
        raise _refused(backfill, str(error)) from error
    except psycopg.Error as error:
        if is_about_the_statement(error):
            raise _refused(backfill, error.diag.message_primary or str(error)) from error
    except OSError:
        pass  # somebody is in the way, or a service doesn't answer: that is no verdict


def _try(connection: psycopg.Connection[Any], kind: Kind, statements: RangeStatements, last: KeyValue) -> None:
    upper = _nth(connection, statements, None, last, _ROWS)
    first_words = _failure(connection, kind, statements, None, upper)
    if first_words is None:
        return
    lower: KeyValue | None = None
    while lower != upper:  # some rows can't be filled, and are set aside later; but all of them?
        row = _nth(connection, statements, lower, upper, 1)
        if _failure(connection, kind, statements, lower, row) is None:
            return
        lower = row
    raise AuthorsMistake(f"none of the first rows can be filled: {first_words}")


def _failure(
    connection: psycopg.Connection[Any],
    kind: Kind,
    statements: RangeStatements,
    lower: KeyValue | None,
    upper: KeyValue,
) -> str | None:
    """Why a row of the range can't be filled; None where all that need it can."""
    try:
        with connection.transaction(force_rollback=True):
            set_limits(connection, statements.backfill, until_the_transaction_ends=True)
            written, in_vain = kind.prepare(statements, lower, upper).run_and_judge()
    except CannotFill as error:
        return str(error)
    except psycopg.Error as error:
        if is_about_a_row(error):
            return error.diag.message_primary or str(error)
        raise
    if written and in_vain:
        raise NotFalsified(written)
    return None


def _nth(
    connection: psycopg.Connection[Any], statements: RangeStatements, lower: KeyValue | None, upper: KeyValue, rows: int
) -> KeyValue:
    walking(connection)
    found = connection.execute(statements.nth_key(lower, upper, rows)).fetchone()
    return tuple(found) if found else upper


def _refuse_missing_columns(connection: psycopg.Connection[Any], backfill: Backfill) -> None:
    columns = sync_columns(PsycopgExecutor(connection), backfill.table, backfill.table_schema)
    missing = [name for name in backfill.written_columns if name not in columns]
    if missing:
        raise _refused(backfill, f"{backfill.table} has no column {', '.join(missing)}")


def _refused(backfill: Backfill, words: str) -> UsageError:
    return UsageError(
        f"the backfill of {backfill.table} can't work, so it doesn't begin",
        because=words,
        next_command="mend the Backfill in the revision file",
    )
