"""A change, and what its author declares in the revision file: `Sync` and `Backfill`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from expandcontract.domain.footprint import Footprint
from expandcontract.domain.phase import Phase
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


@dataclass(frozen=True)
class Backfill:
    """
    What moves the data of a change: each row that isn't right yet gets its new values.

    ``Backfill(sync)`` fills the new shape of a `Sync`. ``Backfill("users", set={...}, where="...")`` sets the
    columns in the rows for which `where` holds; setting them must make `where` false.

    Args:
        source: a `Sync`, or the table's name.
        set: column → SQL expression over the row.
        where: which rows still need it; by default those where a column differs from its expression.
        schema: the table's schema, where `source` is a name.
        writers: the change whose code keeps new rows right, where no `Sync` does; the backfill then runs only while
            every live release ships it.
        required: whether a release that ships this change must wait with its traffic until the backfill is complete.
        rate: rows per second, unless the command says otherwise.
        turns: in how many turns a span of rows is written, 1 to 16; by default as many as pay. See `turns`.

    Raises:
        ValueError: at import of the revision file, for a declaration that can't mean anything.

    """

    source: Sync | str
    set: Mapping[str, str] | None = field(kw_only=True, default=None)
    where: str | None = field(kw_only=True, default=None)
    schema: str | None = field(kw_only=True, default=None)
    writers: str | None = field(kw_only=True, default=None)
    required: bool = field(kw_only=True, default=True)
    rate: int | None = field(kw_only=True, default=None)
    turns: int | None = field(kw_only=True, default=None)

    def __post_init__(self) -> None:
        if isinstance(self.source, Sync):
            if self.set or self.where or self.schema:
                raise ValueError("Backfill(sync) takes its table, columns and rows from the Sync")
        else:
            if not self.set:
                raise ValueError(f"Backfill({self.source!r}) needs set={{column: expression}}")
            _check_expressions("Backfill set", self.set)
        if self.rate is not None and self.rate <= 0:
            raise ValueError(f"Backfill rate is rows per second, at least 1, not {self.rate}")
        if self.turns is not None and not 1 <= self.turns <= MOST:
            raise ValueError(f"Backfill turns are 1 to {MOST}, not {self.turns}")

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
        """Column → expression: what a range writes."""
        return self.source.forward if isinstance(self.source, Sync) else (self.set or {})


@dataclass(frozen=True)
class Change:
    """
    One revision file, as far as decisions need it.

    ``expand_parts`` and ``contract_parts`` name the parts in their order; without a contract the latter is empty.
    ``contract_after`` is this change's rollback window.
    """

    revision: str
    title: str
    contract_after: timedelta
    expand_parts: tuple[str, ...] = ("upgrade",)
    contract_parts: tuple[str, ...] = ()
    backfill: Backfill | None = None
    installs_sync: bool = False
    footprints: Mapping[Phase, Footprint] = field(default_factory=dict)

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
        return self.footprints.get(phase, Footprint(known=False))
