"""Footprints: which database objects a step touches, so that a later expand may overtake a waiting contract."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Touched:
    """
    A database object by its name, or one member of it: a column, a constraint, a trigger.

    Kinds aren't told apart: a table, a view, a type and a function of one name count as one object, which can only
    make two steps meet that don't. ``member`` None means the object as a whole, and so each of its members; ``name``
    None everything in the schema, and without a schema everything that there is.
    """

    name: str | None
    member: str | None = None
    schema: str | None = None

    def meets(self, other: Touched) -> bool:
        """Whether both may be a common object. A name without schema may be the same as one with a schema."""
        if self.schema is not None and other.schema is not None and self.schema != other.schema:
            return False
        if self.name is None or other.name is None:
            return True
        if self.name != other.name:
            return False
        return self.member is None or other.member is None or self.member == other.member

    def narrowness(self) -> tuple[bool, bool, bool]:
        """How much it says, to choose between two names of what may be one object."""
        return self.name is not None, self.member is not None, self.schema is not None

    def __str__(self) -> str:
        if self.name is None:
            return f"everything in schema {self.schema}" if self.schema else "everything"
        return ".".join(part for part in (self.schema, self.name, self.member) if part)


EVERYTHING = Touched(None)


@dataclass(frozen=True)
class Footprint:
    """
    What a step touches: what it ``changes``, and what it ``uses`` and so counts on.

    ``unknown`` says why that can't be told; then it meets everything.
    """

    changes: frozenset[Touched] = frozenset()
    uses: frozenset[Touched] = frozenset()
    unknown: str | None = None

    @classmethod
    def of(cls, changes: Iterable[Touched], uses: Iterable[Touched] = ()) -> Footprint:
        """A known footprint of these objects."""
        return cls(frozenset(changes), frozenset(uses))

    def __or__(self, other: Footprint) -> Footprint:
        """What the two touch together."""
        return Footprint(self.changes | other.changes, self.uses | other.uses, self.unknown or other.unknown)

    def meeting(self, other: Footprint) -> str | None:
        """
        What keeps the two from running in either order, as a clause; None where nothing does.

        They meet where one changes what the other changes or uses.
        """
        for footprint in (self, other):
            if footprint.unknown:
                return f"what one of them touches can't be told: {footprint.unknown}"
        pairs = [(self.changes, other.changes | other.uses), (other.changes, self.uses)]
        common = {
            str(max(mine, theirs, key=Touched.narrowness))
            for changed, touched in pairs
            for mine in changed
            for theirs in touched
            if mine.meets(theirs)
        }
        return f"both touch {min(common)}" if common else None


UNKNOWN = Footprint(unknown="nobody has looked at it")
