"""
What waiting contracts are going to do is no difference: autogenerate and ``alembic check`` leave it out.

Registered with Alembic's comparators when this module is imported, which every revision file does that imports
`expandcontract`, so it holds for plain Alembic as well. Not by the entry point ``alembic.plugins``: on Alembic 1.18 to
1.20.0 that makes ``import alembic`` fail (https://github.com/sqlalchemy/alembic/issues/1873).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from alembic.autogenerate import comparators
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrateOperation, ops
from alembic.script import Script

from expandcontract.alembic_bridge.recorder import record
from expandcontract.alembic_bridge.sqlalchemy_executor import SqlalchemyExecutor
from expandcontract.database import ledger_installation
from expandcontract.database.queries import queries

_Name = tuple[str | None, str]  # schema and name
_ForeignKey = tuple[_Name, tuple[str, ...], _Name, tuple[str, ...]]  # from which table and columns to which

_RENAME = re.compile(r'\bRENAME\s+(?:CONSTRAINT\s+)?(?:"?(?P<old>\w+)"?\s+)?TO\s+"?(?P<new>\w+)"?', re.IGNORECASE)
_NAME = r'("(?:[^"]|"")+"|\w+)'
_TABLE_RENAMED = re.compile(rf"\bALTER\s+TABLE\s+(?:{_NAME}\.)?{_NAME}\s+RENAME\s+TO\s+{_NAME}", re.IGNORECASE)
_INDEX_USED = re.compile(
    rf"\bADD\s+CONSTRAINT\s+{_NAME}\s+(?:PRIMARY\s+KEY|UNIQUE)\s+USING\s+INDEX\s+{_NAME}", re.IGNORECASE
)
_ALTERED = re.compile(r'\bALTER\s+INDEX\s+(?:\w+\.)?"?(?P<old>\w+)"?', re.IGNORECASE)


@dataclass
class Waiting:
    """What waiting contracts remove, make and alter, by name."""

    default_schema: str | None
    tables: set[_Name] = field(default_factory=set)
    new_tables: set[_Name] = field(default_factory=set)  # new names of tables
    columns: set[tuple[_Name, str]] = field(default_factory=set)
    altered: dict[tuple[_Name, str], set[str]] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)  # indexes and constraints that come, go or are renamed
    unique: set[tuple[_Name, tuple[str, ...]]] = field(default_factory=set)
    foreign_keys: set[_ForeignKey] = field(default_factory=set)

    def learn(self, operation: MigrateOperation) -> None:
        """Take note of one operation of a contract."""
        match operation:
            case ops.DropTableOp():
                self.tables.add(self._table(operation))
            case ops.DropColumnOp():
                self.columns.add((self._table(operation), operation.column_name))
            case ops.AlterColumnOp():
                key = (self._table(operation), operation.column_name)
                self.altered.setdefault(key, set()).update(_alterations(operation))
            case ops.CreateIndexOp():
                self.named.add(str(operation.index_name))
                if operation.unique:
                    self.unique.add((self._table(operation), tuple(map(str, operation.columns))))
            case ops.DropIndexOp():
                self.named.add(str(operation.index_name))
            case ops.CreateForeignKeyOp():
                self.named.add(str(operation.constraint_name))
                self.foreign_keys.add(self._foreign_key(operation))
            case ops.AddConstraintOp():
                self.named.add(str(operation.constraint_name))  # type: ignore[attr-defined]
            case ops.DropConstraintOp():
                self.named.add(str(operation.constraint_name))
            case ops.ExecuteSQLOp():
                self._learn_statement(str(operation.sqltext))

    def _learn_statement(self, statement: str) -> None:
        self.named.update(_renamed(statement))
        if used := _INDEX_USED.search(statement):
            self.named.update(map(_bare, used.groups()))
        if renamed := _TABLE_RENAMED.search(statement):
            schema, old, new = (name and _bare(name) for name in renamed.groups())
            self.tables.add(self._name(schema, old))
            self.new_tables.add(self._name(schema, new))

    def covers(self, difference: MigrateOperation) -> bool:
        """Whether a contract does away with this difference; of a column's changes, takes out those that it does."""
        match difference:
            case ops.DropTableOp():
                return self._table(difference) in self.tables
            case ops.CreateTableOp():
                return self._table(difference) in self.new_tables
            case ops.DropColumnOp():
                return (self._table(difference), difference.column_name) in self.columns
            case ops.AlterColumnOp():
                _leave_out(difference, self.altered.get((self._table(difference), difference.column_name), set()))
                return not difference.has_changes()
            case ops.CreateIndexOp() | ops.DropIndexOp():
                index = difference.to_index()
                names = [each.name for each in index.expressions if hasattr(each, "name")]
                return str(difference.index_name) in self.named or self._goes(difference, names)
            case ops.CreateUniqueConstraintOp():
                key = (self._table(difference), tuple(map(str, difference.columns)))
                return str(difference.constraint_name) in self.named or key in self.unique
            case ops.CreateForeignKeyOp():
                return str(difference.constraint_name) in self.named or self._is_made(difference)
            case ops.AddConstraintOp():
                return str(difference.constraint_name) in self.named  # type: ignore[attr-defined]
            case ops.DropConstraintOp():
                constraint = difference.to_constraint() if difference._reverse is not None else None
                names = [each.name for each in getattr(constraint, "columns", ())]
                return str(difference.constraint_name) in self.named or self._goes(difference, names)
            case ops.CreateTableCommentOp() | ops.DropTableCommentOp():
                return self._table(difference) in self.tables
        return False

    def _goes(self, difference: Any, columns: Iterable[str]) -> bool:
        table = self._table(difference)
        return table in self.tables | self.new_tables or any((table, column) in self.columns for column in columns)

    def _is_made(self, difference: ops.CreateForeignKeyOp) -> bool:
        key = self._foreign_key(difference)
        return key in self.foreign_keys or key[0] in self.new_tables

    def _foreign_key(self, operation: ops.CreateForeignKeyOp) -> _ForeignKey:
        """What it is by, whatever it is called: models needn't name it."""
        schemas = operation.kw.get("source_schema"), operation.kw.get("referent_schema")
        source, referred = map(self._name, schemas, (operation.source_table, operation.referent_table))
        return source, tuple(operation.local_cols), referred, tuple(operation.remote_cols)

    def _table(self, operation: Any) -> _Name:
        return self._name(operation.schema, operation.table_name)

    def _name(self, schema: str | None, name: Any) -> _Name:
        return (None if schema == self.default_schema else schema, str(name))


