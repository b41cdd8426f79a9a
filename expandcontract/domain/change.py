"""A change, and what its author declares in the revision file: `Sync` and `Backfill`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from expandcontract.domain.duration import as_duration
from expandcontract.domain.footprint import UNKNOWN, Footprint
from expandcontract.domain.phase import Phase
from expandcontract.domain.removal import Removal
from expandcontract.domain.turns import MOST


def _check_expressions(what: str, expressions: Mapping[str, str]) -> None:
    for column, expression in expressions.items():
        if not (isinstance(column, str) and isinstance(expression, str) and column and expression.strip()):
            raise ValueError(f"{what}: {column!r}: {expression!r} is not a column name with an SQL expression")


@dataclass(frozen=True)
class Sync:
    """
    Keeps two shapes of a table current, whichever colour writes.

    ``op.create_sync(sync)`` installs row triggers. A write that changes only the old shape computes the new one by
    `forward`; a write that changes only the new shape computes the old one by `backward`; a write that sets both is
    left as it is. The expressions are SQL over the columns of the row.

    Args:
        table: the table's name.
        forward: new column → expression over the old ones.
        backward: old column → expression over the new ones. Leave it out for a shape that can't be computed back;
            then name the columns that `forward` reads.
        reads: further columns that the expressions read.
        not_null: the new columns are never NULL, so a row that the backfill hasn't reached is filled by whatever
            updates it first. Needed where the expand already requires them, by ``CHECK (… IS NOT NULL) NOT VALID``.
        schema: the table's schema; None for the one on the search path.

    Raises:
        ValueError: at import of the revision file, for a declaration that can't mean anything.

    """

    table: str
    forward: Mapping[str, str] = field(kw_only=True)
    backward: Mapping[str, str] = field(kw_only=True, default_factory=dict)
    reads: tuple[str, ...] = field(kw_only=True, default=())
    not_null: bool = field(kw_only=True, default=False)
    schema: str | None = field(kw_only=True, default=None)

    def __post_init__(self) -> None:
        _check_expressions("Sync forward", self.forward)
        _check_expressions("Sync backward", self.backward)
        if not self.forward:
            raise ValueError("Sync needs forward={new column: expression}")
        if not (self.backward or self.reads):
            raise ValueError("Sync without backward needs reads=(columns that forward reads)")
        both = set(self.forward) & {*self.backward, *self.reads}
        if both:
            raise ValueError(f"Sync: {', '.join(sorted(both))} can't be both an old and a new column")

    @property
    def old_columns(self) -> tuple[str, ...]:
        """The columns of the old shape: those that `backward` writes, then those that are only read."""
        return tuple(dict.fromkeys([*self.backward, *self.reads]))

    @property
    def new_columns(self) -> tuple[str, ...]:
        """The columns of the new shape, which `forward` writes."""
        return tuple(self.forward)


Transform = Callable[[Sequence[Mapping[str, Any]]], Sequence[Mapping[str, Any]]]
RANGE = re.compile(r"(?<!:):range\b")  # what an author's statement calls the condition that limits it to one range


@dataclass(frozen=True)
class Backfill:
    """
    What moves the data of a change: each row that isn't right yet gets its new values.

    There are four kinds. ``Backfill(sync)`` fills the new shape of a `Sync`. With `set`, columns are computed in SQL.
    With `sql`, a statement of your own does the work for one range of the table at a time. With `transform`, a Python
    function computes the values of a batch of rows. Whatever is written must make `where` false.

    Args:
        source: a `Sync`, or the name of the table that is walked along.
        set: column → SQL expression over the row.
        sql: a statement with ``:range`` where the condition on the table's rows belongs, which it calls by the
            table's name.
        transform: gets a list of rows, as mappings of the columns `reads`; returns a list with, for each row, a
            mapping of the columns `fills`. It may be called again with the same rows.
        reads: the columns that `transform` is given.
        fills: the columns that `transform` computes.
        where: which rows still need it; for `set` by default those where a column differs from its expression.
        schema: the table's schema, where `source` is a name.
        writers: the change whose code keeps new rows right, where no `Sync` does; the backfill then runs only while
            every live release ships it.
        triggers: the triggers on that table, made by the expand itself, that keep new rows right, where no `Sync` can:
            from one table to another.
        required: whether a release that ships this change must wait with its traffic until the backfill is complete.
        rate: rows per second over all workers.
        batch: rows of one range at most; by default as many as take about a tenth of a second.
        lock_timeout: how long a range waits for a row that somebody else has locked: ``"300ms"``, or a `timedelta`.
        statement_timeout: how long one statement may take.
        turns: in how many turns a span of rows is written, 1 to 16; by default as many as pay.

    Raises:
        ValueError: at import of the revision file, for a declaration that can't mean anything.

    """

    source: Sync | str
    set: Mapping[str, str] | None = field(kw_only=True, default=None)
    sql: str | None = field(kw_only=True, default=None)
    transform: Transform | None = field(kw_only=True, default=None)
    reads: tuple[str, ...] = field(kw_only=True, default=())
    fills: tuple[str, ...] = field(kw_only=True, default=())
    where: str | None = field(kw_only=True, default=None)
    schema: str | None = field(kw_only=True, default=None)
    writers: str | None = field(kw_only=True, default=None)
    triggers: tuple[str, ...] = field(kw_only=True, default=())
    required: bool = field(kw_only=True, default=True)
    rate: int | None = field(kw_only=True, default=None)
    batch: int | None = field(kw_only=True, default=None)
    lock_timeout: str | timedelta = field(kw_only=True, default="300ms")
    statement_timeout: str | timedelta = field(kw_only=True, default="10s")
    turns: int | None = field(kw_only=True, default=None)

    def __post_init__(self) -> None:
        self._check_kind()
        for name, rows in (("rate", self.rate), ("batch", self.batch)):
            if rows is not None and rows <= 0:
                raise ValueError(f"Backfill {name} is a number of rows, at least 1, not {rows}")
        if self.turns is not None and not 1 <= self.turns <= MOST:
            raise ValueError(f"Backfill turns are 1 to {MOST}, not {self.turns}")
        for name, length in (("lock_timeout", self.lock_timeout), ("statement_timeout", self.statement_timeout)):
            if as_duration(length) <= timedelta(0):
                raise ValueError(f"Backfill {name} must be more than 0, or a range could wait for ever")

    def _check_kind(self) -> None:
        table = self.source if isinstance(self.source, str) else self.source.table
        named = [name for name in ("set", "sql", "transform") if getattr(self, name)]
        if isinstance(self.source, Sync):
            if named or self.where or self.schema or self.triggers:
                raise ValueError("Backfill(sync) takes its table, columns, rows and triggers from the Sync")
        elif len(named) != 1:
            raise ValueError(
                f"Backfill({table!r}) needs one of set={{column: expression}}, sql= and transform=,"
                f" and has {' and '.join(named) or 'none'}"
            )
        _check_expressions("Backfill set", self.set or {})
        if (self.sql or self.transform) and not self.where:
            raise ValueError(f"Backfill({table!r}, {named[0]}=…) needs where=: the rows that still need it")
        if self.sql and not RANGE.search(self.sql):
            raise ValueError(f"Backfill sql needs :range where the condition on the rows of {table} belongs")
        if bool(self.transform) != bool(self.fills) or (self.reads and not self.transform):
            raise ValueError("Backfill transform needs fills=(columns), and no other kind has reads or fills")

    @property
    def table(self) -> str:
        """The table whose rows are filled."""
        return self.source.table if isinstance(self.source, Sync) else self.source

    @property
    def table_schema(self) -> str | None:
        """The schema of that table, or None for the one on the search path."""
        return self.source.schema if isinstance(self.source, Sync) else self.schema

    @property
    def assignments(self) -> Mapping[str, str]:
        """Column → expression: what a range writes, where SQL expressions say it."""
        return self.source.forward if isinstance(self.source, Sync) else (self.set or {})

    @property
    def written_columns(self) -> tuple[str, ...]:
        """The columns of the table that are written, as far as the declaration tells."""
        return (*self.assignments, *self.fills)


@dataclass(frozen=True)
class Change:
    """
    One revision file, as far as decisions need it.

    ``expand_parts`` and ``contract_parts`` name the parts in their order; without a contract the latter is empty.
    ``contract_after`` is this change's rollback window. ``footprints`` and ``meanings`` are there where somebody has
    looked at what the phases do; a meaning is a checksum for each part, which only another meaning changes, and
    ``removal`` what the contract removes.
    """

    revision: str
    title: str
    contract_after: timedelta
    expand_parts: tuple[str, ...] = ("upgrade",)
    contract_parts: tuple[str, ...] = ()
    backfill: Backfill | None = None
    installs_sync: bool = False
    footprints: Mapping[Phase, Footprint] = field(default_factory=dict)
    meanings: Mapping[Phase, tuple[str, ...]] = field(default_factory=dict)
    removal: Removal | None = None

    @property
    def phases(self) -> tuple[Phase, ...]:
        """The phases that this change has, in order."""
        has = {
            Phase.EXPAND: True,
            Phase.BACKFILL: self.backfill is not None,
            Phase.CONTRACT: bool(self.contract_parts),
        }
        return tuple(phase for phase in Phase if has[phase])

    def parts(self, phase: Phase) -> tuple[str, ...]:
        """The names of the parts of a phase that runs as parts; empty for a backfill."""
        return {Phase.EXPAND: self.expand_parts, Phase.CONTRACT: self.contract_parts}.get(phase, ())

    def footprint(self, phase: Phase) -> Footprint:
        """What that phase touches; unknown where nobody has found out."""
        return self.footprints.get(phase, UNKNOWN)
