"""What a rule may know besides the action: the schema before it, the transaction around it, the phase."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from expandcontract.domain.phase import Phase
from expandcontract.lint.known import FRESH_KINDS
from expandcontract.lint.schema import Schema
from expandcontract.lint.server.effects import effects_of
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.server.server import Effects, Server
from expandcontract.lint.statement import Action, Drop, Statement, Transaction
from expandcontract.lint.value import Record, Value

if TYPE_CHECKING:
    from expandcontract.domain.footprint import Footprint
    from expandcontract.lint.footprint.standing import Standing

BOOKKEEPING = "alembic_version"  # one row, written by the migration tool itself
BLOCKING = Lock.SHARE  # from here on, writes wait


class Guarantees(Value):
    """What whoever runs the SQL sees to by itself, so that the text needn't."""

    lock_timeout: bool = False
    statement_timeout: bool = False


class Surroundings(Value):
    """
    The rest of the change that a text belongs to.

    ``removed`` are the (table, column) pairs that its contract drops, ``removed_tables`` the tables; ``mapped`` are the
    pairs that the models map; ``has_backfill`` tells that the change declares one; ``contracts`` are the footprints of
    earlier changes' contracts, by name, in a database where ``standing`` holds.
    """

    removed: frozenset[tuple[str, str]] = frozenset()
    removed_tables: frozenset[str] = frozenset()
    mapped: frozenset[tuple[str, str]] = frozenset()
    has_backfill: bool = False
    contracts: Mapping[str, Footprint] = {}
    standing: Standing | None = None


class Done(Value):
    """An action of the same transaction that has already been judged."""

    statement: Statement
    action: Action
    effects: Effects
    live_locks: dict[str, Lock]  # on tables that others use


class Scene(Record):
    """The situation in which one action is judged."""

    server: Server
    statements: Sequence[Statement]
    phase: Phase | None
    managed: bool  # the runner wraps the text in a transaction
    guarantees: Guarantees
    surroundings: Surroundings
    minor: int | None = None
    position: int = 0
    in_transaction: bool = False
    done: list[Done] = []  # of the transaction that is open
    held: dict[str, Lock] = {}  # on live tables, by earlier statements of it
    exclusive: dict[str, None] = {}  # those under ACCESS EXCLUSIVE, in order
    added_values: dict[str, str] = {}  # enum values added in it, and their types
    first_blocked: str | None = None  # the first live table of the text on which writes had to wait
    began: bool = False  # the text has a BEGIN of its own so far
    settings: dict[str, str | None] = {}
    time_zone: str | None = None  # the session's, to which the end of a transaction returns
    may_roll_back: bool = False  # the text has a ROLLBACK somewhere
    effects: Effects = Effects()
    locks: dict[str, Lock] = {}  # those of the action, on live tables

    @property
    def schema(self) -> Schema:
        """The schema as it is before the statement."""
        return self.server.schema

    @property
    def version(self) -> int:
        """The server's major version."""
        return self.server.version

    @property
    def statement(self) -> Statement:
        """The statement that the action stands in."""
        return self.statements[self.position]

    @property
    def later(self) -> Sequence[Statement]:
        """The statements after this one."""
        return self.statements[self.position + 1 :]

    def later_in_transaction(self) -> Iterator[Action]:
        """Give the actions that follow in the same transaction; none where every statement has its own."""
        if not self.in_transaction:
            return
        for statement in self.later:
            for action in statement.actions:
                if isinstance(action, Transaction) and action.verb in ("commit", "rollback", "prepare"):
                    return
                yield action

    def is_dropped_later(self, table: str) -> bool:
        """Whether the same transaction goes on to drop the table, which says all that is to be said of its parts."""
        return any(
            isinstance(action, Drop) and action.kind == "table" and action.name == table
            for action in self.later_in_transaction()
        )

    def is_live(self, table: str) -> bool:
        """Whether others may be using the table: neither this text nor this session made it."""
        known = self.schema.table(table)
        temporary = known is not None and known.persistence == "temporary"
        return not temporary and not self.schema.is_fresh("table", table)

    def is_live_object(self, kind: str, name: str) -> bool:
        """Whether others may be using an object of this kind: this text didn't make it."""
        if kind in ("table", "foreign_table", "matview", "view"):
            return self.is_live(name) and not self.schema.is_fresh("view", name)
        return not self.schema.is_fresh(FRESH_KINDS.get(kind, kind), name)

    def is_live_column(self, table: str, column: str) -> bool:
        """Whether others may be using the column."""
        return self.is_live(table) and not self.schema.is_fresh("column", f"{table}.{column}")

    def size_of_the_work(self) -> str:
        """Give how large the tables are that the action works on under its locks; empty where nobody told."""
        if not self.effects.is_slow or not self.schema.sizes:
            return ""
        tables = sorted(self.effects.rewrites | {name for name, mode in self.locks.items() if mode > Lock.ACCESS_SHARE})
        sizes = {table: size for table in tables if (size := self.schema.size(table))}
        return "; ".join(f"{table} has {size}" for table, size in sizes.items())

    def live_locks(self, effects: Effects) -> dict[str, Lock]:
        """Give the locks on tables that others use; the migration tool's own table isn't one."""
        return {
            name: mode
            for name, mode in effects.locks.items()
            if name != BOOKKEEPING and self.is_live(name) and not self.schema.is_fresh("view", name)
        }

    def exclusively_locked(self, locks: dict[str, Lock]) -> set[str]:
        """Give the tables among these that are under ACCESS EXCLUSIVE, a partition counting as its parent."""
        found = set()
        for name, mode in locks.items():
            if mode is Lock.ACCESS_EXCLUSIVE:
                known = self.schema.table(name)
                above = (known.parent or next(iter(known.inherits), None)) if known else None
                found.add(above or name)
        return found

    @property
    def is_rolled_back(self) -> bool:
        """Whether the transaction that is open ends in a ROLLBACK, so that nothing of it stays."""
        if not self.may_roll_back:
            return False
        for statement in self.later:
            for action in statement.actions:
                if isinstance(action, Transaction) and action.verb in ("commit", "rollback", "prepare"):
                    return self.in_transaction and action.verb == "rollback"
        return False

    def effects_of(self, action: Action) -> Effects:
        """Give the effects of another action in the same situation."""
        return effects_of([action], self.server)
