"""What every kind of backfill has: a way to make the rows of a range right."""

from __future__ import annotations

from typing import Protocol

from expandcontract.backfill.ranges import RangeStatements
from expandcontract.database.backfill_records import KeyValue


class Write(Protocol):
    """Writes the rows of a range, once, in the transaction that is open."""

    def run(self) -> int:
        """How many rows were written."""

    def run_and_judge(self) -> tuple[int, bool]:
        """How many rows were written, and whether there were any that are all still in need of it."""


class Kind(Protocol):
    """Knows how the rows of a range are made right, over the connection that it was made with."""

    def prepare(self, statements: RangeStatements, lower: KeyValue | None, upper: KeyValue) -> Write:
        """
        What is to be written to the rows above `lower` up to `upper`.

        Asked outside a transaction, so that it may take its time; the rows may change until it is written.

        Raises:
            CannotFill: the values of a row can't be computed.
            AuthorsMistake: it doesn't depend on the row.
            OSError: something outside the database didn't answer; it may do later.
        """


class CannotFill(Exception):
    """A row of the range can't be filled, as the author's own code says."""


class AuthorsMistake(Exception):
    """What is declared can't work, whatever the rows are."""


class NotFalsified(AuthorsMistake):
    """What was written left its rows in need of it."""

    def __init__(self, rows: int) -> None:
        super().__init__(
            f"{rows} rows still need it after they were written: what it sets doesn't make its condition false"
        )
