"""What is assumed of the server, what a statement does to it, and how far that reaches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from expandcontract.lint.expression import Expression
from expandcontract.lint.schema import Schema
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import (
    Action,
    ConstraintKind,
    DropConstraint,
)
from expandcontract.lint.value import Record, Value

SUE, SRE, AEL = Lock.SHARE_UPDATE_EXCLUSIVE, Lock.SHARE_ROW_EXCLUSIVE, Lock.ACCESS_EXCLUSIVE
INDEXED = frozenset((ConstraintKind.PRIMARY_KEY, ConstraintKind.UNIQUE, ConstraintKind.EXCLUDE))


class Effects(Record):
    """Locks by relation, and the work done while they are held."""

    locks: dict[str, Lock] = {}
    rewrites: set[str] = set()
    scans: bool = False  # reads a whole table to check something
    checks_keys: bool = False  # looks up every row of a foreign key
    builds_index: bool = False
    proof_used: bool = False  # a scan was spared by an existing constraint
    reads_data: bool = False  # works on rows: DML, SELECT, a copy of a table

    def lock(self, relations: Iterable[str], mode: Lock) -> None:
        """Note a lock; the strongest one on a relation counts."""
        for relation in relations:
            self.locks[relation] = max(mode, self.locks.get(relation, mode))

    @property
    def is_slow(self) -> bool:
        """Whether the work grows with the size of a table."""
        return bool(self.rewrites or self.scans or self.checks_keys or self.builds_index or self.reads_data)


class Server(Value):
    """
    What is assumed of the server: major version, schema, the session's time zone (None: unknown).

    ``leaving`` are the (table, constraint) pairs that the statement at hand drops: ALTER TABLE drops first,
    wherever in the statement that stands, so that the rest of it can't lean on them.
    """

    version: int
    schema: Schema
    time_zone: str | None = None
    leaving: frozenset[tuple[str, str]] = frozenset()

    def checks_of(self, table: str) -> list[Expression]:
        """Give the valid CHECKs of a table that the statement at hand leaves in place."""
        known = self.schema.table(table)
        if known is None:
            return []
        return [check for name, check in known.valid_checks() if (table, name) not in self.leaving]

    def during(self, actions: Sequence[Action]) -> Server:
        """Give the server as the actions of one statement meet it."""
        drops = [(each.table, each.name) for each in actions if isinstance(each, DropConstraint)]
        return self.with_(leaving=frozenset(drops)) if drops and len(actions) > 1 else self


def family(table: str, server: Server) -> list[str]:
    """Give a table and its known partitions."""
    return [table, *server.schema.partitions(table)]


def reached(table: str, server: Server) -> list[str]:
    """Give a table and all that ALTER TABLE on it changes as well: partitions, and tables that inherit."""
    return [table, *server.schema.descendants(table)]


def with_rows(table: str, server: Server) -> list[str]:
    """Give the relations that hold a table's rows: itself, or its partitions."""
    if not server.schema.is_partitioned(table):
        return [table]
    return [name for name in server.schema.partitions(table) if not server.schema.is_partitioned(name)] or [table]


def typed(name: str, schema: Schema) -> list[str]:
    """Give the tables made ``OF`` a composite type."""
    return [table for table, known in schema.tables.items() if known.of_type == name]
