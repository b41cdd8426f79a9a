"""
What a statement does, as values: one statement holds one or more actions, and rules judge actions.

``at`` is the byte offset that a finding points at. Names are ready to be pasted into SQL (see `identifier`).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from expandcontract.lint.expression import Expression
from expandcontract.lint.sqltype import SqlType
from expandcontract.lint.value import Value

_NO_TREE: dict[str, Any] = {}


class Action(Value):
    """One thing that a statement does."""

    at: int


class Statement(Value):
    """
    One statement: its byte range in the text, and what it does.

    ``tag`` is the parser's name of the statement; ``tree`` and ``source`` are kept for questions about it as
    a whole; ``in_block`` tells one that a DO block runs, whose range is then the whole block's.
    """

    start: int
    end: int
    tag: str
    actions: tuple[Action, ...]
    tree: dict[str, Any] = _NO_TREE
    in_block: bool = False
    source: bytes = b""


class ConstraintKind(StrEnum):
    """The kinds of table constraint."""

    CHECK = "CHECK"
    FOREIGN_KEY = "FOREIGN KEY"
    UNIQUE = "UNIQUE"
    PRIMARY_KEY = "PRIMARY KEY"
    EXCLUDE = "EXCLUDE"
    NOT_NULL = "NOT NULL"


class Constraint(Value):
    """A constraint, written inline or on its own."""

    kind: ConstraintKind
    name: str | None
    columns: tuple[str, ...]
    expression: Expression | None = None
    references: str | None = None
    referenced_columns: tuple[str, ...] = ()
    valid: bool = True  # False: NOT VALID
    enforced: bool = True  # False: NOT ENFORCED
    inherited: bool = True  # False: NO INHERIT
    using_index: str | None = None
    nulls_not_distinct: bool = False
    without_overlaps: bool = False
    at: int = 0


class Column(Value):
    """A column as it is declared."""

    name: str
    type: SqlType
    not_null: bool = False
    default: Expression | None = None
    identity: bool = False
    generated: str | None = None  # "stored" or "virtual"
    generation: Expression | None = None
    constraints: tuple[Constraint, ...] = ()
    collation: str | None = None
    compression: bool = False
    storage: bool = False
    at: int = 0

    @property
    def has_default(self) -> bool:
        """Whether an INSERT that leaves the column out gets a value by this declaration."""
        own = self.default is not None and not self.default.is_null
        return own or self.identity or self.type.serial or self.generated is not None


class Bound(Value):
    """What a partition holds."""

    is_default: bool
    strategy: str  # "range", "list", "hash"
    lower: tuple[Any, ...] = ()
    upper: tuple[Any, ...] = ()
    values: tuple[Any, ...] = ()


class CreateTable(Action):
    """CREATE TABLE."""

    table: str
    columns: tuple[Column, ...]
    constraints: tuple[Constraint, ...]  # of the table and of its columns
    if_not_exists: bool
    persistence: str  # "permanent", "unlogged" or "temporary"
    parent: str | None  # PARTITION OF
    bound: Bound | None
    partition_strategy: str | None
    partition_key: tuple[str, ...]
    inherits: tuple[str, ...]
    like: tuple[str, ...]
    of_type: str | None


class CreateTableAs(Action):
    """CREATE TABLE … AS, SELECT … INTO and CREATE MATERIALIZED VIEW."""

    table: str
    query: Expression
    sources: tuple[str, ...]
    if_not_exists: bool
    temporary: bool
    materialized: bool
    with_data: bool


class AddColumn(Action):
    """ALTER TABLE … ADD COLUMN."""

    table: str
    column: Column
    if_not_exists: bool


class DropColumn(Action):
    """ALTER TABLE … DROP COLUMN."""

    table: str
    column: str
    cascade: bool
    if_exists: bool


class ChangeType(Action):
    """ALTER TABLE … ALTER COLUMN … TYPE."""

    table: str
    column: str
    type: SqlType
    using: Expression | None
    collation: str | None


class ColumnChange(StrEnum):
    """The lesser ALTER COLUMN forms."""

    SET_DEFAULT = "SET DEFAULT"
    DROP_DEFAULT = "DROP DEFAULT"
    SET_NOT_NULL = "SET NOT NULL"
    DROP_NOT_NULL = "DROP NOT NULL"
    SET_EXPRESSION = "SET EXPRESSION"
    DROP_EXPRESSION = "DROP EXPRESSION"
    ADD_IDENTITY = "ADD GENERATED AS IDENTITY"
    SET_IDENTITY = "SET GENERATED"
    DROP_IDENTITY = "DROP IDENTITY"
    SET_STATISTICS = "SET STATISTICS"
    SET_OPTIONS = "SET (attribute)"
    SET_STORAGE = "SET STORAGE"
    SET_COMPRESSION = "SET COMPRESSION"


class AlterColumn(Action):
    """ALTER TABLE … ALTER COLUMN with one of the lesser changes."""

    table: str
    column: str
    change: ColumnChange
    expression: Expression | None = None


class AddConstraint(Action):
    """ALTER TABLE … ADD CONSTRAINT."""

    table: str
    constraint: Constraint


class DropConstraint(Action):
    """ALTER TABLE … DROP CONSTRAINT."""

    table: str
    name: str
    cascade: bool
    if_exists: bool


class ValidateConstraint(Action):
    """ALTER TABLE … VALIDATE CONSTRAINT."""

    table: str
    name: str


class AlterConstraint(Action):
    """ALTER TABLE … ALTER CONSTRAINT; ``enforced`` is None where it isn't touched."""

    table: str
    name: str
    enforced: bool | None


