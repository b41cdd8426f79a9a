"""What is known of a schema, as far as SQL has told."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.expression import Expression
from expandcontract.lint.identifier import quoted
from expandcontract.lint.size import Size, together
from expandcontract.lint.sqltype import SqlType
from expandcontract.lint.statement import (
    Bound,
    Constraint,
    ConstraintKind,
    CreateFunction,
    CreateTrigger,
)
from expandcontract.lint.value import Record

FRESH_KINDS = {
    "table": "table",
    "foreign_table": "table",
    "matview": "table",
    "view": "view",
    "index": "index",
    "sequence": "sequence",
    "type": "type",
    "domain": "type",
    "function": "function",
    "procedure": "function",
    "routine": "function",
    "extension": "extension",
    "schema": "schema",
}


class KnownColumn(Record):
    """What is known of a column."""

    type: SqlType
    not_null: bool = False
    has_default: bool = False
    generated: str | None = None
    reads: frozenset[str] = frozenset()  # the columns that its generation expression reads
    collation: str | None = None  # None: its type's own


class KnownIndex(Record):
    """What is known of an index; ``reads`` are the columns in its expressions and predicate."""

    table: str
    columns: tuple[str | None, ...]
    unique: bool
    reads: frozenset[str]
    partial: bool = False
    backs_constraint: bool = False


class KnownTable(Record):
    """What is known of a table, a materialised view, or a view that stands in its place."""

    kind: str = "table"
    complete: bool = False  # its CREATE was read, so an absent column is absent
    persistence: str = "permanent"
    columns: dict[str, KnownColumn] = {}
    constraints: dict[str, Constraint] = {}
    partition_strategy: str | None = None
    partition_key: tuple[str, ...] = ()
    parent: str | None = None
    bound: Bound | None = None
    triggers: dict[str, CreateTrigger] = {}
    policies: dict[str, frozenset[str]] = {}
    rules: dict[str, frozenset[str]] = {}
    inherits: tuple[str, ...] = ()
    of_type: str | None = None
    access_method: str | None = None

    def valid_checks(self) -> Iterator[tuple[str, Expression]]:
        """Give its validated, enforced CHECK constraints: name and expression."""
        for name, constraint in self.constraints.items():
            checked = constraint.kind is ConstraintKind.CHECK and constraint.valid and constraint.enforced
            if checked and constraint.expression:
                yield name, constraint.expression

    def foreign_keys(self) -> Iterator[Constraint]:
        """Give its foreign keys."""
        return (each for each in self.constraints.values() if each.kind is ConstraintKind.FOREIGN_KEY)


class KnownView(Record):
    """What is known of a view: the relations it reads, and the columns; ``everything`` tells a ``*``."""

    sources: tuple[str, ...]
    columns: set[str]
    everything: bool


class KnownDomain(Record):
    """What is known of a domain."""

    type: SqlType
    constrained: bool
    has_default: bool


class KnownSchema:
    """Everything known, by name; ``fresh`` holds (kind, name) of what the text under judgement made."""

    def __init__(self) -> None:
        self.tables: dict[str, KnownTable] = {}
        self.indexes: dict[str, KnownIndex] = {}
        self.views: dict[str, KnownView] = {}
        self.domains: dict[str, KnownDomain] = {}
        self.enums: dict[str, set[str]] = {}
        self.composites: set[str] = set()
        self.sequences: set[str] = set()
        self.functions: dict[str, CreateFunction] = {}
        self.extensions: set[str] = set()
        self.schemas: set[str] = set()
        self.maybe_referencing: dict[str, dict[str, None]] = {}  # children by parent, dropped ones included
        self.has_partitions = False  # or tables that inherit; spares a look at every table where there are none
        self.sizes: dict[str, Size] = {}  # as a catalogue told
        self.fresh: set[tuple[str, str]] = set()

    def table(self, name: str) -> KnownTable | None:
        """Give what is known of a table, or None."""
        return self.tables.get(name)

    def known(self, name: str) -> KnownTable:
        """Give the table to take facts in for, made where nothing was known of it."""
        return self.tables.setdefault(name, KnownTable())

    def column(self, table: str, column: str) -> KnownColumn | None:
        """Give what is known of a column, or None."""
        known = self.tables.get(table)
        return known.columns.get(column) if known else None

    def lacks_column(self, table: str, column: str) -> bool:
        """Whether the table is fully known and has no such column."""
        known = self.tables.get(table)
        return bool(known and known.complete and column not in known.columns)

    def is_fresh(self, kind: str, name: str) -> bool:
        """Whether the text under judgement made this itself, so that nobody else uses it yet."""
        return (kind, name) in self.fresh

    def indexes_of(self, table: str) -> list[KnownIndex]:
        """Give the known indexes of a table."""
        return [index for index in self.indexes.values() if index.table == table]

    def partitions(self, parent: str) -> list[str]:
        """Give the known partitions of a table, also those of its partitions."""
        if not self.has_partitions:
            return []
        direct = [name for name, table in self.tables.items() if table.parent == parent]
        return direct + [below for name in direct for below in self.partitions(name)]

    def descendants(self, table: str) -> list[str]:
        """Give the tables that ALTER TABLE on this one reaches: its partitions, and those that inherit from it."""
        if not self.has_partitions:
            return []
        direct = [name for name, each in self.tables.items() if each.parent == table or table in each.inherits]
        return direct + [below for name in direct for below in self.descendants(name)]

    def size(self, table: str) -> Size | None:
        """Give how large a table is, its partitions included; None where no catalogue told."""
        told = [self.sizes[name] for name in (table, *self.partitions(table)) if name in self.sizes]
        return together(told) if told else None

    def domain_of(self, declared: SqlType) -> KnownDomain | None:
        """Give the domain that a column of this type has; an array of a domain isn't one."""
        return None if declared.dimensions else self.domains.get(declared.name)

    def default_partition(self, parent: str) -> str | None:
        """Give the name of a table's DEFAULT partition, where it is known to have one."""
        for name, table in self.tables.items():
            if table.parent == parent and table.bound and table.bound.is_default:
                return name
        return None

    def is_partitioned(self, name: str) -> bool:
        """Whether the table is known to be partitioned."""
        known = self.tables.get(name)
        return bool(known and known.partition_strategy)

    def referencing(self, table: str) -> list[str]:
        """Give the tables whose foreign keys point at this one."""
        return [
            name
            for name in self.maybe_referencing.get(table, ())
            if name != table
            and name in self.tables
            and any(key.references == table for key in self.tables[name].foreign_keys())
        ]

    def referenced(self, table: str) -> list[str]:
        """Give the tables that its foreign keys point at, itself left out."""
        known = self.tables.get(table)
        found = {key.references for key in known.foreign_keys() if key.references} if known else set()
        return sorted(found - {table})

    def using_type(self, name: str) -> list[tuple[str, str]]:
        """Give the (table, column) pairs of a type of the user's."""
        return [
            (table, column)
            for table, known in self.tables.items()
            for column, facts in known.columns.items()
            if facts.type.name == name
        ]

    def column_not_null(self, table: str, column: str) -> bool:
        """Whether the column is known to be NOT NULL."""
        facts = self.column(table, column)
        return bool(facts and facts.not_null)

    def views_reading(self, table: str, column: str) -> list[str]:
        """Give the views that read a column of a table."""
        return [
            name
            for name, view in self.views.items()
            if table in view.sources and (view.everything or column in view.columns)
        ]


def default_name(table: str, constraint: Constraint) -> str:
    """Give the name that PostgreSQL invents for an unnamed constraint (ChooseIndexName and its kin)."""
    base = table.rsplit(".", 1)[-1].strip('"')
    columns = [column.strip('"') for column in constraint.columns]
    suffix = {
        ConstraintKind.PRIMARY_KEY: ["pkey"],
        ConstraintKind.UNIQUE: [*columns, "key"],
        ConstraintKind.FOREIGN_KEY: [*columns, "fkey"],
        ConstraintKind.EXCLUDE: [*columns, "excl"],
        ConstraintKind.NOT_NULL: [*columns, "not_null"],
        ConstraintKind.CHECK: [*(columns if len(columns) == 1 else []), "check"],
    }[constraint.kind]
    return quoted("_".join([base, *suffix]))


def beside(table: str, name: str) -> str:
    """Give a name in the table's schema, which is where its indexes live."""
    return f"{table.rsplit('.', 1)[0]}.{name}" if "." in table else name
