"""Footprints: which database objects a step touches, so that a later expand may overtake a waiting contract."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Touched:
    """A table, or one column of it. ``column`` None means the table as a whole, and so each of its columns."""

    table: str
    column: str | None = None
    schema: str | None = None

    def meets(self, other: Touched) -> bool:
        """Whether both speak of a common object. A table without schema may be the same as one with a schema."""
        if self.table != other.table:
            return False
        if self.schema is not None and other.schema is not None and self.schema != other.schema:
            return False
        return self.column is None or other.column is None or self.column == other.column

    def __str__(self) -> str:
        return ".".join(part for part in (self.schema, self.table, self.column) if part)


@dataclass(frozen=True)
class Footprint:
    """What a step touches. ``known`` False: it holds something that can't be read, so it meets everything."""

    touched: frozenset[Touched] = frozenset()
    known: bool = True

    @classmethod
    def of(cls, touched: Iterable[Touched]) -> Footprint:
        """A known footprint of these objects."""
        return cls(frozenset(touched))

    def meeting(self, other: Footprint) -> str | None:
        """The name of one common object, ``"?"`` where one side can't be known, None where they don't meet."""
        if not (self.known and other.known):
            return "?"
        for mine in sorted(self.touched, key=str):
            for theirs in other.touched:
                if mine.meets(theirs):
                    return str(mine if mine.column else theirs)
        return None


UNKNOWN = Footprint(known=False)