class AttachPartition(Action):
    """ALTER TABLE … ATTACH PARTITION."""

    table: str
    partition: str
    bound: Bound


class DetachPartition(Action):
    """ALTER TABLE … DETACH PARTITION."""

    table: str
    partition: str
    concurrently: bool
    finalize: bool


class TableChange(StrEnum):
    """ALTER TABLE forms that concern the relation as a whole."""

    SET_LOGGED = "SET LOGGED"
    SET_UNLOGGED = "SET UNLOGGED"
    SET_TABLESPACE = "SET TABLESPACE"
    SET_ACCESS_METHOD = "SET ACCESS METHOD"
    SET_OPTIONS = "SET (parameter)"
    ENABLE_TRIGGER = "ENABLE TRIGGER"
    DISABLE_TRIGGER = "DISABLE TRIGGER"
    DISABLE_RULE = "DISABLE RULE"
    ROW_SECURITY = "ROW LEVEL SECURITY"
    REPLICA_IDENTITY = "REPLICA IDENTITY"
    INHERIT = "INHERIT"
    NO_INHERIT = "NO INHERIT"
    OWNER = "OWNER TO"
    CLUSTER_ON = "CLUSTER ON"
    ATTACH_INDEX = "ATTACH PARTITION"
    OTHER = "other"


class AlterRelation(Action):
    """ALTER TABLE, INDEX or MATERIALIZED VIEW with a change of the relation as a whole."""

    table: str
    kind: str  # "table", "index", "matview", …
    change: TableChange
    argument: str | None = None


class CreateIndex(Action):
    """CREATE INDEX; a column that is an expression stands as None in ``columns``."""

    table: str
    name: str | None
    columns: tuple[str | None, ...]
    method: str
    unique: bool
    concurrently: bool
    if_not_exists: bool
    only: bool
    included: tuple[str, ...]
    where: Expression | None
    read: frozenset[str]  # the columns that its expressions and predicate read
    nulls_not_distinct: bool


class Reindex(Action):
    """REINDEX; ``scope`` is index, table, schema, database or system."""

    scope: str
    name: str
    concurrently: bool


class Drop(Action):
    """DROP of one object; ``table`` is set for what lives on a table."""

    kind: str
    name: str
    cascade: bool
    if_exists: bool
    concurrently: bool = False
    table: str | None = None


class Rename(Action):
    """A rename; ``relation`` is the table of a renamed column, constraint, trigger or policy."""

    kind: str
    old: str
    new: str
    relation: str | None = None


class SetSchema(Action):
    """ALTER … SET SCHEMA."""

    kind: str
    name: str
    schema: str


class Truncate(Action):
    """TRUNCATE."""

    tables: tuple[str, ...]
    cascade: bool


class LockTable(Action):
    """LOCK TABLE; ``mode`` is the number of PostgreSQL's lock mode, 8 being ACCESS EXCLUSIVE."""

    tables: tuple[str, ...]
    mode: int


class Write(Action):
    """
    INSERT, UPDATE, DELETE, MERGE or COPY … FROM into one table.

    ``sources`` are the relations that the rows come from; ``limited`` tells a LIMIT in their query.
    """

    verb: str
    table: str
    where: Expression | None
    sources: tuple[str, ...]
    query: Expression | None
    limited: bool = False