_FIELDS = ("modify_nullable", "modify_server_default", "modify_type", "modify_comment")


def _alterations(operation: ops.AlterColumnOp) -> set[str]:
    return (
        {name for name in _FIELDS if getattr(operation, name) not in (None, False)}
        | ({"modify_nullable"} if operation.modify_nullable is False else set())
        | ({"modify_server_default"} if operation.modify_server_default is None else set())
    )


def _leave_out(operation: ops.AlterColumnOp, names: set[str]) -> None:
    for name in names:
        setattr(operation, name, None if name in ("modify_nullable", "modify_type") else False)


def _bare(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()


def _renamed(statement: str) -> Iterator[str]:
    """Both names of what a statement renames: an index or a constraint."""
    found = _RENAME.search(statement)
    if found:
        yield found["new"]
        if found["old"]:
            yield found["old"]
        elif index := _ALTERED.search(statement):
            yield index["old"]


def _leave_out_what_waits(context: AutogenContext, upgrade_ops: ops.UpgradeOps, schemas: Any) -> None:
    """The comparator: runs after Alembic's own."""
    scripts = _with_waiting_contract(context)
    if not scripts:
        return
    waiting = Waiting(context.dialect.default_schema_name)
    for script in scripts:
        contract = script.module.contract
        for operation in record(contract if isinstance(contract, tuple | list) else (contract,)).operations:
            waiting.learn(operation)
    upgrade_ops.ops[:] = _remaining(upgrade_ops.ops, waiting)


def _remaining(operations: Sequence[MigrateOperation], waiting: Waiting) -> list[MigrateOperation]:
    found = []
    for operation in operations:
        if isinstance(operation, ops.ModifyTableOps):
            operation.ops = _remaining(operation.ops, waiting)
            if operation.is_empty():
                continue
        elif waiting.covers(operation):
            continue
        found.append(operation)
    return found


def _with_waiting_contract(context: AutogenContext) -> list[Script]:
    """The applied revisions that have a contract which the ledger doesn't know as done."""
    migration, script = context.migration_context, context.migration_context.script
    if script is None or context.connection is None:
        return []
    heads = migration.get_current_heads()
    applied = list(script.iterate_revisions(heads, "base")) if heads else []
    with_contract = [each for each in applied if getattr(each.module, "contract", None)]
    if not with_contract:
        return []
    done = _contracted(SqlalchemyExecutor(context.connection))
    return [each for each in reversed(with_contract) if each.revision not in done]


def _contracted(executor: SqlalchemyExecutor) -> frozenset[str]:
    if not ledger_installation.installed_version(executor):
        return frozenset()
    return frozenset(revision for (revision,) in executor.rows(queries("ledger")["contracted"]))


def _register() -> None:
    try:
        from alembic.util import DispatchPriority  # 1.18: then Alembic's own comparators come later than others'
    except ImportError:
        comparators.dispatch_for("schema")(_leave_out_what_waits)
    else:
        comparators.dispatch_for("schema", priority=DispatchPriority.LAST)(_leave_out_what_waits)


_register()
