"""What a text touches, action by action, whatever else there is in the database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from expandcontract.domain.footprint import EVERYTHING
from expandcontract.lint import statement as sql
from expandcontract.lint.footprint import objects, rows, tables
from expandcontract.lint.footprint.bodies import Body, body_of_block
from expandcontract.lint.footprint.trace import Trace, changing
from expandcontract.lint.reading.text import read
from expandcontract.lint.statement import Action, Statement

Reader = Callable[[Any, Statement], Iterator[Trace]]


def traces(text: str) -> Iterator[Trace]:
    """Give what each statement of the text touches, in order."""
    blocks = set()
    for statement in read(text):
        if not statement.in_block or isinstance(statement.actions[0], sql.NotAnalysed):
            yield from _of_statement(statement)
        elif statement.start not in blocks:  # a block is looked into as a whole: its conditions read as well
            blocks.add(statement.start)
            source = text.encode("utf-8", "replace")[statement.start : statement.end]
            yield from traces_of_body(body_of_block(source.decode("utf-8", "replace")))


def traces_of_body(body: Body) -> Iterator[Trace]:
    """Give what a body touches when it runs."""
    if body.unreadable:
        yield Trace(unknown=body.unreadable)
    for statement in body.statements:
        yield from _of_statement(statement)


def _of_statement(statement: Statement) -> Iterator[Trace]:
    for action in statement.actions:
        yield from READERS[type(action)](action, statement)


def _nothing(_: Action, __: Statement) -> Iterator[Trace]:
    yield from ()


def _everything(_: Action, __: Statement) -> Iterator[Trace]:
    yield changing(EVERYTHING)


def _not_read(action: sql.Dynamic | sql.NotAnalysed | sql.Broken, _: Statement) -> Iterator[Trace]:
    match action:
        case sql.Dynamic():
            yield Trace(unknown=f"{action.where} makes SQL up when it runs")
        case sql.NotAnalysed():
            yield Trace(unknown=f"{action.what} isn't looked into")
        case sql.Broken():
            yield Trace(unknown=f"the parser says: {action.message}")


def _other(action: sql.Other, statement: Statement) -> Iterator[Trace]:
    if action.tag == "AlterFunctionStmt":
        yield changing(objects.named_by(statement.tree["AlterFunctionStmt"]["func"]))
    elif action.tag == "CreateRangeStmt":
        yield changing(objects.named_by({"TypeName": {"names": statement.tree["CreateRangeStmt"]["typeName"]}}))
    elif action.tag not in _TOUCHES_NOTHING:
        yield Trace(unknown=f"{action.tag.removesuffix('Stmt')} isn't looked into")


_TOUCHES_NOTHING = frozenset(
    (
        *("CheckPointStmt", "ConstraintsSetStmt", "DeallocateStmt", "DiscardStmt", "ExplainStmt"),
        *("CreateRoleStmt", "ListenStmt", "NotifyStmt", "UnlistenStmt", "VariableShowStmt"),
    )
)

READERS: dict[type[Action], Reader] = {
    sql.AddColumn: tables.add_column,
    sql.AddConstraint: tables.add_constraint,
    sql.AddEnumValue: objects.alter_type,
    sql.AlterColumn: tables.alter_column,
    sql.AlterComposite: objects.alter_type,
    sql.AlterConstraint: tables.known_constraint,
    sql.AlterDomain: objects.alter_type,
    sql.AlterRelation: tables.alter_relation,
    sql.AttachPartition: tables.partition,
    sql.Authorise: objects.authorise,
    sql.Broken: _not_read,
    sql.ChangePublication: objects.change_publication,
    sql.ChangeType: tables.change_type,
    sql.ClusterWide: _everything,
    sql.Comment: objects.comment,
    sql.CreateDomain: objects.create_type,
    sql.CreateFunction: objects.create_function,
    sql.CreateIndex: tables.create_index,
    sql.CreateRule: objects.create_rule,
    sql.CreateSchema: objects.create_type,
    sql.CreateStatistics: objects.create_statistics,
    sql.CreateTable: tables.create_table,
    sql.CreateTableAs: objects.create_table_as,
    sql.CreateTrigger: objects.create_trigger,
    sql.CreateType: objects.create_type,
    sql.CreateView: objects.create_view,
    sql.DetachPartition: tables.partition,
    sql.Drop: objects.drop,
    sql.DropColumn: tables.drop_column,
    sql.DropConstraint: tables.drop_constraint,
    sql.Dynamic: _not_read,
    sql.LockTable: rows.look_after,
    sql.LongIdentifier: _nothing,  # the parser has cut it as the server will
    sql.Maintain: rows.look_after,
    sql.NotAnalysed: _not_read,
    sql.Other: _other,
    sql.Read: rows.read_rows,
    sql.RefreshMatview: rows.refresh,
    sql.Reindex: rows.look_after,
    sql.Rename: objects.rename,
    sql.SetExtension: objects.set_extension,
    sql.SetPolicy: objects.set_policy,
    sql.SetSchema: objects.set_schema,
    sql.SetSequence: objects.set_sequence,
    sql.SetVariable: _nothing,  # a name without a schema counts as one of any schema
    sql.Transaction: _nothing,
    sql.Truncate: rows.truncate,
    sql.ValidateConstraint: tables.known_constraint,
    sql.Write: rows.write,
}