class Read(Action):
    """A SELECT or COPY … TO: the relations read, and whether rows are locked."""

    tables: tuple[str, ...]
    locks_rows: bool


class CreateView(Action):
    """CREATE VIEW."""

    name: str
    replace: bool
    query: Expression
    sources: tuple[str, ...]


class RefreshMatview(Action):
    """REFRESH MATERIALIZED VIEW."""

    name: str
    concurrently: bool
    with_data: bool


class CreateTrigger(Action):
    """CREATE TRIGGER; ``columns`` are those of UPDATE OF and WHEN."""

    table: str
    name: str
    replace: bool
    columns: frozenset[str]
    function: str


class CreateRule(Action):
    """CREATE RULE; ``columns`` are those that its condition and its commands name."""

    table: str
    name: str
    replace: bool
    columns: frozenset[str] = frozenset()


class SetPolicy(Action):
    """CREATE POLICY or ALTER POLICY."""

    table: str
    name: str
    created: bool
    columns: frozenset[str]


class CreateType(Action):
    """CREATE TYPE: an enum with its values, a composite with its attributes, or neither (range, base)."""

    name: str
    values: tuple[str, ...] | None = None
    attributes: tuple[Column, ...] | None = None


class CreateDomain(Action):
    """CREATE DOMAIN; ``constrained`` tells a CHECK or NOT NULL."""

    name: str
    type: SqlType
    constrained: bool
    has_default: bool


class AlterDomain(Action):
    """ALTER DOMAIN; ``change`` is "add constraint", "validate", "set not null", "default" and so on."""

    name: str
    change: str
    valid: bool = True
    constraint: str | None = None


class AddEnumValue(Action):
    """ALTER TYPE … ADD VALUE."""

    type: str
    value: str
    if_not_exists: bool
    positioned: bool


class AlterComposite(Action):
    """ALTER TYPE … ADD, DROP or ALTER ATTRIBUTE."""

    type: str
    change: str
    attribute: str
    cascade: bool


class SetSequence(Action):
    """CREATE SEQUENCE or ALTER SEQUENCE."""

    name: str
    created: bool
    restarted: bool = False
    owned_by: str | None = None  # the table
    unlogged: bool = False
    if_not_exists: bool = False


class CreateFunction(Action):
    """CREATE FUNCTION or PROCEDURE; ``body`` is None for an SQL-standard body."""

    name: str
    language: str
    volatility: str
    body: str | None
    replace: bool
    procedure: bool


class SetExtension(Action):
    """CREATE EXTENSION or ALTER EXTENSION … UPDATE."""

    name: str
    created: bool
    if_not_exists: bool = False


class CreateSchema(Action):
    """CREATE SCHEMA."""

    name: str
    if_not_exists: bool


class Transaction(Action):
    """BEGIN, COMMIT and their kin: the verbs begin, commit, rollback, prepare, savepoint."""

    verb: str


class SetVariable(Action):
    """SET, RESET and set_config(); ``value`` is None for a reset or a value that isn't a constant."""

    name: str
    value: str | None
    local: bool
    reset: bool = False


class Authorise(Action):
    """GRANT, REVOKE, OWNER TO and changes of roles: verbs grant, revoke, own, role."""

    verb: str
    kind: str
    objects: tuple[str, ...]


class Maintain(Action):
    """VACUUM, ANALYZE and CLUSTER; no table means all of them."""

    verb: str
    tables: tuple[str, ...]
    full: bool = False


class ClusterWide(Action):
    """What concerns the whole server or database: "CREATE DATABASE", "ALTER SYSTEM", …."""

    verb: str
    name: str


class ChangePublication(Action):
    """CREATE or ALTER PUBLICATION or SUBSCRIPTION."""

    name: str
    tables: tuple[str, ...]
    created: bool


class Comment(Action):
    """COMMENT ON; ``table`` where the object is a table or lives on one."""

    kind: str
    table: str | None


class CreateStatistics(Action):
    """CREATE STATISTICS."""

    table: str
    on_expressions: bool


class Dynamic(Action):
    """SQL that is put together when it runs, so that nobody can read it beforehand."""

    where: str


class NotAnalysed(Action):
    """Something that this linter can't look into, and says so."""

    what: str


class Broken(Action):
    """Text that PostgreSQL's parser rejects."""

    message: str


class LongIdentifier(Action):
    """A name of more than 63 bytes, as written."""

    name: str


class Other(Action):
    """A statement that no rule looks at, by the parser's name."""

    tag: str
