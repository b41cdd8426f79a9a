"""What a contract takes out of the schema that somebody may still refer to."""

from __future__ import annotations

from dataclasses import dataclass

from expandcontract.domain.footprint import Touched


@dataclass(frozen=True)
class Removed:
    """
    A table (or view), or one column of it, that goes.

    Attributes:
        table: its name.
        column: None for the table as a whole.
        schema: None where the contract doesn't name it.
        is_renamed: only the name goes; what stands on the object goes along with it.
    """

    table: str
    column: str | None = None
    schema: str | None = None
    is_renamed: bool = False

    def __str__(self) -> str:
        return ".".join(part for part in (self.schema, self.table, self.column) if part)

    def is_in(self, schema: str, table: str) -> bool:
        """Whether it may be (a column of) that table."""
        return self.table == table and self.schema in (None, schema)


@dataclass(frozen=True)
class Removal:
    """
    All that a contract removes.

    Attributes:
        removed: the tables and columns.
        beside: whatever else it drops or changes: what stands on a column and goes with it by name is in here.
        unknown: why that may not be all.
    """

    removed: tuple[Removed, ...] = ()
    beside: frozenset[Touched] = frozenset()
    unknown: str | None = None

    @property
    def drops(self) -> tuple[Removed, ...]:
        """Those that are gone for good afterwards, data and all."""
        return tuple(one for one in self.removed if not one.is_renamed)

    def takes(self, one: Touched) -> bool:
        """Whether the contract removes that object by its name."""
        gone = {*self.beside, *(Touched(each.table, each.column, each.schema) for each in self.drops)}
        return any((mine.name, mine.member) == (one.name, one.member) and mine.meets(one) for mine in gone)
