"""Who may write the ledger and has no business to: whoever writes it can say that a window has closed."""

from __future__ import annotations

from dataclasses import dataclass

EVERYBODY = "PUBLIC"


@dataclass(frozen=True)
class LedgerWriter:
    """A role, or ``PUBLIC``, as SQL quotes it, that was granted to write these tables of the ledger."""

    role: str
    tables: tuple[str, ...]

    @property
    def because(self) -> str:
        """What is wrong about it."""
        who = "everybody" if self.role == EVERYBODY else f"role {self.role}"
        more = f" and {len(self.tables) - 1} more" if len(self.tables) > 1 else ""
        return f"{who} may write to {self.tables[0]}{more}, and so say that a window has closed"

    @property
    def remedy(self) -> str:
        """The statement that takes it away; and what to do where it is right."""
        revoke = f"REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA ec FROM {self.role}"
        if self.role == EVERYBODY:
            return revoke
        return f"{revoke}; where it runs ec as well and no release connects as it: name it in maintenance_roles"
