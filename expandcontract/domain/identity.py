"""Which database this is: a restored or cloned one has the ledger of another, and nobody has watched it since."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Identity:
    """
    A database among all.

    Attributes:
        system: the cluster's ``system_identifier``, which a new cluster gets at its birth and a copied data directory
            keeps; None where the role may not see it.
        oid: the database's, which a clone by ``CREATE DATABASE … TEMPLATE`` gets anew.
    """

    system: str | None
    oid: int

    def is_same(self, other: Identity) -> bool:
        """Whether both may be the same database, as far as both are known."""
        return self.oid == other.oid and (None in (self.system, other.system) or self.system == other.system)

    def __str__(self) -> str:
        return f"database {self.oid} of system {self.system or 'unknown'}"
